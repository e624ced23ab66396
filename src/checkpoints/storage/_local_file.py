"""A local file that is open for reading."""

from __future__ import annotations

import errno
import io
import mmap
import os
import stat
from functools import partial
from typing import Self

from checkpoints.storage._store import Status

__all__ = ["LocalFile"]

# Opening a pipe blocks until there is a writer, and a device has no end.
_SPECIAL_FILES = {
    stat.S_IFLNK: "a link",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
_READ = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
# A pipe that is put in place of the file a moment later must not block either.
_READ_NO_LINK = _READ | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


class LocalFile:
    """
    A local file that is open for reading.

    Args:
        path: Its path. A link is followed, unless its place in a folder is given.
        at: Its name in an open folder.
        handle: The descriptor of that folder.
        name: Its name in its store; by default its path.

    Raises:
        OSError: If it does not exist, cannot be read, or is not a regular file.
    """

    def __init__(
        self,
        path: str,
        at: str | None = None,
        handle: int | None = None,
        name: str | None = None,
    ) -> None:
        self.path = path
        self.name = path if name is None else name
        self._mapped: mmap.mmap | None = None
        follows, place = at is None, path if at is None else at
        found = os.stat(place, dir_fd=handle, follow_symlinks=follows)
        _check_kind(found.st_mode, path)
        opener = partial(os.open, dir_fd=handle)
        flags = _READ if follows else _READ_NO_LINK
        # An object owns the descriptor from the start, so that an interrupt at any
        # point cannot leak it: no bytecode runs between the two calls.
        self._file = next(map(io.FileIO, map(opener, [place], [flags])))
        found = os.fstat(self._file.fileno())
        _check_kind(found.st_mode, path)
        self.size: int = found.st_size
        self._found = found

    @property
    def status(self) -> Status:
        """Its size, time and permissions when it was opened."""
        return Status.of(self._found)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; a mapping of it stays valid."""
        self._file.close()

    def read_into(self, offset: int, buffer: memoryview) -> int:
        """Fill the buffer from an offset; return how many bytes were available."""
        handle, done = self._file.fileno(), 0
        while done < len(buffer):
            count = _read_at(handle, buffer[done:], offset + done)
            if not count:
                break
            done += count
        return done

    def map(self) -> mmap.mmap:
        """Return the whole file, memory-mapped for reading."""
        if self._mapped is None:
            self._mapped = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
        return self._mapped


def _check_kind(mode: int, path: str) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    if not stat.S_ISREG(mode):
        what = _SPECIAL_FILES.get(stat.S_IFMT(mode), "a special file")
        message = f"Is {what}, not a regular file"
        raise OSError(errno.EINVAL, message, path)


if hasattr(os, "preadv"):

    def _read_at(handle: int, buffer: memoryview, offset: int) -> int:
        return os.preadv(handle, [buffer], offset)

else:  # Windows

    def _read_at(handle: int, buffer: memoryview, offset: int) -> int:
        os.lseek(handle, offset, os.SEEK_SET)
        part = os.read(handle, len(buffer))
        buffer[: len(part)] = part
        return len(part)
