"""
What is saved of the calls of a function: its arguments, then its result or its error.

The arguments are saved before the function runs, so they are those of the call whatever
becomes of them, and are there even if the function never returns.
"""

from __future__ import annotations

import inspect
import itertools
import logging
import os
import pickle
import sys
import threading
import traceback
import types
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from checkpoints._handlers.handler import ABSENT
from checkpoints._handlers.outcomes import outcomes
from checkpoints._keys.key import Key, checked_name
from checkpoints._keys.tags import TagPairs, current_tags, is_awaitable, tags
from checkpoints._kinds.codec import encode
from checkpoints._kinds.families import formats_for
from checkpoints._kinds.pickled import type_name
from checkpoints._kinds.plain import IMMUTABLE
from checkpoints._process.drain import is_saving
from checkpoints._process.exit import is_first_process
from checkpoints._process.forks import after_fork_in_child
from checkpoints._process.origin import Origin
from checkpoints._rules.registry import registry
from checkpoints._rules.rule import Rule
from checkpoints._text import shown, text_of
from checkpoints.errors import ConfigError

__all__ = ["CallSaver"]

logger = logging.getLogger("checkpoints")

# No parameter can have this name.
_NOT_SAVED = "not saved"

_plans = registry.plans
_numbers: dict[str, Iterator[int]] = {}
_here = threading.local()
after_fork_in_child(_numbers.clear)


