"""A small picture of where an array differs."""

from __future__ import annotations

from typing import Any, NamedTuple

from checkpoints._process.libraries import imported

__all__ = ["Grid", "Squares"]

_MOST = 64


class Grid(NamedTuple):
    """
    An array as a few squares.

    Args:
        rows: How many cells of the first axis there are; 1 for an array of one axis.
        columns: How many cells of the second axis there are; of the only one, if so.
        squares: The largest absolute difference in each square, row by row. 0 where
            nothing differs; infinite where cells have no number for it.
    """

    rows: int
    columns: int
    squares: tuple[tuple[float, ...], ...]


class Squares:
    """
    Collects the differences of an array.

    Args:
        shape: The shape of the array. Axes after the second one are seen from above.
        is_reversed: Whether cells are counted with the first axis fastest.
    """

    def __init__(self, shape: tuple[int, ...], *, is_reversed: bool = False) -> None:
        self._shape = shape
        self._is_reversed = is_reversed
        self._sides = shape[:2] if len(shape) > 1 else (1, *shape)
        self._counts = [min(side, _MOST) for side in self._sides]
        self._most = imported("numpy").zeros(self._counts[0] * self._counts[1])

    def add(self, places: Any, distances: Any) -> None:
        """
        Take cells into account that differ.

        Args:
            places: The numbers of the cells, or that of the first one.
            distances: Their absolute differences, or the one of all of them.
        """
        numpy = imported("numpy")
        if isinstance(places, int):
            places = numpy.arange(places, places + len(distances))
        large = numpy.asarray(distances, "float64")
        numpy.maximum.at(self._most, self._at(places), large)

    def _at(self, places: Any) -> Any:
        """Return the number of the square of each cell."""
        numpy = imported("numpy")
        shape = self._shape[::-1] if self._is_reversed else self._shape
        axes = list(numpy.unravel_index(places, shape))
        if self._is_reversed:
            axes.reverse()
        if len(axes) == 1:
            axes.insert(0, 0)
        row, column = (
            axis * count // side
            for axis, count, side in zip(axes, self._counts, self._sides, strict=False)
        )
        return row * self._counts[1] + column

    def grid(self) -> Grid:
        """Return the picture."""
        squares = self._most.reshape(self._counts).tolist()
        return Grid(self._sides[0], self._sides[1], tuple(map(tuple, squares)))
