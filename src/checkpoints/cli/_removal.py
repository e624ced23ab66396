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
from typing import Any, NamedTuple

import click

from checkpoints import Entry, Index
from checkpoints._files.run_record import RUNS
from checkpoints._show.header import json_text
from checkpoints._text import is_remote, printable, size_text
from checkpoints.cli._failures import CommandError
from checkpoints.cli._place import with_status
from checkpoints.cli._process import is_running
from checkpoints.cli._removed_objects import delete_object, delete_unused_records
from checkpoints.cli._screen import progress, warn
from checkpoints.storage import Status, Store, open_store
from checkpoints.storage._folder import READ, Folder

__all__ = [
    "Candidate",
    "candidates",
    "confirm",
    "files_json",
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
        state: Inode, modification time and change time, which differ for another file;
            of an object its tag and time.
    """

    path: str
    size: int
    state: tuple[Any, ...]

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

    @classmethod
    def of_object(cls, path: str, status: Status) -> Candidate:
        """Return the object at a URL, given its status."""
        return cls(path, status.size, (status.tag, status.time))

    @property
    def written(self) -> float:
        """When it was written, in seconds since the epoch."""
        return float(self.state[1] / 10**9)

    def is_same_file(self, status: os.stat_result) -> bool:
        """Return whether this is the status of the file, which may be renamed."""
        size_and_state = status.st_size, status.st_ino, status.st_mtime_ns
        # Renaming a file changes the third part of its state.
        return size_and_state == (self.size, *self.state[:2])


def candidates(entries: Index) -> Iterator[tuple[Entry, Candidate]]:
    """Yield entries with their files in their present state, without deleted ones."""
    if is_remote(entries.root):
        for entry, status in with_status(entries):
            yield entry, Candidate.of_object(entry.path, status)
        return
    for entry in entries:
        with suppress(FileNotFoundError):
            yield entry, Candidate.of(entry.path)


def list_candidates(files: Sequence[Candidate]) -> None:
    """Print the first of the files to delete, and their sizes."""
    for file in files[:_MOST_LISTED]:
        click.echo(printable(f"{_short(file.path)}  {size_text(file.size)}"))
    if len(files) > _MOST_LISTED:
        click.echo(f"and {len(files) - _MOST_LISTED:,} more")


def _short(path: str) -> str:
    """Return a path as seen from this folder, if it is below it."""
    if is_remote(path):
        return path
    with suppress(ValueError):  # on another drive
        found = os.path.relpath(path)
        return path if found.startswith(os.pardir) else found
    return path


def files_json(files: Sequence[Candidate], **facts: object) -> str:
    """Return the files to delete, or that were to be deleted, as JSON."""
    listed = [{"path": file.path, "size": file.size} for file in files]
    total = sum(file.size for file in files)
    return json_text({"files": listed, "bytes": total, **facts})


def remove(root: str, files: Sequence[Candidate]) -> tuple[int, int, bool]:
    """
    Delete files, and the folders that become empty, except the root.

    A file that was rewritten in the meantime is reported and kept.

    Returns:
        The number of files deleted, their bytes, and whether any deletion failed.
    """
    count = size = 0
    failed = False
    gone: list[str] = []
    store = open_store(root)
    start = len(store.path_of(""))
    with progress("deleting", len(files)) as advance:
        for file in files:
            advance(1)
            try:
                if not _delete(store, file):
                    warn(f"kept: {file.path} was rewritten in the meantime")
                    continue
            except FileNotFoundError:
                continue
            except OSError as error:
                warn(f"not deleted: {file.path}: {_reason(error, file.path)}")
                failed = True
                continue
            count, size = count + 1, size + file.size
            gone.append(file.path)
    if is_remote(root):
        delete_unused_records(store, [path[start:] for path in gone])
    else:
        ways = (_way(root, os.path.dirname(path)) for path in gone)
        _prune(root, dict.fromkeys(ways))
    return count, size, failed


def _reason(error: OSError, path: str) -> str:
    """Return what is wrong, and with which folder on the way to the file."""
    place = str(error.filename or "")
    is_above = path.startswith(os.path.join(place, "")) if place else False
    return f"{place}: {error.strerror}" if is_above else str(error.strerror)


def _way(root: str, folder: str) -> str:
    """Return the way from a root to a folder, as names joined by slashes."""
    way = os.path.relpath(folder, root)
    return "" if way == os.curdir else way.replace(os.sep, "/")


def _delete(store: Store, file: Candidate) -> bool:
    """
    Delete a file, unless it has changed; return whether it was deleted.

    Its folder is opened without following links below the root, so that nobody can
    lead the deletion elsewhere.

    Raises:
        OSError: If it cannot be deleted, or does not exist.
    """
    root = store.root
    if is_remote(root):
        name, (tag, moment) = file.path[len(store.path_of("")) :], file.state
        return delete_object(store, name, Status(file.size, moment, tag=tag))
    place, name = os.path.split(file.path)
    folder = Folder(root, _way(root, place))
    with folder, folder:
        folder.open()
        if Candidate.of(file.path, folder.status(name)) != file:
            return False
        # No other process writes under this name, so the file checked is the one
        # deleted.
        aside = _name_aside()
        folder.rename(name, aside)
        try:
            if file.is_same_file(folder.status(aside)):
                folder.unlink(aside)
                return True
        except BaseException:
            _put_back(folder, aside, name)
            raise
        _put_back(folder, aside, name)
        return False


def is_set_aside(name: str) -> bool:
    """Return whether a file name is that of a file set aside for deletion."""
    return name.startswith(".") and name.endswith(_ASIDE)


def _name_aside() -> str:
    """Return an unused name, which no listing shows."""
    return f".{os.getpid()}-{os.urandom(6).hex()}{_ASIDE}"


def _put_back(folder: Folder, aside: str, name: str) -> None:
    """
    Rename a file that was set aside back to its name.

    Raises:
        OSError: If another file has the name now; then this one keeps its new name.
    """
    with suppress(FileNotFoundError):
        try:
            folder.link(aside, name)
        except OSError as error:
            if _is_there(folder, name):
                path = os.path.join(folder.path, aside)
                message = f"rewritten twice in the meantime; the first is now {path}"
                raise OSError(errno.EEXIST, message) from error
            folder.rename(aside, name)  # the file system has no links
        else:
            folder.unlink(aside)


def _is_there(folder: Folder, name: str) -> bool:
    with suppress(FileNotFoundError):
        folder.status(name)
        return True
    return False


def _prune(root: str, ways: Iterable[str]) -> None:
    """Delete empty folders below the root, and records of runs that have no files."""
    for way in ways:
        rest = way
        # A folder that is not empty, or gets a file just now, is kept.
        with suppress(OSError):
            while rest:
                _delete_records(root, rest)
                above, _, name = rest.rpartition("/")
                folder = Folder(root, above)
                with folder, folder:
                    folder.open()
                    folder.rmdir(name)
                rest = above
            _delete_records(root, "")


def _delete_records(root: str, way: str) -> None:
    """Delete the records of runs in a folder, if it contains nothing else."""
    folder = Folder(root, way)
    records = Folder(root, f"{way}/{RUNS}".lstrip("/"))
    with folder, folder, records, records:
        folder.open(READ)
        if folder.names() == [RUNS]:
            records.open(READ)
            for name in records.names():
                records.unlink(name)
            folder.rmdir(RUNS)


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
    machine, or in a container, that writes to the same folder. The paths are only
    candidates: `remove` follows no link to them.

    An object store has none: what is in it is complete.

    Args:
        root: A root.
        age: For how long a file must have been untouched.
    """
    if is_remote(root):
        return
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
