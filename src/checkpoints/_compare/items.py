"""Cells that are neither numbers nor times: texts, bytes, booleans, objects."""

from __future__ import annotations

import decimal
import math
from dataclasses import replace
from functools import partial
from typing import Any

from checkpoints._compare.difference import Comparer
from checkpoints._compare.numbers import compare_plain, has_same_bits, is_scalar
from checkpoints._compare.tally import Found, Tally, Where
from checkpoints._process.libraries import imported

__all__ = ["Items"]

# What the == of these scalars of pandas does not look at.
_FORMS = {"Timestamp": ("unit", "tzinfo", "fold"), "Timedelta": ("unit",)}
_PLAIN = {bool, int, str, bytes, type(None)}


class Items:
    """
    Compares such cells.

    Args:
        comparer: What compares objects.
    """

    def __init__(self, comparer: Comparer) -> None:
        self._comparer = comparer

    def compare(
        self, one: Any, other: Any, places: Any, tally: Tally, where: Where
    ) -> None:
        """Compare chunks; `places` are theirs, or the place of the first cell."""
        if isinstance(places, int):
            places = imported("numpy").arange(places, places + len(one))
        if "O" in (_kind_of(one), _kind_of(other)):
            items = zip(places.tolist(), _listed(one), _listed(other), strict=True)
            for place, value, found in items:
                if not _is_surely_equal(value, found):
                    self._object(value, found, place, tally, where)
            return
        at = _differing(one, other)
        if not len(at):
            return
        places = places[at]
        values, found = _picked(one, at), _picked(other, at)
        tally.differ_all(
            len(at),
            lambda n: Found(partial(where, int(places[n])), (values(n), found(n))),
            places,
        )

    def _object(
        self, one: Any, other: Any, place: int, tally: Tally, where: Where
    ) -> None:
        bits = tally.bits
        if is_scalar(one) and is_scalar(other):
            dtype = tally.dtype
            compare_plain(one, other, tally, partial(where, place))
            tally.dtype = dtype
        elif type(one) is type(other) and type(one) in _PLAIN:
            tally.differ(Found(partial(where, place), (one, other)))
        else:
            part = self._comparer.compare(one, other)
            if part.verdict != "equal":
                # The cell itself has been counted.
                tally.cells -= part.cells
                beyond = min(part.beyond, 1)
                once = replace(
                    part,
                    name=where(place).text,
                    bits=min(part.bits, 1),
                    beyond=beyond,
                    measured=beyond if part.is_measured else 0,
                )
                tally.include(once)
        if tally.bits > bits:
            tally.draw(imported("numpy").array([place]), math.inf)


def _is_surely_equal(one: Any, other: Any) -> bool:
    """Tell whether two objects are plain and the same; most are."""
    kind = type(one)
    if kind is not type(other):
        return False
    if kind in _PLAIN:
        return bool(one == other)
    if kind is float:
        # What a NaN equals is for the tolerance to say.
        return bool(one == other) and has_same_bits(one, other)
    if kind is decimal.Decimal:
        return not one.is_nan() and has_same_bits(one, other)
    # The scalars of pandas, of which whole columns may be made.
    root = kind.__module__.partition(".")[0]
    return root == "pandas" and (one == other) is True and _has_same_form(one, other)


def _has_same_form(one: Any, other: Any) -> bool:
    """Tell whether two equal scalars of pandas are known to be the same in form."""
    traits = _FORMS.get(type(one).__name__)
    return traits is not None and all(
        getattr(one, trait) == getattr(other, trait) for trait in traits
    )


def _kind_of(array: Any) -> str:
    if hasattr(array, "dtype"):
        # NumPy's texts of any length.
        return "U" if array.dtype.kind == "T" else str(array.dtype.kind)
    types = imported("pyarrow").types
    for letter, tests in {
        "U": (types.is_string, types.is_large_string),
        "S": (types.is_binary, types.is_large_binary),
    }.items():
        if any(test(array.type) for test in tests):
            return letter
    return "O"


def _listed(array: Any) -> Any:
    return array.tolist() if hasattr(array, "dtype") else array.to_pylist()


def _differing(one: Any, other: Any) -> Any:
    """Return the places of the cells that differ."""
    numpy = imported("numpy")
    if _kind_of(one) != _kind_of(other):
        return numpy.arange(len(one))
    if hasattr(one, "dtype") and hasattr(other, "dtype"):
        return numpy.flatnonzero(one != other)
    one, other = (_as_arrow(array) for array in (one, other))
    compute = imported("pyarrow.compute")
    found = compute.not_equal(one, other)
    return numpy.flatnonzero(found.to_numpy(zero_copy_only=False))


def _as_arrow(array: Any) -> Any:
    pyarrow = imported("pyarrow")
    if hasattr(array, "dtype"):
        return pyarrow.array(array, pyarrow.large_string())
    is_text = _kind_of(array) == "U"
    return array.cast(pyarrow.large_string() if is_text else pyarrow.large_binary())


def _picked(array: Any, at: Any) -> Any:
    """Return the function for the value of the n-th of these places."""

    def value(number: int) -> Any:
        item = array[int(at[number])]
        for name in ("as_py", "item"):
            if hasattr(item, name):
                return getattr(item, name)()
        return item

    return value
