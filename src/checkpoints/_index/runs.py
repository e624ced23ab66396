"""The runs under a root, from their records, or from headers if they have none."""

from __future__ import annotations

import dataclasses
import datetime
import logging
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeAlias

from checkpoints._files.run_record import DEFAULT_ROOT, RUNS, read_record
from checkpoints._index.entry import path_of
from checkpoints._index.headers import Began, read_runs
from checkpoints._index.index import Index, index_under, index_with, listing_of
from checkpoints._index.listing import Listing
from checkpoints._index.order import runs_of
from checkpoints._index.place import chosen_run, split_run
from checkpoints._index.run import Run
from checkpoints._text import is_remote, shown
from checkpoints.errors import ConfigError
from checkpoints.storage._store import Segments, Store
from checkpoints.storage._stores import open_store

__all__ = [
    "SharedFolders",
    "index",
    "runs",
]

logger = logging.getLogger("checkpoints")

_WHY_NOTHING = (
    "If nothing was saved, enabled() and rules() show what is switched on and where it "
    "is saved"
)

ReadRuns: TypeAlias = Callable[[Listing], Iterator[Began | Exception]]

_BEFORE_ALL = datetime.datetime.min.replace(tzinfo=datetime.UTC)
# Reading their headers takes about a second.
_MOST_READ = 10_000


def runs(
    root: str | os.PathLike[str] = DEFAULT_ROOT,
    *,
    store_options: Mapping[str, Any] | None = None,
) -> list[Run]:
    """
    List the runs that saved under a root, from the first to the last.

    Each run has a record beside its files. Runs of a version that kept no records are
    found by the headers of their files, at most 10,000, evenly spread.

    Args:
        root: A folder, or the URL of one; by default `.checkpoints`.
        store_options: For a URL, as for `FileHandler`.

    Raises:
        FileNotFoundError: If there is no such folder.
        NotADirectoryError: If it is a file.
        ConfigError: If it is not a path, or an empty one.

    >>> import tempfile
    >>> from checkpoints import checkpoint, config
    >>> root = tempfile.mkdtemp()
    >>> with config("shop", f"{root}/run={{run}}"):
    ...     checkpoint("shop.total", 12)
    >>> run = runs(root)[-1]
    >>> run.state, run.entries()[0].load()
    ('unfinished', {'data': 12})
    """
    return SharedFolders().runs(root, store_options)


def index(
    root: str | os.PathLike[str],
    *,
    all_files: bool = False,
    store_options: Mapping[str, Any] | None = None,
) -> Index:
    """
    List the files saved under a root, from their paths alone; no file is opened.

    The root is walked when the index is first used. Folders that cannot be read are
    logged and left out.

    Args:
        root: A folder, or the URL of one. `"ROOT@RUN"` means one of its runs, where RUN
            is an id or the beginning of one, a name, which means the last run of that
            name, or `last`; `~1` after it means the run before it. Without a root,
            `"@last"`, it is a run under `.checkpoints`.
        all_files: Include files that are not checkpoint files; not for a run.
        store_options: For a URL, as for `FileHandler`.

    Returns:
        A sequence of `Entry`, in the order of their paths.

    Raises:
        FileNotFoundError: If there is no such folder.
        NotADirectoryError: If it is a file.
        ConfigError: If it is not a path, or an empty one, or if there is no such run,
            or several; the message says which runs there are.

    >>> import tempfile
    >>> from checkpoints import checkpoint, config, tags
    >>> root = tempfile.mkdtemp()
    >>> with config("shop", root), tags(day="monday"):
    ...     checkpoint("shop.total", 12)
    >>> index(root)[0]
    <Entry shop.total, day=monday>
    >>> index(f"{root}@last")[0].load()
    {'data': 12}
    """
    place = path_of(root)
    above, wanted = split_run(place, store_options)
    if wanted is None:
        try:
            return Index(_open_root(place, store_options), all_files=all_files)
        except FileNotFoundError as error:
            error.add_note(_WHY_NOTHING)
            raise
    if all_files:
        raise ConfigError(f"all_files is for a root, not for a run: {shown(place)}")
    known = runs(above, store_options=store_options)
    return chosen_run(known, wanted, above).entries()


