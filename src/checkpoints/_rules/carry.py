"""Work that is handed on, with the tags, rules and run of who hands it on."""

from __future__ import annotations

import functools
import logging
import os
import threading
import types
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import (
    AbstractContextManager,
    ExitStack,
    contextmanager,
    nullcontext,
)
from typing import Any, Generic, NamedTuple, ParamSpec, TypeVar, cast

from checkpoints._keys.tags import (
    Resumable,
    TagPairs,
    current_tags,
    in_steps,
    under_tags,
)
from checkpoints._process.forks import after_fork_in_child
from checkpoints._process.installation import differing_versions, versions_here
from checkpoints._process.libraries import imported
from checkpoints._process.origin import Caller, called_from, caller
from checkpoints._process.pickling import public
from checkpoints._rules.registry import registry
from checkpoints._rules.rule import Rule
from checkpoints._text import shown, text_of
from checkpoints.errors import ConfigError

__all__ = ["Carried", "carry"]

logger = logging.getLogger("checkpoints")

P = ParamSpec("P")
R = TypeVar("R")

# As in `inspect`, which takes longer to load than the rest of this library.
_ASYNC_GENERATOR = 0x200


class _Rules:
    """
    The rules of a moment, to be put in force in other processes.

    Args:
        rules: The rules, in a process that has them in force; none of them in another.
        pickled: The pickle of each rule that can be pickled.
    """

    def __init__(
        self, rules: tuple[Rule, ...], pickled: tuple[bytes, ...] | None = None
    ) -> None:
        self.rules = rules
        self.pickled = pickled
        self.has_travelled = not rules and pickled is not None

    def __reduce__(self) -> tuple[Any, ...]:
        if self.pickled is None:
            found = (_pickled(rule) for rule in self.rules)
            self.pickled = tuple(it for it in found if it is not None)
        return _travelled, (self.pickled,)


def _travelled(pickled: tuple[bytes, ...]) -> _Rules:
    return _Rules((), pickled)


def _pickled(rule: Rule) -> bytes | None:
    """Pickle a rule; None, with a warning, if it cannot leave this process."""
    # Where it is installed, functions that were defined in `__main__` travel as well.
    try:
        pickle = imported("cloudpickle")
    except ImportError:
        pickle = imported("pickle")
    try:
        pickled: bytes = pickle.dumps(rule)
    except Exception as error:  # noqa: BLE001 - as its options, which are the user's
        logger.warning(
            "%s stays in this process, so other processes save nothing under it: %s. "
            "What can travel are paths, tags as conditions, and functions of modules",
            shown(rule),
            text_of(error),
        )
        return None
    rule.has_left = True
    return pickled


class _Visiting:
    """The rules that carried work has brought to this process."""

    def __init__(self) -> None:
        self._renew()
        after_fork_in_child(self._renew_in_child)

    def _renew(self) -> None:
        self._lock = threading.RLock()
        self._in_force: dict[tuple[bytes, ...], list[Rule]] = {}
        self._at_work: Counter[tuple[bytes, ...]] = Counter()
        # The rules of the process that this one was forked from.
        self._inherited: list[Rule] = []

    def _renew_in_child(self) -> None:
        self._renew()
        self._inherited = [rule for rule in registry.rules() if not rule.source]

    @contextmanager
    def rules(self, pickled: tuple[bytes, ...]) -> Iterator[None]:
        """
        Put rules in force, at least while work is done under them.

        They stay until work with other rules comes: of the next call in a pool they are
        most probably the same.
        """
        with self._lock:
            self._at_work[pickled] += 1
            if pickled not in self._in_force:
                self._leave()
                self._in_force[pickled] = self._added(pickled)
        try:
            yield
        except Exception as error:
            for rule in self._in_force.get(pickled, ()):
                _tell_recorders(rule, error)
            raise
        finally:
            with self._lock:
                self._at_work[pickled] -= 1
            for rule in self._in_force.get(pickled, ()):
                _flush(rule)

    def _leave(self) -> None:
        for pickled in [it for it in self._in_force if not self._at_work[it]]:
            self._inherited += self._in_force.pop(pickled)
        while self._inherited:
            self._inherited.pop().remove()

    def _added(self, pickled: tuple[bytes, ...]) -> list[Rule]:
        """Put the rules in force that are not, as those of the environment may be."""
        pickle = imported("pickle")
        known = [rule.as_dict() for rule in registry.rules()]
        added: list[Rule] = []
        for each in pickled:
            try:
                rule: Rule = pickle.loads(each)
                if rule.as_dict() not in known:
                    registry.add(rule)
                    added.append(rule)
            except Exception as error:  # noqa: BLE001 - the work itself has not failed
                logger.warning(
                    "a rule of the process that this work comes from is not in force "
                    "here (%s: %s): its functions must be importable and its folder "
                    "writable here",
                    type(error).__name__,
                    text_of(error),
                )
        return added


def _tell_recorders(rule: Rule, error: Exception) -> None:
    """Tell recorders of an error that whoever calls this work will catch."""
    for handler in rule.handlers:
        crashed = getattr(handler, "crashed", None)
        if crashed is not None:
            crashed(error)


def _flush(rule: Rule) -> None:
    """Save what a rule has accepted: a process may be killed when its work is done."""
    for handler in rule.handlers:
        try:
            handler.flush()
        except Exception as error:  # noqa: BLE001 - the work itself has not failed
            logger.warning("%s: %s", shown(handler), text_of(error))


