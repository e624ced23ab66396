"""Cells that are neither numbers nor times: texts, bytes, booleans, objects."""

from __future__ import annotations

from typing import Any

from checkpoints._compare.comparer import Comparer
from checkpoints._compare.difference import Difference
from checkpoints._compare.tally import Found, Tally, Where
from checkpoints._process.libraries import imported

__all__ = ["Items"]

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
        if _are_objects(one, other):
            for place, *pair in zip(
                places.tolist(), _listed(one), _listed(other), strict=True
            ):
                self._object(pair, lambda place=place: where(place), tally)
            return
        at = _differing(one, other)
        if not len(at):
            return
        values, found = _picked(one, at), _picked(other, at)
        tally.differ_all(
            len(at),
            lambda n: Found(lambda: where(int(places[at[n]])), (values(n), found(n))),
        )

    def _object(self, pair: list[Any], where: Any, tally: Tally) -> None:
        one, other = pair
        if type(one) is type(other) and type(one) in _PLAIN:
            if one != other:
                tally.differ(Found(where, (one, other)))
            return
        part = self._comparer.compare(one, other)
        if part.verdict != "equal":
            _include(part, where(), tally)


def _include(part: Difference, where: str, tally: Tally) -> None:
    from dataclasses import replace

    # The cell itself has been counted.
    tally.cells -= part.cells
    once = min(part.bits, 1), min(part.beyond, 1)
    tally.include(replace(part, name=where, bits=once[0], beyond=once[1]))


def _are_objects(one: Any, other: Any) -> bool:
    kinds = [_kind_of(array) for array in (one, other)]
    return "O" in kinds


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
