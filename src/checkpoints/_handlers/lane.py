"""A queue of background saves, and the thread that works through it in order."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue

from checkpoints._handlers.job import Job
from checkpoints._process import drain
from checkpoints._process.exit import at_exit

__all__ = ["Lane"]

# After so many idle seconds the thread ends; the next save starts another.
_IDLE_TIMEOUT = 2.0

Run = Callable[[Job], object]


class Lane:
    """
    A queue of saves, and its thread.

    Args:
        lock: Held while a thread is started or ends.
        working: The threads at work, which this one joins.
    """

    def __init__(self, lock: threading.RLock, working: set[int]) -> None:
        self._lock, self._working = lock, working
        self._queue: SimpleQueue[Job] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def put(self, job: Job) -> None:
        """Add a save after the others."""
        self._queue.put(job)

    def ensure_thread(self, run: Run) -> None:
        """Start the thread if the queue has work and no thread is running."""
        with self._lock:
            running = self._thread is not None and self._thread.is_alive()
            if running or self._queue.empty():
                return
            at_exit(drain.drain)
            # A daemon, so that a hanging disk does not block the exit of the program;
            # `drain` waits for its work.
            thread = threading.Thread(
                target=self._work, args=(run,), name="checkpoints-writer", daemon=True
            )
            try:
                thread.start()
            except RuntimeError:  # the interpreter is exiting, or has no threads
                self._thread = None
            else:
                self._thread = thread
                return
        self._work(run, idle_timeout=0)

    def _work(self, run: Run, idle_timeout: float = _IDLE_TIMEOUT) -> None:
        me = threading.get_ident()
        is_nested = me in self._working
        # All the time: what a save leaves behind may save when it is deleted.
        self._working.add(me)
        try:
            while not self._is_idle(run, idle_timeout):
                pass
        finally:
            if not is_nested:
                self._working.discard(me)

    def _is_idle(self, run: Run, timeout: float) -> bool:
        """Run the next save; tell whether there is none, and the thread may end."""
        try:
            run(self._queue.get(timeout=timeout))
        except Empty:
            # Without waiting: the thread that holds the lock may wait for this one.
            if not self._lock.acquire(blocking=False):
                return False
            try:
                if self._queue.empty():
                    self._thread = None
                    return True
            finally:
                self._lock.release()
        return False
