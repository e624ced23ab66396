"""The headers of many files, read side by side."""

from __future__ import annotations

import datetime
import mmap
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from checkpoints._files.container import open_container
from checkpoints._index.listing import Listing
from checkpoints.errors import CheckpointError, MissingDependencyError
from checkpoints.storage._store import Source, Store

__all__ = ["Header", "moment_of", "read_headers"]

R = TypeVar("R")

# Small enough to begin at once, large enough that a task costs nothing.
_AT_ONCE = 64
_THREADS = 8
# Times as long as it computes: more than a busy machine makes of it.
_WAITS = 4
# Holds the directory and the header of most files, and all of many.
_END = 1 << 16
_LARGEST = (1 << 63) - 1


class Header(NamedTuple):
    """
    What a table has of a header; what is not as it was written is None.

    Args:
        tags: The tags, with their types.
        run: The id of the run.
        sequence: The number of the save in its process.
        saved: When it was saved, UTC.
        values: Name, kind, dtype, shape and bytes of each value.
    """

    tags: tuple[tuple[str, Any], ...]
    run: str | None
    sequence: int | None
    saved: datetime.datetime | None
    values: list[dict[str, Any]]

    @classmethod
    def of(cls, meta: Mapping[str, Any]) -> Header:
        """Return what is kept of a header."""
        values = [_described(name, node) for name, node in meta["values"].items()]
        return cls(
            meta["tags"],
            _text(meta.get("run")),
            _count(meta.get("sequence")),
            moment_of(meta),
            values,
        )


def moment_of(meta: Mapping[str, Any]) -> datetime.datetime | None:
    """Return when a file was saved, UTC."""
    try:
        found: datetime.datetime = meta["time"].astimezone(datetime.UTC)
    except (OverflowError, ValueError):  # at the end of all years
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
    is_count = type(found) is int and 0 <= found <= _LARGEST
    return found if is_count and isinstance(found, int) else None


def read_headers(
    listing: Listing, kept: Callable[[dict[str, Any]], R]
) -> Iterator[R | CheckpointError | OSError]:
    """
    Yield what is kept of each header, in order, or the error of one that is damaged.

    Args:
        listing: The files.
        kept: What to keep of a header; a million whole ones would fill the memory.

    Raises:
        MissingDependencyError: If one is Parquet, and pyarrow is not installed.
    """
    read, remaining = partial(_read, listing.store, kept), listing.stored_names()
    while some := list(islice(remaining, _AT_ONCE)):
        begun, busy = time.perf_counter(), time.thread_time()
        yield from read(some)
        # Threads compute one after the other, but wait for a disk side by side.
        if time.perf_counter() - begun > _WAITS * (time.thread_time() - busy):
            yield from _side_by_side(remaining, read)


def _side_by_side(
    names: Iterator[str], read: Callable[[list[str]], list[R]]
) -> Iterator[R]:
    tasks: deque[Future[list[R]]] = deque()
    with ThreadPoolExecutor(_THREADS, "checkpoints-headers") as pool:
        while True:
            while len(tasks) < 2 * _THREADS and (some := list(islice(names, _AT_ONCE))):
                tasks.append(pool.submit(read, some))
            if not tasks:
                return
            yield from tasks.popleft().result()


def _read(
    store: Store, kept: Callable[[dict[str, Any]], R], names: list[str]
) -> list[R | CheckpointError | OSError]:
    return [_read_one(store, name, kept) for name in names]


def _read_one(
    store: Store, name: str, kept: Callable[[dict[str, Any]], R]
) -> R | CheckpointError | OSError:
    try:
        with store.open(name) as file:
            return kept(open_container(_ReadFromItsEnd(file)).header)
    except MissingDependencyError:
        raise
    except (CheckpointError, OSError) as error:
        # What led to it holds the file's bytes.
        return error.with_traceback(None)


class _ReadFromItsEnd:
    """A file whose end, where the header is, is read at once."""

    def __init__(self, file: Source) -> None:
        self._file = file
        self.path, self.size = file.path, file.size
        self._start = max(0, file.size - _END)
        self._end = bytearray(file.size - self._start)
        count = file.read_into(self._start, memoryview(self._end))
        del self._end[count:]  # cut short since its size was asked for

    def read_into(self, offset: int, buffer: memoryview) -> int:
        """Fill the buffer from the offset on; return how many bytes there were."""
        if offset < self._start:
            return self._file.read_into(offset, buffer)
        at = offset - self._start
        found = self._end[at : at + len(buffer)]
        buffer[: len(found)] = found
        return len(found)

    def map(self) -> mmap.mmap | None:
        """Return the whole file, mapped to be read."""
        return self._file.map()
