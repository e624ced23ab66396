"""What is done when an exception ends this process, or a thread of it."""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Callable
from typing import Any

from checkpoints._process.forks import after_fork_in_child

__all__ = ["on_crash", "stop_on_crash"]

Called = Callable[[BaseException], object]

_holders: tuple[Any, ...] = (sys, threading)
# Reentrant, as a signal or the garbage collector may close a recorder anywhere.
_lock = threading.RLock()
_waiting: list[weakref.WeakMethod[Called]] = []
_here = threading.local()


class _Hook:
    """
    An `excepthook` above the one that was there, which is called first.

    Whoever has put another one above may call this one for ever, or never: each knows
    for itself what was below it, and does no harm where nobody waits any more.
    """

    def __init__(self, before: Callable[..., object]) -> None:
        self.before = before

    def __call__(self, *args: Any) -> None:
        # Of several, one above the other, the first to be called tells of the error.
        is_first = not getattr(_here, "is_ending", False)
        _here.is_ending = True
        try:
            self.before(*args)
        finally:
            if is_first:
                _here.is_ending = False
                _call_all(_error_in(args))


def on_crash(method: Called) -> None:
    """
    Have a method called with the exception that ends the process, or a thread.

    The hooks of `sys` and `threading` that were there are called first. The object of
    the method is not kept alive.
    """
    with _lock:
        _waiting.append(weakref.WeakMethod(method))
        for holder in _holders:
            if not isinstance(holder.excepthook, _Hook):
                holder.excepthook = _Hook(holder.excepthook)


def stop_on_crash(method: Called) -> None:
    """Call a method no more; with the last one, the hooks are those of before."""
    with _lock:
        _waiting[:] = [each for each in _waiting if each() not in (method, None)]
        for holder in _holders:
            # Whoever has put a hook above ours calls ours, and ours that of before.
            if not _waiting and isinstance(holder.excepthook, _Hook):
                holder.excepthook = holder.excepthook.before


def _error_in(args: tuple[Any, ...]) -> BaseException | None:
    """Return the exception, of what either of the two hooks is called with."""
    first, *others = args
    error: BaseException | None = others[0] if others else first.exc_value
    return error


def _call_all(error: BaseException | None) -> None:
    if error is not None and not isinstance(error, SystemExit):
        for method in [each() for each in _waiting]:
            if method is not None:
                method(error)


def _renew() -> None:
    global _lock  # noqa: PLW0603 - as little as the process itself is it made anew
    _lock = threading.RLock()


after_fork_in_child(_renew)
