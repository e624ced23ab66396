"""A table of aligned columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from checkpoints.cli._screen import Screen, cut, padded, width_of

__all__ = ["Column", "Table"]

_GAP = "  "
# Less of a column than this tells nothing.
_NARROWEST = 8


class Column(NamedTuple):
    """
    A column.

    Args:
        heading: What stands above it.
        style: Its style.
        is_right: Whether it is aligned at its right.
        width: How wide it is at least.
        gives_way: Whether it is narrowed before the others.
    """

    heading: str
    style: str = ""
    is_right: bool = False
    width: int = 0
    gives_way: bool = False


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
        """Narrow the widest columns until the screen takes them all."""
        if self._screen.width is None:
            return
        room = self._screen.width - self._indent
        room -= len(_GAP) * (len(self._widths) - 1)
        numbers = range(len(self._columns))
        first = [it for it in numbers if self._columns[it].gives_way]
        for some in filter(None, (first, numbers)):
            widest = max(some, key=self._widths.__getitem__)
            while sum(self._widths) > room and self._widths[widest] > _NARROWEST:
                self._widths[widest] -= 1
                widest = max(some, key=self._widths.__getitem__)

    def heading(self) -> str:
        """Return the line of headings."""
        line = _GAP.join(self._cells([it.heading for it in self._columns]))
        return self._screen.styled(line.rstrip(), "bold")

    def row(self, cells: Sequence[str], style: str = "") -> str:
        """Return a line, in a style of its own where there is one."""
        laid = [
            self._screen.styled(cell, style or column.style)
            for cell, column in zip(self._cells(cells), self._columns, strict=True)
        ]
        return _GAP.join(laid).rstrip()

    def lines(self, rows: Sequence[Sequence[str]]) -> Iterator[str]:
        """Yield all lines of a table that is small."""
        for row in rows:
            self.measure(row)
        self.fit()
        yield self.heading()
        yield from map(self.row, rows)

    def _cells(self, cells: Sequence[str]) -> Iterator[str]:
        for cell, column, width in zip(cells, self._columns, self._widths, strict=True):
            yield padded(cut(cell, width), width, right=column.is_right)
