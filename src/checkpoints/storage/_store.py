"""What a store is, and a file in it that is open to be read."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol, TypeAlias

__all__ = ["Piece", "Segments", "Source", "Status", "Store"]

# An offset and the bytes that begin there.
Piece: TypeAlias = "tuple[int, bytes | bytearray | memoryview]"
# A folder below a root, as the names of the folders that lead to it.
Segments: TypeAlias = "tuple[str, ...]"


class Source(Protocol):
    """
    A file that is open to be read.

    Args:
        path: Where it lies, for people: a path or a URL.
        size: How many bytes it has.
    """

    path: str
    size: int

    def read_into(self, offset: int, buffer: memoryview) -> int:
        """Fill the buffer from the offset on; return how many bytes there were."""
        ...

    def map(self) -> mmap.mmap | None:
        """
        Return the whole file, mapped to be read; None where nothing is mapped.

        What is mapped stays when the file is closed.
        """
        ...


class Status(NamedTuple):
    """
    What a store knows of a file without opening it.

    Args:
        size: How many bytes it has.
        time: When it was last changed, in nanoseconds since the epoch, UTC.
    """

    size: int
    time: int


class Store(Protocol):
    """
    Where bytes go: files with names below a root.

    A name is one or more segments with slashes between them, whatever the system has.
    Its methods are called from many threads at once. It can be pickled, and is the
    same store in another process.

    Args:
        root: The root: an absolute path, or a URL.
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
    ) -> str:
        """
        Write a file under the first of the names that is free, whole or not at all.

        Args:
            names: Names of the same folder, tried in this order.
            pieces: Offset and bytes, which together make up the file.
            size: The size of the file in bytes.
            replace: Take the first name, and whatever lies there is gone.
            durable: Return only when the file outlasts a loss of power.

        Returns:
            The name that was taken.

        Raises:
            FileExistsError: If none of the names is free.
            UnknownOutcomeError: If an error came so late that the file may be there.
            OSError: If it cannot be written. No file is left behind then.
        """
        ...

    def open(self, name: str) -> AbstractContextManager[Source]:
        """
        Open a file to be read, and closed by its `with`.

        Raises:
            FileNotFoundError: If it is not there.
            IsADirectoryError: If it is a folder.
            OSError: If it may not be read.
        """
        ...

    def status(self, name: str) -> Status | None:
        """Return what is known of a file; None if it is not there, or hidden."""
        ...

    def has(self, name: str) -> bool:
        """Tell whether there is a file under a name in exactly this case."""
        ...

    def check_root(self) -> None:
        """
        Look at the root, without a walk.

        Raises:
            OSError: If it is not there, or may not be read.
        """
        ...

    def walk(
        self,
        enters: Callable[[Segments], bool] = ...,
        on_error: Callable[[OSError], object] = ...,
    ) -> Iterator[tuple[Segments, Sequence[str]]]:
        """
        Yield each folder, as its segments below the root, with its file names.

        Sorted segment by segment: what lies in a folder comes between the files before
        and behind it, so a folder can be told more than once. Unfinished files are
        left out, and a folder that vanishes meanwhile is passed over.

        Args:
            enters: Asked for each folder below the root before it is listed.
            on_error: Called with the error of each folder that cannot be listed.

        Raises:
            OSError: If the root is not there, or may not be read.
        """
        ...

    def delete(self, name: str) -> None:
        """
        Delete a file.

        Raises:
            FileNotFoundError: If it is not there.
            OSError: If it cannot be deleted.
        """
        ...
