"""Verification: every byte of every file under a root, against its checksums."""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, TypeAlias

from checkpoints._files.container import open_container
from checkpoints._index.index import listing_of
from checkpoints._index.listing import Listing
from checkpoints._index.runs import index
from checkpoints._process.executor import Executor, Spread
from checkpoints._process.pickling import public
from checkpoints._text import printable
from checkpoints.errors import CheckpointError, ConfigError, CorruptFileError
from checkpoints.storage._store import Source, Store

__all__ = ["Verification", "verify"]

# The path of a file or folder, and the text of an error.
Problem: TypeAlias = tuple[str, str]
# Called with the bytes that are done and those of all files.
Progress: TypeAlias = Callable[[int, int], object]

# More threads would only wait for the same disk.
_MOST_WORKERS = 8
_BATCH = 10_000
# Seconds between two reports of a large file.
_INTERVAL = 1.0


@dataclass(frozen=True)
class Verification:
    """
    What `verify` found.

    Args:
        root: The root, as an absolute path or a URL.
        checked: The number of files that were read, intact or damaged.
        bytes: Their total size in bytes.
        damaged: Path and error text of each file that is damaged or not a checkpoint
            file.
        unreadable: Path and error text of each file that could not be checked, because
            it cannot be read, or needs a missing library or a later version; and of
            each folder that cannot be listed.
    """

    root: str
    checked: int
    bytes: int
    damaged: tuple[Problem, ...]
    unreadable: tuple[Problem, ...]

    def __reduce__(self) -> tuple[Any, ...]:
        return public(type(self)), tuple(vars(self).values())

    @property
    def ok(self) -> bool:
        """Whether every file was checked and is intact."""
        return not self.damaged and not self.unreadable

    def __str__(self) -> str:
        counts = (
            f"{self.checked:,} file{'s' * (self.checked != 1)}, {self.bytes:,} bytes: "
            f"{len(self.damaged):,} damaged, {len(self.unreadable):,} unreadable"
        )
        lines = [f"{printable(self.root)}: {counts}"]
        for word, problems in (
            ("damaged", self.damaged),
            ("unreadable", self.unreadable),
        ):
            lines += [f"{word}: {printable(_line(*problem))}" for problem in problems]
        return "\n".join(lines)


def _line(path: str, text: str) -> str:
    return text if path in text else f"{path}: {text}"


@dataclass(frozen=True)
class _Finding:
    """The result for one file: its damage, or why it could not be checked, if any."""

    path: str
    size: int = 0
    damage: str = ""
    obstacle: str = ""


def verify(
    root: str | os.PathLike[str],
    *,
    max_workers: int | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
    store_options: Mapping[str, Any] | None = None,
) -> Verification:
    """
    Read every checkpoint file under a root, and check every byte.

    Values are not decoded, so that their libraries are not needed, nothing in a file
    is run, and memory stays small however large the files are.

    Args:
        root: A folder, the URL of one, or a run, as for `index`.
        max_workers: How many files to read at a time; None means one for each
            processor, at most eight.
        executor: Whose workers read the files, instead of threads: a pool of
            `concurrent.futures`, or what has a `submit` like theirs, as Dask's
            `client.get_executor()`. They must see the files under the same paths.
        progress: Called after each file, and every second while a thread reads one, in
            the calling thread, with two integers: how many bytes are done, and how
            many all files have.
        store_options: For a URL, as for `FileHandler`.

    Returns:
        A report; its `.ok` tells whether all files are intact.

    Raises:
        FileNotFoundError: If there is no such folder.
        NotADirectoryError: If it is a file.
        ConfigError: If there is no such run, or `max_workers` is not a number of
            threads, or given together with an executor.
        ExecutorError: If the executor fails.
        Exception: Whatever `progress` raises, which ends the verification.

    >>> import tempfile
    >>> from checkpoints import FileHandler
    >>> root = tempfile.mkdtemp()
    >>> FileHandler(root).checkpoint("shop.total", 12)
    >>> found = verify(root)
    >>> found.checked, found.damaged, found.ok
    (1, (), True)
    """
    if max_workers is not None and (type(max_workers) is not int or max_workers < 1):
        raise ConfigError(
            f"invalid max_workers={max_workers!r}: expected a whole number from 1 up, "
            "or None"
        )
    if max_workers is not None and executor is not None:
        raise ConfigError("max_workers= is about threads; give it or executor=")
    spread = None if executor is None else Spread(executor)
    entries = index(root, store_options=store_options)
    listing = listing_of(entries)
    if spread is None:
        workers = max_workers or min(os.cpu_count() or 1, _MOST_WORKERS)
        findings = list(_findings(listing, workers, progress))
    else:
        findings = list(_findings_of(spread, listing, progress))
    checked = [found for found in findings if not found.obstacle]
    return Verification(
        root=entries.root,
        checked=len(checked),
        bytes=sum(found.size for found in checked),
        damaged=tuple((found.path, found.damage) for found in findings if found.damage),
        unreadable=(
            *(
                (str(error.filename), str(error.strerror))
                for error in entries.unreadable
            ),
            *((found.path, found.obstacle) for found in findings if found.obstacle),
        ),
    )


