"""What a walk found: files by folder, kept in columns so that millions are small."""

from __future__ import annotations

import difflib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from checkpoints._index.entry import (
    CONTAINERS,
    Entry,
    key_of,
    start_of,
    stem_and_number,
)
from checkpoints._index.filter import EntryFilter
from checkpoints._keys.comparison import read_like
from checkpoints._text import shown
from checkpoints.errors import ConfigError
from checkpoints.storage._store import Segments, Store

__all__ = ["Listing", "why_none"]

# Those of a suffix; a name has none, so more of them tell of a number.
_DOTS = 2

_MOST = 8


class Listing:
    """
    Files in order, each as a name and the number of its folder.

    Args:
        store: Where they are.
        folders: The folders below its root.
        places: For each file, where its folder stands among them.
        files: The names of the files.
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
        """Walk through a store, past the folders that a filter rules out."""
        folders: list[Segments] = []
        places, files = array("I"), list[str]()
        # One text for all the files of one name: most trees have few names.
        shared: dict[str, str] = {}

        def enters(folder: Segments) -> bool:
            return all(rule.enters(folder) for rule in filters)

        for folder, found in store.walk(enters, unreadable.append):
            names = _taken(folder, found, filters, all_files=all_files)
            if names:
                places.extend(array("I", [len(folders)]) * len(names))
                files.extend(map(shared.setdefault, names, names))
                last = [shared.setdefault(it, it) for it in folder[-1:]]
                folders.append((*folder[:-1], *last))
        return cls(store, folders, places, files)

    def __len__(self) -> int:
        return len(self.files)

    def __iter__(self) -> Iterator[Entry]:
        store, folders = self.store, self.folders
        for place, file in zip(self.places, self.files, strict=True):
            yield Entry(store, folders[place], file)

    def entry(self, position: int) -> Entry:
        """Return one entry."""
        folder = self.folders[self.places[position]]
        return Entry(self.store, folder, self.files[position])

    def sliced(self, positions: slice) -> Listing:
        """Return a part of it."""
        places, files = self.places[positions], self.files[positions]
        return Listing(self.store, self.folders, places, files)

    def picked(self, positions: Iterable[int]) -> Listing:
        """Return the files that stand at these positions, in this order."""
        chosen = array("Q", positions)
        places = array("I", [self.places[position] for position in chosen])
        files = [self.files[position] for position in chosen]
        return Listing(self.store, self.folders, places, files)

    def chosen(self, answers: Iterable[Any]) -> Listing:
        """
        Return the files at these positions, or those with a yes, if it is yes or no.

        Raises:
            TypeError: If it is neither.
            IndexError: If there is no such position.
            ConfigError: If there is not one yes or no for each file.
        """
        some, count = list(answers), len(self)
        # That of NumPy is another, and has two names.
        flags = [type(it).__name__ in ("bool", "bool_") for it in some]
        if not any(flags):
            places = range(count)
            return self.picked([places[it] for it in some])
        if not all(flags) or len(some) != count:
            message = (
                f"there are {count} entries, and {sum(flags)} times yes or no: it has "
                "to be one for each, or a list of positions"
            )
            raise ConfigError(message)
        return self.picked(number for number, it in enumerate(some) if it)

    def compact(self) -> Listing:
        """Return the same files, with no folders besides theirs."""
        used = dict.fromkeys(self.places)
        if len(used) == len(self.folders):
            return self
        renumbered = {place: number for number, place in enumerate(used)}
        folders = [self.folders[place] for place in used]
        places = array("I", map(renumbered.__getitem__, self.places))
        return Listing(self.store, folders, places, self.files)

    def filtered(self, rule: EntryFilter) -> Listing:
        """Return the files that a filter takes."""
        # It may hold a function that cannot read what is not there any more.
        there = self.compact()
        takes = [rule.takes(folder) for folder in there.folders]
        names = there.fullnames()
        covered = {name: rule.covers(name) for name in set(names)}
        return there.picked(
            position
            for position, (place, name) in enumerate(
                zip(there.places, names, strict=True)
            )
            if takes[place] and covered[name]
        )

    def fullnames(self) -> list[str]:
        """Return the full name of each file, one text for all that are the same."""
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
        """Yield the name that the store has for each file."""
        starts = ["/".join((*folder, "")) for folder in self.folders]
        for place, file in zip(self.places, self.files, strict=True):
            yield starts[place] + file


def _taken(
    folder: Segments,
    files: Sequence[str],
    filters: Sequence[EntryFilter],
    *,
    all_files: bool,
) -> Sequence[str]:
    """Return the files of a folder that are asked for, in their order."""
    if not all(rule.takes(folder) for rule in filters):
        return ()
    if not all_files:
        files = [file for file in files if file.endswith(CONTAINERS)]
    for rule in filters:
        files = [
            file
            for file in files
            if rule.covers(start_of(folder) + stem_and_number(file)[0])
        ]
    # One look at all of them: most folders have no numbered files.
    if all_files or "".join(files).count(".") > _DOTS * len(files):
        return _in_order(files)
    return files


def _in_order(files: Sequence[str]) -> Sequence[str]:
    """Put the numbered files of a key behind its first one, in their order."""
    if any(file.count(".") > _DOTS for file in files):
        return sorted(files, key=_file_order)
    return files


def _file_order(file: str) -> tuple[str, int]:
    stem, _, rest = file.partition(".")
    number = rest.partition(".")[0]
    return stem, int(number) if number.isdecimal() and number.isascii() else 1


def why_none(listing: Listing, rules: Iterable[EntryFilter]) -> str:
    """
    Return why filters, one after the other, take none of these files.

    Args:
        listing: The files that there are.
        rules: The filters.
    """
    if not len(listing):
        return "nothing was saved there"
    who = "no entry"
    for part in [part for rule in rules for part in rule.parts()]:
        left = listing.filtered(part)
        if not len(left):
            return f"{who} {_lacking(part, listing)}"
        if len(left) < len(listing):
            who = "no entry of those that fit the rest"
        listing = left
    return "no entry was taken of those that there are"


def _lacking(part: EntryFilter, listing: Listing) -> str:
    """Return what no file has of a filter that asks for one thing."""
    if part.names is not None:
        return _lacking_name(part.names, set(listing.fullnames()))
    if not part.tags:
        return "is taken by the function of all tags"
    (tag,), (wanted,) = part.tags, part.asked.values()
    folders = listing.compact().folders
    pairs = {pair for folder in folders for pair in key_of(folder)[0].items()}
    values = {value for name, value in pairs if name == tag}
    if not values:
        return f"has the tag {shown(tag)}; {_some(tag, {name for name, _ in pairs})}"
    return f"has {shown(tag)}={shown(wanted)}; {_some(wanted, values)}"


def _lacking_name(names: str | tuple[str, ...], known: set[str]) -> str:
    if not isinstance(names, str):
        return f"has one of the names {shown(names)}; {_some(None, known)}"
    if near := difflib.get_close_matches(names, sorted(known)):
        told = ", ".join(map(shown, near))
        return f"has the name {shown(names)}; the nearest are {told}"
    return f"has the name {shown(names)}; {_some(None, known)}"


def _some(wanted: object, known: set[str]) -> str:
    """Tell of what there is, the nearest first."""
    if not known:
        return "there are none at all"
    near: list[str] = []
    if isinstance(wanted, str):
        near = difflib.get_close_matches(wanted, sorted(known))
    ordered = [*near, *sorted(known - {*near}, key=_order)]
    more = f" and {len(known) - _MOST} more" if len(known) > _MOST else ""
    verb = "there are" if len(known) > 1 else "there is"
    return f"{verb} {', '.join(map(shown, ordered[:_MOST]))}{more}"


def _order(text: str) -> tuple[bool, float, str]:
    number = read_like(text, 0.5)
    return number is None, number or 0, text
