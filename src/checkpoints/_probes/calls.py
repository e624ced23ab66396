"""
Saving the calls of a function: its arguments, then its result or its error.

The arguments are saved before the function runs, so that they are unchanged, and saved
even if the function never returns.
"""

from __future__ import annotations

import inspect
import itertools
import logging
import os
import pickle
import sys
import traceback
import types
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from checkpoints._handlers.handler import ABSENT
from checkpoints._handlers.outcomes import outcomes
from checkpoints._keys.key import Key, checked_name
from checkpoints._keys.tags import TagPairs, current_tags, is_awaitable, tags
from checkpoints._kinds.encoder import encode
from checkpoints._kinds.families import formats_for
from checkpoints._kinds.pickled import type_name
from checkpoints._kinds.plain import IMMUTABLE
from checkpoints._process.drain import is_saving
from checkpoints._process.exit import is_first_process
from checkpoints._process.forks import after_fork_in_child
from checkpoints._process.libraries import imported
from checkpoints._process.origin import Origin
from checkpoints._process.random_state import RANDOM_STATE, captured
from checkpoints._process.work import at_work, is_at_work
from checkpoints._rules.occasion import Occasion
from checkpoints._rules.registry import registry
from checkpoints._rules.rule import Rule
from checkpoints._text import shown, text_of
from checkpoints.errors import ConfigError

__all__ = ["CallSaver"]

logger = logging.getLogger("checkpoints")

# With spaces, so that no parameter can have these names.
_NOT_SAVED = "not saved"
_AFTER = " after the call"

_plans = registry.plans
_numbers: dict[str, Iterator[int]] = {}
after_fork_in_child(_numbers.clear)


