"""A file that is written under a temporary name and then renamed in one step."""

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

# From this size up, allocating all blocks first more than halves the time on ext4.
_WORTH_ALLOCATING = 1 << 20
# Linux writes little more than this in one system call.
_LARGEST_WRITE = 1 << 30
# Unique across hosts, together with the pid (a forked child has another) and a count.
_TOKEN = os.urandom(6).hex()
_count = itertools.count()
_READ_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


class Temporary:
    """
    A file under a temporary name, deleted unless it is renamed.

    Enter it twice, `with temporary, temporary:`. If an interrupt cuts the first
    clean-up short, the second one completes it, so that no descriptor stays open and
    no file is left behind, at whatever bytecode it comes.

    Args:
        folder: The folder in which it will get its final name.
    """

    def __init__(self, folder: str) -> None:
        # A name that a walk skips.
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
            # If it fails, the second clean-up tries again.
            with suppress(OSError):
                os.unlink(self.path)
                self._is_gone = True

    def create(self) -> None:
        """
        Create the file.

        Raises:
            FileNotFoundError: If its folder does not exist.
            OSError: If it cannot be created.
        """
        # Exclusive, so that not even a link of that name is followed. A single C call
        # opens the file and puts it on the clean-up's list, so that no interrupt can
        # lose the descriptor in between.
        self._files.extend(map(FileIO, [self.path], ["x+"]))

    def write(self, pieces: Iterable[Piece], size: int) -> None:
        """
        Write the file's contents.

        Args:
            pieces: Offsets and bytes, which together make up the file.
            size: The size of the file in bytes.

        Raises:
            OSError: If the disk is full or fails.
        """
        handle = self._files[0].fileno()
        if size >= _WORTH_ALLOCATING:
            _allocate(handle, size)
        try:
            for offset, piece in pieces:
                self._write_piece(handle, memoryview(piece), offset)
        finally:
            # The generator may have a checksum thread running, which this ends.
            getattr(pieces, "close", bool)()

    def _write_piece(self, handle: int, rest: memoryview, at: int) -> None:
        while rest:
            count = _write_at(handle, rest[:_LARGEST_WRITE], at)
            if not count:
                raise OSError(errno.EIO, "The system wrote no bytes", self.path)
            rest = rest[count:]
            at += count

    def sync(self) -> None:
        """
        Flush the file's bytes to disk.

        Raises:
            OSError: If it fails. It is never retried on the same file: the system
                forgets what it could not write, so a second call can falsely succeed
                (https://lwn.net/Articles/752063/).
        """
        os.fsync(self._files[0].fileno())

    def close(self) -> None:
        """
        Close the file.

        Raises:
            OSError: If the system reports a failed write only now.
        """
        self._files[0].close()
        self._files.pop()

    def rename(self, path: str) -> None:
        """
        Give the file its final name, replacing an existing file.

        Raises:
            UnknownOutcomeError: If it failed, but the temporary name is gone.
            OSError: If it failed and nothing has changed.
        """
        try:
            os.replace(self.path, path)
        except OSError as error:
            self._check_unmoved(error, path)
            raise
        self._is_gone = True

    def rename_if_free(self, path: str) -> None:
        """
        Give the file its final name, unless the name is taken.

        Raises:
            FileExistsError: If the name is taken.
            UnknownOutcomeError: If it failed and the result cannot be determined.
            OSError: If it failed and nothing has changed.
        """
        try:
            os.link(self.path, path)
        except OSError as error:
            # A network file system may repeat a request whose reply was lost, and
            # then report an error although the first request succeeded.
            if self._is_at(path, error):
                return
            if error.errno not in _NO_LINKS:
                raise
            self._rename_without_links(path)

    def _check_unmoved(self, error: OSError, path: str) -> None:
        """Raise `UnknownOutcomeError` if the file was renamed despite an error."""
        try:
            os.stat(self.path)
        except OSError:
            raise _unknown(error, path) from error

    def _is_at(self, path: str, error: OSError) -> bool:
        """Tell whether the file has its final name despite an error."""
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
        # An empty file reserves the name first. A reader may see it for a moment, and
        # it stays behind if the process is killed just then.
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
        f"{os.strerror(error.errno or 0)} while renaming: the file may exist. Check "
        "for it or save again",
        path,
    )


class Folder:
    """
    A folder that is opened to be synced; enter it twice, as a `Temporary`.

    Args:
        path: Its path.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._handles: list[int] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # A single C call takes the handle off the list and closes it, so that an
        # interrupt can neither leak it nor let it be closed twice.
        pending = [self._handles] if self._handles else []
        with suppress(OSError):
            deque(map(os.close, map(list.pop, pending)), 0)

    def sync(self) -> None:
        """
        Flush the folder's entries to disk.

        Raises:
            OSError: If it fails.
        """
        if os.name == "nt":  # folders cannot be opened there, and need no sync
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
    Rename a file atomically unless the new name is taken; tell whether it succeeded.

    Calls Linux's `renameat2(2)` with `RENAME_NOREPLACE`, which also works on file
    systems without hard links, such as FAT.

    Raises:
        FileExistsError: If the new name is taken.
        OSError: If it failed.
    """
    import ctypes

    at_fdcwd, no_replace = -100, 1
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    if not rename(at_fdcwd, os.fsencode(old), at_fdcwd, os.fsencode(new), no_replace):
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
