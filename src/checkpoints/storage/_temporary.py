"""A file that is written under a temporary name and then renamed in one step."""

from __future__ import annotations

import errno
import itertools
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from io import FileIO
from typing import Self

from checkpoints._process.forks import after_fork_in_child
from checkpoints.errors import UnknownOutcomeError
from checkpoints.storage._folder import Folder, close_all
from checkpoints.storage._store import Piece

__all__ = ["Temporary"]

# From this size up, allocating all blocks first more than halves the time on ext4.
_WORTH_ALLOCATING = 1 << 20
# Linux writes little more than this in one system call.
_LARGEST_WRITE = 1 << 30
# Unique across hosts, together with the pid (a forked child has another) and a count.
_TOKEN = os.urandom(6).hex()
_count = itertools.count()
# Exclusive, so that not even a link of that name is followed.
_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL
_CREATE |= getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


class _Unfinished(dict["Temporary", None]):
    """
    The temporary files that this process is writing.

    Python stops the threads that are daemons, wherever they are, and only after that
    clears its modules: the files of those threads are deleted then.
    """

    def __del__(self) -> None:
        for temporary in self:
            with suppress(OSError):
                os.unlink(temporary.path)

    def forget(self) -> None:
        """Forget them: a forked child must not delete what its parent is writing."""
        self.clear()


_unfinished = _Unfinished()
# A stopped thread keeps the names of this module alive. They are cleared all the same
# if the module itself is alive as well.
_this = sys.modules[__name__]
after_fork_in_child(_unfinished.forget)


class Temporary:
    """
    A file under a temporary name, deleted unless it is renamed.

    Enter it twice, `with temporary, temporary:`. If an interrupt cuts the first
    clean-up short, the second one completes it, so that no descriptor stays open and
    no file is left behind, at whatever bytecode it comes.

    Args:
        folder: The folder in which it will get its final name. It is opened by the
            caller, and closed with the file.
    """

    def __init__(self, folder: Folder) -> None:
        # A name that a walk skips.
        self.name = f".{os.getpid()}-{_TOKEN}-{next(_count)}.ckpt.tmp"
        self._folder = folder
        self._handles: list[int] = []
        self._is_gone = True
        self._is_left = False

    @property
    def path(self) -> str:
        """The path of the file."""
        return f"{self._folder.path}{os.sep}{self.name}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._handles:
            with suppress(OSError):
                self.close()
        if not self._is_gone:
            # If it fails, the second clean-up tries again.
            with suppress(OSError):
                # An interrupt may have come right after it was deleted.
                with suppress(FileNotFoundError):
                    self._folder.unlink(self.name)
                self._is_gone = True
        if self._is_gone or self._is_left:
            _unfinished.pop(self, None)
            self._folder.close()
        self._is_left = True

    def create(self, mode: int = 0o666) -> None:
        """
        Create the file.

        Args:
            mode: Its permissions, within the umask.

        Raises:
            FileNotFoundError: If its folder does not exist.
            OSError: If it cannot be created.
        """
        opener = partial(os.open, dir_fd=self._folder.handle)
        name = self._folder.at(self.name)
        self._is_gone = False
        _unfinished[self] = None
        # A single C call opens the file and puts it on the clean-up's list, so that no
        # interrupt can lose the descriptor in between.
        self._handles.extend(map(opener, [name], [_CREATE], [mode]))

    def write(self, pieces: Iterable[Piece], size: int) -> None:
        """
        Write the file's contents.

        Args:
            pieces: Offsets and bytes, which together make up the file.
            size: The size of the file in bytes.

        Raises:
            OSError: If the disk is full or fails.
        """
        handle = self._handles[0]
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
        os.fsync(self._handles[0])

    def set_time(self, time: int) -> None:
        """Set when the file was last modified, in nanoseconds since the epoch."""
        where = self._handles[0] if os.utime in os.supports_fd else self.path
        os.utime(where, ns=(time, time))

    def close(self) -> None:
        """
        Close the file.

        Raises:
            OSError: If the system reports a failed write only now.
        """
        close_all(self._handles)

    def rename(self, name: str) -> None:
        """
        Give the file its final name, replacing an existing file.

        Raises:
            UnknownOutcomeError: If it failed, but the temporary name is gone.
            OSError: If it failed and nothing has changed.
        """
        try:
            self._folder.rename(self.name, name)
        except OSError as error:
            self._check_unmoved(error, name)
            raise
        self._is_gone = True

    def rename_if_free(self, name: str) -> None:
        """
        Give the file its final name, unless the name is taken.

        Raises:
            FileExistsError: If the name is taken.
            UnknownOutcomeError: If it failed and the result cannot be determined.
            OSError: If it failed and nothing has changed.
        """
        try:
            self._folder.link(self.name, name)
        except OSError as error:
            # A network file system may repeat a request whose reply was lost, and
            # then report an error although the first request succeeded.
            if self._is_at(name, error):
                return
            if error.errno not in _NO_LINKS:
                raise
            self._rename_without_links(name)

    def _check_unmoved(self, error: OSError, name: str) -> None:
        """Raise `UnknownOutcomeError` if the file was renamed despite an error."""
        try:
            self._folder.status(self.name)
        except OSError:
            raise self._unknown(error, name) from error

    def _is_at(self, name: str, error: OSError) -> bool:
        """Tell whether the file has its final name despite an error."""
        try:
            return os.path.samestat(
                self._folder.status(self.name), self._folder.status(name)
            )
        except FileNotFoundError:
            return False
        except OSError:
            raise self._unknown(error, name) from error

    def _rename_without_links(self, name: str) -> None:
        try:
            if _renamed_exclusively(self._folder, self.name, name):
                return
        except OSError as error:
            self._check_unmoved(error, name)
            raise
        # An empty file reserves the name first. A reader may see it for a moment, and
        # it stays behind if the process is killed just then.
        reserved: list[FileIO] = []
        try:
            opener = partial(os.open, mode=0o666, dir_fd=self._folder.handle)
            path = self._folder.at(name)
            reserved.extend(map(FileIO, [path], ["x"], [True], [opener]))
            reserved[0].close()
            self.rename(name)
        except UnknownOutcomeError:
            raise
        except BaseException:
            if reserved:
                with suppress(OSError):
                    self._folder.unlink(name)
            raise

    def _unknown(self, error: OSError, name: str) -> UnknownOutcomeError:
        return UnknownOutcomeError(
            error.errno,
            f"{os.strerror(error.errno or 0)} while renaming: the file may exist. "
            "Check for it or save again",
            f"{self._folder.path}{os.sep}{name}",
        )


def _allocate(handle: int, size: int) -> None:
    if hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(handle, 0, size)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise


def _renamed_exclusively(folder: Folder, old: str, new: str) -> bool:
    """
    Rename a file atomically unless the new name is taken; tell whether it succeeded.

    Calls Linux's `renameat2(2)` with `RENAME_NOREPLACE`, which also works on file
    systems without hard links, such as FAT.

    Raises:
        FileExistsError: If the new name is taken.
        OSError: If it failed.
    """
    import ctypes

    handle, no_replace = folder.handle, 1
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    if not rename(handle, os.fsencode(old), handle, os.fsencode(new), no_replace):
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
