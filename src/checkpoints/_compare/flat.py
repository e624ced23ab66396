"""The numbers of nested lists, as one list."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import accumulate, chain
from typing import Any

from checkpoints._compare.numbers import is_number, size_of
from checkpoints._compare.tally import Place

__all__ = ["SEQUENCES", "Flat", "flattened", "largest_of"]

SEQUENCES = (list, tuple, deque, array)

_DEEPEST = 8
_MOST = 1 << 24


class Flat:
    """Numbers of nested lists, in one list each."""

    def __init__(self, one: Any, other: Any, lengths: list[list[int]]) -> None:
        self.one, self.other = one, other
        self._ends = [list(accumulate(row)) for row in reversed(lengths)]

    def where(self, place: int) -> Place:
        """Return the path of one of the numbers."""
        path: list[int] = []
        for ends in self._ends:
            row = bisect_right(ends, place)
            path.append(place - (ends[row - 1] if row else 0))
            place = row
        index = (place, *reversed(path))
        return Place("".join(f"[{at}]" for at in index), index)


def flattened(one: Sequence[Any], other: Sequence[Any]) -> Flat | None:
    """Return all numbers in two lists of lists, None if there is anything else."""
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
        # A list that is in itself many times would not fit into memory.
        if inner != list(map(len, other)) or sum(inner) > _MOST:
            return None
        lengths.append(inner)
        one, other = list(chain.from_iterable(one)), list(chain.from_iterable(other))
    return None


def largest_of(items: Iterable[Any]) -> float:
    """
    Return the largest absolute value of the finite numbers in nested lists.

    >>> largest_of([1.0, None, [-3, float("inf")]])
    3.0
    """
    largest, seen, waiting = 0.0, set(), [items]
    while waiting:
        items = waiting.pop()
        if id(items) in seen:
            continue
        seen.add(id(items))
        waiting += [item for item in items if type(item) in SEQUENCES]
        sizes = [size_of(item) for item in items if is_number(item)]
        largest = max([largest, *filter(math.isfinite, sizes)])
    return largest
