"""Handlers: what saves data, the handler for functions, and those that are active."""

from __future__ import annotations

import logging
import math
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from checkpoints._handlers.outcomes import Result, outcomes
from checkpoints._keys.key import Key
from checkpoints._keys.tags import current_tags
from checkpoints._process.drain import countdown
from checkpoints._process.forks import after_fork_in_child
from checkpoints._process.origin import Origin
from checkpoints._text import shown, text_of
from checkpoints.errors import ConfigError

__all__ = [
    "ABSENT",
    "FunctionHandler",
    "Handler",
    "acquire",
    "checked_seconds",
    "flush_all",
    "named_values",
    "release",
]

logger = logging.getLogger("checkpoints")

# Marks data that was not given, because None is valid data.
ABSENT: Any = type("Absent", (), {"__repr__": lambda _: "<absent>"})()


class Handler:
    """
    Saves the data of checkpoints. Subclass it and define `commit`.

    >>> class Printing(Handler):
    ...     def commit(self, key, staged):
    ...         print(key.name, staged)
    >>> Printing().checkpoint("shop.total", 12)
    shop.total {'data': 12}
    """

    def stage(self, staged: Any, data: Mapping[str, Any]) -> Any:
        """
        Add data to what is staged.

        Args:
            staged: What the previous call returned; None at the first call.
            data: Values by name. From a session they are copies; from a plain call
                they are the caller's own objects, so copy what you keep after
                `commit`.

        Returns:
            What is staged now: a dict of all values, unless overridden.
        """
        if staged is None:
            return dict(data)
        staged.update(data)
        return staged

    def commit(self, key: Key, staged: Any) -> Result:
        """
        Save what was staged.

        Args:
            key: The name and the tags to save it under.
            staged: What `stage` returned.

        Returns:
            None if it is saved; False if no save was necessary; a
            `concurrent.futures.Future` if the save continues elsewhere: its exception
            is handled as if it were raised here, and a cancelled one counts as
            dropped.

        Raises:
            Exception: Anything; the rule's `on_error` says how it is handled.
        """
        message = f"{type(self).__name__} must define commit(key, staged)"
        raise NotImplementedError(message)

    def checkpoint(self, name: str, data: Any = ABSENT, /, **values: Any) -> None:
        """
        Save data right now, with the tags of the context, without a rule.

        Args:
            name: The dotted name to save it under.
            data: As for `checkpoint`.
            **values: As for `checkpoint`.

        Raises:
            Exception: If the save fails.
        """
        key = Key(name, current_tags(), Origin.here())
        result = self.commit(key, self.stage(None, named_values(data, values)))
        outcomes.follow(result, key, self)

    def begin(self) -> None:
        """
        Acquire resources of the process, such as a hook or a thread. A no-op here.

        Called before the first rule with this handler takes effect; creating a handler
        should have no side effects. Be brief, and create no rules here.

        Raises:
            Exception: Anything; the rule then does not take effect.
        """

    def end(self) -> None:
        """
        Release what `begin` acquired. A no-op here.

        Called when the last rule with this handler is removed, not when the program
        exits. The next rule calls `begin` again.
        """

    def flush(self, timeout: float | None = None) -> None:
        """
        Wait until everything committed is saved. For handlers that save elsewhere.

        Args:
            timeout: In seconds; the handler's own default if None.

        Raises:
            PendingError: If it is not saved within the timeout.
        """


class _ActiveHandlers:
    """How often each handler is in use, by rules, recorders and blocks together."""

    def __init__(self) -> None:
        # By identity: handlers may define equality.
        self._uses: dict[int, tuple[Handler, int]] = {}
        self._renew_lock()
        after_fork_in_child(self._renew_lock)

    def _renew_lock(self) -> None:
        # Held while handlers begin and end, and for nothing else: a save in another
        # thread, which they may wait for, does not need it.
        self._lock = threading.RLock()

    def acquire(self, handlers: Iterable[Handler]) -> None:
        """
        Use handlers; those that are not in use yet begin. All of them, or none.

        Raises:
            Exception: What the `begin` of one of them raises.
        """
        acquired: list[Handler] = []
        with self._lock:
            try:
                for handler in handlers:
                    _, count = self._uses.get(id(handler), (handler, 0))
                    if not count:
                        handler.begin()
                    self._uses[id(handler)] = handler, count + 1
                    acquired.append(handler)
            except BaseException:
                self.release(acquired)
                raise

    def release(self, handlers: Iterable[Handler]) -> None:
        """Undo one `acquire` of each handler; those that are no longer in use end."""
        with self._lock:
            for handler in handlers:
                _, count = self._uses.pop(id(handler), (handler, 0))
                if count > 1:
                    self._uses[id(handler)] = handler, count - 1
                elif count:
                    _end(handler)


_active = _ActiveHandlers()
acquire, release = _active.acquire, _active.release


def _end(handler: Handler) -> None:
    try:
        handler.end()
    except Exception as error:  # noqa: BLE001 - it is removed in any case
        logger.warning("%s: %s", shown(handler), text_of(error))


def flush_all(handlers: Iterable[Handler], timeout: float | None) -> None:
    """Flush handlers one after the other, within one timeout for all of them."""
    left = countdown(None if timeout is None else checked_seconds(timeout))
    for handler in handlers:
        handler.flush(left())


def checked_seconds(value: Any, option: str = "timeout") -> float:
    """Return a number of seconds; `ConfigError` if it is invalid."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not value >= 0:
        message = (
            f"invalid {option}={shown(value)}: expected a number of seconds from 0 up"
        )
        raise ConfigError(message)
    # An integer can be more than a float can hold, and then is as good as endless.
    return float(value) if value <= sys.float_info.max else math.inf


def named_values(data: Any, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the values of a call by name, as `checkpoint` describes it."""
    if data is ABSENT:
        return values
    if not isinstance(data, dict | Mapping) or not all(
        isinstance(name, str) for name in data
    ):
        data = {"data": data}
    if not values:
        return dict(data)
    twice = sorted(data.keys() & values.keys())
    if twice:
        message = (
            f"value {twice[0]!r} is given twice, in the data and as a keyword: rename "
            "one of them"
        )
        raise ConfigError(message)
    return {**data, **values}


class FunctionHandler(Handler):
    """
    Passes every save to a function.

    Args:
        function: Called as `function(key, data)`, the data a dict of values by name.
    """

    def __init__(self, function: Callable[[Key, dict[str, Any]], object]) -> None:
        self.function = function

    def __repr__(self) -> str:
        return f"FunctionHandler({self.function!r})"

    def commit(self, key: Key, staged: Mapping[str, Any]) -> None:
        """Call the function."""
        self.function(key, dict(staged))
