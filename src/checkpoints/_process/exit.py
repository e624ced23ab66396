"""What is done when this process ends, whichever kind of process it is."""

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

_asked: set[tuple[int, Callable[[], None]]] = set()


def at_exit(function: Callable[[], None]) -> None:
    """
    Have a function called when this process ends. Asked for twice, it is called once.

    Args:
        function: Called without arguments; perhaps more than once.
    """
    asked = (os.getpid(), function)
    if asked in _asked:
        return
    _asked.add(asked)
    # Last asked for, first called: a fork leaves what its parent asked for.
    atexit.unregister(function)
    atexit.register(function)
    if is_worker():
        # Forked ones end without what `atexit` knows, below Python 3.13.
        util = sys.modules["multiprocessing.util"]
        util.Finalize(None, function, exitpriority=0)
        if _is_being_prepared():
            util.register_after_fork(function, _ask_again)


def at_exit_of_forks(function: Callable[[], None]) -> None:
    """Have a function called when a process ends that this one has forked, too."""

    def ask() -> None:
        at_exit(function)
        util = sys.modules.get("multiprocessing.util")
        if util is not None:
            # A worker of `multiprocessing` forgets before it begins what was asked for
            # so far, spawned or forked, but does what is registered here after that.
            util.register_after_fork(function, _ask_again)

    after_fork_in_child(ask)


def _ask_again(function: Callable[[], None]) -> None:
    _asked.discard((os.getpid(), function))
    at_exit(function)


def is_worker() -> bool:
    """Tell whether this process was started by `multiprocessing`."""
    process = _process_module()
    if process is None:
        return False
    return process.parent_process() is not None or _is_being_prepared()


def _is_being_prepared() -> bool:
    """Tell whether this is a spawned worker that is still importing what it needs."""
    process = _process_module()
    return hasattr(process and process.current_process(), "_inheriting")


def is_first_process() -> bool:
    """Tell whether this process asks first, and was started by none that asked."""
    pid = str(os.getpid())
    first = os.environ.setdefault(FIRST_PROCESS, pid)
    if first == f"child of {os.getppid()}":
        first = os.environ[FIRST_PROCESS] = pid
    return first == pid and not is_worker()


def may_be_killed() -> bool:
    """Tell whether this is a worker that is ended without notice, as those of pools."""
    process = _process_module()
    return process is not None and bool(process.current_process().daemon)


def _process_module() -> Any:
    return sys.modules.get("multiprocessing.process")
