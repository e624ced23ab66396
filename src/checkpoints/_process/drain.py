"""What saves in the background of this process: waited for, and drained at its end."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable
from typing import Protocol

__all__ = [
    "Background",
    "add",
    "countdown",
    "drain",
    "flush",
    "has_ended",
    "is_saving",
    "pending",
]


class Background(Protocol):
    """Somebody who saves in a thread of its own."""

    is_closed: bool
    max_wait: float

    @property
    def load(self) -> tuple[int, int]:
        """How many saves wait, and how many bytes they hold."""
        ...

    def is_saving_in(self, thread: int) -> bool:
        """Tell whether a thread is at work on a save."""
        ...

    def flush(self, timeout: float | None = None) -> None:
        """Wait until all that was accepted so far is over."""
        ...

    def end(self, timeout: float) -> None:
        """Save what was accepted, as far as that takes no longer; accept no more."""
        ...

    def renew(self) -> None:
        """Begin with nothing, in a forked child."""
        ...


def add(background: Background) -> None:
    """Wait for somebody from now on, for as long as anybody else holds it."""
    with _lock:
        _known.add(background)


def has_ended() -> bool:
    """Tell whether the process is so far gone that nobody would wait any more."""
    return _has_ended


def is_saving() -> bool:
    """Tell whether this thread is at work on a save of the background."""
    me = threading.get_ident()
    return any(each.is_saving_in(me) for each in _all())


def pending() -> tuple[int, int]:
    """Return how many saves wait in this process, and how many bytes they hold."""
    loads = [each.load for each in _all()]
    return sum(count for count, _ in loads), sum(size for _, size in loads)


def flush(timeout: float | None = None) -> None:
    """Wait until all that was accepted in this process is saved, so long altogether."""
    left = countdown(timeout)
    for each in _all():
        each.flush(left())


def countdown(timeout: float | None) -> Callable[[], float | None]:
    """Return what tells how many seconds are left of a time that several share."""
    end = None if timeout is None else time.monotonic() + timeout
    return lambda: None if end is None else max(0.0, end - time.monotonic())


def drain() -> None:
    """See to it, at the end of the process, that what was accepted is saved."""
    global _has_ended  # noqa: PLW0603 - as little as the process itself is it made anew
    # Those that are made from now on are closed, as nobody would come to drain them.
    _has_ended = True
    start = time.monotonic()
    for each in _all():
        if not each.is_closed:
            each.end(max(0.0, start + each.max_wait - time.monotonic()))


def _all() -> list[Background]:
    with _lock:
        return list(_known)


def _renew_all() -> None:
    global _lock, _has_ended
    _lock, _has_ended = threading.RLock(), False
    for each in _all():
        each.renew()


# Reentrant, as a signal or the garbage collector may save something anywhere.
_lock = threading.RLock()
_has_ended = False
_known: weakref.WeakSet[Background] = weakref.WeakSet()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_all)
