"""Rows of entries, for people: the name of each, and its tags."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from checkpoints._index.entry import Entry
from checkpoints._text import printable

__all__ = ["cells_of", "text_rows"]

_WIDEST = 32
# With more tags, a column for each would make a table of mostly empty cells, which can
# be a thousand times as large as the names.
_MOST_TAGS = 32


def cells_of(entries: Iterable[Entry]) -> list[list[str]]:
    """Return a heading, and the name and tags of each entry; many tags in one cell."""
    found = list(entries)
    tags = dict.fromkeys(name for entry in found for name in entry.tags)
    if len(tags) > _MOST_TAGS:
        rows = [[entry.name, _pairs_text(entry)] for entry in found]
        return [["name", "tags"], *rows]
    rows = [
        [entry.name, *(", ".join(entry.tags.values_of(tag)) for tag in tags)]
        for entry in found
    ]
    return [["name", *tags], *rows]


def text_rows(entries: Iterable[Entry]) -> Iterator[str]:
    """Yield a line for the heading, and one for each entry."""
    rows = [[_cut(printable(cell)) for cell in row] for row in cells_of(entries)]
    if len(rows) > 1:
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            padded = (
                f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)
            )
            yield "  ".join(padded).rstrip()


def _pairs_text(entry: Entry) -> str:
    return " ".join(f"{name}={value}" for name, value in entry.tags.items())


def _cut(text: str) -> str:
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"
