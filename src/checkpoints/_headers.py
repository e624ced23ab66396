"""The headers of many files, read side by side."""

from __future__ import annotations

import datetime
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from checkpoints._load import read_meta
from checkpoints.errors import CheckpointError, MissingDependencyError

__all__ = ["Header", "moment_of", "read_headers"]

R = TypeVar("R")

# Small enough to begin at once, large enough that a task costs nothing.
_AT_ONCE = 128
# More wait for a slow disk or a network than can compute.
_THREADS = min(8, 2 * (os.cpu_count() or 1))
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
    paths: Iterable[str], kept: Callable[[dict[str, Any]], R]
) -> Iterator[R | CheckpointError | OSError]:
    """
    Yield what is kept of each header, in order, or the error of one that is damaged.

    Args:
        paths: The files.
        kept: What to keep of a header; a million whole ones would fill the memory.

    Raises:
        MissingDependencyError: If one is Parquet, and pyarrow is not installed.
    """
    remaining = iter(paths)
    tasks: deque[Future[list[R | CheckpointError | OSError]]] = deque()
    with ThreadPoolExecutor(_THREADS, "checkpoints-headers") as pool:
        while True:
            while len(tasks) < 2 * _THREADS and (
                some := list(islice(remaining, _AT_ONCE))
            ):
                tasks.append(pool.submit(_read, some, kept))
            if not tasks:
                return
            yield from tasks.popleft().result()


def _read(
    paths: list[str], kept: Callable[[dict[str, Any]], R]
) -> list[R | CheckpointError | OSError]:
    return [_read_one(path, kept) for path in paths]


def _read_one(
    path: str, kept: Callable[[dict[str, Any]], R]
) -> R | CheckpointError | OSError:
    try:
        return kept(read_meta(path))
    except MissingDependencyError:
        raise
    except (CheckpointError, OSError) as error:
        # What led to it holds the file's bytes.
        return error.with_traceback(None)
