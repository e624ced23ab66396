"""A replay in another process: with another Python, or at another revision."""

from __future__ import annotations

import json
import os
import pickle
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from checkpoints._index.entry import Entry
from checkpoints._process.installation import DISTRIBUTION
from checkpoints._process.random_state import ENVIRONMENT, VARIABLES
from checkpoints._replay.call import SavedCall
from checkpoints._replay.relocation import Relocation
from checkpoints._replay.repro import variables_in
from checkpoints._replay.root import root_of
from checkpoints._replay.worktree import (
    Worktree,
    commit_of,
    has_repository,
    worktree,
)
from checkpoints._text import is_remote
from checkpoints.errors import ReplayError

__all__ = [
    "Elsewhere",
    "replay_at",
    "replay_elsewhere",
    "replay_in",
    "repository_of",
    "source_changes",
]

# In seconds, between two looks at the source.
_PAUSE = 0.3
# How many lines are told of a process that does not answer, and how many names of
# modules that are not those of the revision.
_LAST_LINES, _MOST_NAMES = 3, 8


class Elsewhere(NamedTuple):
    """
    How a call is replayed in another process.

    Args:
        python: An environment, or the path of a Python.
        options: Further arguments of `replay`.
        function: Where the function is; empty if the entry names it.
    """

    python: str = ""
    options: Mapping[str, Any] = MappingProxyType({})
    function: str = ""

    @property
    def executable(self) -> str:
        """The Python that is run."""
        if not self.python:
            return sys.executable
        if not os.path.isdir(self.python):
            # A plain name is looked for as a shell does.
            has_folder = os.path.dirname(self.python)
            return os.path.abspath(self.python) if has_folder else self.python
        names = (("bin", "python"), ("Scripts", "python.exe"))
        found = [os.path.abspath(os.path.join(self.python, *name)) for name in names]
        return next(filter(os.path.exists, found), found[0])

    @property
    def file_and_path(self) -> tuple[str, str]:
        """The file of the function, and its name there; empty if it has a module."""
        place, _, path = self.function.rpartition(":")
        return (os.path.abspath(place), path) if place.endswith(".py") else ("", "")


def replay_elsewhere(entry: Entry, how: Elsewhere) -> dict[str, Any]:
    """
    Replay a call in another process.

    Args:
        entry: The call.
        how: How.

    Returns:
        The document of the call.

    Raises:
        ReplayError: If it cannot be called, or the process ends without an answer.
    """
    found: dict[str, Any] = _asked(SavedCall(entry), how, None, "")["call"]
    return found


def replay_at(entry: Entry, revision: str, how: Elsewhere) -> dict[str, Any]:
    """
    Replay a call at another revision of the repository that its function is in.

    Raises:
        ReplayError: If there is no such repository or revision, or no answer.
    """
    folder = repository_of(entry, how)
    with worktree(folder, commit_of(folder, revision)) as found:
        return replay_in(found, folder, entry, how)


def repository_of(entry: Entry, how: Elsewhere) -> str:
    """
    Return the folder of a repository that a function is imported from.

    Raises:
        ReplayError: If it is not found.
    """
    try:
        return root_of(how.function or SavedCall(entry).function)
    except ReplayError:
        # A revision may have a module that is not there now.
        if has_repository(os.getcwd()):
            return os.getcwd()
        raise


def replay_in(
    found: Worktree, folder: str, entry: Entry, how: Elsewhere
) -> dict[str, Any]:
    """
    Replay a call in a worktree, with the function and all that it imports from there.

    Args:
        found: The worktree.
        folder: The folder of the repository that the function is imported from.
        entry: The call.
        how: How it is replayed.

    Raises:
        ReplayError: If it cannot be called there, or is not of the revision.
    """
    moved, call = found.relocation, SavedCall(entry)
    file, path = how.file_and_path
    if file:
        how = how._replace(function=f"{moved.of(file)}:{path}")
    missing = [
        f"the submodule {name} is not checked out: {why}"
        for name, why in found.missing.items()
    ]
    try:
        answer = _asked(call, how, moved, moved.of(folder))
    except ReplayError as error:
        text = ". ".join([str(error), *missing])
        text = text.replace(found.folder + os.sep, "")
        raise ReplayError(text.replace(found.folder, "the worktree")) from error
    document, at = answer["call"], answer["file"]
    if not at.startswith(found.folder + os.sep):
        raise ReplayError(_not_of_the_revision(at, found.repository))
    if place := document["place"]:
        # The folder will be gone when the place is read.
        inside = os.path.relpath(os.path.realpath(place), found.folder)
        document["place"] = f"{inside} of {found.describe()}"
    left = _left(answer["left"], found.repository)
    document["warnings"] = [*left, *missing]
    if found.has_changes:
        told = f"the local changes in {found.repository} were left alone"
        document["notes"].append(told if left else f"{told}, and not executed")
    return dict(document)


