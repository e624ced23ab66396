"""Where a save came from: run, number, time, host, process, thread, call site."""

from __future__ import annotations

import contextlib
import itertools
import os
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from contextvars import ContextVar
from types import CodeType, FrameType
from typing import NamedTuple

from checkpoints._process.attempt import Attempt, attempt
from checkpoints._process.forks import after_fork_in_child
from checkpoints._process.variables import NAME, RUN, RUN_PROCESS

__all__ = [
    "Caller",
    "Origin",
    "call_number",
    "called_from",
    "caller",
    "calling_module",
    "calls_so_far",
    "current_run",
    "host_name",
    "is_ours",
    "outside_frame",
    "outside_level",
    "passed_over",
    "run_beginner",
    "run_id",
    "run_name",
    "run_started",
    "started_at",
]

# Frames in these files are ours; a `with` statement adds frames of `contextlib`.
_OURS = (os.path.dirname(os.path.dirname(__file__)) + os.sep, contextlib.__file__)
# Code whose frames stand in for others, by its id; a hash of code takes long.
_passed_over: dict[int, weakref.ref[CodeType]] = {}
_started_at = time.time()
_started = time.strftime("%Y%m%d-%H%M%S", time.gmtime(_started_at))
_sequence = itertools.count(1)
_calls: dict[str, itertools.count[int]] = {}
_pid = os.getpid()
# The number of the last save.
_last = 0
_parent: tuple[int, int, str] | tuple[()] = ()
# Where the work of this context was carried from, as `Origin.parent`.
_carried_from: ContextVar[tuple[int, int, str] | tuple[()]] = ContextVar(
    "checkpoints.carried_from", default=()
)
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
        call: The number of the call among those of its name in its process, saved or
            not; 0 if no rule had a part in it.
        sampling: The options of its rule by which other calls were left out, and which
            of the calls that the rule considered this is; see `Rule.sampling_at`.
        parent: In a forked child, or where work was carried to, the process that it
            comes from, the number of its last save before that, and its host.
        part: Which part of a recorded call it is: `"arguments"`, `"result"` or
            `"exception"`; empty for a checkpoint.
        defaults: Of the arguments of a recorded call, those that are defaults.
        within: Name and number of the recorded call in which this one was made.
        attempt: In a task of an engine that repeats what fails, the task, and a number
            that grows with each attempt at it.
        called: Where the function of a recorded call is found, as `module:function`;
            empty if its name says so.
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
    call: int = 0
    sampling: tuple[tuple[str, int], ...] = ()
    parent: tuple[int, int, str] | tuple[()] = ()
    part: str = ""
    defaults: tuple[str, ...] = ()
    within: tuple[str, int] | tuple[()] = ()
    attempt: Attempt | tuple[()] = ()
    called: str = ""

    @classmethod
    def here(
        cls, call: int = 0, sampling: tuple[tuple[str, int], ...] = (), part: str = ""
    ) -> Origin:
        """Return the origin of a save that code outside this package makes now."""
        global _last  # noqa: PLW0603 - a number that is too small by one does no harm
        frame = outside_frame()
        _last = sequence = next(_sequence)
        return cls(
            current_run(),
            sequence,
            time.time(),
            _host,
            os.getpid(),
            threading.current_thread().name,
            frame.f_code.co_filename,
            frame.f_lineno,
            frame.f_code.co_qualname,
            "",
            call,
            sampling,
            _carried_from.get() or _parent,
            part,
            attempt=attempt(),
        )


class Caller(NamedTuple):
    """
    Where work comes from that another thread, process or machine does.

    Args:
        run: The id of the run.
        beginner: What `run_beginner` passes on to child processes.
        host: The name of the machine.
        pid: The number of the process.
        sequence: The number of its last save.
    """

    run: str
    beginner: str
    host: str
    pid: int
    sequence: int


def caller() -> Caller:
    """Return where work comes from that is handed on now."""
    global _caller  # noqa: PLW0603 - all but the last number is asked for once
    run, pid = current_run(), os.getpid()
    if _caller is None or (_caller.run, _caller.pid) != (run, pid):
        run_beginner()
        _caller = Caller(run, os.environ[RUN_PROCESS], _host, pid, 0)
    return Caller(run, _caller.beginner, _host, pid, _last)


