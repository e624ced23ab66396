"""Tags of the context: dynamically scoped pairs; repeated ones are all kept."""

from __future__ import annotations

import functools
import logging
import sys
import types
import warnings
import weakref
from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Mapping
from contextlib import AbstractContextManager
from contextvars import ContextVar, Token
from typing import Any, NamedTuple, ParamSpec, TypeVar, cast

from checkpoints._keys.tag_value import checked_tag_name
from checkpoints._process.libraries import imported
from checkpoints._text import shown
from checkpoints.errors import ConfigError

__all__ = [
    "Resumable",
    "TagPairs",
    "current_tags",
    "in_async_steps",
    "in_steps",
    "is_awaitable",
    "tags",
    "under_tags",
    "with_checkpoint_tags",
]

logger = logging.getLogger("checkpoints")

P = ParamSpec("P")
R = TypeVar("R")
TagPairs = tuple[tuple[str, object], ...]


class _Entry:
    """Where a scope was entered, and whether it was left elsewhere."""

    __slots__ = ("is_left", "token")

    def __init__(self) -> None:
        self.is_left = False
        self.token: Token[_Scope | None] | None = None


class _Scope(NamedTuple):
    owner: object
    own: TagPairs
    outer: _Scope | None
    pairs: TagPairs
    entry: _Entry


# `inspect.CO_ITERABLE_COROUTINE`; importing `inspect` takes longer than this library.
_ITERABLE_COROUTINE = 0x100

# At module level and never captured by a decorated function: cloudpickle cannot pickle
# a ContextVar.
_context: ContextVar[_Scope | None] = ContextVar("checkpoints.tags", default=None)
# The names of the tags that were left in another context than they were entered in.
_told: set[tuple[str, ...]] = set()


def current_tags() -> TagPairs:
    """
    Return the tags in force here, outermost first.

    Returns:
        Pairs of name and value, the values as given.

    >>> with tags(model="ridge"), tags(fold=1):
    ...     current_tags()
    (('model', 'ridge'), ('fold', 1))
    """
    scope = _context.get()
    if scope is None:
        return ()
    return scope.pairs if not _told else _still_entered(scope)


class tags:  # noqa: N801 - used like a function, as `contextlib.suppress` is
    """
    Put tags on everything that is saved inside.

    A context manager, and a decorator for functions, coroutine functions and
    generator functions (a generator has the tags while it runs, its caller does not).
    Nested contexts add their tags, outermost first; a name or value given twice is
    kept twice.

    Args:
        *pairs_or_mappings: `(name, value)` pairs and mappings of names to values.
        **named: More tags, by name.

    Raises:
        ConfigError: If a name is empty, not a text, or contains a `=`.

    >>> with tags(("seen", "a"), ("seen", "b"), fold=1):
    ...     current_tags()
    (('seen', 'a'), ('seen', 'b'), ('fold', 1))
    >>> @tags(stage="fit")
    ... def fit():
    ...     return current_tags()
    >>> fit()
    (('stage', 'fit'),)
    """

    __slots__ = ("__weakref__", "_own", "_unused")

    def __init__(
        self,
        *pairs_or_mappings: tuple[str, object] | Mapping[str, object],
        **named: object,
    ) -> None:
        self._own = tuple(_checked_pairs((*pairs_or_mappings, named)))
        # Unlike `__del__`, which would swallow a Ctrl-C, it runs only if not entered.
        told = functools.partial(_warn_of_unused, self._own)
        self._unused: weakref.ref[tags] | None = weakref.ref(self, told)

    def __getstate__(self) -> TagPairs:
        return self._own

    def __setstate__(self, own: TagPairs) -> None:
        self._own, self._unused = own, None

    def __repr__(self) -> str:
        return _call_text(self._own)

    def __enter__(self) -> None:
        self._unused = None
        _enter(self, self._own)

    def __exit__(self, *_: object) -> None:
        # Looked up by owner instead of popped: one object may be entered in many
        # threads at once, and a suspended generator or an ExitStack may have put
        # scopes on top that must stay.
        above = []
        scope = _context.get()
        while scope is not None and scope.owner is not self:
            above.append(scope)
            scope = scope.outer
        if scope is not None:
            if not _is_here(scope):
                _leave_elsewhere(scope)
            _context.set(scope.outer)
            for later in reversed(above):
                _put(later.owner, later.own, later.entry)

    def __call__(self, function: Callable[P, R], /) -> Callable[P, R]:
        self._unused = None
        if isinstance(function, type) or not callable(function):
            message = (
                f"tags(...) decorates functions, not {function!r}: decorate its "
                "methods, or use `with tags(...)`"
            )
            raise ConfigError(message)
        return cast(Callable[P, R], self._wrapped(function))

    def _wrapped(self, function: Callable[..., Any]) -> Callable[..., Any]:
        # It takes longer to load than the rest of this library.
        inspect = imported("inspect")
        if inspect.isasyncgenfunction(function):
            return in_async_steps(function, self._own)
        if inspect.isgeneratorfunction(function):

            @functools.wraps(function)
            def stepped(*args: Any, **kwargs: Any) -> Any:
                steps = in_steps(function(*args, **kwargs), Resumable(self._own))
                return (yield from steps)

            return types.coroutine(stepped) if is_awaitable(function) else stepped
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def awaited(*args: Any, **kwargs: Any) -> Any:
                with self:
                    return await function(*args, **kwargs)

            return awaited

        @functools.wraps(function)
        def called(*args: Any, **kwargs: Any) -> Any:
            with self:
                return function(*args, **kwargs)

        return called


