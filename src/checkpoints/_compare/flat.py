"""Nested lists of numbers as one list."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate, chain
from typing import Any

__all__ = ["Flat", "flattened"]

_DEEPEST = 8


class Flat:
    """Numbers of nested lists, in one list each."""

    def __init__(self, one: Any, other: Any, lengths: list[list[int]]) -> None:
        self.one, self.other = one, other
        self._ends = [list(accumulate(row)) for row in reversed(lengths)]

    def where(self, place: int) -> str:
        """Return the path of one of the numbers."""
        path = []
        for ends in self._ends:
            row = bisect_right(ends, place)
            path.append(place - (ends[row - 1] if row else 0))
            place = row
        return "".join(f"[{at}]" for at in [place, *reversed(path)])


def flattened(one: Sequence[Any], other: Sequence[Any]) -> Flat | None:
    """Return all numbers in two lists of lists, None if there is anything else."""
    """Return all numbers in lists of lists, if there is nothing else in them."""
    lengths: list[list[int]] = []
    for _ in range(_DEEPEST):
        kinds = set(map(type, one))
        if len(kinds) != 1 or kinds != set(map(type, other)):
            return None
        (kind,) = kinds
        if kind in (float, int):
            return Flat(one, other, lengths)
        if kind not in (list, tuple):
            return None
        inner = list(map(len, one))
        if inner != list(map(len, other)):
            return None
        lengths.append(inner)
        one, other = list(chain.from_iterable(one)), list(chain.from_iterable(other))
    return None
