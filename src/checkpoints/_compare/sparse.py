"""Sparse matrices of SciPy, compared without making them dense."""

from __future__ import annotations

import math
from typing import Any

from checkpoints._compare.arrays import ArrayVector
from checkpoints._compare.comparer import Comparer
from checkpoints._compare.difference import Difference
from checkpoints._compare.dtypes import compare_dtypes, dtype_name
from checkpoints._compare.items import Items
from checkpoints._compare.tally import Tally
from checkpoints._compare.vectors import compare_vectors
from checkpoints._process.libraries import imported

__all__ = ["compare_sparse"]


def compare_sparse(one: Any, other: Any, comparer: Comparer) -> Difference:
    """
    Compare two sparse matrices or arrays; what one of them does not store is zero.

    Args:
        one: The baseline.
        other: The candidate.
        comparer: What is allowed.
    """
    tally = Tally(comparer.tolerance)
    dtypes = [str(matrix.dtype) for matrix in (one, other)]
    tally.dtype = dtypes[0], dtypes[1]
    tally.shape = str(one.shape), str(other.shape)
    named = [(dtype_name(dtype), dtype) for dtype in dtypes]
    compare_dtypes(named[0], named[1], tally)
    if one.format != other.format:
        tally.note(f"{one.format} format against {other.format} format", "close")
    if one.shape != other.shape:
        tally.note(f"shape {one.shape} against {other.shape}", "different")
        return tally.result()
    stored = _stored(one), _stored(other)
    if stored[0][2] != stored[1][2]:
        counts = f"{stored[0][2]} against {stored[1][2]} stored cells"
        tally.note(counts, "close")
    index, values = _aligned(stored[0], stored[1])
    tally.cells += math.prod(one.shape) - len(values[0])

    def where(place: int) -> str:
        return str([int(axis[place]) for axis in index])

    vectors = ArrayVector(values[0]), ArrayVector(values[1])
    compare_vectors(*vectors, tally, where, Items(comparer).compare)
    return tally.result()


def _stored(matrix: Any) -> tuple[list[Any], Any, int]:
    """Return the indexes of the stored cells, their values, and how many there are."""
    found = matrix.tocoo(copy=True)
    found.sum_duplicates()
    coords = getattr(found, "coords", None) or (found.row, found.col)
    return [axis.astype("int64") for axis in coords], found.data, len(found.data)


def _aligned(one: Any, other: Any) -> tuple[list[Any], tuple[Any, Any]]:
    """Return the indexes of the cells that either side stores, and both values."""
    numpy = imported("numpy")
    axes = [numpy.concatenate(pair) for pair in zip(one[0], other[0], strict=True)]
    order = numpy.lexsort(axes[::-1])
    axes = [axis[order] for axis in axes]
    begins = numpy.zeros(len(order), bool)
    begins[:1] = True
    for axis in axes:
        begins[1:] |= axis[1:] != axis[:-1]
    group = numpy.empty(len(order), "int64")
    group[order] = numpy.cumsum(begins) - 1
    values = []
    for data, places in (
        (one[1], group[: one[2]]),
        (other[1], group[one[2] :]),
    ):
        filled = numpy.zeros(int(begins.sum()), data.dtype)
        filled[places] = data
        values.append(filled)
    return [axis[begins] for axis in axes], (values[0], values[1])
