"""Deleting files, unless they changed since they were looked at."""

from __future__ import annotations

import datetime
import errno
import os
import re
import stat
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

import click

from checkpoints import Entry
from checkpoints._files.run_record import RUNS
from checkpoints._text import printable, size_text
from checkpoints.cli._failures import CommandError
from checkpoints.cli._process import is_running
from checkpoints.cli._screen import progress, warn

__all__ = [
    "Candidate",
    "candidates",
    "confirm",
    "is_set_aside",
    "leftovers",
    "list_candidates",
    "remove",
]

_MOST_LISTED = 20
# The suffix of a file that is renamed before it is deleted or restored.
_ASIDE = ".ckpt.aside"

# Process id, a token of host and process, and a count.
_UNFINISHED = re.compile(r"\.([0-9]+)-[0-9a-f]{12}-[0-9]+\.ckpt\.tmp")


class Candidate(NamedTuple):
    """
    A file to delete, in the state in which it was chosen.

    Args:
        path: Its path.
        size: Its size in bytes.
        state: Inode, modification time and change time, which differ for another file.
    """

    path: str
    size: int
    state: tuple[int, int, int]

    @classmethod
    def of(cls, path: str, status: os.stat_result | None = None) -> Candidate:
        """
        Return the file at a path.

        Args:
            path: Its path.
            status: Its status, if it is known.

        Raises:
            FileNotFoundError: If it does not exist.
        """
        # Of a link itself: its target is not deleted.
        found = status or os.lstat(path)
        state = found.st_ino, found.st_mtime_ns, found.st_ctime_ns
        return cls(path, found.st_size, state)

    def is_same_file(self, status: os.stat_result) -> bool:
        """Return whether this is the status of the file, which may be renamed."""
        size_and_state = status.st_size, status.st_ino, status.st_mtime_ns
        # Renaming a file changes the third part of its state.
        return size_and_state == (self.size, *self.state[:2])


def candidates(entries: Iterable[Entry]) -> Iterator[Candidate]:
    """Yield the files of entries in their present state, without deleted ones."""
    for entry in entries:
        with suppress(FileNotFoundError):
            yield Candidate.of(entry.path)


def list_candidates(files: Sequence[Candidate]) -> None:
    """Print the first of the files to delete, and their sizes."""
    for file in files[:_MOST_LISTED]:
        click.echo(printable(f"{file.path}  {size_text(file.size)}"))
    if len(files) > _MOST_LISTED:
        click.echo(f"and {len(files) - _MOST_LISTED:,} more")


def remove(root: str, files: Sequence[Candidate]) -> tuple[int, int, bool]:
    """
    Delete files, and the folders that become empty, except the root.

    A file that was rewritten in the meantime is reported and kept.

    Returns:
        The number of files deleted, their bytes, and whether any deletion failed.
    """
    count = size = 0
    failed = False
    folders: dict[str, None] = {}
    with progress("deleting", len(files)) as advance:
        for file in files:
            advance(1)
            try:
                if not _delete(file):
                    warn(f"kept: {file.path} was rewritten in the meantime")
                    continue
            except FileNotFoundError:
                continue
            except OSError as error:
                warn(f"not deleted: {file.path}: {error.strerror}")
                failed = True
                continue
            count, size = count + 1, size + file.size
            folders[os.path.dirname(file.path)] = None
    _prune(root, folders)
    return count, size, failed


def _delete(file: Candidate) -> bool:
    """
    Delete a file, unless it has changed; return whether it was deleted.

    Raises:
        OSError: If it cannot be deleted, or does not exist.
    """
    if Candidate.of(file.path) != file:
        return False
    # No other process writes under this name, so the file checked is the one deleted.
    aside = _name_beside(file.path)
    os.rename(file.path, aside)
    try:
        if file.is_same_file(os.lstat(aside)):
            os.unlink(aside)
            return True
    except BaseException:
        _put_back(aside, file.path)
        raise
    _put_back(aside, file.path)
    return False


def is_set_aside(name: str) -> bool:
    """Return whether a file name is that of a file set aside for deletion."""
    return name.startswith(".") and name.endswith(_ASIDE)


def _name_beside(path: str) -> str:
    """Return an unused path in the same folder, which no listing shows."""
    name = f".{os.getpid()}-{os.urandom(6).hex()}{_ASIDE}"
    return os.path.join(os.path.dirname(path), name)


def _put_back(aside: str, path: str) -> None:
    """
    Rename a file that was set aside back to its path.

    Raises:
        OSError: If another file is at the path now; then this one keeps its new name.
    """
    with suppress(FileNotFoundError):
        try:
            os.link(aside, path)
        except OSError as error:
            if os.path.lexists(path):
                message = f"rewritten twice in the meantime; the first is now {aside}"
                raise OSError(errno.EEXIST, message) from error
            os.rename(aside, path)  # the file system has no links
        else:
            os.unlink(aside)


def _prune(root: str, folders: Iterable[str]) -> None:
    """Delete empty folders below the root, and records of runs that have no files."""
    for folder in folders:
        path = folder
        # A folder that is not empty, or gets a file just now, is kept.
        with suppress(OSError):
            while len(path) > len(root.rstrip(os.sep)):
                _delete_records(path)
                os.rmdir(path)
                path = os.path.dirname(path)
            _delete_records(path)


def _delete_records(folder: str) -> None:
    """Delete the records of runs in a folder, if it contains nothing else."""
    if os.listdir(folder) == [RUNS]:
        records = os.path.join(folder, RUNS)
        for name in os.listdir(records):
            os.unlink(os.path.join(records, name))
        os.rmdir(records)


def confirm(question: str, *, yes: bool) -> None:
    """
    Ask for confirmation, unless `yes` is given.

    Raises:
        CommandError: If there is no terminal to ask on.
        click.Abort: If the answer is no.
    """
    if yes:
        return
    if sys.stdin is None or not sys.stdin.isatty():
        raise CommandError("no terminal to ask for confirmation; use --yes")
    click.confirm(question, abort=True)


def leftovers(root: str, age: datetime.timedelta) -> Iterator[Candidate]:
    """
    Yield unfinished files that no process is writing.

    Such a file was not touched for the given time, and no process of this machine has
    the id in its name. The id alone is not enough: the process may run on another
    machine, or in a container, that writes to the same folder.

    Args:
        root: A folder.
        age: For how long a file must have been untouched.
    """
    cutoff = time.time() - age.total_seconds()
    for folder, _, files in os.walk(root):
        for file in files:
            path = os.path.join(folder, file)
            if is_set_aside(file):
                warn(
                    f"kept: {path}: left by an interrupted deletion; look at it with "
                    "`checkpoints show`"
                )
            match = _UNFINISHED.fullmatch(file)
            if match is None:
                continue
            with suppress(OSError):
                status = os.lstat(path)
                if not stat.S_ISREG(status.st_mode):
                    continue
                if max(status.st_mtime, status.st_ctime) > cutoff:
                    continue
                if is_running(int(match[1])):
                    warn(f"kept: {path}: process {match[1]} is running")
                    continue
                yield Candidate.of(path, status)
