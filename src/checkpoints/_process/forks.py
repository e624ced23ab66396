"""Forks of this process: what runs in the child, and what a fork waits for."""

from __future__ import annotations

import os
import threading
import types
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["after_fork_in_child", "forks_wait"]

# In seconds. A thread that is still inside a block after that may never leave it.
_PATIENCE = 10.0

_methods: list[Callable[[], Callable[[], object] | None]] = []


def after_fork_in_child(method: Callable[[], object]) -> None:
    """
    Call a method in every forked child, for as long as its object is alive.

    A lock needs this, for example: the thread that held it does not exist in the child.

    Args:
        method: A bound method, whose object is not kept alive, or a function. They are
            called in the order of registration.
    """
    _methods[:] = [each for each in _methods if each() is not None]
    is_bound = isinstance(method, types.MethodType)
    _methods.append(weakref.WeakMethod(method) if is_bound else lambda: method)


def _begin_in_child() -> None:
    for each in _methods:
        method = each()
        if method is not None:
            method()


class _Blocks:
    """The blocks that a fork waits for, by the threads that are inside them."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        # Reentrant: a signal handler or a finalizer may enter a block at any point.
        self._changed = threading.Condition(threading.RLock())
        self._depths: Counter[int] = Counter()

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
        # Held until the fork is done, so that no block is entered meanwhile.
        self._changed.acquire()
        self._changed.wait_for(self._others_are_out, _PATIENCE)

    def _others_are_out(self) -> bool:
        return not self._depths.keys() - {threading.get_ident()}

    def after_fork_in_parent(self) -> None:
        self._changed.release()

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


_blocks = _Blocks()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_blocks.before_fork,
        after_in_parent=_blocks.after_fork_in_parent,
        after_in_child=_blocks.after_fork_in_child,
    )
    os.register_at_fork(after_in_child=_begin_in_child)
