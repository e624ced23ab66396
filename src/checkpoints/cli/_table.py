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
# A narrower column would tell nothing.
_NARROWEST = 8
# A longer cell, as a forged header has, must not make each row as long.
_WIDEST = 1000

# Keys are a label and whether it is a folder.
_Tree: TypeAlias = "dict[tuple[str, bool], _Tree | str]"
_LINES = ("├── ", "└── ", "│   ")
_LETTERS = ("|-- ", "`-- ", "|   ")


class Column(NamedTuple):
    """
    A column.

    Args:
        heading: Its heading.
        style: Its style.
        is_right: Whether it is right-aligned.
        width: Its minimum width.
        shrinks_first: Whether it is narrowed before the others.
        is_fixed: Whether it is never cut, because users copy its cells.
        shorter: The narrower widths at which its cells are still meaningful.
        is_optional: Whether it is dropped before others are cut.
    """

    heading: str
    style: str = ""
    is_right: bool = False
    width: int = 0
    shrinks_first: bool = False
    is_fixed: bool = False
    shorter: tuple[int, ...] = ()
    is_optional: bool = False


class Table:
    """
    A table, printed row by row once its widths are known; only a terminal cuts cells.

    Args:
        screen: Where it is printed.
        columns: Its columns.
        indent: The number of spaces before each line.
    """

    def __init__(
        self, screen: Screen, columns: Sequence[Column], indent: int = 0
    ) -> None:
        self._screen = screen
        self._indent = indent
        self._columns = columns
        self._widths = [max(it.width, width_of(it.heading)) for it in columns]

    def measure(self, cells: Iterable[str]) -> None:
        """Widen the columns for a row, which may have fewer cells."""
        for number, cell in enumerate(cells):
            width = min(width_of(cell), _WIDEST)
            self._widths[number] = max(self._widths[number], width)

    def fit(self) -> None:
        """Narrow columns, and drop optional ones, until the table fits the screen."""
        columns = list(enumerate(self._columns))
        self._narrow([number for number, column in columns if column.shrinks_first])
        # Columns that were narrowed already are dropped first.
        narrowed_first = sorted(columns, key=lambda pair: not pair[1].shrinks_first)
        for number, column in narrowed_first:
            if column.is_optional:
                self._shorten(number, column)
        self._narrow([number for number, column in columns if not column.is_fixed])

    def _is_too_wide(self) -> bool:
        if self._screen.width is None:
            return False
        shown = [width for width in self._widths if width]
        gaps = len(_GAP) * (len(shown) - 1)
        return self._indent + sum(shown) + gaps > self._screen.width

    def _narrow(self, numbers: Sequence[int]) -> None:
        """Narrow the widest of these columns until the table fits, if it can."""
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
        line = _GAP.join(self._cells([column.heading for column in self._columns]))
        return self._screen.styled(line.rstrip(), "bold")

    def row(self, cells: Sequence[str], style: str = "") -> str:
        """Return a line, in the style given or else in those of the columns."""
        styled = [
            self._screen.styled(cell, style or column.style)
            for cell, column in zip(self._cells(cells), self._shown(), strict=True)
        ]
        return _GAP.join(styled).rstrip()

    def lines(self, rows: Sequence[Sequence[str]]) -> Iterator[str]:
        """Yield all lines of a small table."""
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
                # A cut inside brackets would look like damage.
                yield _OPENED.sub("", cell[:width]).ljust(width)
            elif width:
                shown = cell if self._keeps(column) else cut(cell, width)
                yield padded(shown, width, right=column.is_right)

    def _keeps(self, column: Column) -> bool:
        """Tell whether cells stay whole that are wider than their column."""
        return self._screen.width is None or column.is_fixed


def tree_lines(
    entries: Iterable[tuple[Entry, str]], *, has_glyphs: bool
) -> Iterator[tuple[str, str, str]]:
    """
    Yield the lines of a tree.

    Args:
        entries: Entries, each with its details as text.
        has_glyphs: Whether box-drawing characters can be printed.

    Yields:
        The branch, the label, and the details of an entry or "" for a folder.
    """
    tree: _Tree = {}
    for entry, details in entries:
        inner = tree
        for name, value in entry.tags.items():
            inner = _subtree(inner, f"{name}={value}")
        for prefix in entry.prefixes:
            inner = _subtree(inner, f"{prefix}.")
        number = f" ({entry.number})" if entry.number > 1 else ""
        inner[printable(entry.stem + number), False] = details
    yield from _branches(tree, _LINES if has_glyphs else _LETTERS)


def _subtree(tree: _Tree, label: str) -> _Tree:
    inner = tree.setdefault((printable(label), True), {})
    return inner if isinstance(inner, dict) else {}


def _branches(
    tree: _Tree, glyphs: tuple[str, str, str]
) -> Iterator[tuple[str, str, str]]:
    between, last, through = glyphs
    # A stack rather than recursion: folders can be deeper than its limit.
    stack = [("", iter(tree.items()), len(tree))]
    while stack:
        indent, items, left = stack.pop()
        item = next(items, None)
        if item is None:
            continue
        (label, _), inner = item
        stack.append((indent, items, left - 1))
        is_last = left == 1
        branch = indent + (last if is_last else between)
        if isinstance(inner, str):
            yield branch, label, inner
        else:
            yield branch, label, ""
            deeper = indent + (" " * len(through) if is_last else through)
            stack.append((deeper, iter(inner.items()), len(inner)))
