"""Runs that are old enough to delete, and their files."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from contextlib import suppress

from checkpoints import Entry, Index, Run
from checkpoints._files.run_record import RUNS, files_of, start_name
from checkpoints._text import is_remote, printable
from checkpoints.cli._removal import Candidate, candidates
from checkpoints.cli._runs import state_of
from checkpoints.cli._screen import progress, warn
from checkpoints.cli._selection import read_header, runs_under
from checkpoints.storage import open_store

__all__ = ["files_of_runs", "old_runs"]


def old_runs(
    root: str, count: int, age: datetime.timedelta | None, *, named: bool
) -> list[Run]:
    """
    Return all runs but the last ones, and those that are running.

    Args:
        root: The root.
        count: How many of the last runs to keep.
        age: Keep those that began less than this ago, too.
        named: Whether to return runs with a name.
    """
    now = datetime.datetime.now(datetime.UTC)
    old = []
    for run in runs_under(root)[:-count]:
        is_young = age is not None and (not run.started or now - run.started <= age)
        if is_young or (run.name and not named):
            continue
        if state_of(run) == "running":
            warn(printable(f"kept: run {run.id} is running"))
            continue
        old.append(run)
    return old


def files_of_runs(
    found: Index, old: Sequence[Run], *, with_records: bool
) -> list[Candidate]:
    """
    Return the files of runs in their present state, run by run.

    Args:
        found: The entries to choose from.
        old: The runs.
        with_records: Whether the records of the runs are to go as well.
    """
    files: dict[str, list[Candidate]] = {run.id: [] for run in old}
    with progress("listing files", len(found)) as advance:
        # Its state is taken before the header is read, so that a file replaced in the
        # meantime is kept.
        for entry, file in candidates(found):
            advance(1)
            files.get(_run_of(entry, old), []).append(file)
    for run in old:
        # Those in a folder of a run's own go with the folder.
        if with_records and not run.is_alone:
            files[run.id] += _records(run)
    return [file for of_run in files.values() for file in of_run]


def _run_of(entry: Entry, old: Sequence[Run]) -> str:
    """Return the id of the run that saved an entry; "" if it is none of these."""
    if all(run.is_alone for run in old):
        places = (run.id for run in old if entry.path.startswith(_start(run.path)))
        return next(places, "")
    return str(read_header(entry)[0].get("run"))


def _start(folder: str) -> str:
    """Return how the paths below a folder start."""
    return open_store(folder).path_of("")


def _records(run: Run) -> Iterator[Candidate]:
    store = open_store(run.path)
    for folder, files in store.walk(lambda folder: folder == (RUNS,)):
        names = ["/".join((*folder, file)) for file in files]
        for name in files_of(start_name(run.id), names):
            if status := store.status(name):
                path = store.path_of(name)
                is_object = is_remote(run.path)
                with suppress(FileNotFoundError):
                    yield (
                        Candidate.of_object(path, status)
                        if is_object
                        else Candidate.of(path)
                    )
