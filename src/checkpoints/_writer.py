"""
Saves in the background: a bounded queue, and one thread that works it off.

What is accepted is frozen, counted in bytes, and saved in order. Nothing starts before
the first save, and the thread ends when there has been nothing to do for a while.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import traceback
import weakref
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

from checkpoints._exit import at_exit, may_be_killed
from checkpoints.errors import PendingError
from checkpoints.formats._frozen import frozen_values
from checkpoints.formats._weight import weight_of

__all__ = ["Writer", "drain", "flush", "is_writing", "pending"]

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
        _writers.add(self)

    def renew(self) -> None:
        """Begin with nothing: here, and in a forked child, which has no such thread."""
        # Reentrant, as a signal or the garbage collector may save something anywhere.
        self._lock = threading.RLock()
        self._queue: SimpleQueue[_Job] = SimpleQueue()
        self._jobs: dict[_Job, int] = {}
        self._held = 0
        self._thread: threading.Thread | None = None
        self._is_closed = False

    @property
    def load(self) -> tuple[int, int]:
        """How many saves wait, and how many bytes they hold."""
        return len(self._jobs), self._held

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
        if self._is_closed or may_be_killed():
            return save(values)
        job = _Job(save, weight_of(values))
        fits = job.size <= self.max_pending
        try:
            if self._reserve(job):
                if not fits:
                    return save(values)
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
        finally:
            if not fits:
                self._release(job)
        return job.outcome

    def _reserve(self, job: _Job) -> bool:
        """Wait for room, or until nothing waits; False where the save is dropped."""
        deadline = time.monotonic() + self.max_wait
        while True:
            with self._lock:
                if self._held + job.size <= self.max_pending or not (
                    self._jobs or self.on_full == "drop"
                ):
                    self._jobs[job] = job.size
                    self._held += job.size
                    return True
                if self.on_full == "drop":
                    return False
                oldest = next(iter(self._jobs))
            self._see_to_thread()
            if not _is_over(oldest, deadline):
                count, size = self.load
                message = (
                    f"no room after {self.max_wait:g} s: {count} saves of {size} bytes "
                    "wait to be written. A larger max_pending or max_wait, every=n, or "
                    "a faster disk helps; on_full='drop' does not wait"
                )
                raise PendingError(message)

    def _release(self, job: _Job) -> None:
        with self._lock:
            self._held -= self._jobs.pop(job, 0)
            if not self._jobs:
                # An interrupt may have come between the two of them.
                self._held = 0
        if not job.done.done():
            job.done.set_result(None)

    def _see_to_thread(self) -> None:
        """Start the thread, unless there is one, or nothing for it to do."""
        with self._lock:
            running = self._thread is not None and self._thread.is_alive()
            if running or self._queue.empty():
                return
            at_exit(drain)
            # A daemon, so that a disk that hangs does not keep the program from
            # ending; what it has to do is seen to by `drain`.
            self._thread = threading.Thread(
                target=self._work, name="checkpoints-writer", daemon=True
            )
            try:
                self._thread.start()
            except RuntimeError:  # the interpreter is ending
                self._thread = None
        if self._thread is None:
            self._work(linger=0)

    def _work(self, linger: float = _LINGER) -> None:
        while True:
            try:
                job = (
                    self._queue.get(timeout=linger)
                    if linger
                    else self._queue.get(False)
                )
            except Empty:
                with self._lock:
                    if self._queue.empty():
                        self._thread = None
                        return
                continue
            self._do(job)
            del job

    def _do(self, job: _Job) -> None:
        result: object = None
        failure: BaseException | None = None
        _here.is_writing = True
        try:
            if job.outcome.set_running_or_notify_cancel():
                result = job.save(job.values)
        except BaseException as error:  # noqa: BLE001 - it is the outcome of this save
            # Its frames hold the values, and it may be kept for a while.
            traceback.clear_frames(error.__traceback__)
            failure = error
        finally:
            _here.is_writing = False
        job.values = {}
        with suppress(Exception):
            if failure is not None:
                job.outcome.set_exception(failure)
            elif not job.outcome.cancelled():
                job.outcome.set_result(result)
        self._release(job)

    def flush(self, timeout: float | None = None) -> None:
        """
        Wait until all that was accepted so far is over.

        Args:
            timeout: Seconds; `max_wait` unless given.

        Raises:
            PendingError: If it is not over then. It goes on.
        """
        timeout = self.max_wait if timeout is None else timeout
        self._see_to_thread()
        jobs = [job.done for job in list(self._jobs)]
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
        self._is_closed = True
        try:
            self.flush(timeout)
        except BaseException:
            for job in list(self._jobs):
                job.outcome.cancel()
            raise


def _is_over(job: _Job, deadline: float) -> bool:
    timeout = max(0.0, min(deadline - time.monotonic(), threading.TIMEOUT_MAX))
    return bool(wait([job.done], timeout).done)


def is_writing() -> bool:
    """Tell whether this thread is at work on a save of the background."""
    return getattr(_here, "is_writing", False)


def pending() -> tuple[int, int]:
    """Return how many saves wait in this process, and how many bytes they hold."""
    loads = [writer.load for writer in list(_writers)]
    return sum(count for count, _ in loads), sum(size for _, size in loads)


def flush(timeout: float | None = None) -> None:
    """Wait for every writer of this process; `Writer.flush` says more."""
    for writer in list(_writers):
        writer.flush(timeout)


def drain() -> None:
    """See to it, at the end of the process, that what was accepted is saved."""
    start = time.monotonic()
    for writer in list(_writers):
        left = max(0.0, start + writer.max_wait - time.monotonic())
        try:
            writer.close(left)
        except (PendingError, KeyboardInterrupt) as error:
            logger.warning(
                "the program ends, and %d saves in the background were not done (%s): "
                "they are lost. A longer max_wait, or a flush before the end, helps",
                writer.load[0],
                "interrupted"
                if isinstance(error, KeyboardInterrupt)
                else f"max_wait={writer.max_wait:g} s",
            )


def _renew_all() -> None:
    for writer in list(_writers):
        writer.renew()


_here = threading.local()
_writers: weakref.WeakSet[Writer] = weakref.WeakSet()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_all)
