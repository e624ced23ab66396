"""The files that a walk found, in columns, so that millions take little memory."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from checkpoints._files.run_record import RUNS
from checkpoints._index.entry import (
    CONTAINERS,
    Entry,
    key_of,
    start_of,
    stem_and_number,
)
from checkpoints._index.filter import EntryFilter
from checkpoints._keys.comparison import read_like
from checkpoints._keys.julia_path import JULIA, Verbatim, is_ambiguous
from checkpoints._text import count_text, hint, known_text, shown
from checkpoints.errors import ConfigError
from checkpoints.storage._store import Segments, Store

__all__ = ["Listing", "why_none"]

# The dots of a suffix. A name has none in a path, so that more mean a number.
_DOTS = 2
# Conditions that are likely meant for the name of an entry, which is no tag.
_NAMES = ("name", "names")


class Listing:
    """
    A sequence of files, each as its name and the position of its folder.

    Args:
        store: The store that contains them.
        folders: Folders below its root.
        places: For each file, the position of its folder in `folders`.
        files: The name of each file in its folder.
    """

    __slots__ = ("files", "folders", "places", "store")

    def __init__(
        self,
        store: Store,
        folders: Sequence[Segments],
        places: array[int],
        files: Sequence[str],
    ) -> None:
        self.store = store
        self.folders = folders
        self.places = places
        self.files = files

    @classmethod
    def of(
        cls,
        store: Store,
        filters: Sequence[EntryFilter],
        unreadable: list[OSError],
        *,
        all_files: bool,
    ) -> Listing:
        """Walk a store, without the folders that a filter rules out."""

        def enters(folder: Segments) -> bool:
            ways = (folder, Verbatim(folder)) if is_ambiguous(folder) else (folder,)
            matches = (any(map(each.enters, ways)) for each in filters)
            return folder[-1] != RUNS and all(matches)

        walk = store.walk(enters, unreadable.append)
        return cls.walked(store, walk, filters, all_files=all_files)

    @classmethod
    def walked(
        cls,
        store: Store,
        walk: Iterator[tuple[Segments, Sequence[str]]],
        filters: Sequence[EntryFilter] = (),
        *,
        all_files: bool = False,
    ) -> Listing:
        """Return the files that a walk finds, if all filters take them."""
        folders: list[Segments] = []
        places, files = array("I"), list[str]()
        # Equal names share one string, as most trees have few different names.
        shared: dict[str, str] = {}
        for folder, found in _as_meant(walk):
            names = _matching(folder, found, filters, all_files=all_files)
            if names:
                places.extend(array("I", [len(folders)]) * len(names))
                files.extend(map(shared.setdefault, names, names))
                last = [shared.setdefault(segment, segment) for segment in folder[-1:]]
                folders.append(type(folder)((*folder[:-1], *last)))
        return cls(store, folders, places, files)

    def __len__(self) -> int:
        return len(self.files)

    def __iter__(self) -> Iterator[Entry]:
        store, folders = self.store, self.folders
        for place, file in zip(self.places, self.files, strict=True):
            yield Entry(store, folders[place], file)

    def entry(self, position: int) -> Entry:
        """Return the entry at a position."""
        folder = self.folders[self.places[position]]
        return Entry(self.store, folder, self.files[position])

    def sliced(self, positions: slice) -> Listing:
        """Return the files of a slice."""
        places, files = self.places[positions], self.files[positions]
        return Listing(self.store, self.folders, places, files)

    def picked(self, positions: Iterable[int]) -> Listing:
        """Return the files at these positions, in this order."""
        chosen = array("Q", positions)
        places = array("I", [self.places[position] for position in chosen])
        files = [self.files[position] for position in chosen]
        return Listing(self.store, self.folders, places, files)

    def chosen(self, selectors: Iterable[Any]) -> Listing:
        """
        Return the files at these positions, or those that a boolean index selects.

        Raises:
            TypeError: If the selectors are neither integers nor booleans.
            IndexError: If a position is out of range.
            ConfigError: If there is not one boolean for each file.
        """
        given, count = list(selectors), len(self)
        # NumPy has its own type, by one of two names.
        are_bools = [type(value).__name__ in ("bool", "bool_") for value in given]
        if not any(are_bools):
            positions = range(count)
            return self.picked([positions[value] for value in given])
        if not all(are_bools) or len(given) != count:
            values, entries = (
                count_text(sum(are_bools), "value"),
                count_text(count, "entry"),
            )
            message = (
                f"boolean index has {values} for {entries}; give one for each entry, "
                "or a list of positions"
            )
            raise ConfigError(message)
        return self.picked(position for position, value in enumerate(given) if value)

    def compact(self) -> Listing:
        """Return the same files, without the folders that none of them is in."""
        used = dict.fromkeys(self.places)
        if len(used) == len(self.folders):
            return self
        renumbered = {place: number for number, place in enumerate(used)}
        folders = [self.folders[place] for place in used]
        places = array("I", map(renumbered.__getitem__, self.places))
        return Listing(self.store, folders, places, self.files)

    def filtered(self, entry_filter: EntryFilter) -> Listing:
        """Return the files that match a filter."""
        # A function in the filter must not see tags that were already ruled out.
        compact = self.compact()
        takes = [entry_filter.takes(folder) for folder in compact.folders]
        names = compact.fullnames()
        covers = {name: entry_filter.covers(name) for name in set(names)}
        return compact.picked(
            position
            for position, (place, name) in enumerate(
                zip(compact.places, names, strict=True)
            )
            if takes[place] and covers[name]
        )

    def fullnames(self) -> list[str]:
        """Return the full name of each file; equal names share one string."""
        shared: dict[str, str] = {}
        stems: dict[str, str] = {}
        for file in self.files:
            if file not in stems:
                stems[file] = stem_and_number(file)[0]
        starts = [start_of(folder) for folder in self.folders]
        names = [
            starts[place] + stems[file]
            for place, file in zip(self.places, self.files, strict=True)
        ]
        return list(map(shared.setdefault, names, names))

    def paths(self) -> Iterator[str]:
        """Yield the path of each file."""
        return map(self.store.path_of, self.stored_names())

    def stored_names(self) -> Iterator[str]:
        """Yield the name of each file in its store."""
        starts = ["/".join((*folder, "")) for folder in self.folders]
        for place, file in zip(self.places, self.files, strict=True):
            yield starts[place] + file


def _as_meant(
    walk: Iterator[tuple[Segments, Sequence[str]]],
) -> Iterator[tuple[Segments, Sequence[str]]]:
    """Yield folders, once more for files of Julia if these mean them otherwise."""
    for folder, files in walk:
        if not is_ambiguous(folder) or JULIA not in "".join(files):
            yield folder, files
            continue
        yield folder, [file for file in files if not file.endswith(JULIA)]
        yield Verbatim(folder), [file for file in files if file.endswith(JULIA)]


def _matching(
    folder: Segments,
    files: Sequence[str],
    filters: Sequence[EntryFilter],
    *,
    all_files: bool,
) -> Sequence[str]:
    """Return the files of a folder that match all filters, in their order."""
    if not all(each.takes(folder) for each in filters):
        return ()
    if not all_files:
        files = [file for file in files if file.endswith(CONTAINERS)]
    for entry_filter in filters:
        files = [
            file
            for file in files
            if entry_filter.covers(start_of(folder) + stem_and_number(file)[0])
        ]
    # A quick check of all at once, as most folders have no numbered files.
    joined = "".join(files)
    # The suffix of Julia's files has one dot less.
    dots = joined.count(".") + joined.count(JULIA)
    if all_files or dots > _DOTS * len(files):
        return _in_order(files)
    return files


def _in_order(files: Sequence[str]) -> Sequence[str]:
    """Return files with the numbered ones of a key after its first, by number."""
    if any(file.count(".") > _DOTS for file in files):
        return sorted(files, key=_file_order)
    return files


def _file_order(file: str) -> tuple[str, int]:
    stem, _, rest = file.partition(".")
    number = rest.partition(".")[0]
    return stem, int(number) if number.isdecimal() and number.isascii() else 1


def why_none(listing: Listing, filters: Iterable[EntryFilter]) -> str:
    """
    Return why no file matches all filters, given in the order of their application.

    Args:
        listing: The files before filtering.
        filters: The filters.
    """
    if not len(listing):
        return "nothing was saved there"
    subject = "no entry"
    for part in [part for each in filters for part in each.parts()]:
        left = listing.filtered(part)
        if not len(left):
            return f"{subject} {_missing(part, listing)}"
        if len(left) < len(listing):
            subject = "no entry that matches the other conditions"
        listing = left
    return "no entry was selected"


def _missing(part: EntryFilter, listing: Listing) -> str:
    """Return what none of the files has, given a filter with a single condition."""
    if part.names is not None:
        return _missing_name(part.names, set(listing.fullnames()))
    if not part.conditions:
        return "is accepted by the function of all tags"
    (tag,), (wanted,) = part.path_conditions, part.conditions.values()
    folders = listing.compact().folders
    pairs = {pair for folder in folders for pair in key_of(folder)[0].items()}
    values = {value for name, value in pairs if name == tag}
    if not values:
        known = sorted({name for name, _ in pairs})
        meant = f"; where({shown(wanted)}) finds a name" if tag in _NAMES else ""
        return f"has the tag {shown(tag)}{meant}; {hint(tag, known)}"
    return f"has {shown(tag)}={shown(wanted)}; {_value_hint(wanted, values)}"


def _missing_name(names: str | tuple[str, ...], known: set[str]) -> str:
    if not isinstance(names, str):
        return f"has one of the names {shown(names)}; {known_text(sorted(known))}"
    return f"has the name {shown(names)}; {hint(names, sorted(known))}"


def _value_hint(wanted: object, values: set[str]) -> str:
    ordered = sorted(values, key=_order)
    # A number or a comparison that looks similar need not be what was meant.
    if isinstance(wanted, str) and wanted[:1].isalpha():
        return hint(wanted, ordered)
    return known_text(ordered)


def _order(text: str) -> tuple[bool, float, str]:
    number = read_like(text, 0.5)
    return number is None, number or 0, text
