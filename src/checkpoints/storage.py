"""
Where bytes go: four verbs on a root, `put`, `get`, `list` and `delete`.

A store knows paths and bytes, no keys and no formats. This version has one store, for
folders of this machine (network mounts included).
"""

from __future__ import annotations

import errno
import itertools
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TypeAlias
from urllib.parse import urlsplit
from urllib.request import url2pathname

from checkpoints._local_file import LocalFile
from checkpoints._walk import walk
from checkpoints.errors import ConfigError

__all__ = ["LocalFile", "LocalStore", "open_store"]

Piece: TypeAlias = "tuple[int, bytes | bytearray | memoryview]"

_CREATE = (
    os.O_RDWR
    | os.O_CREAT
    | os.O_EXCL
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_CLOEXEC", 0)
)
# From here on, asking for the blocks at once more than halves the time on ext4.
_WORTH_ALLOCATING = 1 << 20
# One system call writes no more than this on Linux.
_LARGEST_WRITE = 1 << 30
# With the pid, which a forked child does not share, and a count: unique among hosts.
_TOKEN = os.urandom(6).hex()
_count = itertools.count()
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


def open_store(root: str) -> LocalStore:
    """
    Return the store for a root.

    Args:
        root: A path, or a `file://` URL.

    Raises:
        ConfigError: If it is a URL that this version has no store for.

    >>> open_store("out").root.endswith("out")
    True
    """
    return LocalStore(os.path.abspath(local_path(root)))


def local_path(root: str) -> str:
    """
    Return the path that a path or a `file://` URL stands for.

    Raises:
        ConfigError: If it is another URL.
    """
    if "://" not in root:
        return os.path.expanduser(root)
    parts = urlsplit(root)
    if parts.scheme == "file":
        return url2pathname(parts.path)
    message = (
        f"{root!r}: this version saves to folders only, not to {parts.scheme}://. Give "
        "a path, or write a Handler for that store (docs: how-to, write a handler)"
    )
    raise ConfigError(message)


class LocalStore:
    """
    A folder of this machine, and all below it.

    A file that `put` wrote is complete under its name, or not there at all.

    Args:
        root: The folder; it is made with the first file.

    >>> import tempfile
    >>> store = LocalStore(tempfile.mkdtemp())
    >>> store.put(["a/b.txt"], [(0, b"some text")], 9)
    'a/b.txt'
    >>> store.list()
    ['a/b.txt']
    """

    def __init__(self, root: str) -> None:
        self.root = root

    def __repr__(self) -> str:
        return f"LocalStore({self.root!r})"

    def path_of(self, name: str) -> str:
        """Return where a name lies in the file system."""
        return f"{self.root}{os.sep}{name.replace('/', os.sep)}"

    def exists(self, name: str) -> bool:
        """Tell whether a file lies under a name."""
        return os.access(self.path_of(name), os.F_OK)

    def put(
        self,
        names: Iterable[str],
        pieces: Iterable[Piece],
        size: int,
        *,
        replace: bool = False,
        durable: bool = False,
    ) -> str:
        """
        Write a file under the first of the names that is free.

        Args:
            names: Names of the same folder, tried in this order.
            pieces: Offset and bytes, which together make up the file.
            size: The size of the file in bytes.
            replace: Take the first name, and whatever lies there is gone.
            durable: Return only when the file and its folders are on the disk, so
                that they outlast a loss of power.

        Returns:
            The name that was taken.

        Raises:
            FileExistsError: If none of the names is free.
            OSError: If it cannot be written. No file is left behind then, unless the
                error comes from the last step of `durable`, and says so.
        """
        candidates = iter(names)
        name = next(candidates)
        path = self.path_of(name)
        folder = path[: path.rindex(os.sep)]
        temporary, handle, made = _create_temporary(folder)
        try:
            try:
                _write(handle, pieces, size)
                if durable:
                    os.fsync(handle)
            finally:
                os.close(handle)
                # Whatever it has under way, a thread for one, ends with it.
                getattr(pieces, "close", bool)()
            if replace:
                os.replace(temporary, path)
            else:
                name = self._publish(temporary, name, candidates)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise
        if durable:
            _sync_folders(folder, made)
        return name

    def _publish(self, temporary: str, name: str, candidates: Iterator[str]) -> str:
        while True:
            try:
                _move_if_free(temporary, self.path_of(name))
            except FileExistsError:
                following = next(candidates, None)
                if following is None:
                    raise
                name = following
            else:
                return name

    def get(self, name: str) -> LocalFile:
        """
        Open a file.

        Raises:
            OSError: If it is not there, or may not be read.
        """
        return LocalFile(self.path_of(name))

    def list(self) -> Sequence[str]:
        """Return the names of all files, sorted; unfinished ones are left out."""
        return [
            "/".join((*folder, name)) for folder, names in self.walk() for name in names
        ]

    def walk(self) -> Iterator[tuple[tuple[str, ...], Sequence[str]]]:
        """
        Yield each folder, as its segments below the root, with its file names.

        Sorted. Links to folders are not followed, and what vanishes or may not be
        read meanwhile is passed over, but for the root.

        Raises:
            OSError: If the root is not there, or may not be read.
        """
        return walk(self.root)

    def delete(self, name: str) -> None:
        """
        Delete a file.

        Raises:
            FileNotFoundError: If it is not there.
        """
        os.unlink(self.path_of(name))


