"""Where a save came from: run, number, time, host, process, thread, call site."""

from __future__ import annotations

import contextlib
import itertools
import os
import sys
import threading
import time
from typing import NamedTuple

from checkpoints._process.variables import RUN

__all__ = [
    "Origin",
    "current_run",
    "host_name",
    "outside_level",
    "run_id",
    "run_started",
]

# Frames in these files are ours; a `with` statement adds frames of `contextlib`.
_OURS = (os.path.dirname(os.path.dirname(__file__)) + os.sep, contextlib.__file__)
_started = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
_sequence = itertools.count(1)
# Generated at import, so that forked processes share it.
_generated = f"{_started}-{os.urandom(3).hex()}"
_run: list[str] = []
_host = os.uname().nodename if hasattr(os, "uname") else os.getenv("COMPUTERNAME", "")


class Origin(NamedTuple):
    """
    What is known about a save besides its key and its data.

    Args:
        run: The id of the run.
        sequence: The number of the save in its process, increasing; a forked child
            continues from its parent's.
        time: Seconds since the epoch.
        host: The name of the machine.
        pid: The number of the process.
        thread: The name of the thread.
        file: The source file of the call.
        line: The line of the call.
        function: The function that called.
        dumped: Why a recorder wrote the save; empty if no recorder did.
    """

    run: str
    sequence: int
    time: float
    host: str
    pid: int
    thread: str
    file: str
    line: int
    function: str
    dumped: str = ""

    @classmethod
    def here(cls) -> Origin:
        """Return the origin of a save that code outside this package makes now."""
        frame = sys._getframe(1)  # noqa: SLF001 - inspect.stack() costs milliseconds
        while frame.f_code.co_filename.startswith(_OURS) and frame.f_back:
            frame = frame.f_back
        return cls(
            current_run(),
            next(_sequence),
            time.time(),
            _host,
            os.getpid(),
            threading.current_thread().name,
            frame.f_code.co_filename,
            frame.f_lineno,
            frame.f_code.co_qualname,
        )


def current_run() -> str:
    """Return the id of this run, which child processes share from then on."""
    if not _run:
        _run.append(run_id())
        os.environ[RUN] = _run[0]
    return _run[0]


def run_id() -> str:
    """Return the id of this run, without passing it on to child processes."""
    return _run[0] if _run else os.environ.get(RUN) or _generated


def host_name() -> str:
    """Return the name of this machine."""
    return _host


def run_started() -> str:
    """Return when this process loaded the library, in UTC, as a name for a folder."""
    return _started


def outside_level() -> int:
    """Return the `stacklevel` with which a warning names the caller of this package."""
    level = 1
    frame = sys._getframe(1)  # noqa: SLF001 - as above
    while frame.f_code.co_filename.startswith(_OURS) and frame.f_back:
        frame = frame.f_back
        level += 1
    return level
