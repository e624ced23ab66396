"""
A ring buffer of the last saves: what a flight recorder writes.

A signal handler may interrupt any step here, in the same thread, and take saves out. So
a save stays in one queue until it is taken, and is the current one until it is written;
the byte count is a sum that does not depend on the order of steps; and the locks are
reentrant.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, InvalidStateError
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from checkpoints._handlers.handler import Handler
from checkpoints._handlers.outcomes import Result
from checkpoints._keys.key import Key
from checkpoints._process.forks import after_fork_in_child

__all__ = ["Outcome", "RecordedSave", "RingBuffer"]


class Outcome(Future[Any]):
    """
    The outcome of a save, in one part for each handler that is to write it.

    Callbacks are called for each part; the whole is done when all parts are.
    """

    def __init__(self, count: int) -> None:
        super().__init__()
        self.parts = tuple(Future[Any]() for _ in range(count))

    def add_done_callback(self, fn: Callable[[Future[Any]], object]) -> None:
        for part in self.parts:
            part.add_done_callback(fn)

    def settle(
        self, part: Future[Any], error: BaseException | None, result: object = None
    ) -> None:
        """Settle one part, and after the last one the whole."""
        _settle(part, error, result)
        if all(part.done() for part in self.parts):
            errors = (_error_of(part) for part in self.parts)
            _settle(self, next(filter(None, errors), None), result)

    def follow(self, part: Future[Any], result: Result) -> None:
        """Settle one part by what a handler's `commit` returned, now or later."""
        if not isinstance(result, Future):
            self.settle(part, None, result)
            return

        def settle(done: Future[Any]) -> None:
            error = _error_of(done)
            self.settle(part, error, None if error else done.result())

        result.add_done_callback(settle)


class RecordedSave(NamedTuple):
    """A save in memory, and the parts of its outcome by the handlers to write it."""

    key: Key
    values: dict[str, Any]
    size: int
    writes: tuple[tuple[Handler, Future[Any]], ...]
    outcome: Outcome


class RingBuffer:
    """The last saves of one recorder, or of several that share it."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.renew()
        after_fork_in_child(self.renew)

    def renew(self) -> None:
        """Start empty: here, and in a forked child, whose parent keeps the saves."""
        self.lock = threading.RLock()
        self.dump_lock = threading.RLock()
        self.is_dumping = False
        self.saves: deque[RecordedSave] = deque()
        # The save that is being written; put back after an interrupt.
        self.current: RecordedSave | None = None
        self.size = 0
        self.discarded = 0

    def add(self, save: RecordedSave) -> None:
        with self.lock:
            self.saves.append(save)
            self.size += save.size
            while self.size > self.max_bytes and self.take() is not None:
                self.discarded += 1

    def take(self) -> RecordedSave | None:
        """Remove and return the oldest save."""
        with self.lock:
            try:
                save = self.saves.popleft()
            except IndexError:
                return None
            self.size -= save.size
            return save

    def _take_each(self, most: int) -> Iterator[RecordedSave]:
        for _ in range(most):
            with self.lock:
                if not self.saves:
                    return
                # Set before it is taken: the save is in one of the two at any moment.
                save = self.current = self.saves[0]
                self.take()
            yield save
            self.current = None

    def _put_back(self) -> None:
        with self.lock:
            save = self.current
            if save is not None and not (self.saves and self.saves[0] is save):
                self.saves.appendleft(save)
                self.size += save.size
            self.current = None

    @contextmanager
    def dump(self, timeout: float) -> Iterator[Iterator[RecordedSave]]:
        """Take out the present saves one by one; none while another dump is running."""
        is_locked = self.dump_lock.acquire(timeout=timeout)
        is_first = is_locked and not self.is_dumping
        try:
            self.is_dumping = self.is_dumping or is_first
            # Only the present ones: others may be added faster than these are written.
            yield self._take_each(len(self.saves) if is_first else 0)
        finally:
            if is_first:
                self._put_back()
                self.is_dumping = False
            if is_locked:
                self.dump_lock.release()


def _error_of(done: Future[Any]) -> BaseException | None:
    return CancelledError() if done.cancelled() else done.exception()


def _settle(future: Future[Any], error: BaseException | None, result: object) -> None:
    # After an interrupt a save may be written twice, and two threads may both find all
    # parts done: the first result counts.
    with suppress(InvalidStateError):
        if error is None:
            future.set_result(result)
        elif isinstance(error, CancelledError):
            future.cancel()
        else:
            future.set_exception(error)
