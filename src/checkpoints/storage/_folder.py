"""
A folder below a root, opened without following links.

Whoever can write below a root may replace a folder by a link, to lead a save or a
deletion elsewhere. Looking at a path first does not help: it can change right after.
So a folder is opened, and its files are created, renamed, read and deleted relative to
its descriptor. The root itself, and what is above it, may be links.

Opening each folder on the way costs as much as a quarter of a small save. So it is done
once, and device and inode are remembered: from then on the path is opened in one step,
and followed down again only if that is another folder. No descriptor is kept, because
it would keep the file system busy, count against the limit of the program, and mean
another file in a program that closes what it did not open, as daemons do.

Windows has no such descriptors. There each folder on the way is looked at before each
use, which detects links, but not one that is put there a moment later.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from functools import partial
from typing import Self, TypeAlias

__all__ = ["PASS", "READ", "Folder", "Identity", "close_all"]

# Device and inode.
Identity: TypeAlias = "tuple[int, int]"

_HAS_DESCRIPTORS = {os.open, os.mkdir, os.rename, os.unlink, os.stat} <= (
    os.supports_dir_fd
)
_FOLDER = getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
READ = os.O_RDONLY | _FOLDER
# To pass through a folder needs no permission to list it.
PASS = _FOLDER | getattr(os, "O_PATH", getattr(os, "O_SEARCH", os.O_RDONLY))
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
# AT_SYMLINK_FOLLOW would be the default with descriptors.
_NO_FOLLOW = (
    {"follow_symlinks": False} if os.link in os.supports_follow_symlinks else {}
)
_JUNCTION = getattr(stat, "IO_REPARSE_TAG_MOUNT_POINT", None)

# They take about 5 MB.
_MOST_KNOWN = 16_384
# By root and path below it: the folders that were reached without a link.
_known: dict[tuple[str, str], Identity] = {}


class Folder:
    """
    A folder below a root; its files are named relative to it.

    Enter it twice, `with folder, folder:`. If an interrupt cuts the first clean-up
    short, the second one completes it, so that no descriptor stays open.

    Args:
        root: The root, which may be a link; "" is the current directory.
        below: The way from there, as names joined by slashes; "" is the root itself.
        path: The path of the folder, if it is known.
    """

    __slots__ = (
        *("path", "handle", "identity", "_root", "_below", "_start", "_handles"),
    )

    def __init__(self, root: str, below: str = "", path: str = "") -> None:
        self._root, self._below = root or os.curdir, below
        self.path = path or self._joined()
        self.identity: Identity = (0, 0)
        # For `dir_fd`: None where the system has no such thing, -1 while not open.
        self.handle: int | None = -1 if _HAS_DESCRIPTORS else None
        # Relative names mean nothing without a descriptor.
        self._start = "" if _HAS_DESCRIPTORS else os.path.join(self.path, "")
        self._handles: list[int] = []

    def _joined(self) -> str:
        if not self._below:
            return self._root
        return os.path.join(self._root, self._below.replace("/", os.sep))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the folder; called again, it completes what was interrupted."""
        # One at which the system reports an error is closed, and the others are left.
        while self._handles:
            self.handle = -1
            try:  # noqa: SIM105 - each save passes here
                close_all(self._handles)
            except OSError:
                pass

    def open(self, flags: int = PASS, expected: Identity | None = None) -> None:
        """
        Open the folder.

        Args:
            flags: `READ` to list or sync it as well.
            expected: What its parent, when that was listed, said that it is.

        Raises:
            FileNotFoundError: If it does not exist.
            NotADirectoryError: If it or a folder on the way is a link or a file.
            OSError: If it cannot be opened.
        """
        if not _HAS_DESCRIPTORS:
            self._look()
            return
        # A single C call opens it and puts it on the clean-up's list.
        self._handles.extend(map(os.open, [self.path], [flags]))
        self.handle = self._handles[0]
        found = os.fstat(self.handle)
        self.identity = found.st_dev, found.st_ino
        if self._below:
            place = self._root, self._below
            if self.identity != (expected or _known.get(place)):
                self._descend(flags)
            elif expected:
                # Whoever has listed all folders opens the files in them next.
                _remember(place, self.identity)

    def make(self, mode: int, flags: int = PASS) -> list[str]:
        """
        Open the folder, and create it and its parents as far as they are missing.

        Args:
            mode: The permissions of folders that are created, within the umask.
            flags: As for `open`.

        Returns:
            The paths of the folders that were created.

        Raises:
            NotADirectoryError: If a folder on the way is a link or a file.
            OSError: If a folder cannot be created or opened.
        """
        made: list[str] = []
        if self._below and _HAS_DESCRIPTORS:
            try:
                self._descend(flags, mode, made)
            except FileNotFoundError:
                made += _make_folders(self._root, mode)
                self._descend(flags, mode, made)
            return made
        made += _make_folders(self._root, mode)
        if self._below:
            self._look(mode, made)
        else:
            self.open(flags)
        return made

    def _descend(
        self, flags: int, mode: int | None = None, made: list[str] | None = None
    ) -> None:
        """Open one folder after the other, from the root; create those missing."""
        self._handles.extend(map(os.open, [self._root], [PASS]))
        flags |= _NO_LINK
        path, is_missing = os.path.join(self._root, ""), False
        for part in self._below.split("/"):
            path += part
            try:
                if not is_missing:
                    self._enter_below(part, path, flags)
            except FileNotFoundError:
                if made is None:
                    raise
                is_missing = True
            if is_missing and made is not None and mode is not None:
                made.append(path)
                with suppress(FileExistsError):
                    os.mkdir(part, mode, dir_fd=self.handle)
                self._enter_below(part, path, flags)
            path += os.sep
        found = os.fstat(self._handles[-1])
        self.identity = found.st_dev, found.st_ino
        _remember((self._root, self._below), self.identity)

    def _enter_below(self, name: str, path: str, flags: int) -> None:
        self.handle = self._handles[-1]
        opener = partial(os.open, dir_fd=self.handle)
        try:
            self._handles.extend(map(opener, [name], [flags]))
            self.handle = self._handles[-1]
        except FileNotFoundError:
            raise
        except OSError as error:
            if self.is_link(name):
                raise _link_error(path) from error
            error.filename = path
            raise

    def _look(self, mode: int | None = None, made: list[str] | None = None) -> None:
        """Look for links on the way, where there are no descriptors."""
        path = self._root
        for part in filter(None, self._below.split("/")):
            path = os.path.join(path, part)
            if mode is not None and made is not None and not os.path.lexists(path):
                made.append(path)
                with suppress(FileExistsError):
                    os.mkdir(path, mode)
            found = os.lstat(path)
            tag = getattr(found, "st_reparse_tag", None)
            if stat.S_ISLNK(found.st_mode) or (tag and tag == _JUNCTION):
                raise _link_error(path)
        if not stat.S_ISDIR(os.stat(path).st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)

    def at(self, name: str) -> str:
        """Return what to give along with the descriptor, to name a file in here."""
        return self._start + name

    def names(self) -> list[str]:
        """Return the names of what is in the folder."""
        return os.listdir(self.path if self.handle is None else self.handle)

    def scan(self) -> os._ScandirIterator[str]:
        """Scan the folder; to be used as a context manager."""
        return os.scandir(self.path if self.handle is None else self.handle)

    def status(self, name: str) -> os.stat_result:
        """Return the status of a file, of a link itself."""
        return os.stat(self._start + name, dir_fd=self.handle, follow_symlinks=False)

    def is_link(self, name: str) -> bool:
        """Tell whether there is a link of this name."""
        with suppress(OSError):
            return stat.S_ISLNK(self.status(name).st_mode)
        return False

    def link(self, name: str, new: str) -> None:
        """Give a file a second name; `FileExistsError` if the name is taken."""
        old, new = self._start + name, self._start + new
        os.link(old, new, src_dir_fd=self.handle, dst_dir_fd=self.handle, **_NO_FOLLOW)

    def rename(self, name: str, new: str) -> None:
        """Rename a file, replacing an existing one."""
        old, new = self._start + name, self._start + new
        os.replace(old, new, src_dir_fd=self.handle, dst_dir_fd=self.handle)

    def unlink(self, name: str) -> None:
        """Delete a file, or a link itself."""
        os.unlink(self._start + name, dir_fd=self.handle)

    def rmdir(self, name: str) -> None:
        """Delete an empty folder."""
        os.rmdir(self._start + name, dir_fd=self.handle)

    def sync(self) -> None:
        """
        Flush the folder's entries to disk.

        Raises:
            OSError: If it fails.
        """
        if self.handle is not None:  # on Windows folders need no sync
            os.fsync(self.handle)


def _remember(place: tuple[str, str], identity: Identity) -> None:
    if len(_known) >= _MOST_KNOWN:
        _known.clear()
    _known[place] = identity


def close_all(handles: list[int]) -> None:
    """
    Close descriptors, and take them off their list.

    A single C call does both, so that an interrupt can neither leak one nor let it be
    closed twice.

    Raises:
        OSError: If the system reports a failed write only now.
    """
    any(map(os.close, map(list.pop, [handles] * len(handles))))


def _link_error(path: str) -> NotADirectoryError:
    message = "Is a link, and links below a root are not followed"
    return NotADirectoryError(errno.ENOTDIR, message, path)


def _make_folders(folder: str, mode: int) -> list[str]:
    """Create a root and its parents; return those that were missing."""
    missing = []
    while folder and not os.path.isdir(folder):
        missing.append(folder)
        above = os.path.dirname(folder)
        folder = above if above != folder else ""  # a drive that does not exist
    for path in reversed(missing):
        with suppress(FileExistsError):
            os.mkdir(path, mode)
        if not os.path.isdir(path):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
    return missing
