"""Arrays and numbers of NumPy as values of Julia."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import Any

from checkpoints._files.julia_encoder import MISSING, JuliaArray, JuliaStruct
from checkpoints._files.julia_types import NUMBERS, PERIODS, JuliaType, named
from checkpoints._process.libraries import needed
from checkpoints.errors import FormatError

__all__ = ["WAY_OUT", "array_of", "scalar_of", "with_gaps"]

_KINDS = {code[1:]: named(name) for name, code in NUMBERS.items()}
_KINDS |= {"b1": named("Bool"), "U": named("String")}
_KINDS |= {f"c{2 * n}": named("Complex", named(f"Float{8 * n}")) for n in (4, 8)}
_UNITS = {unit: named(name) for name, unit in PERIODS.items()}
_DTYPES = {"Int64": "<i8", "Float64": "<f8", "Bool": "|b1"}
_NATIVE = tuple(_DTYPES)
# Than those of milliseconds.
_FINER = ("us", "ns", "ps", "fs", "as", "generic")
# What 1970-01-01 counts, as Julia counts from its first day.
_FIRSTS = {
    "D": (named("Dates.Date"), 719_163),
    "ms": (named("Dates.DateTime"), 719_163 * 86_400_000),
}
WAY_OUT = (
    "save it as a text, or what it holds as dicts, lists and arrays, or use "
    "format='zip'"
)


def scalar_of(value: Any) -> Any:
    """Return a scalar of NumPy as a value that Julia has."""
    array = array_of(needed("numpy", "a number").asarray(value))
    if array.kind.name in _NATIVE:
        return value.item()
    if isinstance(array.data, list):
        return array.data[0]
    return _scalar(array.kind, bytes(array.data))


def _scalar(kind: JuliaType, data: bytes) -> Any:
    """Return the only element of an array by itself."""
    if kind.name in NUMBERS:
        return JuliaStruct(kind, data)
    if kind.name == "Complex":
        (of,), half = kind.params, len(data) // 2
        return JuliaStruct(kind, [_part(of, data[:half]), _part(of, data[half:])])
    count = int.from_bytes(data, "little", signed=True)
    if kind.name in PERIODS:
        return JuliaStruct(kind, [count])
    unit = named("Dates.Day" if kind.name == "Dates.Date" else "Dates.Millisecond")
    instant = named("Dates.UTInstant", unit)
    return JuliaStruct(kind, [JuliaStruct(instant, [JuliaStruct(unit, [count])])])


def _part(kind: JuliaType, data: bytes) -> Any:
    numpy = needed("numpy", "a number")
    if kind.name in _NATIVE:
        return numpy.frombuffer(data, NUMBERS[kind.name])[0].item()
    return JuliaStruct(kind, data)


def array_of(array: Any) -> JuliaArray:
    """Return an array of NumPy; its memory is shared if Julia's would be the same."""
    dtype = array.dtype
    if dtype.hasobject and dtype.names is None:
        kind: JuliaType | None = named("Any")
    elif dtype.kind in "mM":
        return _times(array)
    elif dtype.kind == "U":
        kind = _KINDS["U"]
    else:
        kind = _KINDS.get(f"{dtype.kind}{dtype.itemsize}")
    if kind is None:
        raise FormatError(f"Julia has no type like the dtype {dtype}: {WAY_OUT}")
    if kind.name in ("Any", "String"):
        # In the order of Julia's memory, in which the first dimension comes first.
        return JuliaArray(kind, array.shape, array.ravel(order="F").tolist())
    return _in_memory(array, kind)


def _in_memory(array: Any, kind: JuliaType) -> JuliaArray:
    numpy = needed("numpy", "an array")
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    memory = little.ravel(order="F")
    if not memory.flags.c_contiguous:
        memory = memory.copy()
    return JuliaArray(kind, array.shape, memory.view(numpy.uint8).data)


def with_gaps(array: JuliaArray, gaps: Any) -> JuliaArray:
    """
    Return an array in which values are missing.

    Args:
        array: The array, with any values in their places.
        gaps: An array of NumPy of the same shape, with True for those that are missing.
    """
    if not gaps.any():
        return array
    items = array.data if isinstance(array.data, list) else _items(array)
    pairs = zip(items, gaps.ravel(order="F").tolist(), strict=True)
    found = [MISSING if gone else it for it, gone in pairs]
    kind = array.kind
    if kind.name not in ("Any", "Union"):
        kind = named("Union", MISSING.kind, kind)
    return JuliaArray(kind, array.dims, found)


def _items(array: JuliaArray) -> list[Any]:
    """Return the elements of an array one by one, first dimension first."""
    numpy = needed("numpy", "an array")
    if array.kind.name in _NATIVE:
        dtype = _DTYPES[array.kind.name]
        return list(numpy.frombuffer(array.data, dtype).tolist())
    data = memoryview(bytes(array.data))
    size = len(data) // max(1, math.prod(array.dims))
    starts = range(0, len(data), size)
    return [_scalar(array.kind, bytes(data[at : at + size])) for at in starts]


def _times(array: Any) -> JuliaArray:
    """Return dates, times or spans as the integers that Julia counts them with."""
    numpy = needed("numpy", "an array")
    gaps, unit = numpy.isnat(array), numpy.datetime_data(array.dtype)[0]
    if unit == "generic" and gaps.all():
        return JuliaArray(named("Any"), array.shape, [MISSING] * array.size)
    if gaps.any():
        array = array.copy()
        array.view("i8")[gaps] = 0
    counts, kind = _spans(array) if array.dtype.kind == "m" else _instants(array)
    return with_gaps(_in_memory(counts, kind), gaps)


def _spans(array: Any) -> tuple[Any, JuliaType]:
    unit, step = needed("numpy", "an array").datetime_data(array.dtype)
    if step != 1 or unit not in _UNITS:
        raise FormatError(
            f"Julia has no spans like the dtype {array.dtype}: convert them with "
            "value.astype('m8[ns]')"
        )
    return array.astype("<i8"), _UNITS[unit]


def _instants(array: Any) -> tuple[Any, JuliaType]:
    unit, step = needed("numpy", "an array").datetime_data(array.dtype)
    kind, first = _FIRSTS["D" if unit == "D" and step == 1 else "ms"]
    found, is_same = array, False
    with suppress(OverflowError):  # until NumPy 2.5 the numbers wrapped instead
        found = array.astype("M8[D]" if kind.name == "Dates.Date" else "M8[ms]")
        is_same = (found.astype(array.dtype) == array).all() and unit != "generic"
    if not is_same and unit in _FINER:
        raise FormatError(
            "the DateTime of Julia has milliseconds, and these times have parts of "
            "them: round them with value.astype('M8[ms]')"
        )
    counts = found.astype("<i8") + first
    if not is_same or (counts < found.astype("<i8")).any():
        raise FormatError(
            "its times are further from 1970 than the milliseconds of Julia's DateTime "
            "reach: save them as numbers, or use format='zip'"
        )
    return counts, kind
