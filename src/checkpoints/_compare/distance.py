"""How far numbers are apart: in bits, in common dtypes, in units of the last place."""

from __future__ import annotations

import struct
from typing import Any

from checkpoints._process.libraries import imported

__all__ = [
    "bits_differ",
    "coarser",
    "distances",
    "seconds_per_unit",
    "ulps",
    "ulps_of",
    "widened",
]

# From the coarsest: the tolerance of two dtypes is that of the coarser one.
_BY_PRECISION = (
    *("bfloat16", "float16", "float32", "complex64", "float64", "complex128"),
    *("longdouble", "clongdouble"),
)
_COMPLEX = {"float32": "complex64", "float64": "complex128"}
# The letters of `struct` for a float and for an integer of its size.
_FORMS = {"float16": ("e", "h"), "float32": ("f", "i"), "float64": ("d", "q")}
_SHIFTS = {"bfloat16": 16}
_LONGEST_REAL, _LONGEST_COMPLEX = 8, 16
# In bytes; NumPy's longer floats have bits that mean nothing.
_LONGEST = {"f": 8, "c": 16}
_SECONDS = {"W": 604_800.0, "D": 86_400.0, "h": 3600.0, "m": 60.0, "s": 1.0}
_SECONDS |= {"ms": 1e-3, "us": 1e-6, "ns": 1e-9, "ps": 1e-12, "fs": 1e-15, "as": 1e-18}


def coarser(one: str, other: str) -> str:
    """
    Return the dtype of two whose numbers have fewer digits.

    >>> coarser("float64", "float32"), coarser("int64", "float64")
    ('float32', 'float64')
    """
    known = [name for name in _BY_PRECISION if name in (one, other)]
    if one == other or not known:
        return one
    is_complex = any(name.startswith("c") for name in known)
    return _COMPLEX.get(known[0], known[0]) if is_complex else known[0]


def ulps_of(one: float, other: float, dtype: str = "float64") -> int | None:
    """
    Return the number of steps between two floats of a dtype, None if it has none.

    >>> ulps_of(1.0, 1.0000000000000002), ulps_of(-0.0, 0.0), ulps_of(1.0, 2.0, "int8")
    (1, 0, None)
    """
    shift = _SHIFTS.get(dtype, 0)
    form = _FORMS.get("float32" if shift else dtype)
    if form is None:
        return None
    try:
        first, second = (_ordered(value, *form) for value in (one, other))
    except (OverflowError, TypeError, ValueError):
        return None
    return abs(first - second) >> shift


def _ordered(value: float, form: str, whole: str) -> int:
    """Return the number of floats between zero and this one, with its sign."""
    bits: int
    (bits,) = struct.unpack(whole, struct.pack(form, value))
    lowest = -1 << (8 * struct.calcsize(whole) - 1)
    return bits if bits >= 0 else lowest - bits


def ulps(one: Any, other: Any, dtype: str) -> Any:
    """Return the steps between the floats of two arrays, as floats."""
    numpy = imported("numpy")
    shift = _SHIFTS.get(dtype, 0)
    name = "float32" if shift else dtype
    if name not in _FORMS or one.dtype.kind not in "fiu":
        return numpy.full(len(one), numpy.inf)
    whole = numpy.dtype(f"i{numpy.dtype(name).itemsize}")
    lowest = numpy.iinfo(whole).min

    def ordered(values: Any) -> Any:
        bits = values.astype(name).view(whole)
        return numpy.where(bits < 0, lowest - bits, bits)

    first, second = ordered(one), ordered(other)
    return numpy.floor(distances(first, second).astype("float64") / 2**shift)


def widened(one: Any, other: Any) -> tuple[Any, Any]:
    """
    Return two arrays in a dtype that holds all numbers, or times, of both.

    Raises:
        OverflowError: If there is none for the times.
    """
    numpy = imported("numpy")
    if one.dtype.kind in "mM":
        return _same_unit(one, other)
    dtype = numpy.dtype(_wide(one.dtype, other.dtype))
    return one.astype(dtype, copy=False), other.astype(dtype, copy=False)


def _wide(one: Any, other: Any) -> str:
    kinds = {one.kind, other.kind}
    if "O" in kinds:
        return "object"
    if kinds <= {"b", "u"}:
        return "uint64"
    longest = max(one.itemsize, other.itemsize)
    if kinds <= {"b", "u", "i"}:
        is_long = any(it.kind == "u" and it.itemsize == longest for it in (one, other))
        # Only Python's integers hold all of both.
        is_beyond = is_long and "i" in kinds and longest == _LONGEST_REAL
        return "object" if is_beyond else "int64"
    # A float64 does not hold all integers of 64 bits.
    is_long = any(
        it.itemsize > (_LONGEST_COMPLEX if it.kind == "c" else _LONGEST_REAL)
        or (it.kind in "iu" and it.itemsize == _LONGEST_REAL)
        for it in (one, other)
    )
    if "c" in kinds:
        return "clongdouble" if is_long else "complex128"
    return "longdouble" if is_long else "float64"


def _same_unit(one: Any, other: Any) -> tuple[Any, Any]:
    if one.dtype == other.dtype:
        return one, other
    numpy = imported("numpy")
    dtype = numpy.promote_types(one.dtype, other.dtype)
    found = one.astype(dtype), other.astype(dtype)
    for narrow, wide in zip((one, other), found, strict=True):
        if (wide.astype(narrow.dtype).view("i8") != narrow.view("i8")).any():
            raise OverflowError(f"times of {narrow.dtype} do not fit into {dtype}")
    return found


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


def distances(one: Any, other: Any, out: Any = None) -> Any:
    """Return |other - one| of two arrays of one wide dtype, of integers exactly."""
    numpy = imported("numpy")
    kind = one.dtype.kind
    if kind in "mM":
        return distances(one.view("i8"), other.view("i8"))
    if kind in "iu":
        # The difference of two signed integers may need an unsigned one.
        unsigned = f"u{one.dtype.itemsize}"
        high, low = numpy.maximum(one, other), numpy.minimum(one, other)
        return high.view(unsigned) - low.view(unsigned)
    if kind == "f":
        found = numpy.subtract(other, one, out=out)
        return numpy.abs(found, out=found)
    return abs(other - one)


def seconds_per_unit(dtype: Any) -> float | None:
    """Return the length of a unit of time of NumPy; None for months and years."""
    unit, count = imported("numpy").datetime_data(dtype)
    seconds = _SECONDS.get(unit)
    return None if seconds is None else seconds * count
