"""Copies files from one store to another."""

from __future__ import annotations

import errno
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

from checkpoints._text import is_remote
from checkpoints.storage._local import LocalStore
from checkpoints.storage._store import Source, Status, Store

__all__ = ["Copier", "concerns_one_file"]

_CHUNK_BYTES = 1 << 20
_AT_A_TIME = 8
_WORTH_ASKING = 1 << 16
# What a system says of a name that it does not take, or of one folder or size.
_OF_ONE_FILE = {errno.EISDIR, errno.ENOTDIR, errno.ELOOP, errno.EACCES, errno.EPERM}
_OF_ONE_FILE |= {errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ, errno.EFBIG}


class Copier:
    """
    Copies files, and counts what became of them.

    A file that is there already is left, if it is the same; one that differs is told.
    So a copy can be repeated, and two can run at once.

    Args:
        source: Where the files are.
        target: Where they go.
        spell: Returns the name of a file in the target.
        advance: Called with the number of bytes just done.
        tell: Called with why a file was not copied.
        replaces: Whether a file that differs is replaced.
        moves: Whether the original is deleted once it is there.
    """

    def __init__(
        self,
        source: Store,
        target: Store,
        *,
        spell: Callable[[str], str],
        advance: Callable[[int], object],
        tell: Callable[[str], object],
        replaces: bool = False,
        moves: bool = False,
    ) -> None:
        self._source, self._target = source, target
        self._spell, self._advance, self._tell = spell, advance, tell
        self._replaces, self._moves = replaces, moves
        self._is_far = is_remote(source.root) or is_remote(target.root)
        self._lock = threading.Lock()
        # How many were copied, with how many bytes; were there; and were not copied.
        self.count = self.size = self.same = self.failed = 0

    def copy_all(self, names: Sequence[str], jobs: int | None = None) -> None:
        """
        Copy files.

        Args:
            names: The files.
            jobs: How many at a time; several, if a server answers each request.

        Raises:
            OSError: If the target cannot be written.
        """
        jobs = min(jobs or (_AT_A_TIME if self._is_far else 1), len(names))
        left, errors = deque(names), deque[BaseException]()
        helpers = list[threading.Thread]()
        # Daemons, as a program that ends waits no longer than it was told to.
        with suppress(RuntimeError):  # at its end no thread can be started
            for _ in range(jobs - 1):
                helper = threading.Thread(
                    target=self._help, args=(left, errors), daemon=True
                )
                helper.start()
                helpers.append(helper)
        try:
            self._copy_each(left)
        finally:
            for helper in helpers:
                helper.join()
        if errors:
            raise errors[0]

    def remove_empty(self, names: Sequence[str]) -> None:
        """Remove the folders that files were moved from, if they are empty."""
        if isinstance(self._source, LocalStore):
            self._source.remove_empty(names)

    def _help(self, left: deque[str], errors: deque[BaseException]) -> None:
        try:
            self._copy_each(left)
        except BaseException as error:  # noqa: BLE001 - raised in the first thread
            errors.append(error)

    def _copy_each(self, left: deque[str]) -> None:
        """Copy what is left, as other threads do; none goes on after an error."""
        try:
            while (name := _next_of(left)) is not None:
                self._copy(name)
        except BaseException:
            left.clear()
            raise

    def _copy(self, name: str) -> None:
        """Copy a file; report its own errors, and raise those of the target."""
        path = self._source.path_of(name)
        try:
            opened = self._source.open(name)
        except FileNotFoundError:
            return  # deleted since the folder was listed
        except OSError as error:
            self.fail(f"{path}: {error.strerror}")
            return
        try:
            with opened as file:
                if self._is_brought(file, self._spell(name)):
                    self._leave(file)
        except OSError:
            raise
        except Exception as error:  # noqa: BLE001 - as a store of others may raise
            self.fail(f"{path}: {type(error).__name__}: {error}")

    def _is_brought(self, file: Source, name: str) -> bool:
        """Copy a file, unless it is there; tell whether it is now."""
        if self._asks_first(file) and self._target.status(name) is not None:
            return self._is_same(file, name)
        try:
            self._put(file, name)
        except FileExistsError:
            return self._is_same(file, name)
        except _SourceError as error:
            self.fail(f"{file.path}: {error}")
        except OSError as error:
            if not concerns_one_file(error, self._target):
                raise
            copy = self._target.path_of(name)
            self.fail(f"{file.path}: {copy}: {error.strerror}")
        else:
            with self._lock:
                self.count, self.size = self.count + 1, self.size + file.size
            return True
        return False

    def _asks_first(self, file: Source) -> bool:
        """Tell whether to send a file takes longer than to ask if it is there."""
        is_large = file.size >= _WORTH_ASKING and not self._replaces
        return is_large and is_remote(self._target.root)

    def _leave(self, file: Source) -> None:
        """Delete an original, unless it was replaced since it was read."""
        if self._moves and self._source.status(file.name) == file.status:
            try:
                self._source.delete(file.name)
            except FileNotFoundError:
                pass  # another one has moved it too
            except OSError as error:
                self.fail(f"{file.path}: copied, but not deleted: {error.strerror}")

    def _put(self, file: Source, name: str) -> None:
        time, mode = file.status.time, file.status.mode
        old: Status | None = self._target.status(name) if self._replaces else None
        if old is not None:
            mode &= old.mode
        self._target.put(
            [name],
            self._chunks(file),
            file.size,
            replace=self._replaces,
            mode=mode,
            time=time,
        )

    def _chunks(self, file: Source) -> Iterator[tuple[int, memoryview]]:
        for start in range(0, file.size, _CHUNK_BYTES):
            chunk = memoryview(bytearray(min(_CHUNK_BYTES, file.size - start)))
            try:
                count = file.read_into(start, chunk)
            except OSError as error:
                raise _SourceError(error.strerror) from error
            if count != len(chunk):
                raise _SourceError("truncated while it was read")
            yield start, chunk
            self._advance(len(chunk))

    def _is_same(self, file: Source, name: str) -> bool:
        """Count an existing file if it is the same; otherwise report it."""
        existing = self._target.path_of(name)
        reason = "differs; replace it with --force"
        try:
            with self._target.open(name) as other:
                if _are_same(file, other):
                    self._advance(file.size)
                    with self._lock:
                        self.same += 1
                    return True
        except OSError as error:  # a link, or deleted just now
            reason = f"cannot be compared: {existing}: {error.strerror}"
        self.fail(f"{existing} exists and {reason}")
        return False

    def fail(self, reason: str) -> None:
        """Count a file that is not copied, and tell why."""
        with self._lock:
            self.failed += 1
        self._tell(reason)


def concerns_one_file(error: OSError, target: Store) -> bool:
    """Tell whether a file cannot be written, but others perhaps can."""
    if isinstance(error, (IsADirectoryError, NotADirectoryError)):
        return True
    # A server says such things of the whole bucket.
    return error.errno in _OF_ONE_FILE and not is_remote(target.root)


def _are_same(file: Source, other: Source) -> bool:
    if file.size != other.size:
        return False
    one, two = bytearray(_CHUNK_BYTES), bytearray(_CHUNK_BYTES)
    for start in range(0, file.size, _CHUNK_BYTES):
        counts = {
            file.read_into(start, memoryview(one)),
            other.read_into(start, memoryview(two)),
        }
        if len(counts) > 1 or one != two:
            return False
    return True


def _next_of(left: deque[str]) -> str | None:
    with suppress(IndexError):  # another thread may take the last one
        return left.popleft()
    return None


class _SourceError(Exception):
    """A file cannot be read to its end; others may be readable."""