def _call_text(own: TagPairs) -> str:
    # A repr may fail, which Python would only print where an object goes.
    pairs = (f"({name!r}, {shown(value)})" for name, value in own)
    return f"tags({', '.join(pairs)})"


def _warn_of_unused(own: TagPairs, _: object) -> None:
    # As a statement of its own, like `config(...)`, it does nothing. What a module
    # keeps to its end may be used by another one.
    if not sys.is_finalizing():
        message = f"{_call_text(own)} was never entered: write `with tags(...):`"
        warnings.warn(message, RuntimeWarning, 2)


def with_checkpoint_tags(
    function: Callable[[], R],
    /,
    *pairs_or_mappings: tuple[str, object] | Mapping[str, object],
    **named: object,
) -> R:
    """
    Call a function with tags.

    Args:
        function: Called without arguments.
        *pairs_or_mappings: As for `tags`.
        **named: As for `tags`.

    Returns:
        What the function returns.

    Raises:
        ConfigError: If the name of a tag is invalid.

    >>> with_checkpoint_tags(current_tags, fold=1)
    (('fold', 1),)
    """
    with tags(*pairs_or_mappings, **named):
        return function()


class under_tags:  # noqa: N801 - used like a function, as `tags` is
    """Puts these tags, and no others, on everything that is saved inside."""

    __slots__ = ("_pairs", "_token")

    def __init__(self, pairs: TagPairs) -> None:
        self._pairs = pairs

    def __enter__(self) -> None:
        self._token = _context.set(None)
        if self._pairs:
            _enter(self, self._pairs)

    def __exit__(self, *_: object) -> None:
        _context.reset(self._token)


class Resumable:
    """The scopes inside a generator, removed while it is suspended."""

    def __init__(self, own: TagPairs) -> None:
        self._scopes = [(object(), own)]
        self._outer: _Scope | None = None

    def __enter__(self) -> None:
        self._outer = _context.get()
        for owner, own in self._scopes:
            _enter(owner, own)

    def __exit__(self, *_: object) -> None:
        scopes = []
        scope = _context.get()
        while scope is not None and scope is not self._outer:
            scopes.append((scope.owner, scope.own))
            scope = scope.outer
        self._scopes = scopes[::-1]
        _context.set(self._outer)


