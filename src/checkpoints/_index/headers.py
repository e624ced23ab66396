"""The headers of many files, read in parallel."""

from __future__ import annotations

import datetime
import mmap
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

from checkpoints._files.container import Container, open_container
from checkpoints._index.listing import Listing
from checkpoints._text import is_remote
from checkpoints.errors import CheckpointError, MissingDependencyError
from checkpoints.storage._store import Source, Status, Store

__all__ = [
    "Began",
    "Header",
    "ReadOnce",
    "moment_of",
    "read_containers",
    "read_headers",
    "read_runs",
]

R = TypeVar("R")

# The run that saved a file, and when.
Began: TypeAlias = tuple[object, datetime.datetime | None]

# Small enough to give results early, large enough to make the cost of a task small.
_BATCH = 64
_THREADS = 8
# Each takes the time of a request, and there may be few.
_FAR_BATCH = 4
# Reading waits for the disk if it takes this many times its CPU time. Other load on
# the machine alone makes less of a difference.
_WAIT_RATIO = 4
# Contains the directory and the header of most files, and many files as a whole.
_TAIL = 1 << 13
_LARGEST_COUNT = (1 << 63) - 1
# So many extracts take about 20 MB.
_MOST_KEPT = 20_000


class Header(NamedTuple):
    """
    The fields of a header that tables show; a field that is not valid is None.

    Args:
        tags: The tags, with their types.
        run: The id of the run.
        sequence: The number of the save in its process.
        saved: The time of the save, in UTC.
        values: Name, kind, dtype, shape and bytes of each value.
    """

    tags: tuple[tuple[str, Any], ...]
    run: str | None
    sequence: int | None
    saved: datetime.datetime | None
    values: list[dict[str, Any]]

    @classmethod
    def of(cls, meta: Mapping[str, Any]) -> Header:
        """Return the fields of a header."""
        values = [_described(name, node) for name, node in meta["values"].items()]
        return cls(
            meta["tags"],
            _text(meta.get("run")),
            _count(meta.get("sequence")),
            moment_of(meta),
            values,
        )


def moment_of(meta: Mapping[str, Any]) -> datetime.datetime | None:
    """Return the time of the save in UTC; None if a datetime cannot express it."""
    try:
        found: datetime.datetime = meta["time"].astimezone(datetime.UTC)
    except (OverflowError, ValueError):  # in year 1 or 9999
        return None
    return found


def _described(name: str, node: Mapping[str, Any]) -> dict[str, Any]:
    shape = node.get("shape")
    is_shape = isinstance(shape, list) and all(_count(n) is not None for n in shape)
    return {
        "name": name,
        "kind": node["kind"],
        "dtype": _text(node.get("dtype", node.get("type"))),
        "shape": shape if is_shape else None,
        "bytes": _count(node.get("bytes")),
    }


def _text(found: object) -> str | None:
    return found if isinstance(found, str) else None


def _count(found: object) -> int | None:
    is_count = type(found) is int and 0 <= found <= _LARGEST_COUNT
    return found if is_count and isinstance(found, int) else None


def read_headers(
    listing: Listing, extract: Callable[[dict[str, Any]], R]
) -> Iterator[R | CheckpointError | OSError]:
    """Yield an extract of each header, as `read_containers` does of each file."""
    return read_containers(listing, lambda container: extract(container.header))


def read_containers(
    listing: Listing, extract: Callable[[Container], R]
) -> Iterator[R | CheckpointError | OSError]:
    """
    Yield an extract of each file, in order, or the error of a damaged one.

    Args:
        listing: The files.
        extract: Returns what to keep of a file whose header was read; a million whole
            headers would fill the memory.

    Raises:
        MissingDependencyError: If one is Parquet, and pyarrow is not installed.
    """
    read, remaining = partial(_read, listing.store, extract), listing.stored_names()
    if is_remote(listing.store.root):
        yield from _in_parallel(remaining, read, _FAR_BATCH)
        return
    while names := list(islice(remaining, _BATCH)):
        started, cpu = time.perf_counter(), time.thread_time()
        yield from read(names)
        # The interpreter lock serializes computing in threads, but not waiting.
        if time.perf_counter() - started > _WAIT_RATIO * (time.thread_time() - cpu):
            yield from _in_parallel(remaining, read)


