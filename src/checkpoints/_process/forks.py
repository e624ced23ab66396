"""Forks of this process: what runs in the child, and what a fork waits for."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
import types
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

__all__ = ["after_fork_in_child", "forks_wait"]

logger = logging.getLogger("checkpoints")

# In seconds. A thread that is still inside a block after that may never leave it.
_PATIENCE = 10.0

_methods: list[Callable[[], Callable[[], object] | None]] = []
# Reentrant: a finalizer may register a method at any point.
_lock = threading.RLock()


def after_fork_in_child(method: Callable[[], object]) -> None:
    """
    Call a method in every forked child, for as long as its object is alive.

    A lock needs this, for example: the thread that held it does not exist in the child.

    Args:
        method: A bound method, whose object is not kept alive, or a function. They are
            called in the order of registration.
    """
    is_bound = isinstance(method, types.MethodType)
    with _lock:
        _methods[:] = [each for each in _methods if each() is not None]
        _methods.append(weakref.WeakMethod(method) if is_bound else lambda: method)


def _begin_in_child() -> None:
    global _lock  # noqa: PLW0603 - process-wide; replaced only after a fork
    _lock = threading.RLock()
    for each in _methods:
        method = each()
        try:
            if method is not None:
                method()
        except BaseException:
            logger.exception("%r failed after a fork", method)


class _Blocks:
    """The blocks that a fork waits for, by the threads that are inside them."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        # Reentrant: a signal handler or a finalizer may enter a block at any point.
        self._changed = threading.Condition(threading.RLock())
        self._depths: Counter[int] = Counter()
        self._is_interrupted = self._is_late = False

    def enter(self) -> None:
        with self._changed:
            self._depths[threading.get_ident()] += 1

    def leave(self) -> None:
        with self._changed:
            # A child that was forked inside the block starts without an entry for it.
            self._depths[threading.get_ident()] -= 1
            self._depths += Counter()
            self._changed.notify_all()

    def before_fork(self) -> None:
        try:
            # Held until the fork is done, so that no block is entered meanwhile.
            self._changed.acquire()
            # Two threads that fork from inside their blocks must not wait for each
            # other.
            if threading.get_ident() not in self._depths:
                self._is_late = not self._changed.wait_for(self._is_empty, _PATIENCE)
        except KeyboardInterrupt:
            # Python would print it and go on.
            self._is_interrupted = True

    def _is_empty(self) -> bool:
        return not self._depths

    def after_fork_in_parent(self) -> None:
        is_interrupted, is_late = self._is_interrupted, self._is_late
        self._is_interrupted = self._is_late = False
        with suppress(RuntimeError):  # it is not held if that was interrupted
            self._changed.release()
        if is_late:
            logger.warning(
                "a fork waited %g s for an import in another thread; the child may "
                "hang if it imports the same module",
                _PATIENCE,
            )
        if is_interrupted:
            # Later, as what is raised in here is printed too.
            caller = sys._getframe(1)  # noqa: SLF001 - what called `os.fork`
            place = caller, caller.f_lasti
            threading.Thread(target=_interrupt_after_call, args=place).start()

    def after_fork_in_child(self) -> None:
        self._begin()


@contextmanager
def forks_wait() -> Iterator[None]:
    """
    Make forks in other threads wait until the block is left.

    For work that a child could neither continue nor start again, such as the import of
    a module. A fork waits ten seconds at most.
    """
    _blocks.enter()
    try:
        yield
    finally:
        _blocks.leave()


def _interrupt_after_call(caller: types.FrameType, place: int) -> None:
    """Interrupt the main thread once its call at this place has returned."""
    end = time.monotonic() + _PATIENCE
    # How long that takes is up to what others have registered, and to the machine.
    while caller.f_lasti == place and time.monotonic() < end:
        time.sleep(0.01)
    # A signal, so that a call that waits for something ends as well. Its module would
    # make each import of this library slower.
    from signal import SIGINT, pthread_kill

    pthread_kill(threading.main_thread().ident or 0, SIGINT)


_blocks = _Blocks()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_blocks.before_fork,
        after_in_parent=_blocks.after_fork_in_parent,
        after_in_child=_blocks.after_fork_in_child,
    )
    os.register_at_fork(after_in_child=_begin_in_child)
