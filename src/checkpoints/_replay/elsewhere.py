"""A replay in another process: with another Python, or at another revision."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

from checkpoints._index.entry import Entry
from checkpoints._replay.call import SavedCall
from checkpoints._replay.repro import variables_in
from checkpoints._replay.root import root_of
from checkpoints._replay.worktree import (
    Worktree,
    commit_of,
    has_changes,
    is_before,
    worktree,
)
from checkpoints.errors import ReplayError

__all__ = [
    "Bisection",
    "Elsewhere",
    "bisect_call",
    "replay_at",
    "replay_elsewhere",
    "source_changes",
]

# In seconds, between two looks at the source.
_PAUSE = 0.3
_BEGIN = '{\n "schema": "checkpoints.replay/'


class Elsewhere(NamedTuple):
    """
    How a call is replayed in another process.

    Args:
        python: An environment, or the path of a Python.
        options: Further words of `checkpoints replay`.
        function: Where the function is; empty if the entry names it.
    """

    python: str = ""
    options: Sequence[str] = ()
    function: str = ""

    @property
    def executable(self) -> str:
        """The Python that is run."""
        if not self.python:
            return sys.executable
        if not os.path.isdir(self.python):
            return self.python
        names = (("bin", "python"), ("Scripts", "python.exe"))
        found = [os.path.join(self.python, *name) for name in names]
        return next(filter(os.path.exists, found), found[0])


def replay_elsewhere(
    entry: Entry, how: Elsewhere, *, folder: str = ""
) -> dict[str, Any]:
    """
    Replay a call in another process.

    Args:
        entry: The call.
        how: How.
        folder: Where its modules are looked for first.

    Returns:
        The document of the call.

    Raises:
        ReplayError: If the process ends without an answer.
    """
    words = ["replay", entry.path, "--json", *how.options]
    if how.function:
        words += ["--function", how.function]
    command = [how.executable, "-P", "-m", "checkpoints", *words]
    paths = [folder, os.environ.get("PYTHONPATH", "")]
    environment = {
        **os.environ,
        **variables_in(SavedCall(entry).random_state()),
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        # Two revisions within a second could share a compiled file.
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    try:
        done = subprocess.run(  # noqa: S603 - the Python that the user names
            command,
            check=False,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        raise ReplayError(f"{how.executable} cannot be run: {error}") from error
    begin = done.stdout.rfind(_BEGIN)
    if begin < 0:
        last = done.stderr.strip().splitlines()[-1:] or ["it says nothing"]
        raise ReplayError(
            f"{how.executable} does not replay: {last[0]}. It needs this library: "
            f"{how.executable} -m pip install 'checkpoints[cli]'"
        )
    call: dict[str, Any] = json.loads(done.stdout[begin:])["calls"][0]
    return call


def replay_at(entry: Entry, revision: str, how: Elsewhere) -> dict[str, Any]:
    """
    Replay a call at another revision of the repository that its function is in.

    Raises:
        ReplayError: If there is no such repository or revision, or no answer.
    """
    root = root_of(how.function or SavedCall(entry).name)
    with worktree(root, commit_of(root, revision)) as found:
        call = _replayed(entry, found, root, how)
    return _with_local_changes(call, root)


def _with_local_changes(call: dict[str, Any], root: str) -> dict[str, Any]:
    """Return the document of a call, with a note of what a revision is without."""
    if not (call and has_changes(root)):
        return call
    note = f"the local changes in {root} were left alone, and not executed"
    return {**call, "notes": [*call.get("notes", ()), note]}


def _replayed(
    entry: Entry, found: Worktree, root: str, how: Elsewhere
) -> dict[str, Any]:
    """Replay a call in a worktree, with the function from there."""
    place, colon, path = how.function.rpartition(":")
    if colon and place.endswith(".py"):
        file = os.path.join(found.place_of(root), os.path.basename(place))
        how = how._replace(function=f"{file}:{path}")
    call = replay_elsewhere(entry, how, folder=found.place_of(root))
    at = call.get("place", "")
    if at and not os.path.realpath(at).startswith(found.folder + os.sep):
        raise ReplayError(
            f"the function is imported from {at}, not from the revision: replay in an "
            "environment in which its package is not installed"
        )
    if at:
        # The folder will be gone when the place is read.
        inside = os.path.relpath(os.path.realpath(at), found.folder)
        call["place"] = f"{inside} of {found.describe()}"
    return call


def source_changes(entry: Entry, how: Elsewhere) -> Iterator[None]:
    """
    Yield at once, and again whenever the source of a call has changed.

    That is the file of its function, or all of the package that this is in.

    Raises:
        ReplayError: If it is not found.
    """
    place, colon, _ = (how.function or SavedCall(entry).name).rpartition(":")
    if colon and place.endswith(".py"):
        source = os.path.abspath(place)
    else:
        target = how.function or SavedCall(entry).name
        source = os.path.join(root_of(target), re.split("[.:]", target)[0])
    known: dict[str, tuple[int, int]] = {}
    while True:
        found = dict(_stamps(source))
        if found != known:
            known = found
            yield
        else:
            time.sleep(_PAUSE)


def _stamps(source: str) -> Iterator[tuple[str, tuple[int, int]]]:
    """Yield time and size of each file of Python."""
    folders = [(it[0], it[2]) for it in os.walk(source)]
    if not folders:
        file = source if source.endswith(".py") else f"{source}.py"
        folders = [(os.path.dirname(file), [os.path.basename(file)])]
    for folder, names in folders:
        for name in names:
            path = os.path.join(folder, name)
            # An editor may replace a file at just this moment.
            if name.endswith(".py") and os.path.isfile(path):
                status = os.stat(path)
                yield path, (status.st_mtime_ns, status.st_size)


Word: TypeAlias = Literal["good", "bad", "skip", "first bad", "maybe"]


class Bisection(NamedTuple):
    """
    A step of a bisection.

    Args:
        word: What the revision is: `"good"`, `"bad"` or `"skip"`; `"first bad"` is the
            last step. If that cannot be told, because revisions were skipped, each
            that it may be is a `"maybe"`.
        commit: The short hash and the subject of the revision.
        call: What the replay found there.
    """

    word: Word
    commit: str
    call: dict[str, Any]


def bisect_call(
    entry: Entry, good: str, bad: str, how: Elsewhere
) -> Iterator[Bisection]:
    """
    Find the commit from which on a call does something else.

    The entry may have been saved at either end: a revision is good if the replay ends
    as at the good end.

    Args:
        entry: The call.
        good: A revision before the change.
        bad: A revision after it.
        how: How it is replayed.

    Yields:
        The steps.

    Raises:
        ReplayError: If both ends do the same, or it cannot be told.
    """
    root = root_of(how.function or SavedCall(entry).name)
    # `HEAD` is another one in a worktree.
    good_commit, bad_commit = commit_of(root, good), commit_of(root, bad)
    if is_before(root, bad_commit, good_commit):
        raise ReplayError(
            f"the bad end, {bad}, is before the good end, {good}: exchange them"
        )
    marked: tuple[tuple[Word, str], ...] = (("good", good_commit), ("bad", bad_commit))
    with worktree(root, bad_commit) as found:
        ends: dict[str, bool] = {}
        seen: dict[str, dict[str, Any]] = {}

        def test() -> dict[str, Any]:
            commit = found.describe()
            seen[commit] = _attempt(lambda: _replayed(entry, found, root, how))
            return seen[commit]

        for end, commit in marked:
            found.check_out(commit)
            call = test()
            if call["verdict"] == "unknown":
                raise ReplayError(f"{commit} cannot be tested: {call['why']}")
            ends[end] = call["verdict"] != "different"
            yield Bisection(end, found.describe(), call)
        if ends["good"] == ends["bad"]:
            does = "does what it did" if ends["good"] else "differs from what it did"
            raise ReplayError(f"the call {does} at both ends, {good} and {bad}")
        first = found.begin_bisection(good_commit, bad_commit)
        while not first:
            call, commit = test(), found.describe()
            is_good = (call["verdict"] != "different") == ends["good"]
            word: Word = "skip" if call["verdict"] == "unknown" else _WORDS[is_good]
            yield Bisection(word, commit, call)
            first = found.mark(word)
        for commit in map(found.describe, first):
            last = _with_local_changes(seen.get(commit, {}), root)
            yield Bisection("maybe" if first[1:] else "first bad", commit, last)


_WORDS: dict[bool, Word] = {True: "good", False: "bad"}


def _attempt(run: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return run()
    except ReplayError as error:
        return {"verdict": "unknown", "why": str(error)}
