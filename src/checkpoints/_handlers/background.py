"""
Background saves: a bounded queue, and the threads that work through it.

Accepted saves are frozen, counted in bytes, and written in order: all of them by one
thread; or by several, where saves wait for a server, each in order with those to the
same place. A thread starts with the first save, and ends after it has been idle for a
while.

A signal handler or a finalizer may save or flush at any point here, in the middle of
another save of its thread. So the writer's threads never wait for a lock that such an
interrupted caller may hold, and no thread waits for a save that it holds itself.
"""

from __future__ import annotations

import enum
import logging
import threading
import time
import traceback
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from checkpoints._handlers.handler import checked_seconds
from checkpoints._handlers.job import End, Freeze, Job, Save
from checkpoints._handlers.lane import Lane
from checkpoints._kinds.frozen import frozen_values
from checkpoints._kinds.weight import weight_of
from checkpoints._process import drain
from checkpoints._process.exit import at_exit, may_be_killed
from checkpoints._process.work import at_work
from checkpoints._text import count_text
from checkpoints.errors import PendingError

__all__ = ["Writer"]

logger = logging.getLogger("checkpoints")


class _Decision(enum.Enum):
    """What to do with a submitted save."""

    QUEUE = enum.auto()
    SAVE_NOW = enum.auto()
    DROP = enum.auto()


