"""
A background save: its values, its outcome and its end.

The thread that saves it never waits here for a thread that follows it or waits for it:
a signal handler may have interrupted that one, and may wait itself.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any, TypeAlias, TypeVar

from checkpoints._keys.key import Key
from checkpoints._keys.tag_value import at_tags
from checkpoints._kinds.frozen import freeze, frozen_values
from checkpoints._kinds.left_out import with_left_out
from checkpoints._process.origin import Origin

__all__ = ["End", "Freeze", "Job", "Save", "freeze_for", "leniently", "settled_key"]

R = TypeVar("R")

logger = logging.getLogger("checkpoints")

Save: TypeAlias = Callable[[Mapping[str, Any]], object]
Freeze: TypeAlias = Callable[[Mapping[str, Any]], dict[str, Any]]


def leniently(
    key: Key, attempt: Callable[[Mapping[str, Any]], R]
) -> Callable[[Mapping[str, Any]], R]:
    """Return a function of values; for a recorded call, it leaves out what fails."""
    if key.origin is not None and key.origin.part:
        return partial(with_left_out, attempt=attempt)
    return attempt


def freeze_for(key: Key) -> Freeze:
    """Return what copies the values of a save; of a recorded call, those it can."""
    return leniently(key, frozen_values)


def settled_key(key: Key) -> Key:
    """Return a key whose tags no later change affects, and that has an origin."""
    with at_tags(value for _, value in key.tags):
        return Key(key.name, freeze(key.tags), key.origin or Origin.here())


class _Outcome(Future[object]):
    """A future that is followed without the lock that its thread needs to settle it."""

    def __init__(self) -> None:
        super().__init__()
        self._is_settled = False
        self._followers: deque[Callable[[Future[object]], object]] = deque()
        super().add_done_callback(self._call_followers)

    def add_done_callback(self, fn: Callable[[Future[object]], object]) -> None:
        self._followers.append(fn)
        # By `done`, which needs the lock, it could not be asked.
        if self._is_settled:
            self._call_followers(self)

    def _call_followers(self, _: Future[object]) -> None:
        self._is_settled = True
        # Two threads may both be here; each follower is called by one of them.
        with suppress(IndexError):
            while True:
                follower = self._followers.popleft()
                try:
                    follower(self)
                except Exception:
                    logger.exception("%r failed after a save", follower)


class End:
    """Whether a save is over; nobody waits for a lock while finding out."""

    __slots__ = ("_lock", "is_reached")

    def __init__(self) -> None:
        self.is_reached = False
        self._lock = threading.Lock()
        self._lock.acquire()

    def reach(self) -> None:
        self.is_reached = True
        with suppress(RuntimeError):  # it was reached before
            self._lock.release()

    def wait(self, deadline: float) -> bool:
        """Wait until the deadline; tell whether the end is reached."""
        left = max(0.0, min(deadline - time.monotonic(), threading.TIMEOUT_MAX))
        if not self.is_reached and self._lock.acquire(timeout=left):
            self._lock.release()  # for the next one who waits
        return self.is_reached


class Job:
    """An accepted save, with its outcome and its end."""

    __slots__ = ("end", "holder", "outcome", "save", "size", "values")

    def __init__(self, save: Save, size: int) -> None:
        self.save = save
        self.values: Mapping[str, Any] = {}
        self.size = size
        # The thread that has yet to queue it, or saves it.
        self.holder: int | None = threading.get_ident()
        self.outcome: Future[object] = _Outcome()
        # Reached after the callbacks of the outcome have run.
        self.end = End()
