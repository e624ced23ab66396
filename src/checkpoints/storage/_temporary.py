"""A file on its way to its name: written under another one, then named in one step."""

from __future__ import annotations

import errno
import itertools
import os
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from io import FileIO
from typing import Self

from checkpoints.errors import UnknownOutcomeError
from checkpoints.storage._store import Piece

__all__ = ["Folder", "Temporary"]

# From here on, asking for the blocks at once more than halves the time on ext4.
_WORTH_ALLOCATING = 1 << 20
# One system call writes no more than this on Linux.
_LARGEST_WRITE = 1 << 30
# With the pid, which a forked child does not share, and a count: unique among hosts.
_TOKEN = os.urandom(6).hex()
_count = itertools.count()
_READ_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


class Temporary:
    """
    A file that nobody looks for yet.

    It is entered twice where it is used, `with temporary, temporary:`. Whatever is
    raised, at whatever byte-code, no descriptor stays open and no file stays behind:
    an interrupt may cut the first clean-up short, and the second is whole then.

    Args:
        folder: The folder that it will have its name in.
    """

    def __init__(self, folder: str) -> None:
        # A name that a walk passes over.
        name = f".{os.getpid()}-{_TOKEN}-{next(_count)}.ckpt.tmp"
        self.path = f"{folder}{os.sep}{name}"
        self._files: list[FileIO] = []
        self._is_gone = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        while self._files:
            with suppress(OSError):
                self._files[-1].close()
            self._files.pop()
        if not self._is_gone:
            # Where it fails, the second clean-up tries it again.
            with suppress(OSError):
                os.unlink(self.path)
                self._is_gone = True

    def create(self) -> None:
        """
        Create the file.

        Raises:
            FileNotFoundError: If its folder is not there.
            OSError: If it cannot be created.
        """
        # Exclusive, so that not even a link of that name is followed. And one call
        # of C, from the system's answer to the list that the clean-up goes through:
        # no interrupt finds a descriptor that nobody owns.
        self._files.extend(map(FileIO, [self.path], ["x+"]))

    def write(self, pieces: Iterable[Piece], size: int) -> None:
        """
        Write the pieces, offset and bytes, of a file of so many bytes.

        Raises:
            OSError: If the disk is full, fails, or takes nothing.
        """
        handle = self._files[0].fileno()
        if size >= _WORTH_ALLOCATING:
            _allocate(handle, size)
        try:
            for offset, piece in pieces:
                self._write_piece(handle, memoryview(piece), offset)
        finally:
            # Whatever it has under way, a thread for one, ends with it.
            getattr(pieces, "close", bool)()

    def _write_piece(self, handle: int, rest: memoryview, at: int) -> None:
        while rest:
            count = _write_at(handle, rest[:_LARGEST_WRITE], at)
            if not count:
                raise OSError(errno.EIO, "The system took no bytes", self.path)
            rest = rest[count:]
            at += count

    def sync(self) -> None:
        """
        Return when the file's bytes are on the disk.

        Raises:
            OSError: If they are not. It is never tried again on the same file: the
                system forgets what it could not write, and the second answer is a lie
                (https://lwn.net/Articles/752063/).
        """
        os.fsync(self._files[0].fileno())

    def close(self) -> None:
        """
        Close the file.

        Raises:
            OSError: If the system tells only now that the bytes were not taken.
        """
        self._files[0].close()
        self._files.pop()

    def rename(self, path: str) -> None:
        """
        Give the file its name, whatever lies there.

        Raises:
            UnknownOutcomeError: If it failed, and the file is gone from its old name.
            OSError: If it failed, and all is as it was.
        """
        try:
            os.replace(self.path, path)
        except OSError as error:
            self._check_unmoved(error, path)
            raise
        self._is_gone = True

    def rename_if_free(self, path: str) -> None:
        """
        Give the file its name, unless the name is taken.

        Raises:
            FileExistsError: If it is taken.
            UnknownOutcomeError: If it failed, and nobody can tell what is there now.
            OSError: If it failed, and all is as it was.
        """
        try:
            os.link(self.path, path)
        except OSError as error:
            # A network file system may repeat a request whose answer was lost, and
            # then fail where the first one did it.
            if self._is_at(path, error):
                return
            if error.errno not in _NO_LINKS:
                raise
            self._rename_without_links(path)

    def _check_unmoved(self, error: OSError, path: str) -> None:
        """Raise `UnknownOutcomeError` where the file has moved in spite of an error."""
        try:
            os.stat(self.path)
        except OSError:
            raise _unknown(error, path) from error

    def _is_at(self, path: str, error: OSError) -> bool:
        """Tell whether the file has a name, after an error of giving it one."""
        try:
            return os.path.samefile(self.path, path)
        except FileNotFoundError:
            return False
        except OSError:
            raise _unknown(error, path) from error

    def _rename_without_links(self, path: str) -> None:
        try:
            if _renamed_exclusively(self.path, path):
                return
        except OSError as error:
            self._check_unmoved(error, path)
            raise
        # The name is reserved by an empty file first, which a reader may see for a
        # moment, and find when the process is killed just there.
        reserved: list[FileIO] = []
        try:
            reserved.extend(map(FileIO, [path], ["x"]))
            reserved[0].close()
            self.rename(path)
        except UnknownOutcomeError:
            raise
        except BaseException:
            if reserved:
                with suppress(OSError):
                    os.unlink(path)
            raise


def _unknown(error: OSError, path: str) -> UnknownOutcomeError:
    return UnknownOutcomeError(
        error.errno,
        f"{os.strerror(error.errno or 0)}, while the file was given its name: whether "
        "it is there is unknown. Look for it, or save it again",
        path,
    )


class Folder:
    """
    A folder, opened to be synced; entered twice, as a `Temporary` is.

    Args:
        path: Where it is.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._handles: list[int] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # Off the list and closed by one call of C, so never twice and never not.
        waiting = [self._handles] if self._handles else []
        with suppress(OSError):
            deque(map(os.close, map(list.pop, waiting)), 0)

    def sync(self) -> None:
        """
        Return when the names in the folder are on the disk.

        Raises:
            OSError: If they are not.
        """
        if os.name == "nt":  # folders cannot be opened there, and need not be
            return
        self._handles.extend(map(os.open, [self.path], [_READ_FOLDER]))
        os.fsync(self._handles[0])


def _allocate(handle: int, size: int) -> None:
    if hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(handle, 0, size)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise


def _renamed_exclusively(old: str, new: str) -> bool:
    """
    Rename a file unless the new name is taken, in one step; tell whether it was done.

    `renameat2(2)` with `RENAME_NOREPLACE`, of Linux: FAT, for one, has no links, but
    can do this.

    Raises:
        FileExistsError: If the new name is taken.
        OSError: If it failed.
    """
    import ctypes

    here, no_replace = -100, 1
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    if not rename(here, os.fsencode(old), here, os.fsencode(new), no_replace):
        return True
    number = ctypes.get_errno()
    if number in {*_NO_LINKS, errno.EINVAL}:
        return False
    raise OSError(number, os.strerror(number), new)


if hasattr(os, "pwrite"):

    def _write_at(handle: int, buffer: memoryview, offset: int) -> int:
        return os.pwrite(handle, buffer, offset)

else:  # Windows

    def _write_at(handle: int, buffer: memoryview, offset: int) -> int:
        os.lseek(handle, offset, os.SEEK_SET)
        return os.write(handle, buffer)
