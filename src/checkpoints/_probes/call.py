"""
A call in progress, whose arguments are saved, then its result or its error.

The arguments are saved before the function runs, so that they are unchanged, and saved
even if the function never returns; unless the rule wants to know first how it ends.
"""

from __future__ import annotations

import functools
import logging
import time
import traceback
import types
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple, cast

from checkpoints._handlers.handler import ABSENT
from checkpoints._handlers.outcomes import outcomes
from checkpoints._keys.key import Key
from checkpoints._keys.tags import (
    Resumable,
    TagPairs,
    in_async_steps,
    in_steps,
    tags,
)
from checkpoints._kinds.frozen import freeze, frozen_values
from checkpoints._kinds.left_out import NOT_SAVED, with_left_out
from checkpoints._kinds.pickled import type_name
from checkpoints._kinds.plain import IMMUTABLE
from checkpoints._probes.sharing import one_object
from checkpoints._probes.stand_in import left, stand_in
from checkpoints._probes.watched import Watched
from checkpoints._process.origin import Origin
from checkpoints._process.random_state import RANDOM_STATE, captured
from checkpoints._process.work import at_work
from checkpoints._rules.member import AFTER
from checkpoints._rules.registry import registry
from checkpoints._rules.rule import Rule
from checkpoints._text import text_of

__all__ = ["Call", "CallNumber", "Choice", "begin_at", "handle", "saving"]

logger = logging.getLogger("checkpoints")

# With a space, so that no parameter can have this name.
_ITEMS = "yielded items"


class Choice(NamedTuple):
    """
    What saves a call.

    Args:
        name: The current name.
        rule: The rule.
        plan: The rules that cover the name.
        turn: As `Rule.turn` returned it; None if that is known at the end of the call.
        number: The number of the call.
    """

    name: str
    rule: Rule
    plan: tuple[Rule, ...]
    turn: int | None
    number: int


class _Held(NamedTuple):
    """Arguments that are kept until it is known whether they are saved."""

    key: Key
    values: Mapping[str, Any]
    more: Mapping[str, Any]
    since: float


