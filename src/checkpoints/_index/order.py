"""The order of entries: by column, by age, by run."""

from __future__ import annotations

import datetime
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from checkpoints._index.entry import CONTAINERS, key_of, stem_and_number
from checkpoints._index.headers import Began, Header, read_headers, read_runs
from checkpoints._index.listing import Listing
from checkpoints._index.table import COLUMNS, DETAILS, column_names
from checkpoints._keys.comparison import read_like
from checkpoints._text import hint, shown
from checkpoints.errors import ConfigError

__all__ = ["in_order", "latest_of", "runs_of", "sorted_texts"]

# All columns but the list of tags, which has no order.
_SORTED = tuple(name for name in COLUMNS if name != "tags")
_FROM_HEADERS = ("run", "sequence", "saved")
_BEFORE_ALL = datetime.datetime.min.replace(tzinfo=datetime.UTC)


def in_order(listing: Listing, by: Sequence[str], *, reverse: bool) -> list[int]:
    """Return the positions of the files, sorted; files without a value come last."""
    positions = list(range(len(listing)))
    if not positions:
        return positions  # without entries, no tag is known to sort by
    columns = [_column(listing, name) for name in by]
    for values in reversed(columns):
        present = [place for place in positions if values[place] is not None]
        missing = [place for place in positions if values[place] is None]
        present.sort(key=values.__getitem__, reverse=reverse)
        positions = present + missing
    return positions


def latest_of(listing: Listing) -> list[int]:
    """Return the positions of the newest file of each key, in ascending order."""
    keys: dict[tuple[tuple[str, ...], str], list[int]] = defaultdict(list)
    for position, (place, file) in enumerate(
        zip(listing.places, listing.files, strict=True)
    ):
        is_ours = file.endswith(CONTAINERS)
        stem = stem_and_number(file)[0] if is_ours else file
        keys[listing.folders[place], stem].append(position)
    several = [place for places in keys.values() if len(places) > 1 for place in places]
    ages = dict(zip(several, _ages(listing.picked(several)), strict=True))
    # Numbers do not tell the age, as the number of a deleted file is used again.
    return sorted(
        max(places, key=ages.__getitem__) if len(places) > 1 else places[0]
        for places in keys.values()
    )


def _ages(listing: Listing) -> list[tuple[datetime.datetime, int, int]]:
    headers = read_headers(listing, Header.of)
    numbers = [stem_and_number(file)[1] for file in listing.files]
    return [
        (_BEFORE_ALL, 0, number)
        if isinstance(header, Exception)
        else (header.saved or _BEFORE_ALL, header.sequence or 0, number)
        for header, number in zip(headers, numbers, strict=True)
    ]


def runs_of(
    listing: Listing,
    read: Callable[[Listing], Iterator[Began | Exception]] = read_runs,
) -> dict[str, list[int]]:
    """
    Return the positions of each run's files, with the runs in starting order.

    Args:
        listing: The files.
        read: Yields the run and the time of each, or an error.
    """
    runs: dict[str, list[int]] = defaultdict(list)
    starts: dict[str, datetime.datetime] = {}
    for position, found in enumerate(read(listing)):
        if not isinstance(found, Exception) and isinstance(found[0], str):
            run, moment = found[0], found[1] or _BEFORE_ALL
            runs[run].append(position)
            starts[run] = min(starts.get(run, moment), moment)
    return {run: runs[run] for run in sorted(runs, key=starts.__getitem__)}


def sorted_texts(texts: Iterable[str]) -> list[str]:
    """Return texts sorted, as numbers if all of them are numbers."""
    ordered = sorted(texts)
    keys = dict(zip(ordered, _comparable(ordered), strict=True))
    return sorted(ordered, key=keys.__getitem__)


def _column(listing: Listing, name: str) -> Sequence[Any]:
    """Return the value of each file in a column, all of them comparable, or None."""
    if name == "name":
        return listing.fullnames()
    if name == "path":
        return [
            (*listing.folders[place], file)
            for place, file in zip(listing.places, listing.files, strict=True)
        ]
    if name in ("size", "time"):
        found = listing.store.statuses([*listing.stored_names()])
        return [status and getattr(status, name) for status in found]
    if name in _FROM_HEADERS:
        headers = read_headers(listing, Header.of)
        return [getattr(header, name, None) for header in headers]
    return _tag_column(listing, name)


def _tag_column(listing: Listing, name: str) -> Sequence[Any]:
    # Else a value of a folder that was ruled out could make all of them texts.
    listing = listing.compact()
    folders = [dict(key_of(folder)[0].items()) for folder in listing.folders]
    tags = {tag: None for pairs in folders for tag in pairs}
    columns = column_names(tags, (*COLUMNS, *DETAILS))
    for tag, column in columns.items():
        if column == name:
            values = _comparable([pairs.get(tag) for pairs in folders])
            return [values[place] for place in listing.places]
    known = [*columns.values(), *_SORTED, *_FROM_HEADERS]
    raise ConfigError(f"cannot sort by {shown(name)}; {hint(name, known)}")


def _comparable(texts: Sequence[str | None]) -> Sequence[Any]:
    """Return texts as numbers if all of them are numbers; None stays None."""
    values = [None if text is None else read_like(text, 0.5) for text in texts]
    for text, value in zip(texts, values, strict=True):
        if text is not None and (value is None or math.isnan(value)):
            return texts
    return values