def _create_temporary(folder: str) -> tuple[str, int, list[str]]:
    """Create a file of a unique name; return it with the folders that were made."""
    name = f".{os.getpid()}-{_TOKEN}-{next(_count)}.ckpt.tmp"
    path = f"{folder}{os.sep}{name}"
    try:
        return path, os.open(path, _CREATE, 0o666), []
    except FileNotFoundError:
        made = _make_folders(folder)
        return path, os.open(path, _CREATE, 0o666), made


def _make_folders(folder: str) -> list[str]:
    """Make a folder and those above it; return the folders that got a new one."""
    missing = []
    while folder and not os.path.isdir(folder):
        missing.append(folder)
        above = os.path.dirname(folder)
        folder = above if above != folder else ""  # a drive that is not there
    for path in reversed(missing):
        with suppress(FileExistsError):
            os.mkdir(path)
        if not os.path.isdir(path):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
    return [os.path.dirname(path) for path in missing]


def _write(handle: int, pieces: Iterable[Piece], size: int) -> None:
    if size >= _WORTH_ALLOCATING and hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(handle, 0, size)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise
    for offset, piece in pieces:
        rest = memoryview(piece)
        at = offset
        while rest:
            count = _write_at(handle, rest[:_LARGEST_WRITE], at)
            rest = rest[count:]
            at += count


@contextmanager
def _folder_handle(folder: str) -> Iterator[int]:
    handle = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
    try:
        yield handle
    finally:
        os.close(handle)


def _sync_folders(folder: str, made: Iterable[str]) -> None:
    if os.name == "nt":  # folders cannot be opened there, and need not be
        return
    for path in (folder, *made):
        try:
            with _folder_handle(path) as handle:
                os.fsync(handle)
        except OSError as error:
            error.add_note(
                "The file is there under its name, but whether it outlasts a loss of "
                "power is unknown: save it again to be sure"
            )
            raise


def _move_if_free(temporary: str, path: str) -> None:
    """Give a finished file its name, unless the name is taken."""
    try:
        os.link(temporary, path)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # No links on this file system. The name is reserved by an empty file first,
        # which a reader may see for a moment.
        os.close(os.open(path, _CREATE, 0o666))
        try:
            os.replace(temporary, path)
        except BaseException:
            os.unlink(path)
            raise
    else:
        os.unlink(temporary)


if hasattr(os, "pwrite"):

    def _write_at(handle: int, buffer: memoryview, offset: int) -> int:
        return os.pwrite(handle, buffer, offset)

else:  # Windows

    def _write_at(handle: int, buffer: memoryview, offset: int) -> int:
        os.lseek(handle, offset, os.SEEK_SET)
        return os.write(handle, buffer)