def read_runs(listing: Listing) -> Iterator[Began | CheckpointError | OSError]:
    """Yield the run and the time of each save, or the error of a damaged file."""
    return read_headers(listing, _began)


def _began(meta: Mapping[str, Any]) -> Began:
    return meta.get("run"), moment_of(meta)


class ReadOnce(Generic[R]):
    """
    Reads files whose runs have to be known before it is known which files count.

    What is needed of those is kept while the runs are read.

    Args:
        extract: Returns what is needed of a file.
    """

    def __init__(self, extract: Callable[[Container], R]) -> None:
        self._extract = extract
        self._kept: dict[str, tuple[Began, R] | CheckpointError | OSError] = {}

    def runs(self, listing: Listing) -> Iterator[Began | CheckpointError | OSError]:
        """Yield the run and the time of each save, and keep the extract."""
        for path, found in self._read(listing):
            if len(self._kept) < _MOST_KEPT:
                self._kept[path] = found
            yield found if isinstance(found, Exception) else found[0]

    def extracts(self, listing: Listing) -> Iterator[R | CheckpointError | OSError]:
        """Yield the extract of each file, or the error of a damaged one."""
        for _, found in self._read(listing):
            yield found if isinstance(found, Exception) else found[1]

    def _read(
        self, listing: Listing
    ) -> Iterator[tuple[str, tuple[Began, R] | CheckpointError | OSError]]:
        # What is kept meanwhile must not change which files are unread.
        kept = self._kept.copy()
        unread = listing.picked(
            at for at, path in enumerate(listing.paths()) if path not in kept
        )
        fresh = read_containers(unread, self._both)
        for path in listing.paths():
            yield path, kept[path] if path in kept else next(fresh)

    def _both(self, container: Container) -> tuple[Began, R]:
        return _began(container.header), self._extract(container)


def _in_parallel(
    remaining: Iterator[str], read: Callable[[list[str]], list[R]], size: int = _BATCH
) -> Iterator[R]:
    tasks: deque[Future[list[R]]] = deque()
    with ThreadPoolExecutor(_THREADS, "checkpoints-headers") as pool:
        while True:
            while len(tasks) < 2 * _THREADS and (
                names := list(islice(remaining, size))
            ):
                tasks.append(pool.submit(read, names))
            if not tasks:
                return
            yield from tasks.popleft().result()


def _read(
    store: Store, extract: Callable[[Container], R], names: list[str]
) -> list[R | CheckpointError | OSError]:
    return [_read_one(store, name, extract) for name in names]


def _read_one(
    store: Store, name: str, extract: Callable[[Container], R]
) -> R | CheckpointError | OSError:
    try:
        with store.open(name) as file:
            return extract(open_container(_TailFirst(file)))
    except MissingDependencyError:
        raise
    except (CheckpointError, OSError) as error:
        # The traceback would keep the file's bytes alive.
        return error.with_traceback(None)
    except Exception as error:  # noqa: BLE001 - as a store of others may raise
        path = store.path_of(name)
        return CheckpointError(f"{path}: {type(error).__name__}: {error}")


class _TailFirst:
    """A file whose tail, which contains the header, is read in one go."""

    def __init__(self, file: Source) -> None:
        self._file = file
        self.path, self.name, self.size = file.path, file.name, file.size
        self._start = max(0, file.size - _TAIL)
        self._tail = bytearray(file.size - self._start)
        count = file.read_into(self._start, memoryview(self._tail))
        del self._tail[count:]  # truncated since its size was determined

    @property
    def status(self) -> Status:
        """Its size, time and permissions when it was opened."""
        return self._file.status

    def read_into(self, offset: int, buffer: memoryview) -> int:
        """Fill the buffer from an offset; return how many bytes were available."""
        if offset < self._start:
            return self._file.read_into(offset, buffer)
        at = offset - self._start
        found = self._tail[at : at + len(buffer)]
        buffer[: len(found)] = found
        return len(found)

    def map(self) -> mmap.mmap | None:
        """Return the whole file, memory-mapped for reading."""
        return self._file.map()
