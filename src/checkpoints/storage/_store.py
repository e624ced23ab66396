"""The contract of a store, and of a file in it that is open for reading."""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol, TypeAlias

__all__ = [
    "Buffer",
    "Piece",
    "Segments",
    "Source",
    "Status",
    "Store",
    "gathered",
]

Buffer: TypeAlias = bytes | bytearray | memoryview
# An offset in the file and the bytes that start there.
Piece: TypeAlias = tuple[int, Buffer]
# A folder below a root, as the names of the folders on the way to it.
Segments: TypeAlias = "tuple[str, ...]"


class Status(NamedTuple):
    """
    What a store knows of a file without reading it.

    Args:
        size: Its size in bytes.
        time: When it was last modified, in nanoseconds since the epoch, UTC.
        mode: Its permissions.
        tag: What differs for another content under the same name; empty if the store
            has no such thing besides the time.
    """

    size: int
    time: int
    mode: int = 0o666
    tag: str = ""

    @classmethod
    def of(cls, found: os.stat_result) -> Status:
        """Return it for a file of the system."""
        return cls(found.st_size, found.st_mtime_ns, found.st_mode & 0o777)


class Source(Protocol):
    """
    A file that is open for reading.

    Args:
        path: Its path or URL, for people to read.
        name: Its name in its store.
        size: Its size in bytes.
    """

    path: str
    name: str
    size: int

    @property
    def status(self) -> Status:
        """Its size, time and permissions when it was opened."""
        ...

    def read_into(self, offset: int, buffer: memoryview) -> int:
        """Fill the buffer from an offset; return how many bytes were available."""
        ...

    def map(self) -> mmap.mmap | None:
        """
        Return the whole file, memory-mapped; None if the store cannot map files.

        The mapping outlives the file.
        """
        ...


class Store(Protocol):
    """
    Where bytes go: named files below a root.

    A name is one or more segments joined by slashes, on every operating system.
    The methods must be thread-safe. A store can be pickled, and is the same store in
    another process.

    Args:
        root: An absolute path, or a URL.
    """

    root: str

    @property
    def folds_case(self) -> bool:
        """Whether names that differ only in case are the same file."""
        ...

    def path_of(self, name: str) -> str:
        """Return the path or URL of a file, which `load` takes."""
        ...

    def put(
        self,
        names: Iterable[str],
        pieces: Iterable[Piece],
        size: int,
        *,
        replace: bool = False,
        durable: bool = False,
        mode: int = 0o666,
        time: int | None = None,
    ) -> str:
        """
        Write a file atomically under the first of the names that is free.

        Args:
            names: Names in the same folder, tried in this order.
            pieces: Offsets and bytes, which together make up the file, and stay as
                they are until it is written.
            size: The size of the file in bytes.
            replace: Take the first name, and replace an existing file.
            durable: Return only once the file would survive a power loss.
            mode: Its permissions, which may be narrowed, where a store has such.
            time: When it was last modified, in nanoseconds; by default now.

        Returns:
            The name that the file got.

        Raises:
            FileExistsError: If none of the names is free.
            UnknownOutcomeError: If it failed so late that the file may exist.
            OSError: If it cannot be written. No file is left behind then.
        """
        ...

    def open(self, name: str) -> AbstractContextManager[Source]:
        """
        Open a file for reading, as a context manager that closes it.

        Raises:
            FileNotFoundError: If it does not exist.
            IsADirectoryError: If it is a folder.
            OSError: If it cannot be read.
        """
        ...

    def status(self, name: str) -> Status | None:
        """Return size and time of a file; None if it does not exist or is hidden."""
        ...

    def statuses(self, names: Sequence[str]) -> Sequence[Status | None]:
        """Return the status of each of these files, in as few steps as possible."""
        ...

    def has(self, name: str) -> bool:
        """Tell whether there is a file under a name in exactly this case."""
        ...

    def check_root(self) -> None:
        """
        Check that the root exists and can be listed, without walking it.

        Raises:
            OSError: If it does not exist, or cannot be read.
        """
        ...

    def walk(
        self,
        enters: Callable[[Segments], bool] = ...,
        on_error: Callable[[OSError], object] = ...,
    ) -> Iterator[tuple[Segments, Sequence[str]]]:
        """
        Yield each folder, as its segments below the root, with its file names.

        The order is by segment: the contents of a folder come between the files that
        sort before and after it, so its parent can be yielded more than once.
        Unfinished files are left out, and a folder that disappears during the walk is
        skipped.

        Args:
            enters: Called with each folder below the root; if it returns false, the
                folder is not listed.
            on_error: Called with the error of each folder that cannot be listed.

        Raises:
            OSError: If the root does not exist, or cannot be read.
        """
        ...

    def delete(self, name: str) -> None:
        """
        Delete a file.

        Raises:
            FileNotFoundError: If it does not exist.
            OSError: If it cannot be deleted.
        """
        ...


def gathered(pieces: Iterable[Piece], size: int) -> list[Buffer]:
    """Return the bytes of a file in their order, as buffers that are no copies."""
    try:
        placed = sorted(pieces, key=lambda piece: piece[0])
    finally:
        # The generator may have a checksum thread running, which this ends.
        getattr(pieces, "close", bool)()
    buffers, end = list[Buffer](), 0
    for offset, piece in [*placed, (size, b"")]:
        if offset > end:
            buffers.append(bytes(offset - end))
        buffers.append(piece)
        end = offset + len(piece)
    return buffers[:-1] or buffers
