"""
Saves in the background: a bounded queue, and one thread that works it off.

What is accepted is frozen, counted in bytes, and saved in order. Nothing starts before
the first save, and the thread ends when there has been nothing to do for a while.
"""

from __future__ import annotations

import enum
import logging
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from queue import Empty, SimpleQueue
from typing import Any

from checkpoints._kinds.frozen import frozen_values
from checkpoints._kinds.weight import weight_of
from checkpoints._process import drain
from checkpoints._process.exit import at_exit, may_be_killed
from checkpoints.errors import ConfigError, PendingError

__all__ = ["Writer", "checked_seconds"]

logger = logging.getLogger("checkpoints")

Save = Callable[[Mapping[str, Any]], object]

# Seconds without work after which the thread ends; the next save starts another.
_LINGER = 2.0


class _Job:
    """A save on its way: what it will have become, and whether all is over."""

    __slots__ = ("done", "outcome", "save", "size", "values")

    def __init__(self, save: Save, size: int) -> None:
        self.save = save
        self.values: Mapping[str, Any] = {}
        self.size = size
        self.outcome: Future[object] = Future()
        # Settled after those who asked for the outcome were called back.
        self.done: Future[None] = Future()


class _Place(enum.Enum):
    """Where a save that is submitted is to be made."""

    QUEUE = enum.auto()
    NOW = enum.auto()
    NOWHERE = enum.auto()


