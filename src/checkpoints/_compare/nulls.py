"""Cells of two vectors that are null, on one side or on both."""

from __future__ import annotations

import math
from functools import partial
from typing import Any, TypeAlias

from checkpoints._compare.dtypes import kind_of
from checkpoints._compare.tally import Found, Tally, Where
from checkpoints._process.libraries import imported

__all__ = ["NAN", "NONE", "compare_nulls"]

# Sorts of nulls, where objects tell them apart. A mask says only that it is one.
_ANY, NONE, NAN = 1, 2, 3

# An array of cells, and a mask or the sorts of its nulls, or None.
_Chunk: TypeAlias = "tuple[Any, Any]"


def compare_nulls(
    one: _Chunk, other: _Chunk, start: int, tally: Tally, where: Where
) -> Any:
    """
    Compare where two chunks are null, and return where neither is.

    Args:
        one: A chunk.
        other: Another one, of the same length.
        start: The place of the first cell.
        tally: Where the result goes.
        where: Returns a place.
    """
    numpy = imported("numpy")
    chunks = [
        (values, numpy.zeros(len(values), "u1") if sorts is None else sorts.view("u1"))
        for values, sorts in (one, other)
    ]
    first, second = (sorts for _, sorts in chunks)
    nulls, missing = first != 0, second != 0
    # One library's null is another one's NaN, where they are not of one column.
    as_nan = _nan_against(chunks[0], second) | _nan_against(chunks[1], first)
    unlike = nulls & missing & (first != second) & (first != _ANY) & (second != _ANY)
    if tally.tolerance.nan == "equal":
        if as_nan.any():
            tally.note_cells("null against NaN", int(as_nan.sum()))
            tally.note("null against NaN", "close")
    else:
        unlike |= as_nan & nulls & missing
        unlike |= (first == NAN) & (second == NAN)
        as_nan[:] = False
    for what, mask in (
        ("null in the baseline only", nulls & ~missing & ~as_nan),
        ("null in the candidate only", missing & ~nulls & ~as_nan),
        ("nulls of other sorts, or NaN on both sides", unlike),
    ):
        places = numpy.flatnonzero(mask)
        if len(places):
            tally.note_cells(what, len(places))
            cell = partial(_cell, chunks, places, start, where)
            tally.differ_all(len(places), cell, places + start)
    return numpy.flatnonzero(~(nulls | missing))


def _nan_against(chunk: _Chunk, sorts: Any) -> Any:
    """Return where a chunk is NaN, and another one has a null of any sort."""
    values, own = chunk
    is_nan = own == NAN
    if kind_of(values) == "f":
        is_nan = is_nan | (imported("numpy").isnan(values) & (own == 0))
    return is_nan & (sorts == _ANY)


def _cell(
    chunks: list[_Chunk], places: Any, start: int, where: Where, at: int
) -> Found:
    place = int(places[at])
    pair = tuple(_item(values, sorts, place) for values, sorts in chunks)
    return Found(partial(where, start + place), (pair[0], pair[1]))


def _item(values: Any, sorts: Any, place: int) -> Any:
    if sorts[place]:
        return math.nan if sorts[place] == NAN else None
    item = values[place]
    return item.as_py() if hasattr(item, "as_py") else item
