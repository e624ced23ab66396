"""Taking files away, unless they are others than those that were looked at."""

from __future__ import annotations

import datetime
import errno
import os
import re
import stat
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

import click

from checkpoints import Entry
from checkpoints._text import size_text
from checkpoints.cli._process import is_running
from checkpoints.cli._screen import progress, tell

__all__ = [
    "Doomed",
    "confirmed",
    "doomed",
    "is_aside",
    "leftovers",
    "list_doomed",
    "remove",
]

_MOST_LISTED = 20
# Ends the name of a file that is about to be deleted, or to be put back.
_ASIDE = ".ckpt.aside"

# The number of the process, what tells hosts and restarts apart, and a count.
_NAME = re.compile(r"\.([0-9]+)-[0-9a-f]{12}-[0-9]+\.ckpt\.tmp")


class Doomed(NamedTuple):
    """
    A file that is to be deleted, as it was before that was decided.

    Args:
        path: Where it lies.
        size: How many bytes it has.
        state: What changes when somebody writes another file in its place.
    """

    path: str
    size: int
    state: tuple[int, int, int]

    @classmethod
    def of(cls, path: str, status: os.stat_result | None = None) -> Doomed:
        """
        Return a file as it is, or as it was.

        Raises:
            FileNotFoundError: If it is not there.
        """
        # Of a link itself: what it leads to is not deleted.
        it = status or os.lstat(path)
        return cls(path, it.st_size, (it.st_ino, it.st_mtime_ns, it.st_ctime_ns))

    def is_there(self, status: os.stat_result) -> bool:
        """Tell whether this is the file, under whatever name it has now."""
        size_and_state = status.st_size, status.st_ino, status.st_mtime_ns
        # To be renamed changes the third.
        return size_and_state == (self.size, *self.state[:2])


def doomed(entries: Iterable[Entry]) -> Iterator[Doomed]:
    """Yield files as they are now; those that have vanished are left out."""
    for entry in entries:
        with suppress(FileNotFoundError):
            yield Doomed.of(entry.path)


def list_doomed(files: Sequence[Doomed], line: Callable[[str], None]) -> None:
    """Tell some of the files that are to be deleted, and how much they are."""
    for each in files[:_MOST_LISTED]:
        line(f"{each.path}  {size_text(each.size)}")
    if len(files) > _MOST_LISTED:
        line(f"and {len(files) - _MOST_LISTED:,} more")


def remove(root: str, files: Sequence[Doomed]) -> tuple[int, int, bool]:
    """
    Delete files, and the folders that are empty then, up to the root.

    A file that was written anew meanwhile stays, and is told.

    Returns:
        How many were deleted, how many bytes, and whether one could not be.
    """
    count = size = 0
    failed = False
    folders: dict[str, None] = {}
    with progress("delete", len(files)) as advance:
        for each in files:
            advance(1)
            try:
                if not _delete(each):
                    tell(f"kept: {each.path} was written anew meanwhile")
                    continue
            except FileNotFoundError:
                continue
            except OSError as error:
                tell(f"not deleted: {each.path}: {error.strerror}")
                failed = True
                continue
            count, size = count + 1, size + each.size
            folders[os.path.dirname(each.path)] = None
    _prune(root, folders)
    return count, size, failed


def _delete(file: Doomed) -> bool:
    """
    Delete a file, unless it is another one by now; return whether it was deleted.

    Raises:
        OSError: If it cannot be deleted, or is gone.
    """
    if Doomed.of(file.path) != file:
        return False
    # Nobody writes under that name, so what is looked at there is what is deleted.
    aside = _name_beside(file.path)
    os.rename(file.path, aside)
    try:
        if file.is_there(os.lstat(aside)):
            os.unlink(aside)
            return True
    except BaseException:
        _put_back(aside, file.path)
        raise
    _put_back(aside, file.path)
    return False


def is_aside(name: str) -> bool:
    """Tell whether a name is one that a file has while it is looked at again."""
    return name.startswith(".") and name.endswith(_ASIDE)


def _name_beside(path: str) -> str:
    """Return a name that nobody has, and no walk lists."""
    name = f".{os.getpid()}-{os.urandom(6).hex()}{_ASIDE}"
    return os.path.join(os.path.dirname(path), name)


def _put_back(aside: str, path: str) -> None:
    """
    Give a file its name again.

    Raises:
        OSError: If a later one has it by now; then this one stays where it is.
    """
    with suppress(FileNotFoundError):
        try:
            os.link(aside, path)
        except OSError as error:
            if os.path.lexists(path):
                message = f"two came meanwhile, and the first is {aside} now"
                raise OSError(errno.EEXIST, message) from error
            os.rename(aside, path)  # on a file system without links
        else:
            os.unlink(aside)


def _prune(root: str, folders: Iterable[str]) -> None:
    """Take away folders that are empty, and those above them, below the root."""
    for folder in folders:
        below = folder
        # One that is not empty, or gets a file just now, is not taken away.
        with suppress(OSError):
            while len(below) > len(root.rstrip(os.sep)):
                os.rmdir(below)
                below = os.path.dirname(below)


def confirmed(question: str, *, yes: bool) -> None:
    """
    Ask, unless it was answered already.

    Raises:
        click.UsageError: If nobody is there to answer.
        click.Abort: If the answer is no.
    """
    if yes:
        return
    if sys.stdin is None or not sys.stdin.isatty():
        raise click.UsageError("nobody is there to be asked: give --yes to do it")
    click.confirm(question, abort=True)


def leftovers(root: str, age: datetime.timedelta) -> Iterator[Doomed]:
    """
    Yield the unfinished files that nobody goes on writing.

    Nobody has touched such a file for that long, and no process of this machine has
    the number in its name. The number alone tells nothing: the process may run on
    another machine, or in another container, that writes to the same folder.

    Args:
        root: A folder.
        age: For how long a file has to be as it is.
    """
    oldest = time.time() - age.total_seconds()
    for folder, _, files in os.walk(root):
        for file in files:
            if is_aside(file):
                path = os.path.join(folder, file)
                tell(f"kept: {path}: a deletion was ended in the middle; see `show`")
            found = _NAME.fullmatch(file)
            if found is None:
                continue
            path = os.path.join(folder, file)
            with suppress(OSError):
                status = os.lstat(path)
                if not stat.S_ISREG(status.st_mode):
                    continue
                if max(status.st_mtime, status.st_ctime) > oldest:
                    continue
                if is_running(int(found[1])):
                    tell(f"kept: {path}: a process of that number is running")
                    continue
                yield Doomed.of(path, status)