def _is_name(text: str) -> bool:
    """Tell whether the last run under the default root saved a name."""
    with suppress(ConfigError, OSError):
        return bool(index(f"{DEFAULT_ROOT}@last").where(text))
    return False


class SharedFolders:
    """
    The files of several runs: a folder that they share is walked and read only once.

    Args:
        read: Yields the run and the time of each file of a listing, or an error.

    >>> import tempfile
    >>> from checkpoints import FileHandler
    >>> root = tempfile.mkdtemp()
    >>> FileHandler(root).checkpoint("shop.total", 12)
    >>> SharedFolders().entries(runs(root)[0])
    <Index of 1 entry under ...>
    """

    def __init__(self, read: ReadRuns = read_runs) -> None:
        self._read = read
        self._files: dict[str, Index] = {}
        self._runs: dict[str, dict[str, Index]] = {}

    def runs(
        self,
        root: str | os.PathLike[str],
        store_options: Mapping[str, Any] | None = None,
    ) -> list[Run]:
        """List the runs that saved under a root, as the function `runs` does."""
        store = _open_root(path_of(root), store_options)
        found = _Records(store)
        if found.is_whole:
            self._files[store.root] = index_with(found.rest)
        known = {run.id: run for run in found.runs()}
        for run in _without_record(store, found.rest, self._read):
            known.setdefault(run.id, run)
        ordered = sorted(
            known.values(), key=lambda run: (run.started or _BEFORE_ALL, run.id)
        )
        return [
            dataclasses.replace(run, root=store.root, store_options=store_options)
            for run in ordered
        ]

    def files(
        self, folder: str, store_options: Mapping[str, Any] | None = None
    ) -> Index:
        """Return all files in a folder, whatever run they are of."""
        path = open_store(folder, store_options).root
        if path not in self._files:
            self._files[path] = index_under(folder, store_options)
        return self._files[path]

    def entries(self, run: Run) -> Index:
        """Return the entries of a run, as `Run.entries` does."""
        found = self.files(run.path, run.store_options)
        if run.is_alone:
            return found
        return self._by_run(run).get(run.id, found[:0])

    def of_no_run(self, run: Run) -> int:
        """Return how many files in the folder of a run may be of any run."""
        of_runs = sum(map(len, self._by_run(run).values()))
        return len(self.files(run.path, run.store_options)) - of_runs

    def _by_run(self, run: Run) -> Mapping[str, Index]:
        if run.path not in self._runs:
            found = self.files(run.path, run.store_options)
            positions = runs_of(listing_of(found), self._read)
            self._runs[run.path] = {it: found[own] for it, own in positions.items()}
        return self._runs[run.path]


def _open_root(given: str, store_options: Mapping[str, Any] | None) -> Store:
    """Return the store of a root, which must be there."""
    store = open_store(given, store_options)
    try:
        store.check_root()
    except FileNotFoundError as error:
        if is_remote(store.root):
            raise
        hints = getattr(error, "__notes__", ())
        told = f"folder {given!r} does not exist{_hint(given, *hints)}"
        raise FileNotFoundError(told) from None
    except NotADirectoryError as error:
        raise NotADirectoryError(f"{given!r} is a file; give its folder") from error
    return store


def _hint(root: str, *hints: str) -> str:
    """
    Return a hint for a folder that is not there, with what comes before it.

    Args:
        root: What people wrote as a root; they may have meant a run, or a name.
        *hints: What the store knows.
    """
    if root == DEFAULT_ROOT:
        return (
            "; give the folder that was saved to, or save to this one: checkpoints run "
            "NAME -- PROGRAM"
        )
    otherwise = f"; {hints[0]}" if hints else ": nothing was saved there"
    if not root or set(root) & {"/", "\\"}:
        return otherwise
    try:
        chosen_run(runs(DEFAULT_ROOT), root, DEFAULT_ROOT)
    except OSError:
        return otherwise
    except ConfigError as error:
        if _is_name(root):
            return f"; it is a name: checkpoints ls @last {root}, diff --name {root}"
        return otherwise if hints else f", and {error}"
    return f"; did you mean {f'{DEFAULT_ROOT}@{root}'!r}?"