class Call:
    """
    A call in progress.

    Args:
        choice: What saves it.
        own: The tags that it adds to those of the context.
        outer: The tags of the context.
        later: The method that runs a function whose body runs after the call has
            returned; empty for any other.
        called: As for `Origin`.

    Attributes:
        target, arguments: What to call in place of the function, and with what, so
            that it sees its caller; None if that is the function itself.
    """

    def __init__(
        self,
        choice: Choice,
        own: TagPairs,
        outer: TagPairs,
        later: str = "",
        called: str = "",
    ) -> None:
        self.own = own
        self.later = later
        self.target: Callable[..., Any] | None = None
        self.arguments: tuple[Any, ...] = ()
        self._choice = choice
        self._called = called
        self._pairs = outer + own
        self._turn = choice.turn
        self._scope: tags | None = None
        self._given: Mapping[str, Any] = {}
        self._held: _Held | None = None
        self._items: list[Any] = []
        self._lost_items: dict[str, str] = {}

    def stands_in(self, run: functools.partial[Any], code: types.CodeType) -> None:
        """Let the function see its caller, as far as that is possible."""
        self.target, self.arguments = stand_in(run, code)

    # What happens in the call

    def began(self, values: Mapping[str, Any], defaults: tuple[str, ...]) -> None:
        """Save the arguments, or keep them."""
        rule = self._choice.rule
        if rule.after:
            self._given = values
        if rule.is_deferred:
            self._hold(values, defaults)
        else:
            self._save("arguments", self._choice.name, lambda: values, defaults)

    def enter(self) -> None:
        """Put the tags of the call in force, until it returns or fails."""
        self._scope = tags(*self.own)
        self._scope.__enter__()

    def _leave(self) -> None:
        if self.target is not None:
            self.target = None
            left()
        if self._scope is not None:
            self._scope.__exit__()
            self._scope = None

    def returned(self, result: Any) -> None:
        """Save what the function returned."""
        self._leave()
        self._end("result", lambda: {"result": result, **self._after(), **self._ends()})

    def ended(self) -> None:
        """Save the items of a generator that has no result."""
        if self._choice.rule.items:
            self._end("result", lambda: {**self._after(), **self._ends()})

    def failed(self, error: BaseException, function: Any) -> None:
        """
        Save what the function raised; an error of the save must not replace it.

        Args:
            error: What it raised.
            function: The function, where the traceback begins.
        """
        self._leave()
        try:
            begin_at(error, function)
            if self.later and isinstance(error, GeneratorExit):
                # Closed before its end.
                if self.later != "awaited":
                    self.ended()
                return
            self._end(
                "exception",
                lambda: {**_error_values(error), **self._after(), **self._ends()},
            )
        except Exception as ours:  # noqa: BLE001 - the host must see its own error
            name = self._choice.name
            logger.warning("checkpoint %r: %s: %s", name, type(ours), ours)

    def yielded(self, item: Any) -> None:
        """Keep an item that a generator yields, as it is now."""
        if len(self._items) >= self._choice.rule.items:
            return
        try:
            with at_work:
                self._items.append(freeze(item))
        except Exception as error:  # noqa: BLE001 - the user's code may raise anything
            reason = f"{type_name(item)}: {error}"
            self._lost_items[f"{_ITEMS}/{len(self._items)}"] = reason
            self._items.append(None)

    # Functions whose body runs after the call has returned

    @types.coroutine
    def steps(self, body: Any) -> Generator[Any, Any, Any]:
        """Run a generator or a coroutine, each step with the tags of the call."""
        steps: Any = in_steps(body, Resumable(self.own))
        if self._choice.rule.items and self.later != "awaited":
            steps = Watched(steps, self.yielded)
        return (yield from steps)

    def stepped(self, run: functools.partial[Any]) -> Generator[Any, Any, Any]:
        """Run a generator function, and save its result or error."""
        try:
            # What types.coroutine has made is a generator still.
            result = yield from cast("Generator[Any, Any, Any]", self.steps(run()))
        except BaseException as error:
            self.failed(error, run.func)
            raise
        self.returned(result)
        return result

    @types.coroutine
    def resumed(self, run: functools.partial[Any]) -> Generator[Any, Any, Any]:
        """Do the same for an awaitable generator function, of `types.coroutine`."""
        return (yield from self.stepped(run))

    async def awaited(self, run: functools.partial[Any]) -> Any:
        """Do the same for a coroutine function."""

        async def body() -> Any:
            return await run()

        return await self.resumed(functools.partial(body))

    def streamed(self, body: Any) -> Any:
        """Return an asynchronous generator, with the tags of the call in each step."""
        return in_async_steps(lambda: body, self.own)()

    # Saving

    def _end(self, part: str, values: Callable[[], Mapping[str, Any]]) -> None:
        name = f"{self._choice.name}.{part}"
        with saving(self._choice.name, [self._choice.rule]):
            if self._held is not None and not self._is_let_go(part, self._held):
                return
        self._save(part, name, values)

    def _save(
        self,
        part: str,
        name: str,
        values: Callable[[], Mapping[str, Any]],
        defaults: tuple[str, ...] = (),
    ) -> None:
        """Save values with the call's tags, under the rule that saved the arguments."""
        rule = self._choice.rule
        with saving(self._choice.name, [rule]):
            key = self._key(part, name, defaults)
            wanted = registry.narrowed(rule, key, ABSENT, values())
            if wanted is not None:
                more = self._beside(wanted) if part == "arguments" else {}
                registry.save_all(rule, key, ABSENT, {**wanted, **more})

    def _key(self, part: str, name: str, defaults: tuple[str, ...]) -> Key:
        sampling = self._choice.rule.sampling_at(self._turn or 0, name)
        origin = Origin.here(self._choice.number, sampling, part)
        outer = self._pairs[: len(self._pairs) - len(self.own)]
        origin = origin._replace(
            defaults=defaults, within=_enclosing(outer), called=self._called
        )
        return Key(name, self._pairs, origin)

    def _hold(self, values: Mapping[str, Any], defaults: tuple[str, ...]) -> None:
        rule = self._choice.rule
        with saving(self._choice.name, [rule]):
            key = self._key("arguments", self._choice.name, defaults)
            chosen = rule.narrowing.narrow_each(values) if rule.narrowing else values
            frozen = with_left_out(chosen, frozen_values)
            self._held = _Held(key, frozen, self._beside(chosen), time.perf_counter())

    def _beside(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is saved with the arguments of a call, to make it again."""
        state = {RANDOM_STATE: captured()} if self._choice.rule.random else {}
        return {**one_object(arguments), **state}

    def _is_let_go(self, part: str, held: _Held) -> bool:
        """Save the arguments that were kept, if the call ended as the rule wants."""
        choice, rule = self._choice, self._choice.rule
        if rule.when == "exception" and part != "exception":
            return False
        if time.perf_counter() - held.since < (rule.min_seconds or 0):
            return False
        turn = registry.turn(rule, choice.name, choice.plan)
        if turn is None:
            return False
        self._turn = turn
        sampling = rule.sampling_at(turn, choice.name)
        origin = held.key.origin and held.key.origin._replace(sampling=sampling)
        narrow = rule.narrowing.narrow_all if rule.narrowing else lambda _, it: dict(it)
        wanted = narrow(choice.name, held.values)
        if wanted is not None:
            key = Key(choice.name, self._pairs, origin)
            registry.save_all(rule, key, ABSENT, {**wanted, **held.more})
        return True

    def _after(self) -> dict[str, Any]:
        """Return the arguments that may have changed, if the rule asks for them."""
        return {
            f"{name}{AFTER}": value
            for name, value in self._given.items()
            if type(value) not in IMMUTABLE
        }

    def _ends(self) -> dict[str, Any]:
        """Return the items that a generator has yielded, or why they are not saved."""
        lost = dict(self._lost_items)
        if self.later == "stepped" and not self._choice.rule.items:
            lost[_ITEMS] = "its rule has no items=N, which saves the first N"
        saved = {_ITEMS: self._items} if self._items else {}
        return {**saved, NOT_SAVED: lost} if lost else saved


class CallNumber(int):
    """The number of a call, as the value of its tag, which knows the name too."""

    name: str = ""

    @classmethod
    def of(cls, name: str, number: int) -> CallNumber:
        """Return the number of a call of a name."""
        made = cls(number)
        made.name = name
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return int, (int(self),)


def _enclosing(outer: TagPairs) -> tuple[str, int] | tuple[()]:
    """Return name and number of the innermost call that tags belong to."""
    for _, value in reversed(outer):
        if type(value) is CallNumber:
            return value.name, int(value)
    return ()


@contextmanager
def saving(name: str, rules: Iterable[Rule] | None = None) -> Iterator[None]:
    """
    Handle the errors of a save as its rules say.

    Args:
        name: The name to save under.
        rules: The rules; all that cover the name unless given.
    """
    try:
        with at_work:
            yield
    except Exception as error:  # noqa: BLE001 - raised again if a rule says so
        handle(name, rules, error)


def handle(name: str, rules: Iterable[Rule] | None, error: Exception) -> None:
    """
    Handle an error of a save as its rules say.

    Raises:
        Exception: The error itself, if one of them says so.
    """
    if rules is None:
        rules = [rule for rule in registry.rules() if rule.covers(name)]
    if any(rule.on_error == "raise" for rule in rules):
        raise error
    # Not even the log may work.
    with suppress(Exception):
        outcomes.failed(name, error)


def begin_at(error: BaseException, function: Any) -> None:
    """Let the traceback of an error begin in a function, if it was there."""
    code = getattr(function, "__code__", None)
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code is not code:
        trace = trace.tb_next
    if trace is not None:
        # Unlike an assignment, it works for a frozen class, too.
        error.with_traceback(trace)


def _error_values(error: BaseException) -> dict[str, str]:
    trace = error.__traceback__
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
