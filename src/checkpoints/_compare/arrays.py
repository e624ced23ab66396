"""NumPy arrays of any dtype and shape."""

from __future__ import annotations

import math
from typing import Any

from checkpoints._compare.comparer import Comparer
from checkpoints._compare.difference import Difference
from checkpoints._compare.dtypes import compare_dtypes, dtype_name
from checkpoints._compare.items import Items
from checkpoints._compare.tally import Tally, Where
from checkpoints._compare.vectors import compare_vectors
from checkpoints._process.libraries import imported
from checkpoints._text import count_text

__all__ = ["ArrayVector", "compare_arrays"]


class ArrayVector:
    """
    The cells of an array, in the order of its indexes.

    Args:
        array: An array of NumPy, masked perhaps.
        dtype: The name of its dtype, if it is not the array's own.
    """

    def __init__(self, array: Any, dtype: str = "") -> None:
        numpy = imported("numpy")
        self.dtype = dtype or dtype_name(str(array.dtype))
        self.length = array.size
        self._mask = None
        if isinstance(array, numpy.ma.MaskedArray):
            self._mask = _flat(numpy.ma.getmaskarray(array))
            array = array.data
        self._flat = _flat(array)

    def chunk(self, start: int, stop: int) -> tuple[Any, Any]:
        """Return an array of cells, and a mask of its nulls or None."""
        cells = imported("numpy").ascontiguousarray(self._flat[start:stop])
        if not cells.dtype.isnative:
            cells = cells.astype(cells.dtype.newbyteorder("="))
        return cells, None if self._mask is None else self._mask[start:stop]


def _flat(array: Any) -> Any:
    """Return what can be cut into chunks without a copy of the whole."""
    array = imported("numpy").asarray(array)
    return array.reshape(-1) if array.flags.c_contiguous else array.flat


def compare_arrays(
    baseline: Any, candidate: Any, comparer: Comparer, names: tuple[str, str] = ("", "")
) -> Difference:
    """
    Compare two arrays.

    Args:
        baseline: An array of NumPy.
        candidate: Another one.
        comparer: What is allowed.
        names: The dtypes that they stand for, if these are not their own.
    """
    tally = Tally(comparer.tolerance)
    pair = baseline, candidate
    texts = [name or str(array.dtype) for name, array in zip(names, pair, strict=True)]
    tally.dtype = texts[0], texts[1]
    tally.shape = str(baseline.shape), str(candidate.shape)
    if baseline.dtype.names or candidate.dtype.names:
        return _by_field(baseline, candidate, comparer, tally)
    known = [
        (_name(text, array), text) for text, array in zip(texts, pair, strict=True)
    ]
    compare_dtypes(known[0], known[1], tally)
    _compare_layout(baseline, candidate, tally)
    one, other = _comparable(baseline, candidate, tally)
    if one.size:
        where = _places(one.shape)
        if _is_fortran(one) and _is_fortran(other):
            # Chunks without a copy, in the order of the memory.
            one, other, where = one.T, other.T, _places(one.T.shape, reverse=True)
        vectors = ArrayVector(one, known[0][0]), ArrayVector(other, known[1][0])
        compare_vectors(*vectors, tally, where, Items(comparer).compare)
    return tally.result()


def _name(text: str, array: Any) -> str:
    name = dtype_name(text)
    if array.dtype.kind in "fciub" and array.dtype.name == text:
        return name
    return dtype_name(array.dtype.name) if text == str(array.dtype) else name


def _is_fortran(array: Any) -> bool:
    return bool(array.flags.f_contiguous and not array.flags.c_contiguous)


def _compare_layout(baseline: Any, candidate: Any, tally: Tally) -> None:
    orders = [_order_of(array) for array in (baseline, candidate)]
    if orders[0] != orders[1] and all(orders):
        tally.note(f"{orders[0]} order against {orders[1]} order", "close")
    masked = [hasattr(array, "mask") for array in (baseline, candidate)]
    if masked[0] != masked[1]:
        side = "baseline" if masked[0] else "candidate"
        tally.note(f"masked in the {side} only", "close")


def _order_of(array: Any) -> str:
    if array.flags.c_contiguous:
        # One that is both has no order to speak of.
        return "" if array.flags.f_contiguous else "C"
    return "Fortran" if array.flags.f_contiguous else ""


def _comparable(baseline: Any, candidate: Any, tally: Tally) -> tuple[Any, Any]:
    """Return the parts of two arrays that have the same shape, and count the rest."""
    shapes = baseline.shape, candidate.shape
    if shapes[0] == shapes[1]:
        return baseline, candidate
    tally.note(f"shape {shapes[0]} against {shapes[1]}", "different")
    rows = 0
    if len(shapes[0]) == len(shapes[1]) > 0 and shapes[0][1:] == shapes[1][1:]:
        rows = min(shapes[0][0], shapes[1][0])
        side = "baseline" if shapes[0][0] > rows else "candidate"
        more = abs(shapes[0][0] - shapes[1][0])
        tally.note(f"{count_text(more, 'row')} at the end of the {side} only")
    left = max(baseline.size, candidate.size) - rows * math.prod(shapes[0][1:])
    tally.cells += left
    tally.count(left, left)
    tally.needs(math.inf, math.inf)
    if not rows:
        nothing = imported("numpy").empty(0, baseline.dtype)
        return nothing, nothing
    return baseline[:rows], candidate[:rows]


def _places(shape: tuple[int, ...], *, reverse: bool = False) -> Where:
    def where(place: int) -> str:
        index = []
        for length in shape[::-1]:
            place, at = divmod(place, length)
            index.append(at)
        return str(index if reverse else index[::-1]) if index else ""

    return where


def _by_field(
    baseline: Any, candidate: Any, comparer: Comparer, tally: Tally
) -> Difference:
    """Compare structured arrays."""
    one, other = (array.dtype.names or () for array in (baseline, candidate))
    if not (one and other) or baseline.shape != candidate.shape:
        compare_dtypes(("", tally.dtype[0]), ("", tally.dtype[1]), tally)
        if baseline.shape != candidate.shape:
            shapes = f"shape {baseline.shape} against {candidate.shape}"
            tally.note(shapes, "different")
    if [name for name in one if name in other] != [
        name for name in other if name in one
    ]:
        tally.note("other order of fields", "close")
    for name in dict.fromkeys([*one, *other]):
        field = f"field {name!r}"
        if name not in one or name not in other:
            side = "baseline" if name in one else "candidate"
            tally.note(f"{field} in the {side} only", "different")
            continue
        part = compare_arrays(baseline[name], candidate[name], comparer)
        tally.include(_named(part, field))
    return tally.result()


def _named(part: Difference, name: str) -> Difference:
    from dataclasses import replace

    return replace(part, name=name)