def in_steps(
    generator: Any, scopes: AbstractContextManager[object]
) -> Generator[Any, Any, Any]:
    """Run a generator or a coroutine step by step, each step inside its scopes."""
    resume: Callable[[Any], Any] = generator.send
    argument: Any = None
    while True:
        with scopes:
            try:
                item = resume(argument)
            except StopIteration as stop:
                return stop.value
        try:
            argument = yield item
            resume = generator.send
        except GeneratorExit:
            with scopes:
                generator.close()
            raise
        except BaseException as error:  # noqa: BLE001 - thrown into the generator
            resume, argument = generator.throw, error


def is_awaitable(function: Callable[..., Any]) -> bool:
    """Tell whether a generator function was made awaitable by `types.coroutine`."""
    code = getattr(function, "__code__", None)
    return code is not None and bool(code.co_flags & _ITERABLE_COROUTINE)


def in_async_steps(function: Callable[..., Any], own: TagPairs) -> Callable[..., Any]:
    """Return an async generator function with each step inside the scopes of tags."""

    @functools.wraps(function)
    async def stepped(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        generator, scopes = function(*args, **kwargs), Resumable(own)
        resume, argument = generator.asend, None
        while True:
            with scopes:
                try:
                    item = await resume(argument)
                except StopAsyncIteration:
                    return
            try:
                argument = yield item
                resume = generator.asend
            except GeneratorExit:
                with scopes:
                    await generator.aclose()
                raise
            except BaseException as error:  # noqa: BLE001 - thrown into the generator
                resume, argument = generator.athrow, error

    return stepped


def _enter(owner: object, own: TagPairs) -> None:
    entry = _Entry()
    entry.token = _put(owner, own, entry)


def _put(owner: object, own: TagPairs, entry: _Entry) -> Token[_Scope | None]:
    """Put a scope on top of the others of this context."""
    outer = _context.get()
    pairs = own if outer is None else outer.pairs + own
    return _context.set(_Scope(owner, own, outer, pairs, entry))


def _is_here(scope: _Scope) -> bool:
    """Tell whether a scope was entered in this context, from which it is removed."""
    try:
        _context.reset(cast(Any, scope.entry.token))
    except ValueError:
        return False
    return True


def _leave_elsewhere(scope: _Scope) -> None:
    """
    Leave a scope that this context has only inherited.

    An `async for` that is broken off leaves its generator suspended. The event loop
    closes it in a task of its own, whose context is a copy.
    """
    scope.entry.is_left = True
    names = tuple(name for name, _ in scope.own)
    if names in _told:
        return
    _told.add(names)
    logger.warning(
        "the tags %s were left in another context than they were entered in, as by a "
        "`break` in an `async for`: what was saved in between has them too. Decorate "
        "the generator with @tags(...), or use contextlib.aclosing",
        ", ".join(map(repr, names)),
    )


def _still_entered(scope: _Scope) -> TagPairs:
    """Return the tags of the scopes that were not left elsewhere, and forget those."""
    scopes: list[_Scope] = []
    inner: _Scope | None = scope
    while inner is not None:
        scopes.append(inner)
        inner = inner.outer
    if any(each.entry.is_left for each in scopes):
        _context.set(None)
        for each in reversed(scopes):
            if not each.entry.is_left:
                _put(each.owner, each.own, each.entry)
    found = _context.get()
    return () if found is None else found.pairs


def _checked_pairs(
    given: Iterable[object],
) -> Iterable[tuple[str, object]]:
    for item in given:
        pairs = item.items() if isinstance(item, Mapping) else (item,)
        for pair in pairs:
            if not (isinstance(pair, tuple) and len(pair) == 2):  # noqa: PLR2004 - a pair
                message = (
                    f"invalid tag {pair!r}: expected a (name, value) pair; write "
                    'tags(date=day) or tags(("date", day))'
                )
                raise ConfigError(message)
            yield checked_tag_name(pair[0]), pair[1]