_visiting = _Visiting()


class _Luggage(NamedTuple):
    """What travels with a function."""

    pairs: TagPairs
    rules: _Rules
    caller: Caller
    versions: dict[str, str]

    def unpacked(self) -> AbstractContextManager[None]:
        """Put the tags, rules and run in force here."""
        if self._is_elsewhere():
            return self._elsewhere(self.pairs)
        return under_tags(self.pairs)

    def unpacked_but_tags(self) -> AbstractContextManager[None]:
        """Put the rules and the run in force here."""
        if self._is_elsewhere():
            return self._elsewhere(None)
        return nullcontext()

    def _is_elsewhere(self) -> bool:
        return self.rules.has_travelled or self.caller.pid != os.getpid()

    @contextmanager
    def _elsewhere(self, pairs: TagPairs | None) -> Iterator[None]:
        with ExitStack() as stack:
            stack.enter_context(called_from(self.caller))
            if pairs is not None:
                stack.enter_context(under_tags(pairs))
            if self.rules.has_travelled:
                _tell_versions(self.versions)
                stack.enter_context(_visiting.rules(self.rules.pickled or ()))
            yield


class _Steps:
    """Puts the rules and the run in force in each step of a generator."""

    def __init__(self, luggage: _Luggage) -> None:
        self._luggage = luggage

    def __enter__(self) -> None:
        self._step = self._luggage.unpacked_but_tags()
        self._step.__enter__()

    def __exit__(self, *error: object) -> None:
        step: Any = self._step
        step.__exit__(*error)


# What was told about versions: once is enough for all the work of a worker.
_told: set[str] = set()


def _tell_versions(versions: dict[str, str]) -> None:
    differing = differing_versions(versions)
    if differing and differing not in _told:
        _told.add(differing)
        logger.warning(
            "%s: what travels may fail here, or mean something else. Install the same "
            "versions where the program and its workers run",
            differing,
        )


_stays: list[object] = []


class Carried(Generic[P, R]):
    """
    A function with the tags, rules and run of where `carry` was called.

    Args:
        function: The function.
        luggage: What travels with it.
    """

    def __init__(self, function: Callable[P, R], luggage: _Luggage) -> None:
        self.__wrapped__ = function
        self._luggage = luggage

    def __getattr__(self, name: str) -> Any:
        # A name, a docstring: it is asked for seldom, and a function is made often.
        if name == "__wrapped__":
            raise AttributeError(name)
        return getattr(self.__wrapped__, name)

    def __repr__(self) -> str:
        return f"<carried {shown(self.__wrapped__)}>"

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        with self._luggage.unpacked():
            result: Any = self.__wrapped__(*args, **kwargs)
        # A body that runs later: what kind it is, only the object tells for certain.
        if type(result) is types.CoroutineType:
            return cast(R, self._awaited(result))
        if type(result) is types.GeneratorType:
            return cast(R, self._stepped(result))
        return cast(R, result)

    def settle(self) -> None:
        """Put the tags, rules and run in force here, in this context, for good."""
        stay = self._luggage.unpacked()
        stay.__enter__()
        # What is not referred to any more would be left.
        _stays.append(stay)

    async def _awaited(self, body: Any) -> Any:
        with self._luggage.unpacked():
            return await body

    def _stepped(self, body: Any) -> Generator[Any, Any, Any]:
        # A generator takes its tags off while it is suspended; so must the rules.
        steps = in_steps(body, Resumable(self._luggage.pairs))
        return (yield from in_steps(steps, _Steps(self._luggage)))

    def __reduce__(self) -> tuple[Any, ...]:
        return public(type(self)), (self.__wrapped__, self._luggage)


_last_rules = _Rules(())


def _flags(function: Any) -> int:
    """Return the flags of a function's code; 0 if it has none."""
    while isinstance(function, functools.partial):
        function = function.func
    code = getattr(function, "__code__", None)
    return 0 if code is None else code.co_flags


def _luggage() -> _Luggage:
    global _last_rules  # noqa: PLW0603 - the same rules are pickled once
    rules = tuple(registry.rules())
    if _last_rules.rules != rules:
        _last_rules = _Rules(rules)
    return _Luggage(current_tags(), _last_rules, caller(), versions_here())


def carry(function: Callable[P, R], /) -> Carried[P, R]:
    """
    Return a function that takes today's tags, rules and run along.

    Called in another thread, process or on another machine, it saves under the tags
    that are in force here and now, by the rules that are, and as a part of this run.

    Args:
        function: A function, a coroutine function, or a generator function. It must be
            possible to pickle it where it goes to another process.

    Returns:
        A callable, which can be pickled by `pickle` and `cloudpickle` if the function
        can be. A rule that cannot be pickled stays here, with a warning: so does one
        that saves to memory, or has a lambda as a condition.

    Raises:
        ConfigError: If it is no function, or an asynchronous generator function.

    >>> from concurrent.futures import ThreadPoolExecutor
    >>> from checkpoints import current_tags, tags
    >>> with ThreadPoolExecutor() as pool, tags(fold=1):
    ...     pool.submit(carry(current_tags)).result()
    (('fold', 1),)
    """
    given: Any = function
    if not callable(given) or _flags(given) & _ASYNC_GENERATOR:
        message = (
            f"cannot carry {shown(function)}: expected a function, a coroutine "
            "function or a generator function; carry the function that runs through it"
        )
        raise ConfigError(message)
    return Carried(function, _luggage())