class CallSaver:
    """
    Saves what one function is called with, and what it returns or raises.

    Args:
        name: The name to save under.
        function: The function, as far as its signature and its kind go.
        of_class: Whether it is a class method's, whose first argument is a class.

    Raises:
        ConfigError: If the name cannot be one, or the function has no signature.
    """

    def __init__(
        self, name: str, function: Callable[..., Any], *, of_class: bool = False
    ) -> None:
        self.name = checked_name(name)
        self.is_active = True
        self._signature = _signature_of(function)
        self._of_class = next(iter(self._signature.parameters), "") if of_class else ""
        # Bodies that run later, which a call that cannot be bound never gets to.
        self._later: Callable[..., Any] | None = None
        if inspect.iscoroutinefunction(function):
            self._later = _Call.awaited
        elif inspect.isgeneratorfunction(function):
            self._later = _Call.resumed if is_awaitable(function) else _Call.stepped
        elif inspect.isasyncgenfunction(function):
            self._later = _Call.left_alone
        registry.names.meet(self.name)

    def is_on(self) -> bool:
        """Tell whether a rule may want a call; if none does, nothing is in its way."""
        plan = _plans.get(self.name)
        if plan is None:
            try:
                plan = registry.lookup(self.name)[1] or ABSENT
            except Exception:  # noqa: BLE001 - out of memory, a warning that is an error
                return False
        return self.is_active and plan is not ABSENT

    def run(
        self,
        function: Callable[..., Any],
        _instance: object,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        """Call the function, and save; wrapt hands it the arguments in this form."""
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
            What saves the rest of it; None where no rule is on for the name.

        Raises:
            Exception: Only under a rule with `on_error="raise"`.
        """
        # What a save does with the values may well call probed functions.
        if not self.is_on() or getattr(_here, "is_saving", False) or is_saving():
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
            rule = registry.chosen(name, plan, outer + own)
            call = _Call(name, own, outer + own, rule)
        if call is not None:
            call.began(values)
        return call

    def _values_of(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> dict[str, Any] | None:
        try:
            bound = self._signature.bind(*args, **kwargs)
        except TypeError:
            # A decorator may take other arguments than the function that it shows.
            return None if self._later else {"args": args, "kwargs": kwargs}
        values = {}
        for name, parameter in self._signature.parameters.items():
            value = bound.arguments.get(name, parameter.default)
            # A default of a kind of its own is a mark for "not given": as a pickle it
            # would be in the way of reading the others.
            if name in bound.arguments or _is_plain(value):
                values[name] = _place_of(value) if name == self._of_class else value
        return values


class _Call:
    """One call under way: its tags, and the rule that it is saved by, if any."""

    def __init__(
        self, name: str, own: TagPairs, pairs: TagPairs, rule: Rule | None
    ) -> None:
        self.own = own
        self._name, self._pairs, self._rule = name, pairs, rule

    def began(self, values: Mapping[str, Any]) -> None:
        """Save the arguments."""
        self._save(self._name, lambda: values)

    def returned(self, result: Any) -> None:
        """Save what the function returned."""
        self._save(f"{self._name}.result", lambda: {"result": result})

    def failed(self, error: BaseException) -> None:
        """Save what the function raised; an error of ours must not take its place."""
        try:
            self._save(f"{self._name}.exception", lambda: _told(error))
        except Exception as ours:  # noqa: BLE001 - the host is to see its own error
            logger.warning("checkpoint %r: %s: %s", self._name, type(ours), ours)

    def _save(self, name: str, values: Callable[[], Mapping[str, Any]]) -> None:
        """Save values under the call's tags, by the rule that took the arguments."""
        if self._rule is None:
            return
        with _saving(self._name, [self._rule]):
            key = Key(name, self._pairs, Origin.here())
            wanted = registry.narrowed(self._rule, key, ABSENT, values())
            if wanted is not None:
                # Last, as it takes its time with values that nobody may want.
                registry.save_all(self._rule, key, ABSENT, _saveable(name, wanted))

    async def awaited(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        """Do for a coroutine function what is done for a plain one."""
        with tags(*self.own):
            try:
                result = await function(*args, **kwargs)
            except GeneratorExit:  # given up by whoever awaited it
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
        """Do the same for a generator function; what it yields is not saved."""
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
        """Do the same for one that can be awaited, as `types.coroutine` makes it."""
        return (yield from self.stepped(function, args, kwargs))

    def left_alone(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        """Do nothing of the kind for an asynchronous generator function."""
        return function(*args, **kwargs)


@contextmanager
def _saving(name: str, rules: Iterable[Rule] | None = None) -> Iterator[None]:
    """
    Have the errors of a save go where its rules say, and none of them further.

    Args:
        name: The name that is saved under.
        rules: The rules; all that cover the name unless given.
    """
    # It may end in the middle of another, as the garbage collector closes generators.
    before = getattr(_here, "is_saving", False)
    _here.is_saving = True
    try:
        yield
    except Exception as error:
        if rules is None:
            rules = [rule for rule in registry.rules() if rule.covers(name)]
        if any(each.on_error == "raise" for each in rules):
            raise
        try:
            outcomes.failed(name, error)
        except Exception:  # noqa: BLE001 - there is nobody left to tell
            return
    finally:
        _here.is_saving = before


def _signature_of(function: Callable[..., Any]) -> inspect.Signature:
    options: dict[str, Any] = {}
    if sys.version_info >= (3, 14):
        # Names that are there for type checkers alone are no obstacle.
        import annotationlib

        options["annotation_format"] = annotationlib.Format.FORWARDREF
    try:
        return inspect.signature(function, **options)
    except Exception as error:
        message = (
            f"{shown(function)} has no signature that Python could read, as functions "
            "written in C may have none: its arguments have no names. Name the Python "
            "function that calls it"
        )
        raise ConfigError(message) from error


def _process_tag(outer: TagPairs) -> TagPairs:
    """Return the tag that tells this process from the first one, where it needs one."""
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


def _told(error: BaseException) -> dict[str, str]:
    # The first frame is ours.
    trace = error.__traceback__ and error.__traceback__.tb_next
    story = traceback.format_exception(type(error), error, trace)
    return {
        "type": type_name(error),
        "message": text_of(error),
        "traceback": "".join(story),
    }


def _saveable(name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values without those that cannot be saved, and what is said of these."""
    reasons = {each: _obstacle(value) for each, value in values.items()}
    left_out = {each: reason for each, reason in reasons.items() if reason}
    kept = {each: value for each, value in values.items() if each not in left_out}
    if left_out:
        logger.info("checkpoint %r: not saved: %s", name, left_out)
        kept[_NOT_SAVED] = left_out
    return kept


class _Nowhere:
    """A file for a pickle that is made only to see that it can be made."""

    def write(self, data: Any) -> int:
        return len(data)


def _obstacle(value: Any) -> str:
    """Return why a value cannot be saved; nothing where it can."""
    if type(value) in IMMUTABLE or formats_for(type(value)):
        return ""
    try:
        # Large buffers are left aside, and not copied.
        pickle.Pickler(_Nowhere(), 5, buffer_callback=lambda _: None).dump(value)
    except Exception:  # noqa: BLE001 - it may have a way of its own
        try:
            encode({"value": value})
        except Exception as error:  # noqa: BLE001 - whatever its own words raise
            return f"{type_name(value)}: {type(error).__name__}: {error}"
    return ""
