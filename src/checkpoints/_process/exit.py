"""Functions that run when this process exits, whatever kind of process it is."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable
from typing import Any

from checkpoints._process.forks import after_fork_in_child
from checkpoints._process.variables import FIRST_PROCESS

__all__ = [
    "at_exit",
    "at_exit_of_forks",
    "is_first_process",
    "is_worker",
    "may_be_killed",
]

_registered: set[tuple[int, Callable[[], None]]] = set()


def at_exit(function: Callable[[], None]) -> None:
    """
    Call a function when this process exits. Registered twice, it is called once.

    Args:
        function: Called without arguments; it may be called more than once.
    """
    entry = (os.getpid(), function)
    if entry in _registered:
        return
    _registered.add(entry)
    # Last registered, first called: a fork inherits what its parent registered.
    atexit.unregister(function)
    atexit.register(function)
    if is_worker():
        # Before Python 3.13, forked workers exit without running `atexit` functions.
        util = sys.modules["multiprocessing.util"]
        util.Finalize(None, function, exitpriority=0)
        if _is_being_prepared():
            util.register_after_fork(function, _register_again)


def at_exit_of_forks(function: Callable[[], None]) -> None:
    """Call a function when a process exits that was forked from this one, too."""

    def register() -> None:
        at_exit(function)
        util = sys.modules.get("multiprocessing.util")
        if util is not None:
            # A `multiprocessing` worker, spawned or forked, forgets everything that was
            # registered before it starts, and then runs what is registered here.
            util.register_after_fork(function, _register_again)

    after_fork_in_child(register)


def _register_again(function: Callable[[], None]) -> None:
    _registered.discard((os.getpid(), function))
    at_exit(function)


def is_worker() -> bool:
    """Tell whether this process was started by `multiprocessing`."""
    process = _process_module()
    if process is None:
        return False
    return process.parent_process() is not None or _is_being_prepared()


def _is_being_prepared() -> bool:
    """Tell whether this is a spawned worker that is still importing its main module."""
    process = _process_module()
    return hasattr(process and process.current_process(), "_inheriting")


def is_first_process() -> bool:
    """Tell whether this process is the first of its program to ask."""
    pid = str(os.getpid())
    first = os.environ.setdefault(FIRST_PROCESS, pid)
    if first == f"child of {os.getppid()}":
        first = os.environ[FIRST_PROCESS] = pid
    return first == pid and not is_worker()


def may_be_killed() -> bool:
    """Tell whether this is a worker that may be killed without notice, as in a pool."""
    process = _process_module()
    return process is not None and bool(process.current_process().daemon)


def _process_module() -> Any:
    return sys.modules.get("multiprocessing.process")
