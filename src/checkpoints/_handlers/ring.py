"""
The last saves in memory, bounded: what a flight recorder writes.

A signal may come between any two steps of what is done here, in the thread that does
it, and take the saves out. So a save is in one queue until the moment it is taken, and
in hand until it is written; what is held is counted by sums that do not care in which
order they are made, and the locks are reentrant.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, InvalidStateError
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from checkpoints._handlers.handler import Handler
from checkpoints._keys.key import Key
from checkpoints._process.forks import after_fork_in_child

__all__ = ["Kept", "Memory", "Outcome"]


class Outcome(Future[Any]):
    """
    What becomes of a save, in one part for each handler that is to have it.

    Whoever follows it is told of each part; it is over when all of them are.
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
        """Settle one part of it, and with the last one the whole."""
        _settle(part, error, result)
        if all(each.done() for each in self.parts):
            errors = (_error_of(each) for each in self.parts)
            _settle(self, next(filter(None, errors), None), result)


class Kept(NamedTuple):
    """One save in memory, and the parts of its outcome by those who are to write it."""

    key: Key
    values: dict[str, Any]
    size: int
    writes: tuple[tuple[Handler, Future[Any]], ...]
    outcome: Outcome


class Memory:
    """The last saves, of one recorder or of several that share it."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.renew()
        after_fork_in_child(self.renew)

    def renew(self) -> None:
        """Begin with nothing: here, and in a forked child, whose parent has it all."""
        self.lock = threading.RLock()
        self.dumping = threading.RLock()
        self.is_dumping = False
        self.kept: deque[Kept] = deque()
        # What is being written; an interrupt has it put back.
        self.in_hand: Kept | None = None
        self.held = 0
        self.given_up = 0

    def add(self, save: Kept) -> None:
        with self.lock:
            self.kept.append(save)
            self.held += save.size
            while self.held > self.max_bytes and self.take() is not None:
                self.given_up += 1

    def take(self) -> Kept | None:
        """Take the oldest save out."""
        with self.lock:
            try:
                save = self.kept.popleft()
            except IndexError:
                return None
            self.held -= save.size
            return save

    def _take_in_hand(self, most: int) -> Iterator[Kept]:
        for _ in range(most):
            with self.lock:
                if not self.kept:
                    return
                # First, so that it is in one of the two at any moment.
                save = self.in_hand = self.kept[0]
                self.take()
            yield save
            self.in_hand = None

    def _put_back(self) -> None:
        with self.lock:
            save = self.in_hand
            if save is not None and not (self.kept and self.kept[0] is save):
                self.kept.appendleft(save)
                self.held += save.size
            self.in_hand = None

    @contextmanager
    def dump(self, patience: float) -> Iterator[Iterator[Kept]]:
        """Give out what is kept now; nothing where somebody is at it already."""
        mine = self.dumping.acquire(timeout=patience)
        first = mine and not self.is_dumping
        try:
            self.is_dumping = self.is_dumping or first
            # Others may save faster than these are written, and so without an end.
            yield self._take_in_hand(len(self.kept) if first else 0)
        finally:
            if first:
                self._put_back()
                self.is_dumping = False
            if mine:
                self.dumping.release()


def _error_of(done: Future[Any]) -> BaseException | None:
    return CancelledError() if done.cancelled() else done.exception()


def _settle(future: Future[Any], error: BaseException | None, result: object) -> None:
    # An interrupt may have a save written twice, and two threads may see that all is
    # over: the first of them is right.
    with suppress(InvalidStateError):
        if error is None:
            future.set_result(result)
        elif isinstance(error, CancelledError):
            future.cancel()
        else:
            future.set_exception(error)
