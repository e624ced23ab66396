"""Functions that run when an uncaught exception ends this process or a thread."""

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
# Reentrant: a signal handler or a finalizer may close a recorder at any point.
_lock = threading.RLock()
_waiting: list[weakref.WeakMethod[Called]] = []
_here = threading.local()


class _Hook:
    """
    An `excepthook` that calls the previous one first.

    Other code may keep chaining to this hook after we removed it, or may never call it
    at all. So each hook remembers its own predecessor and stays harmless when nothing
    is registered anymore.
    """

    def __init__(self, before: Callable[..., object]) -> None:
        self.before = before

    def __call__(self, *args: Any) -> None:
        # When several hooks are chained, only the outermost one reports the error.
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
    Call a method with the uncaught exception that ends the process or a thread.

    The previous hooks of `sys` and `threading` are called first. The object of the
    method is not kept alive.
    """
    with _lock:
        _waiting.append(weakref.WeakMethod(method))
        for holder in _holders:
            if not isinstance(holder.excepthook, _Hook):
                holder.excepthook = _Hook(holder.excepthook)


def stop_on_crash(method: Called) -> None:
    """Unregister a method; after the last one, the previous hooks are restored."""
    with _lock:
        _waiting[:] = [each for each in _waiting if each() not in (method, None)]
        for holder in _holders:
            # A hook that was installed above ours chains to ours, and ours to its own.
            if not _waiting and isinstance(holder.excepthook, _Hook):
                holder.excepthook = holder.excepthook.before


def _error_in(args: tuple[Any, ...]) -> BaseException | None:
    """Return the exception from the arguments of either hook."""
    first, *others = args
    error: BaseException | None = others[0] if others else first.exc_value
    return error


def _call_all(error: BaseException | None) -> None:
    if error is None or isinstance(error, SystemExit):
        return
    interrupt: KeyboardInterrupt | None = None
    for method in [each() for each in _waiting]:
        try:
            if method is not None:
                method(error)
        except KeyboardInterrupt as found:  # it stops this one, not the others
            interrupt = found
    if interrupt is not None:
        raise interrupt


def _renew() -> None:
    global _lock  # noqa: PLW0603 - process-wide; replaced only after a fork
    _lock = threading.RLock()


after_fork_in_child(_renew)
