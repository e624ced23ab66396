"""Background writers of this process: flushed on request, drained at exit."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable
from typing import Protocol

from checkpoints._process.forks import after_fork_in_child

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
    """An object that saves in a separate thread."""

    is_closed: bool
    max_wait: float

    @property
    def load(self) -> tuple[int, int]:
        """The number of queued saves, and the bytes that they hold."""
        ...

    def is_saving_in(self, thread: int) -> bool:
        """Tell whether a thread is currently writing a save."""
        ...

    def flush(self, timeout: float | None = None) -> None:
        """Wait until every save that was accepted so far has finished or failed."""
        ...

    def end(self, timeout: float) -> None:
        """Accept no more saves; write those already accepted, within the timeout."""
        ...

    def renew(self) -> None:
        """Start with an empty queue, in a forked child."""
        ...


def add(background: Background) -> None:
    """Include a writer from now on, for as long as it is referenced elsewhere."""
    with _lock:
        _known.add(background)


def has_ended() -> bool:
    """Tell whether the process is exiting, too late to wait for more saves."""
    return _has_ended


def is_saving() -> bool:
    """Tell whether this thread is currently writing a background save."""
    me = threading.get_ident()
    return any(each.is_saving_in(me) for each in _all())


def pending() -> tuple[int, int]:
    """Return the number of queued saves of this process, and the bytes they hold."""
    loads = [each.load for each in _all()]
    return sum(count for count, _ in loads), sum(size for _, size in loads)


def flush(timeout: float | None = None) -> None:
    """Wait until every accepted save has finished or failed, within one timeout."""
    left = countdown(timeout)
    for each in _all():
        each.flush(left())


def countdown(timeout: float | None) -> Callable[[], float | None]:
    """Return a function that says how many seconds of a shared timeout are left."""
    end = None if timeout is None else time.monotonic() + timeout
    return lambda: None if end is None else max(0.0, end - time.monotonic())


def drain() -> None:
    """Write, at exit, every save that was accepted."""
    global _has_ended  # noqa: PLW0603 - process-wide, as the exit is
    # Writers created from now on are closed at once: nothing would drain them.
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


# Reentrant: a signal handler or a finalizer may save at any point.
_lock = threading.RLock()
_has_ended = False
_known: weakref.WeakSet[Background] = weakref.WeakSet()
after_fork_in_child(_renew_all)