class Writer:
    """
    Saves values in a separate thread.

    Args:
        max_pending: The size of the queue, in bytes.
        on_full: What to do with a save if the queue is full: `"block"` until there is
            room, or `"drop"` it.
        max_wait: How many seconds a save waits for room in the queue, and the exit of
            the program for all accepted saves.
        lanes: How many saves are made at the same time.
    """

    def __init__(
        self, *, max_pending: int, on_full: str, max_wait: float, lanes: int = 1
    ) -> None:
        self.max_pending = max_pending
        self.on_full = on_full
        self.max_wait = max_wait
        self._count = lanes
        self._is_drained_at_exit = False
        self.renew()

    def renew(self) -> None:
        """Start with an empty queue: here, and in a forked child, without a thread."""
        # Reentrant: a signal handler or a finalizer may save at any point.
        self._lock = threading.RLock()
        # A dict as an ordered set, oldest first.
        self.jobs: dict[Job, None] = {}
        # Those that are over, but still counted.
        self._released: deque[Job] = deque()
        # Who waits for room: reached when any job is over.
        self._waiting: deque[End] = deque()
        # The threads that are saving right now, and those that work through the queue.
        self._saving: set[int] = set()
        self._working: set[int] = set()
        self._size = 0
        self._lanes = [Lane(self._lock, self._working) for _ in range(self._count)]
        self.is_closed = drain.has_ended()

    @property
    def load(self) -> tuple[int, int]:
        """The number of unfinished saves, and the bytes that they hold."""
        with self._lock:
            self._settle()
            return len(self.jobs), self._size

    def is_saving_in(self, thread: int) -> bool:
        """Tell whether a thread is currently running a save of this writer."""
        return thread in self._saving or thread in self._working

    def submit(
        self,
        values: Mapping[str, Any],
        save: Save,
        freeze: Freeze = frozen_values,
        place: str = "",
    ) -> object:
        """
        Save values later, as they are now.

        Args:
            values: The values by name.
            save: Called with frozen copies in the writer's thread; or with the values
                themselves in the caller's thread, if no thread can run or the values
                are larger than the queue.
            freeze: Copies the values.
            place: Saves to the same place are made in order.

        Returns:
            A `Future` of the result of `save`, cancelled if the save was dropped; or
            the result itself, if `save` was called at once.

        Raises:
            PendingError: If the queue stayed full for `max_wait` seconds.
            FormatError: If a value cannot be copied.
            Exception: What `save` raised, if it was called at once.
        """
        if may_be_killed():
            return save(values)
        self._drain_at_exit()
        job = Job(save, weight_of(values))
        try:
            decision = self._reserve(job)
            if decision is _Decision.SAVE_NOW:
                return self._save_now(job, values)
            if decision is _Decision.QUEUE:
                job.values = freeze(values)
                lane = self._lanes[hash(place) % len(self._lanes)]
                lane.put(job)
                job.holder = None
                lane.ensure_thread(self._run)
            else:
                job.outcome.cancel()
        except BaseException:
            # After an interrupt, the job may be in the queue, or even saved already.
            job.holder = None
            if job.outcome.cancel():
                self._release(job)
            raise
        return job.outcome

    def _drain_at_exit(self) -> None:
        """Register for the exit of the process, at the first save."""
        if self._is_drained_at_exit:
            return
        drain.add(self)
        at_exit(drain.drain)
        # The exit may have begun since this writer was created.
        self.is_closed = self.is_closed or drain.has_ended()
        self._is_drained_at_exit = True

    def _save_now(self, job: Job, values: Mapping[str, Any]) -> object:
        me = threading.get_ident()
        is_nested = me in self._saving
        self._saving.add(me)
        try:
            return job.save(values)
        finally:
            if not is_nested:
                self._saving.discard(me)
            self._release(job)

    def _reserve(self, job: Job) -> _Decision:
        """Wait for room in the queue, or until it is empty, and decide."""
        me, deadline = threading.get_ident(), time.monotonic() + self.max_wait
        change: End | None = None
        while True:
            with self._lock:
                self._settle()
                if self.is_closed or me in self._working:
                    return _Decision.SAVE_NOW
                if self._size + job.size <= self.max_pending:
                    self._admit(job)
                    return _Decision.QUEUE
                if self.on_full == "drop":
                    return _Decision.DROP
                # A save made inside of one would wait for that one, and so for itself.
                if not self.jobs or any(each.holder == me for each in list(self.jobs)):
                    self._admit(job)
                    return _Decision.SAVE_NOW
            if change is None:
                # Looks once more: a job may be over since.
                change = End()
                self._waiting.append(change)
                continue
            self._ensure_threads()
            if not change.wait(deadline):
                raise self._full()
            change = None

    def _full(self) -> PendingError:
        count, size = self.load
        return PendingError(
            f"timed out after {self.max_wait:g} s: background queue is full "
            f"({count_text(count, 'save')}, {count_text(size, 'byte')}). Raise "
            "max_pending or max_wait, save less often with every=n, or do not wait, "
            "with on_full='drop'"
        )

    def _admit(self, job: Job) -> None:
        self.jobs[job] = None
        self._size += job.size

    def _release(self, job: Job) -> None:
        """Give back the room of a job; without the lock, so it is counted later."""
        self._released.append(job)
        job.end.reach()
        with suppress(IndexError):
            while True:
                self._waiting.popleft().reach()

    def _settle(self) -> None:
        """Count the jobs that are over no longer; the caller holds the lock."""
        with suppress(IndexError):  # a signal handler may have counted them meanwhile
            for _ in range(len(self._released)):
                job = self._released.popleft()
                if job in self.jobs:
                    del self.jobs[job]
                    self._size -= job.size
        if not self.jobs:
            # An interrupt may have come between adding a job and its size.
            self._size = 0

    def _ensure_threads(self) -> None:
        for lane in self._lanes:
            lane.ensure_thread(self._run)

    def _run(self, job: Job) -> None:
        try:
            if job.outcome.set_running_or_notify_cancel():
                _save(job)
        finally:
            job.values = {}
            self._release(job)

    def flush(self, timeout: float | None = None) -> None:
        """
        Wait until every save accepted so far has finished or failed.

        Args:
            timeout: In seconds; `max_wait` unless given.

        Raises:
            PendingError: If saves are unfinished by then. They continue.
        """
        timeout = self.max_wait if timeout is None else checked_seconds(timeout)
        me, deadline = threading.get_ident(), time.monotonic() + timeout
        if me in self._working:
            return  # called inside a save, which would wait for itself
        self._ensure_threads()
        jobs = [job for job in list(self.jobs) if job.holder != me]
        left = sum(not job.end.wait(deadline) for job in jobs)
        if left:
            message = (
                f"timed out after {timeout:.3g} s: {count_text(left, 'save')} "
                "unfinished, and continuing in the background. Flush again, or with a "
                "longer timeout"
            )
            raise PendingError(message)

    def _unfinished(self) -> list[Job]:
        return [job for job in list(self.jobs) if not job.end.is_reached]

    def close(self, timeout: float | None = None) -> None:
        """
        Wait for all accepted saves; later saves are written when they are called.

        Args:
            timeout: In seconds; `max_wait` unless given.

        Raises:
            PendingError: If saves are unfinished by then. Those not begun are dropped.
        """
        self.is_closed = True
        try:
            self.flush(timeout)
        except BaseException:
            for job in self._unfinished():
                job.outcome.cancel()
            raise

    def end(self, timeout: float) -> None:
        """
        Close when the process exits, and log what was not saved.

        Args:
            timeout: In seconds.
        """
        why = f"max_wait={self.max_wait:g} s"
        try:
            self.close(timeout)
        except PendingError:
            pass
        except KeyboardInterrupt:
            why = "interrupted"
        else:
            return
        # Jobs that could not be dropped have begun, and cannot be stopped.
        begun = sum(not job.outcome.cancelled() for job in self._unfinished())
        logger.warning(
            "the program exits before all background saves are done (%s)%s. Use a "
            "longer max_wait, or call flush() before the exit",
            why,
            f"; {count_text(begun, 'save')} in progress may be incomplete"
            if begun
            else "",
        )


def _save(job: Job) -> None:
    """Run a job, and set its outcome to the result or the error."""
    try:
        with at_work:
            result = job.save(job.values)
    except BaseException as error:  # noqa: BLE001 - it is the outcome of this save
        _forget_frames(error)
        job.values = {}
        job.outcome.set_exception(error)
    else:
        job.values = {}
        job.outcome.set_result(result)


def _forget_frames(error: BaseException) -> None:
    """Release the values that the traceback of a kept error refers to."""
    seen: set[int] = set()
    pending: list[BaseException | None] = [error]
    while pending:
        current = pending.pop()
        if current is not None and id(current) not in seen:
            seen.add(id(current))
            traceback.clear_frames(current.__traceback__)
            pending += [current.__cause__, current.__context__]
