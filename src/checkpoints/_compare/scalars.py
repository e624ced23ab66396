"""Numbers, times and None: values that are single cells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from checkpoints._compare.comparer import Comparer
from checkpoints._compare.difference import Difference
from checkpoints._compare.dtypes import compare_dtypes
from checkpoints._compare.numbers import DTYPES, compare_numbers, compare_times
from checkpoints._compare.sorts import NUMBERS, TIMES
from checkpoints._compare.tally import Found, Tally
from checkpoints._kinds.pickled import type_name

__all__ = ["compare_plain", "compare_scalars"]


def compare_scalars(one: Any, other: Any, comparer: Comparer) -> Difference:
    """Compare two numbers, times or None."""
    tally = Tally(comparer.tolerance)
    compare_plain(one, other, tally, _nowhere)
    return tally.result()


def compare_plain(one: Any, other: Any, tally: Tally, where: Callable[[], str]) -> None:
    """
    Compare two numbers, times or None.

    Args:
        one: The baseline.
        other: The candidate.
        tally: Where the result goes.
        where: Returns the text of their place.
    """
    tally.cells += 1
    if isinstance(one, NUMBERS) and isinstance(other, NUMBERS):
        tally.dtype = _dtype(one), _dtype(other)
        if type(one) is not type(other):
            named = [(name, name) for name in tally.dtype]
            compare_dtypes(named[0], named[1], tally)
        compare_numbers(one, other, tally, where)
    elif type(one) is type(other) and isinstance(one, TIMES):
        compare_times(one, other, tally, where)
        if one == other and repr(one) != repr(other):
            tally.note(f"{one!r} against {other!r}", "close")
    elif type(one) is not type(other) or one != other:
        tally.differ(Found(where, (one, other)))


def _nowhere() -> str:
    return ""


def _dtype(value: Any) -> str:
    return DTYPES.get(type(value), type_name(value))