class Writer:
    """
    Saves values in a thread of its own.

    Args:
        max_pending: How many bytes may wait.
        on_full: What to do with a save that finds no room: `"block"` until there is,
            or `"drop"` it.
        max_wait: For how many seconds a save may wait for room, and the end of the
            program for all that is accepted.
    """

    def __init__(self, *, max_pending: int, on_full: str, max_wait: float) -> None:
        self.max_pending = max_pending
        self.on_full = on_full
        self.max_wait = max_wait
        self.renew()
        drain.add(self)

    def renew(self) -> None:
        """Begin with nothing: here, and in a forked child, which has no such thread."""
        # Reentrant, as a signal or the garbage collector may save something anywhere.
        self._lock = threading.RLock()
        self._queue: SimpleQueue[_Job] = SimpleQueue()
        # In the order in which they came; there is no set of that kind.
        self.jobs: dict[_Job, None] = {}
        # The threads that are saving right now.
        self._saving: set[int] = set()
        self._held = 0
        self._thread: threading.Thread | None = None
        self.is_closed = drain.has_ended()

    @property
    def load(self) -> tuple[int, int]:
        """How many saves wait, and how many bytes they hold."""
        return len(self.jobs), self._held

    def is_saving_in(self, thread: int) -> bool:
        """Tell whether a thread is at work on a save of this writer."""
        return thread in self._saving

    def submit(self, values: Mapping[str, Any], save: Save) -> object:
        """
        Save values as they are now, later.

        Args:
            values: The values by name.
            save: Called with them, frozen, in the writer's thread. In the caller's
                thread, and not frozen, where there can be no thread, or no room ever.

        Returns:
            A `Future` of what `save` returns or raises, cancelled where it was
            dropped. What `save` returned, where it was called at once.

        Raises:
            PendingError: If there was no room in time.
            FormatError: If a value cannot be copied.
            Exception: What `save` raised, where it was called at once.
        """
        if may_be_killed():
            return save(values)
        # Not before there is something to wait for: a handler may be made for others.
        at_exit(drain.drain)
        job = _Job(save, weight_of(values))
        try:
            place = self._reserve(job)
            if place is _Place.NOW:
                return self._at_once(job, values)
            if place is _Place.QUEUE:
                job.values = frozen_values(values)
                self._queue.put(job)
                self._see_to_thread()
            else:
                job.outcome.cancel()
        except BaseException:
            # Perhaps an interrupt, so that it may be in the queue, or be saved already.
            if job.outcome.cancel():
                self._release(job)
            raise
        return job.outcome

    def _at_once(self, job: _Job, values: Mapping[str, Any]) -> object:
        me = threading.get_ident()
        is_nested = me in self._saving
        self._saving.add(me)
        try:
            return job.save(values)
        finally:
            if not is_nested:
                self._saving.discard(me)
            self._release(job)

    def _reserve(self, job: _Job) -> _Place:
        """Wait for room, or until nothing waits, and tell where to save."""
        deadline = time.monotonic() + self.max_wait
        while True:
            with self._lock:
                # Who is about to save would wait for itself.
                if self.is_closed or threading.get_ident() in self._saving:
                    return _Place.NOW
                if self._held + job.size <= self.max_pending:
                    self._admit(job)
                    return _Place.QUEUE
                if self.on_full == "drop":
                    return _Place.NOWHERE
                if not self.jobs:
                    self._admit(job)
                    return _Place.NOW
                oldest = next(iter(self.jobs))
            self._see_to_thread()
            if not _is_over(oldest, deadline):
                count, size = self.load
                message = (
                    f"no room after {self.max_wait:g} s: {count} saves of {size} bytes "
                    "wait to be written. A larger max_pending or max_wait, every=n, or "
                    "a faster disk helps; on_full='drop' does not wait"
                )
                raise PendingError(message)

    def _admit(self, job: _Job) -> None:
        self.jobs[job] = None
        self._held += job.size

    def _release(self, job: _Job) -> None:
        with self._lock:
            if job in self.jobs:
                del self.jobs[job]
                self._held -= job.size
            if not self.jobs:
                # An interrupt may have come between a job and its size.
                self._held = 0
        if not job.done.done():
            job.done.set_result(None)

    def _see_to_thread(self) -> None:
        """Start the thread, unless there is one, or nothing for it to do."""
        with self._lock:
            running = self._thread is not None and self._thread.is_alive()
            if running or self._queue.empty():
                return
            at_exit(drain.drain)
            try:
                # A daemon, so that a disk that hangs does not keep the program from
                # ending; what it has to do is seen to by `drain`.
                self._thread = threading.Thread(
                    target=self._work, name="checkpoints-writer", daemon=True
                )
                self._thread.start()
            except RuntimeError:  # the interpreter is ending, or has no such threads
                self._thread = None
        if self._thread is None:
            self._work(linger=0)

    def _work(self, linger: float = _LINGER) -> None:
        while True:
            try:
                job = self._queue.get(timeout=linger)
            except Empty:
                with self._lock:
                    if self._queue.empty():
                        self._thread = None
                        return
                continue
            self._do(job)
            del job

    def _do(self, job: _Job) -> None:
        me = threading.get_ident()
        self._saving.add(me)
        try:
            if job.outcome.set_running_or_notify_cancel():
                _settle(job)
        finally:
            job.values = {}
            self._saving.discard(me)
            self._release(job)

    def flush(self, timeout: float | None = None) -> None:
        """
        Wait until all that was accepted so far is over.

        Args:
            timeout: Seconds; `max_wait` unless given.

        Raises:
            PendingError: If it is not over then. It goes on.
        """
        timeout = self.max_wait if timeout is None else checked_seconds(timeout)
        if threading.get_ident() in self._saving:
            return  # from inside of a save, which would wait for itself
        self._see_to_thread()
        jobs = [job.done for job in list(self.jobs)]
        left = wait(jobs, min(timeout, threading.TIMEOUT_MAX)).not_done
        if left:
            message = (
                f"{len(left)} saves are not done after {timeout:g} s: they go on, and "
                "another flush, or a longer time, waits for them"
            )
            raise PendingError(message)

    def close(self, timeout: float | None = None) -> None:
        """
        Wait for all that was accepted, and accept no more: saves are then made at once.

        Args:
            timeout: Seconds; `max_wait` unless given.

        Raises:
            PendingError: If it is not over then. What has not begun is dropped.
        """
        self.is_closed = True
        try:
            self.flush(timeout)
        except BaseException:
            for job in list(self.jobs):
                job.outcome.cancel()
            raise

    def end(self, timeout: float) -> None:
        """
        Close, at the end of the process, and tell the log of what was not saved.

        Args:
            timeout: Seconds.
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
        # What was not dropped by that has begun, and cannot be stopped.
        begun = sum(not job.outcome.cancelled() for job in list(self.jobs))
        logger.warning(
            "the program ends before all of its saves in the background are done "
            "(%s)%s. A longer max_wait, or a flush before the end, helps",
            why,
            f"; {begun} was being written, and may be there or not" if begun else "",
        )


def _settle(job: _Job) -> None:
    """Save, and give the future what came of it, or what hindered it."""
    try:
        result = job.save(job.values)
    except BaseException as error:  # noqa: BLE001 - it is the outcome of this save
        _forget_frames(error)
        job.values = {}
        job.outcome.set_exception(error)
    else:
        job.values = {}
        job.outcome.set_result(result)


def _forget_frames(error: BaseException) -> None:
    """Let go of the values, which an error holds that is kept for a while."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            traceback.clear_frames(one.__traceback__)
            waiting += [one.__cause__, one.__context__]


def checked_seconds(value: Any, option: str = "timeout") -> float:
    """Return a number of seconds; `ConfigError` if it cannot be one."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not value >= 0:
        message = f"{option}={value!r} has to be a number of seconds from 0 on"
        raise ConfigError(message)
    return float(value)


def _is_over(job: _Job, deadline: float) -> bool:
    timeout = max(0.0, min(deadline - time.monotonic(), threading.TIMEOUT_MAX))
    return bool(wait([job.done], timeout).done)
