"""
Statistics of the elements of NumPy arrays, which the values of most libraries become.

Extremes and means are taken over finite numbers; the others are counted.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from typing import Any

from checkpoints._kinds.columns import Statistics, plain

__all__ = ["elements_of", "extremes_of", "floats_of"]

# A sample is enough to tell the types; looking at all objects would take time.
_MAX_OBJECTS = 10_000
_MAX_TYPES = 5


def elements_of(array: Any) -> Statistics:
    """Return statistics of the elements of an array of any dtype."""
    import numpy

    if not array.flags.c_contiguous:
        # In another order, the mean may differ in the last digit.
        array = array.copy(order="C")
    kind = array.dtype.kind
    if kind == "b":
        return {"true": int(numpy.count_nonzero(array))}
    if kind == "O":
        return _objects_of(array.flat, array.size)
    if kind in "mM":
        known = array[~numpy.isnat(array)]
        return {**extremes_of(known), "missing": int(array.size - known.size)}
    if kind in "iu":
        mean = float(numpy.mean(array, dtype="float64")) if array.size else None
        return {**extremes_of(array), "mean": mean}
    return floats_of(array) if kind in "fc" else {}


def floats_of(array: Any) -> Statistics:
    """Return statistics of the elements of an array of floats or complex numbers."""
    import numpy

    with numpy.errstate(all="ignore"):
        finite = numpy.isfinite(array)
        nan = int(numpy.count_nonzero(numpy.isnan(array)))
        count = int(numpy.count_nonzero(finite))
        numbers: Statistics = {"nan": nan, "inf": int(array.size) - count - nan}
        if count < array.size:
            numbers["not_finite"] = _hash_of_places(array, finite)
        # A mask takes a fraction of the array's memory; a filtered copy takes it all.
        where = True if count == array.size else finite
        wide = numpy.result_type(array.dtype, "float64")
        mean = array.mean(dtype=wide, where=where) if count else None
        if array.dtype.kind == "c":
            return {"mean": None if mean is None else complex(mean), **numbers}
        if mean is None:
            return {"min": None, "max": None, "mean": None, **numbers}
        low = float(array.min(where=where, initial=numpy.inf))
        high = float(array.max(where=where, initial=-numpy.inf))
    return {"min": low, "max": high, "mean": float(mean), **numbers}


def _hash_of_places(array: Any, finite: Any) -> str:
    """Return a hash of where NaN and the infinities are, and which."""
    import numpy

    others = array[~finite]
    parts = (others.real, others.imag) if array.dtype.kind == "c" else (others,)
    digest = hashlib.blake2b(numpy.packbits(finite).tobytes(), digest_size=16)
    for part in parts:
        for which in (numpy.isnan, numpy.isposinf, numpy.isneginf):
            digest.update(numpy.packbits(which(part)).tobytes())
    return digest.hexdigest()


def extremes_of(array: Any) -> Statistics:
    """Return the extremes of anything that has `min` and `max`."""
    if not array.size:
        return {"min": None, "max": None}
    return {"min": plain(array.min()), "max": plain(array.max())}


def _objects_of(items: Iterable[Any], count: int) -> Statistics:
    """Count the types of the first objects."""
    types = Counter(type(item).__name__ for item in islice(items, _MAX_OBJECTS))
    found: Statistics = {"types": dict(types.most_common(_MAX_TYPES))}
    if count > _MAX_OBJECTS:
        found["looked_at"] = _MAX_OBJECTS
    return found