def _findings(
    listing: Listing, workers: int, progress: Progress | None
) -> Iterator[_Finding]:
    told = _Told(listing, progress)
    pool = ThreadPoolExecutor(workers, thread_name_prefix="checkpoints-verify")
    checks: list[_Check] = []
    try:
        names = listing.stored_names()
        # In batches, as a waiting task takes more memory than a name.
        while batch := list(islice(names, _BATCH)):
            checks = [_Check(listing.store, name) for name in batch]
            futures = [pool.submit(check.run) for check in checks]
            for check, future in zip(checks, futures, strict=True):
                told.follow(check, future)
                if (finding := future.result()) is not None:
                    yield finding
    finally:
        # After an error or interrupt no file is read to its end, which may take hours.
        for check in checks:
            check.is_stopped = True
        pool.shutdown(cancel_futures=True)


def _findings_of(
    spread: Spread, listing: Listing, progress: Progress | None
) -> Iterator[_Finding]:
    told = _Told(listing, progress)
    check = partial(_checked, listing.store)
    with closing(spread.in_order(check, listing.stored_names())) as chunks:
        for *_, found in chunks:
            for finding in found:
                told.advance()
                if finding is not None:
                    yield finding


def _checked(store: Store, names: Sequence[str]) -> list[_Finding | None]:
    """Check files, in a worker."""
    return [_Check(store, name).run() for name in names]


class _Told:
    """What `progress` is told: the bytes of the files so far, and of all."""

    def __init__(self, listing: Listing, progress: Progress | None) -> None:
        self._progress = progress
        self._sizes = iter(array("Q"))
        self._done = self._total = 0
        if progress is not None:
            statuses = listing.store.statuses([*listing.stored_names()])
            sizes = array("Q", (found.size if found else 0 for found in statuses))
            self._sizes, self._total = iter(sizes), sum(sizes)

    def follow(self, check: _Check, future: Future[Any]) -> None:
        """Tell of a file until it is done."""
        if self._progress is None:
            return
        size = next(self._sizes)
        while not wait([future], _INTERVAL).done:
            # A file can grow after it was listed.
            self._progress(self._done + min(check.count, size), self._total)
        self._tell(size)

    def advance(self) -> None:
        """Tell that the next file is done."""
        if self._progress is not None:
            self._tell(next(self._sizes))

    def _tell(self, size: int) -> None:
        self._done += size
        if self._progress is not None:
            self._progress(self._done, self._total)


class _StoppedError(Exception):
    """The verification ends before this file is read."""


class _Check:
    """The check of one file, which counts what it reads and can be stopped."""

    def __init__(self, store: Store, name: str) -> None:
        self.count = 0
        self.is_stopped = False
        self._store, self._name = store, name

    def run(self) -> _Finding | None:
        """Check the file; return None if it has disappeared."""
        path, size = self._store.path_of(self._name), 0
        try:
            with self._store.open(self._name) as file:
                size = file.size
                open_container(_Watched(file, self)).check()
        except (FileNotFoundError, _StoppedError):
            return None
        except CorruptFileError as error:
            return _Finding(path, size, damage=str(error))
        except (CheckpointError, OSError) as error:
            return _Finding(path, obstacle=str(error))
        except Exception as error:  # noqa: BLE001 - as a store of others may raise
            return _Finding(path, obstacle=f"{type(error).__name__}: {error}")
        return _Finding(path, size)

    def watch(self, count: int) -> int:
        """Count bytes that were read, and stop if that is asked for."""
        self.count += count
        if self.is_stopped:
            raise _StoppedError
        return count


class _Watched:
    """An open file whose check is told of each read."""

    def __init__(self, file: Source, check: _Check) -> None:
        self.path, self.size, self.map = file.path, file.size, file.map
        self.name, self.status = file.name, file.status
        self._read_into, self._watch = file.read_into, check.watch

    def read_into(self, offset: int, buffer: memoryview) -> int:
        """Fill the buffer from an offset; return how many bytes were available."""
        return self._watch(self._read_into(offset, buffer))