class _Records:
    """
    The records of runs under a root.

    Args:
        store: The store of the root.

    Attributes:
        rest: The files that lie in no run's own folder.
        is_whole: Whether these are all files, because no run has a folder of its own.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._found: dict[Segments, list[Mapping[str, Any]]] = {}
        self._entered: set[Segments] = set()
        # A folder with records is entered only if other runs may be below it, and
        # that is known once they are read.
        while True:
            self._walk()
            shared = {folder for folder in self._found if not self._own(folder)}
            if shared <= self._entered:
                break
            self._entered |= shared

    def _walk(self) -> None:
        skipped: set[Segments] = set()
        unreadable: list[OSError] = []

        def enters(folder: Segments) -> bool:
            if folder[-1] == RUNS:
                skipped.add(folder[:-1])
                return folder[:-1] not in self._found
            return folder[:-1] not in skipped or folder[:-1] in self._entered

        walk = self._store.walk(enters, unreadable.append)
        found = Listing.walked(self._store, self._with_records_read(walk))
        own = {at for at, folder in enumerate(found.folders) if self._own((*folder,))}
        self.rest = found.picked(
            at for at, place in enumerate(found.places) if place not in own
        )
        self.is_whole = not unreadable and skipped <= self._entered

    def _with_records_read(
        self, walk: Iterable[tuple[Segments, Sequence[str]]]
    ) -> Iterator[tuple[Segments, Sequence[str]]]:
        for folder, names in walk:
            if folder[-1:] == (RUNS,):
                self._found[folder[:-1]] = list(self._read(folder, names))
            else:
                yield folder, names

    def _read(
        self, folder: Segments, names: Iterable[str]
    ) -> Iterator[Mapping[str, Any]]:
        for name in names:
            record = read_record(self._store, "/".join((*folder, name)))
            if record and isinstance(record.get("run"), str):
                yield record

    def _own(self, folder: Segments) -> bool:
        """Tell whether a folder belongs to a single run."""
        records = self._found.get(folder, ())
        starts = [it for it in records if "ended" not in it]
        return len(starts) == 1 and starts[0].get("own_folder") is True

    def runs(self) -> Iterator[Run]:
        """Yield the runs that have records, in any order."""
        starts: dict[str, dict[Segments, Mapping[str, Any]]] = defaultdict(dict)
        ends: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        for folder, records in self._found.items():
            for record in records:
                if "ended" in record:
                    ends[record["run"]].append(record)
                else:
                    starts[record["run"]][folder] = record
        for run, by_folder in starts.items():
            (folder, start), *others = by_folder.items()
            # Of a run with several folders, the root contains all files.
            is_alone = not others and self._own(folder)
            shared = () if others else folder
            path = self._store.path_of("/".join(shared)) if shared else self._store.root
            yield Run.of(path, start, ends[run], is_alone=is_alone)


def _without_record(store: Store, rest: Listing, read: ReadRuns) -> Iterator[Run]:
    """Yield the runs that saved these files, by their headers."""
    step = -(-len(rest) // _MOST_READ) or 1
    if step > 1:
        logger.warning(
            "%r: of %d files outside the folders of runs, only one in %d was read, so "
            "runs without a record may be missing",
            store.root,
            len(rest),
            step,
        )
    starts: dict[str, datetime.datetime] = {}
    for found in read(rest.sliced(slice(None, None, step))):
        if not isinstance(found, Exception) and isinstance(found[0], str):
            run, moment = found[0], found[1] or _BEFORE_ALL
            starts[run] = min(starts.get(run, moment), moment)
    for run, moment in starts.items():
        yield Run(run, store.root, None if moment == _BEFORE_ALL else moment)