_caller: Caller | None = None


@contextlib.contextmanager
def called_from(caller: Caller) -> Iterator[None]:
    """Take part in the run that work comes from, and say so in what is saved."""
    if current_run() != caller.run:
        _run[:] = [caller.run]
        os.environ[RUN] = caller.run
        os.environ[RUN_PROCESS] = caller.beginner
    is_elsewhere = (caller.host, caller.pid) != (_host, os.getpid())
    place = caller.pid, caller.sequence, caller.host
    token = _carried_from.set(place if is_elsewhere else ())
    try:
        yield
    finally:
        _carried_from.reset(token)


def call_number(name: str) -> int:
    """Count a call of a name that a rule covers; return its number, from 1 up."""
    # dict.setdefault and next() are each atomic, so no lock is needed.
    return next(_calls.setdefault(name, itertools.count(1)))


def calls_so_far() -> dict[str, int]:
    """Return how many calls of each name rules covered, when a process ends."""
    found = {}
    for name, numbers in list(_calls.items()):
        following = next(numbers)
        _calls[name] = itertools.count(following)
        found[name] = following - 1
    return found


def _begin_in_child() -> None:
    global _sequence, _pid, _parent  # noqa: PLW0603 - once, before anything is saved
    following = next(_sequence)
    _sequence = itertools.count(following)
    # A process in between that saved nothing is in no header, so it is left out.
    if not _parent or _parent[1] < following - 1:
        _parent = (_pid, following - 1, _host)
    _pid = os.getpid()


after_fork_in_child(_begin_in_child)


def current_run() -> str:
    """Return the id of this run, which child processes share from then on."""
    if not _run:
        _run.append(run_id())
        os.environ[RUN] = _run[0]
    return _run[0]


def run_beginner() -> tuple[str, int]:
    """
    Return host and pid of the process that began this run.

    It is the first that was about to save, or `checkpoints run`; it passes this on to
    child processes, and its end is that of the run.
    """
    run = current_run()
    host, pid, about = (*os.environ.get(RUN_PROCESS, "").split(" ", 2), "", "", "")[:3]
    if about != run or not pid.isdecimal():
        host, pid = _host, str(os.getpid())
        os.environ[RUN_PROCESS] = f"{host} {pid} {run}"
    return host, int(pid)


def run_id() -> str:
    """Return the id of this run, without passing it on to child processes."""
    return _run[0] if _run else os.environ.get(RUN) or _generated


def host_name() -> str:
    """Return the name of this machine."""
    return _host


def run_started() -> str:
    """Return when this process loaded the library, in UTC, as a name for a folder."""
    return _started


def started_at() -> float:
    """Return when this process loaded the library, in seconds since the epoch."""
    return _started_at


def passed_over(code: CodeType) -> CodeType:
    """Treat the frames of a code as if they were of this package; return the code."""
    key = id(code)

    def forget(_: object) -> None:
        _passed_over.pop(key, None)

    _passed_over[key] = weakref.ref(code, forget)
    return code


def outside_frame() -> FrameType:
    """Return the innermost frame that is not of this package."""
    # inspect.stack() costs milliseconds.
    frame = sys._getframe(1)  # noqa: SLF001 - see above
    while is_ours(frame.f_code) and frame.f_back:
        frame = frame.f_back
    return frame


def calling_module() -> str:
    """Return the name of the module that calls this package."""
    return str(outside_frame().f_globals.get("__name__", ""))


def is_ours(code: CodeType) -> bool:
    """Tell whether a code is of this package, or is to be treated so."""
    return code.co_filename.startswith(_OURS) or id(code) in _passed_over


def run_name() -> str:
    """Return the name that the user has given to this run; "" if there is none."""
    return os.environ.get(NAME, "")


def outside_level() -> int:
    """Return the `stacklevel` with which a warning names the caller of this package."""
    level = 1
    frame = sys._getframe(1)  # noqa: SLF001 - as above
    while is_ours(frame.f_code) and frame.f_back:
        frame = frame.f_back
        level += 1
    return level
