"""Verifying: every byte of every file under a root, against its checksums."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from checkpoints._files.container import open_container
from checkpoints._index.index import index
from checkpoints._index.listing import Listing
from checkpoints._process.pickling import public
from checkpoints._text import printable
from checkpoints.errors import CheckpointError, ConfigError, CorruptFileError
from checkpoints.storage._store import Store

__all__ = ["Verification", "verify"]

Told = tuple[str, str]

# More threads than this wait for the same disk.
_MOST_WORKERS = 8
_BATCH = 10_000


@dataclass(frozen=True)
class Verification:
    """
    What `verify` found.

    Args:
        root: The root, as an absolute path or a URL.
        checked: How many files were read to their end, whole or damaged.
        bytes: How many bytes they have.
        damaged: Path and error text of each file that is damaged, or no checkpoint.
        unreadable: Path and error text of each file that could not be checked: it may
            not be read, or needs a library or a version that is not here; and of each
            folder that may not be listed.
    """

    root: str
    checked: int
    bytes: int
    damaged: tuple[Told, ...]
    unreadable: tuple[Told, ...]

    def __reduce__(self) -> tuple[Any, ...]:
        return public(type(self)), tuple(vars(self).values())

    @property
    def ok(self) -> bool:
        """Whether every file was checked, and is whole."""
        return not self.damaged and not self.unreadable

    def __str__(self) -> str:
        counts = (
            f"{self.checked:,} file{'s' * (self.checked != 1)}, {self.bytes:,} bytes: "
            f"{len(self.damaged):,} damaged, {len(self.unreadable):,} unreadable"
        )
        lines = [f"{printable(self.root)}: {counts}"]
        for word, told in (("damaged", self.damaged), ("unreadable", self.unreadable)):
            lines += [f"{word}: {printable(_whole(*each))}" for each in told]
        return "\n".join(lines)


def _whole(path: str, text: str) -> str:
    return text if path in text else f"{path}: {text}"


@dataclass(frozen=True)
class _Finding:
    """What became of one file."""

    path: str
    size: int = 0
    damage: str = ""
    hindrance: str = ""


def verify(
    root: str | os.PathLike[str],
    *,
    max_workers: int | None = None,
    progress: bool | None = None,
) -> Verification:
    """
    Read every checkpoint file under a root, and check every byte.

    Values are not decoded, so no library of theirs is needed, nothing in a file is
    run, and memory stays small however large the files are.

    Args:
        root: A folder, or a URL of one.
        max_workers: How many files to read at a time; None means one for each
            processor, at most eight.
        progress: Show a bar on stderr. None means where it is a terminal; rich has to
            be installed for it.

    Returns:
        What was found; `.ok` tells whether all is whole.

    Raises:
        FileNotFoundError: If there is no such folder.
        NotADirectoryError: If it is a file.
        ConfigError: If `max_workers` is no number of threads.

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
            f"max_workers={max_workers!r} has to be a whole number from 1 on, or None"
        )
    entries = index(root)
    workers = max_workers or min(os.cpu_count() or 1, _MOST_WORKERS)
    with _bar(len(entries), progress) as advance:
        listing = entries._listing  # noqa: SLF001 - of the same room
        findings = list(_findings(listing, workers, advance))
    whole = [it for it in findings if not it.hindrance]
    return Verification(
        root=entries.root,
        checked=len(whole),
        bytes=sum(it.size for it in whole),
        damaged=tuple((it.path, it.damage) for it in findings if it.damage),
        unreadable=(
            *((str(it.filename), str(it.strerror)) for it in entries.unreadable),
            *((it.path, it.hindrance) for it in findings if it.hindrance),
        ),
    )


def _findings(
    listing: Listing, workers: int, advance: Callable[[], object]
) -> Iterator[_Finding]:
    pool = ThreadPoolExecutor(workers, thread_name_prefix="checkpoints-verify")
    try:
        names = listing.stored_names()
        # Some at a time: what waits for a thread takes more memory than its name.
        while batch := list(islice(names, _BATCH)):
            for finding in pool.map(partial(_checked, listing.store), batch):
                advance()
                if finding is not None:
                    yield finding
    finally:
        # After an interrupt nobody wants the rest of a million files.
        pool.shutdown(cancel_futures=True)


def _checked(store: Store, name: str) -> _Finding | None:
    """Check a file; None where it has vanished meanwhile."""
    path, size = store.path_of(name), 0
    try:
        with store.open(name) as file:
            size = file.size
            open_container(file).check()
    except FileNotFoundError:
        return None
    except CorruptFileError as error:
        return _Finding(path, size, damage=str(error))
    except (CheckpointError, OSError) as error:
        return _Finding(path, hindrance=str(error))
    return _Finding(path, size)


@contextmanager
def _bar(total: int, wanted: bool | None) -> Iterator[Callable[[], object]]:  # noqa: FBT001 - handed through
    """Show a bar, where there can be one; yield what is called after each file."""
    if wanted is None:
        wanted = sys.stderr is not None and sys.stderr.isatty()
    rich = _rich() if wanted else None
    if rich is None:
        yield bool
        return
    console = rich.console.Console(stderr=True)
    # A file or a pipe cannot take back what it was given, and keeps the last state.
    transient = console.is_terminal
    with rich.progress.Progress(console=console, transient=transient) as bar:
        task = bar.add_task("verify", total=total)
        yield lambda: bar.advance(task)


def _rich() -> Any:
    try:
        import rich.console
        import rich.progress
    except ImportError:
        return None
    return rich
