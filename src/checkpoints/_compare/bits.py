"""Which cells of two arrays differ in some bit."""

from __future__ import annotations

from typing import Any

from checkpoints._process.libraries import imported

__all__ = ["bits_differ"]

# In bytes; NumPy's longer floats have bits that mean nothing.
_LONGEST = {"f": 8, "c": 16}


def bits_differ(one: Any, other: Any, out: Any = None) -> Any:
    """
    Return a mask of the cells of two arrays of one dtype that differ in some bit.

    Args:
        one: A contiguous array of numbers or times, of one dimension.
        other: Another one.
        out: A buffer for the mask, if the cells are no complex numbers.
    """
    numpy = imported("numpy")
    kind, size = one.dtype.kind, one.dtype.itemsize
    if kind in "iub":
        return numpy.not_equal(one, other, out=out)
    if size > _LONGEST.get(kind, size):
        # Equal numbers differ in the sign of zero at most.
        signs = numpy.signbit(one.real) != numpy.signbit(other.real)
        if kind == "c":
            signs |= numpy.signbit(one.imag) != numpy.signbit(other.imag)
        return (one != other) | (signs & ~numpy.isnan(one))
    # Integers of any size compare faster than floats, and tell -0.0 from 0.0.
    if kind == "c":
        words = f"u{size // 2}"
        parts = numpy.not_equal(one.view(words), other.view(words))
        return parts.reshape(-1, 2).any(axis=1)
    words = f"u{size}"
    return numpy.not_equal(one.view(words), other.view(words), out=out)
