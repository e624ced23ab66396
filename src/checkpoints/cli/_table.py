"""A table of aligned columns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

from checkpoints import Entry
from checkpoints._text import printable
from checkpoints.cli._screen import Screen, cut, padded, width_of

__all__ = ["Column", "Table", "tree_lines"]

_GAP = "  "
_OPENED = re.compile(r" ?\([^)]*$")
# Less of a column than this tells nothing.
_NARROWEST = 8

# By label, and whether it is a folder.
_Tree: TypeAlias = "dict[tuple[str, bool], _Tree | str]"
_LINES = ("├── ", "└── ", "│   ")
_LETTERS = ("|-- ", "`-- ", "|   ")


class Column(NamedTuple):
    """
    A column.

    Args:
        heading: What stands above it.
        style: Its style.
        is_right: Whether it is aligned at its right.
        width: How wide it is at least.
        gives_way: Whether it is narrowed before the others.
        stays: Whether it is never cut, as what somebody types again is not.
        shorter: The widths that it can be cut to, and still tell something.
        is_spare: Whether it is left out before others are cut.
    """

    heading: str
    style: str = ""
    is_right: bool = False
    width: int = 0
    gives_way: bool = False
    stays: bool = False
    shorter: tuple[int, ...] = ()
    is_spare: bool = False


class Table:
    """
    A table, printed row by row once its widths are known.

    Args:
        screen: Where it is printed.
        columns: Its columns.
        indent: How many blanks are printed before each line.
    """

    def __init__(
        self, screen: Screen, columns: Sequence[Column], indent: int = 0
    ) -> None:
        self._screen = screen
        self._indent = indent
        self._columns = columns
        self._widths = [max(it.width, width_of(it.heading)) for it in columns]

    def measure(self, cells: Iterable[str]) -> None:
        """Make room for a row; one that is shorter than the table is as good."""
        for number, cell in enumerate(cells):
            width = width_of(cell)
            self._widths[number] = max(self._widths[number], width)

    def fit(self) -> None:
        """Narrow columns, and leave out those to spare, until the screen takes all."""
        columns = list(enumerate(self._columns))
        self._narrow([number for number, it in columns if it.gives_way])
        # What is narrowed to nothing anyway goes before what tells more.
        for number, it in sorted(columns, key=lambda each: not each[1].gives_way):
            if it.is_spare:
                self._shorten(number, it)
        self._narrow([number for number, it in columns if not it.stays])

    def _is_too_wide(self) -> bool:
        if self._screen.width is None:
            return False
        shown = [width for width in self._widths if width]
        gaps = len(_GAP) * (len(shown) - 1)
        return self._indent + sum(shown) + gaps > self._screen.width

    def _narrow(self, numbers: Sequence[int]) -> None:
        """Narrow the widest of some columns."""
        while self._is_too_wide() and numbers:
            widest = max(numbers, key=self._widths.__getitem__)
            if self._widths[widest] <= _NARROWEST:
                return
            self._widths[widest] -= 1

    def _shorten(self, number: int, column: Column) -> None:
        for width in (*column.shorter, 0):
            if self._is_too_wide():
                self._widths[number] = width

    def heading(self) -> str:
        """Return the line of headings."""
        line = _GAP.join(self._cells([it.heading for it in self._columns]))
        return self._screen.styled(line.rstrip(), "bold")

    def row(self, cells: Sequence[str], style: str = "") -> str:
        """Return a line, in a style of its own where there is one."""
        laid = [
            self._screen.styled(cell, style or column.style)
            for cell, column in zip(self._cells(cells), self._shown(), strict=True)
        ]
        return _GAP.join(laid).rstrip()

    def lines(self, rows: Sequence[Sequence[str]]) -> Iterator[str]:
        """Yield all lines of a table that is small."""
        for row in rows:
            self.measure(row)
        self.fit()
        yield self.heading()
        yield from map(self.row, rows)

    def _shown(self) -> Iterator[Column]:
        for column, width in zip(self._columns, self._widths, strict=True):
            if width:
                yield column

    def _cells(self, cells: Sequence[str]) -> Iterator[str]:
        for cell, column, width in zip(cells, self._columns, self._widths, strict=True):
            if width in column.shorter:
                # Half of what stands in brackets would look like damage.
                yield _OPENED.sub("", cell[:width]).ljust(width)
            elif width:
                yield padded(cut(cell, width), width, right=column.is_right)


def tree_lines(
    entries: Iterable[tuple[Entry, str]], *, has_glyphs: bool
) -> Iterator[tuple[str, str, str]]:
    """
    Yield the lines of a tree.

    Args:
        entries: Entries, each with what is told of it.
        has_glyphs: Whether lines can be drawn.

    Yields:
        The lines that are drawn, the label, and what is told of an entry.
    """
    tree: _Tree = {}
    for entry, told in entries:
        inner = tree
        for name, value in entry.tags.items():
            inner = _below(inner, f"{name}={value}")
        for prefix in entry.prefixes:
            inner = _below(inner, f"{prefix}.")
        number = f" ({entry.number})" if entry.number > 1 else ""
        inner[printable(entry.stem + number), False] = told
    yield from _drawn(tree, _LINES if has_glyphs else _LETTERS)


def _below(tree: _Tree, label: str) -> _Tree:
    inner = tree.setdefault((printable(label), True), {})
    return inner if isinstance(inner, dict) else {}


def _drawn(tree: _Tree, glyphs: tuple[str, str, str]) -> Iterator[tuple[str, str, str]]:
    between, last, through = glyphs
    # Folders may lie deeper than functions can call themselves.
    open_ones = [("", iter(tree.items()), len(tree))]
    while open_ones:
        start, items, left = open_ones.pop()
        found = next(items, None)
        if found is None:
            continue
        (label, _), inner = found
        open_ones.append((start, items, left - 1))
        is_last = left == 1
        line = start + (last if is_last else between)
        if isinstance(inner, str):
            yield line, label, inner
        else:
            yield line, label, ""
            below = start + (" " * len(through) if is_last else through)
            open_ones.append((below, iter(inner.items()), len(inner)))