def _not_of_the_revision(file: str, repository: str) -> str:
    way_out = "replay in an environment in which its package is not installed"
    if file.startswith(repository + os.sep):
        way_out = "commit it"
    file = file or "Python itself"
    return f"the function is imported from {file}, not from the revision: {way_out}"


def _left(modules: Sequence[str], repository: str) -> Sequence[str]:
    """Return a warning of modules that are not those of the revision."""
    if not modules:
        return []
    named = ", ".join(modules[:_MOST_NAMES])
    more = len(modules) - _MOST_NAMES
    more_text = f" and {more} more" if more > 0 else ""
    told = f"not of the revision, but as they are in {repository} now"
    return [f"{told}: {named}{more_text}"]


def _asked(
    call: SavedCall, how: Elsewhere, moved: Relocation | None, folder: str
) -> dict[str, Any]:
    """Have another process replay a call, and return its answer."""
    with tempfile.TemporaryDirectory(prefix="checkpoints-") as temporary:
        request, answer, output = (
            os.path.join(temporary, name) for name in ("request", "answer", "output")
        )
        with open(request, "wb") as file:
            pickle.dump(_request(call, how, moved, folder, answer), file)
        # No pipe: what the call has started may keep that open.
        with open(output, "wb") as file:
            code = _run(how.executable, request, file, call, moved)
        try:
            with open(answer, encoding="utf-8") as answered:
                found: dict[str, Any] = json.load(answered)
        except (OSError, ValueError):
            raise ReplayError(_why(how.executable, output, code)) from None
    if "error" in found:
        raise ReplayError(found["error"])
    outcome = call.outcome
    found["call"]["paths"] = [call.entry.path, outcome and outcome.path]
    return found


def _request(
    call: SavedCall, how: Elsewhere, moved: Relocation | None, folder: str, answer: str
) -> dict[str, Any]:
    path, options = call.entry.path, dict(how.options)
    file, name = how.file_and_path
    if how.function:
        options["function"] = f"{file}:{name}" if file else how.function
    return {
        # The process may run in another folder.
        "entry": path if is_remote(path) else os.path.abspath(path),
        "options": options,
        "folder": folder,
        "moved": moved and (moved.repository, moved.worktree, [*moved.kept]),
        "answer": answer,
    }


def _run(
    python: str, request: str, output: Any, call: SavedCall, moved: Relocation | None
) -> int:
    """Run the process to its end; return its exit code."""
    here = moved.of(os.getcwd()) if moved else os.getcwd()
    if moved and not os.path.isdir(here):
        here = moved.worktree
    try:
        return subprocess.run(  # noqa: S603 - the Python that the user names
            [python, "-P", "-m", "checkpoints._replay.child", request],
            check=False,
            cwd=here,
            env=_environment(call.random_state(), moved),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        ).returncode
    except OSError as error:
        raise ReplayError(f"{python} cannot be run: {error}") from error


def _environment(
    state: Mapping[str, Any], moved: Relocation | None
) -> Mapping[str, str]:
    """Return the variables of the process: those of the run, where it saved them."""
    saved = VARIABLES if ENVIRONMENT in state else ()
    found = {name: text for name, text in os.environ.items() if name not in saved}
    found |= variables_in(state)
    # Two revisions within a second could share a compiled file.
    found["PYTHONDONTWRITEBYTECODE"] = "1"
    if moved and (paths := found.get("PYTHONPATH")):
        places = [moved.of(os.path.abspath(it)) for it in paths.split(os.pathsep)]
        found["PYTHONPATH"] = os.pathsep.join(places)
    return found


def _why(python: str, output: str, code: int) -> str:
    """Return why a process has not answered."""
    with open(output, encoding="utf-8", errors="replace") as file:
        lines = [line.strip() for line in file if line.strip()][-_LAST_LINES:]
    ended = f"it was ended by signal {-code}" if code < 0 else f"it ended with {code}"
    told = f"{python} does not answer: {ended}, and last it printed: "
    told += " | ".join(lines) or "nothing"
    if lines and re.search(r"No module named '?checkpoints\b", lines[-1]):
        told += f". It needs this library: {python} -m pip install {DISTRIBUTION}"
    return told


def source_changes(entry: Entry, how: Elsewhere) -> Iterator[None]:
    """
    Yield at once, and again whenever the source of a call has changed.

    That is the file of its function, or all of the package that this is in.

    Raises:
        ReplayError: If it is not found.
    """
    place, colon, _ = (how.function or SavedCall(entry).function).rpartition(":")
    if colon and place.endswith(".py"):
        source = os.path.abspath(place)
    else:
        target = how.function or SavedCall(entry).function
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