class CallSaver:
    """
    Saves the arguments of a function, and what it returns or raises.

    Args:
        name: The name to save under.
        function: The function, used for its signature and its kind only.
        of_class: Whether it is a class method, whose first argument is a class.

    Raises:
        ConfigError: If the name is invalid, or the function has no signature.
    """

    def __init__(
        self, name: str, function: Callable[..., Any], *, of_class: bool = False
    ) -> None:
        self.name = checked_name(name)
        self.is_active = True
        self._signature = _signature_of(function)
        self._of_class = next(iter(self._signature.parameters), "") if of_class else ""
        # How to run a function whose body runs after the call has returned.
        self._later: Callable[..., Any] | None = None
        if inspect.iscoroutinefunction(function):
            self._later = _Call.awaited
        elif inspect.isgeneratorfunction(function):
            self._later = _Call.resumed if is_awaitable(function) else _Call.stepped
        elif inspect.isasyncgenfunction(function):
            self._later = _Call.unwrapped
        registry.names.add(self.name)

    def is_on(self) -> bool:
        """Tell whether a rule may save a call; otherwise the wrapper does nothing."""
        plan = _plans.get(self.name)
        if plan is None:
            try:
                plan = registry.lookup(self.name)[1] or ABSENT
            except Exception:  # noqa: BLE001 - such as a warning turned into an error
                return False
        return self.is_active and plan is not ABSENT

    def run(
        self,
        function: Callable[..., Any],
        _instance: object,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        """Call the function and save the call; the signature is that of wrapt."""
        call = self.begin(args, kwargs)
        if call is None:
            return function(*args, **kwargs)
        if self._later is not None:
            made = self._later(call, function, args, kwargs)
            return _named_like(function, made)
        with tags(*call.own):
            try:
                result = function(*args, **kwargs)
            except BaseException as error:
                call.failed(error)
                raise
        call.returned(result)
        return result

    def begin(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Call | None:
        """
        Save the arguments of a call.

        Returns:
            The call, which saves its result; None if no rule is on for the name.

        Raises:
            Exception: The error of a failed save, under a rule with `on_error="raise"`.
        """
        # A save may itself call probed functions.
        if not self.is_on() or is_at_work() or is_saving():
            return None
        name, plan, values, call = "", None, None, None
        with _saving(self.name):
            name, plan = registry.lookup(self.name)
            values = self._values_of(args, kwargs) if plan else None
        if plan is None or values is None:
            return None
        with _saving(name, plan):
            number = next(_numbers.setdefault(self.name, itertools.count(1)))
            outer = current_tags()
            own = (*_process_tag(outer), ("call", number))
            chosen = registry.chosen(
                name, plan, Occasion(lambda: outer + own, lambda: values or {})
            )
            call = _Call(name, own, outer + own, chosen, number)
        if call is not None:
            call.began(values, later=self._later not in (None, _Call.unwrapped))
        return call

    def _values_of(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> dict[str, Any] | None:
        try:
            bound = self._signature.bind(*args, **kwargs)
        except TypeError:
            # A decorated function may take other arguments than its signature shows.
            return None if self._later else {"args": args, "kwargs": kwargs}
        values = {}
        for name, parameter in self._signature.parameters.items():
            value = bound.arguments.get(name, parameter.default)
            # A default of another type is likely a marker for "not given"; saved as a
            # pickle, it would make the others harder to load.
            if name in bound.arguments or _is_plain(value):
                values[name] = _place_of(value) if name == self._of_class else value
        return values


class _Call:
    """A call in progress: its tags, and the rule that saves it, if any."""

    def __init__(
        self,
        name: str,
        own: TagPairs,
        pairs: TagPairs,
        chosen: tuple[Rule, int] | None,
        number: int,
    ) -> None:
        self.own = own
        self._name, self._pairs = name, pairs
        self._rule: Rule | None
        self._rule, self._turn = chosen or (None, 0)
        self._number = number
        self._given: Mapping[str, Any] = {}
        self._begins: Callable[[], None] = lambda: None

    def began(self, values: Mapping[str, Any], *, later: bool) -> None:
        """Save the arguments; with the random state only once the body begins."""
        if self._rule is not None and self._rule.after:
            self._given = values
        save = partial(self._save, "arguments", self._name, lambda: values)
        if later and self._rule is not None and self._rule.random:
            self._begins = save
        else:
            save()

    def returned(self, result: Any) -> None:
        """Save what the function returned."""
        name = f"{self._name}.result"
        self._save("result", name, lambda: {"result": result, **self._after()})

    def failed(self, error: BaseException) -> None:
        """Save what the function raised; an error of the save must not replace it."""
        try:
            name = f"{self._name}.exception"
            self._save(
                "exception", name, lambda: {**_error_values(error), **self._after()}
            )
        except Exception as ours:  # noqa: BLE001 - the host must see its own error
            logger.warning("checkpoint %r: %s: %s", self._name, type(ours), ours)

    def _save(
        self, part: str, name: str, values: Callable[[], Mapping[str, Any]]
    ) -> None:
        """Save values with the call's tags, under the rule that saved the arguments."""
        if self._rule is None:
            return
        with _saving(self._name, [self._rule]):
            sampling = self._rule.sampling_at(self._turn, name)
            origin = Origin.here(self._number, sampling, part)
            key = Key(name, self._pairs, origin)
            wanted = registry.narrowed(self._rule, key, ABSENT, values())
            if wanted is not None:
                # Last, because it is slow for values that the rule may leave out.
                saved = _saveable(name, wanted)
                if part == "arguments" and self._rule.random:
                    saved[RANDOM_STATE] = captured()
                registry.save_all(self._rule, key, ABSENT, saved)

    def _after(self) -> dict[str, Any]:
        """Return the arguments that may have changed, if the rule asks for them."""
        return {
            f"{name}{_AFTER}": value
            for name, value in self._given.items()
            if type(value) not in IMMUTABLE
        }

    async def awaited(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        """Run a coroutine function, and save its result or error."""
        self._begins()
        with tags(*self.own):
            try:
                result = await function(*args, **kwargs)
            except GeneratorExit:  # closed before its end
                raise
            except BaseException as error:
                self.failed(error)
                raise
        self.returned(result)
        return result

    def stepped(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Generator[Any, Any, Any]:
        """Run a generator function, and save its result or error."""
        self._begins()
        generator: Any = tags(*self.own)(function)(*args, **kwargs)
        try:
            result = yield from generator
        except GeneratorExit:
            raise
        except BaseException as error:
            self.failed(error)
            raise
        self.returned(result)
        return result

    @types.coroutine
    def resumed(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Generator[Any, Any, Any]:
        """Do the same for an awaitable generator function, of `types.coroutine`."""
        return (yield from self.stepped(function, args, kwargs))

    def unwrapped(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        """Run an asynchronous generator function, of which only arguments are saved."""
        return function(*args, **kwargs)


@contextmanager
def _saving(name: str, rules: Iterable[Rule] | None = None) -> Iterator[None]:
    """
    Handle the errors of a save as its rules say.

    Args:
        name: The name to save under.
        rules: The rules; all that cover the name unless given.
    """
    try:
        with at_work:
            yield
    except Exception as error:
        if rules is None:
            rules = [rule for rule in registry.rules() if rule.covers(name)]
        if any(rule.on_error == "raise" for rule in rules):
            raise
        try:
            outcomes.failed(name, error)
        except Exception:  # noqa: BLE001 - not even the log works
            return


def _signature_of(function: Callable[..., Any]) -> inspect.Signature:
    options: dict[str, Any] = {}
    if sys.version_info >= (3, 14):
        # Annotations may use names that exist for type checkers only.
        annotation_format = imported("annotationlib").Format.FORWARDREF
        options["annotation_format"] = annotation_format
    try:
        return inspect.signature(function, **options)
    except Exception as error:
        message = (
            f"cannot probe {shown(function)}: Python cannot read its signature, which "
            "functions written in C may lack. Name the Python function that calls it"
        )
        raise ConfigError(message) from error


def _process_tag(outer: TagPairs) -> TagPairs:
    """Return the tag `process`, unless this is the first process or has the tag."""
    tag = ("process", os.getpid())
    return () if is_first_process() or tag in outer else (tag,)


def _is_plain(default: object) -> bool:
    items = default if isinstance(default, tuple) else (default,)
    return all(type(item) in IMMUTABLE for item in items)


def _place_of(kind: type) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"


def _named_like(function: Callable[..., Any], made: Any) -> Any:
    made.__name__ = getattr(function, "__name__", made.__name__)
    made.__qualname__ = getattr(function, "__qualname__", made.__qualname__)
    return made


def _error_values(error: BaseException) -> dict[str, str]:
    # Without the first frame, which is ours.
    trace = error.__traceback__ and error.__traceback__.tb_next
    try:
        lines = traceback.format_exception(type(error), error, trace)
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001 - a broken __str__ must not hide the error
        lines = traceback.format_tb(trace)
    return {
        "type": type_name(error),
        "message": text_of(error),
        "traceback": "".join(lines),
    }


def _saveable(name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values without those that cannot be saved, and the reasons for these."""
    reasons = {each: _why_not_saved(value) for each, value in values.items()}
    left_out = {each: reason for each, reason in reasons.items() if reason}
    kept = {each: value for each, value in values.items() if each not in left_out}
    if left_out:
        logger.info("checkpoint %r: not saved: %s", name, left_out)
        kept[_NOT_SAVED] = left_out
    return kept


class _NullFile:
    """A file that discards a pickle, to find out whether pickling works."""

    def write(self, data: Any) -> int:
        return len(data)


def _why_not_saved(value: Any) -> str:
    """Return why a value cannot be saved; an empty text if it can."""
    if type(value) in IMMUTABLE or formats_for(type(value)):
        return ""
    try:
        # Out-of-band buffers are not copied.
        pickle.Pickler(_NullFile(), 5, buffer_callback=lambda _: None).dump(value)
    except Exception:  # noqa: BLE001 - another format may still work
        try:
            encode({"value": value})
        except Exception as error:  # noqa: BLE001 - the user's code may raise anything
            return f"{type_name(value)}: {type(error).__name__}: {error}"
    return ""
