"""A file of this machine, open to be read."""

from __future__ import annotations

import errno
import mmap
import os
import stat
from types import TracebackType
from typing import Self

__all__ = ["LocalFile"]

_READ = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


class LocalFile:
    """
    A file of this machine, open to be read.

    Args:
        path: Where it lies.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._mapped: mmap.mmap | None = None
        self._handle = os.open(path, _READ)
        try:
            found = os.fstat(self._handle)
            self.size = found.st_size
            _check_kind(found.st_mode, path)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; what was mapped stays."""
        os.close(self._handle)

    def read_into(self, offset: int, buffer: memoryview) -> int:
        """Fill the buffer from the offset on; return how many bytes there were."""
        done = 0
        while done < len(buffer):
            count = _read_at(self._handle, buffer[done:], offset + done)
            if not count:
                break
            done += count
        return done

    def map(self) -> mmap.mmap:
        """Return the whole file, mapped to be read."""
        if self._mapped is None:
            self._mapped = mmap.mmap(self._handle, 0, access=mmap.ACCESS_READ)
        return self._mapped


def _check_kind(mode: int, path: str) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)


if hasattr(os, "preadv"):

    def _read_at(handle: int, buffer: memoryview, offset: int) -> int:
        return os.preadv(handle, [buffer], offset)

else:  # Windows

    def _read_at(handle: int, buffer: memoryview, offset: int) -> int:
        os.lseek(handle, offset, os.SEEK_SET)
        part = os.read(handle, len(buffer))
        buffer[: len(part)] = part
        return len(part)
