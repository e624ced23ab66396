"""A local file that is open for reading."""

from __future__ import annotations

import errno
import io
import mmap
import os
import stat
from typing import Self

__all__ = ["LocalFile"]

# Opening a pipe blocks until there is a writer, and a device has no end.
_SPECIAL_FILES = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class LocalFile:
    """
    A local file that is open for reading.

    Args:
        path: Its path.

    Raises:
        OSError: If it does not exist, cannot be read, or is not a regular file.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._mapped: mmap.mmap | None = None
        _check_kind(os.stat(path).st_mode, path)
        # An object owns the descriptor from the start, so that an interrupt at any
        # point cannot leak it.
        self._file = io.FileIO(path)
        found = os.fstat(self._file.fileno())
        _check_kind(found.st_mode, path)
        self.size: int = found.st_size

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
