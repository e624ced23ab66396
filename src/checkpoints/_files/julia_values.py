"""The values of Julia as values of Python, from their types and parts."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from fractions import Fraction
from operator import index
from typing import Any

from checkpoints._files.julia_frames import frame
from checkpoints._files.julia_numbers import numbers
from checkpoints._files.julia_types import (
    NO_FUNCTION,
    NUMBERS,
    PERIODS,
    JuliaType,
    fields_of,
    is_function,
    layout_of,
)
from checkpoints._kinds.plain import check_hashes, named_zone
from checkpoints._kinds.records import Record
from checkpoints._process.libraries import needed
from checkpoints.errors import FormatError, MissingDependencyError

__all__ = [
    "all_in_memory",
    "array",
    "count_of",
    "dictionary",
    "in_memory",
    "made",
    "shaped",
    "texts",
]

Spend = Callable[[int], None]

# Days and milliseconds from Julia's first day to 1970-01-01.
_DAYS = 719_163
_MILLISECONDS = _DAYS * 86_400_000
_FIRST = datetime.datetime(1, 1, 1)  # noqa: DTZ001 - times of Julia have no zone
_DAY = datetime.timedelta(days=1)
_MICROSECONDS = {
    "W": 604_800_000_000,
    "D": 86_400_000_000,
    "h": 3_600_000_000,
    "m": 60_000_000,
    "s": 1_000_000,
    "ms": 1_000,
    "us": 1,
}
_OBJECT = 64


def in_memory(kind: JuliaType, data: memoryview) -> Any:
    """Return the value that lies in memory, as a Record if its type is unknown."""
    layout = layout_of(kind)
    if layout is None:
        return _record(kind, {"data": bytes(data)})
    if layout.size > len(data):
        raise ValueError(f"a value of type {kind!s:.80} is cut off")
    return all_in_memory(kind, data[: layout.size], 1)[0]


def all_in_memory(kind: JuliaType, data: memoryview, count: int) -> list[Any]:
    """
    Return the values that lie in memory one after another.

    Args:
        kind: Their type, which is known.
        data: The memory, which holds no other ones.
        count: How many they are.
    """
    layout = layout_of(kind)
    if layout is not None and layout.size:
        return _column_of(kind, data, 0, layout.size)
    return _column_of(kind, memoryview(b"\0"), 0, 1) * count


def _column_of(kind: JuliaType, data: memoryview, start: int, step: int) -> list[Any]:
    """Return the values at equal distances, field by field, which is fast."""
    if kind.name in ("Nothing", "Missing"):
        return [None] * (len(data) // step)
    layout = layout_of(kind)
    if layout is None or not (layout.fields or kind.name in ("Tuple", "NamedTuple")):
        return numbers(kind.name, data, start, step)
    columns = [_column_of(of, data, start + at, step) for at, of in layout.fields]
    rows = zip(*columns, strict=True) if columns else [()] * (len(data) // step)
    if kind.name == "Tuple":
        return list(rows)
    names = list(fields_of(kind) or ())
    return [_made(kind, dict(zip(names, row, strict=True))) for row in rows]


def count_of(dims: Sequence[Any], limit: int) -> int:
    """
    Return the number of elements of an array, checked against a limit.

    Raises:
        ValueError: If the dimensions are no lengths, or there are more.
    """
    if not all(isinstance(n, int) and n >= 0 for n in dims):
        raise ValueError("the size of an array is not a list of lengths")
    count = 1
    # One by one, as large lengths take long to multiply, and zeros would hide them.
    for length in dims:
        count *= length or 1
        if count >= 1 << 62:
            raise ValueError("an array is larger than its data")
    count = 0 if 0 in dims else count
    if count > limit:
        raise ValueError("an array is larger than its data")
    return count


def array(kind: JuliaType, dims: Sequence[int], data: memoryview, spend: Spend) -> Any:
    """
    Return an array whose elements lie in memory, first dimension first.

    Args:
        kind: The type of its elements.
        dims: Its shape.
        data: Its memory, which the array takes over.
        spend: Called with the memory that the values are about to take.

    Raises:
        ValueError: If the memory has another size.
    """
    layout = layout_of(kind)
    if layout is None:
        element = _record(kind, {}).type
        fields = {"element": element, "size": tuple(dims), "data": bytes(data)}
        return Record("Base.Array", fields)
    limit = len(data) // layout.size if layout.size else 1 << 40
    count = count_of(dims, limit)
    if count * layout.size != len(data):
        raise ValueError("an array has another size than its data")
    dtype = _DTYPES.get(str(kind))
    if dtype is not None:
        return _numbers(dtype, dims, data)
    spend(count * _OBJECT * layout.weight)
    return shaped(all_in_memory(kind, data, count), dims)


def _numbers(dtype: str, dims: Sequence[int], data: memoryview) -> Any:
    numpy = needed("numpy", "an array of Julia")
    if dtype == "|b1" and len(data) and numpy.frombuffer(data, "|u1").max() > 1:
        raise ValueError("a boolean is neither true nor false")
    found = numpy.frombuffer(data, dtype)
    # Other libraries expect numbers at multiples of their size.
    if not found.flags.aligned or not found.flags.writeable:
        found = found.copy()
    if dtype[1] == "M":
        steps = found.view("<i8")
        steps -= _DAYS if dtype.endswith("[D]") else _MILLISECONDS
    return found.reshape(tuple(dims), order="F")


def shaped(items: list[Any], dims: Sequence[int]) -> Any:
    """Return items as a list; of several dimensions, as an array of objects."""
    if len(dims) == 1:
        return items
    numpy = needed("numpy", "an array of Julia")
    found = numpy.empty(len(items), object)
    found[:] = items
    return found.reshape(tuple(dims), order="F")


def texts(items: list[Any], dims: Sequence[int], spend: Spend) -> Any:
    """Return texts as an array of NumPy, or of objects where it would change them."""
    if not all(type(it) is str and not it.endswith("\0") for it in items):
        return shaped(items, dims)
    numpy = needed("numpy", "an array of Julia")
    spend(4 * len(items) * max(map(len, items), default=1))
    return numpy.array(items, numpy.str_).reshape(tuple(dims), order="F")


def dictionary(keys: Sequence[Any], values: Sequence[Any], name: str = "Dict") -> Any:
    """
    Return a dict; a Record where keys cannot be those of a dict of Python.

    Raises:
        ValueError: If there are more of the ones than of the others.
    """
    if len(keys) != len(values):
        raise ValueError("a dict has another number of keys than of values")
    try:
        check_hashes(keys)
        found = dict(zip(keys, values, strict=True))
    except TypeError:
        found = {}
    if len(found) != len(keys):  # lists as keys, or 1 and 1.0, which are equal here
        return Record(f"Base.{name}", {"keys": list(keys), "values": list(values)})
    return found


def made(kind: JuliaType, parts: Sequence[Any]) -> Any:
    """
    Return a value from the parts of its struct, in their order.

    What Python has no type for, or no such value, is a `Record`.
    """
    names = list(fields_of(kind) or ())[: len(parts)]
    names += [f"_{at + 1}" for at in range(len(names), len(parts))]
    return _made(kind, dict(zip(names, parts, strict=True)))


def _made(kind: JuliaType, fields: dict[str, Any]) -> Any:
    make = _MAKERS.get(kind.name)
    if make is not None:
        try:
            return make(fields)
        except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError):
            pass  # such as a date before year 1
    # The type of a named tuple says nothing that its fields do not.
    is_named = kind.name == "NamedTuple"
    return Record("Core.NamedTuple", fields) if is_named else _record(kind, fields)


def _record(kind: JuliaType, fields: dict[str, Any]) -> Record:
    if is_function(kind):
        raise FormatError(NO_FUNCTION)
    return Record(kind.full, fields)


def _text(fields: Mapping[str, Any]) -> Any:
    start, size = fields["offset"], fields["ncodeunits"]
    whole = fields["string"].encode("utf-8", "surrogateescape")
    return whole[start : start + size].decode("utf-8", "surrogateescape")


def _period(unit: str) -> Callable[[Mapping[str, Any]], Any]:
    def period(fields: Mapping[str, Any]) -> datetime.timedelta:
        # As an integer, for what a forged file has instead could be repeated by it.
        count = index(fields["value"])
        if unit == "ns":
            micros, rest = divmod(count, 1_000)
            if rest:
                raise ValueError("not a number of microseconds")
        else:
            micros = count * _MICROSECONDS[unit]
        return datetime.timedelta(microseconds=micros)

    return period


def _date(fields: Mapping[str, Any]) -> Any:
    return (_FIRST + (fields["instant"] - _DAY)).date()


def _datetime(fields: Mapping[str, Any]) -> Any:
    return _FIRST + (fields["instant"] - _DAY)


def _time(fields: Mapping[str, Any]) -> Any:
    if not datetime.timedelta() <= fields["instant"] < _DAY:
        raise ValueError("not a time of day")
    return (_FIRST + fields["instant"]).time()


def _complex(fields: Mapping[str, Any]) -> complex:
    real, imaginary = fields["re"], fields["im"]
    found = complex(real, imaginary)
    is_whole = hasattr(real, "__index__")
    if is_whole and (found.real, found.imag) != (index(real), index(imaginary)):
        raise ValueError("integers that floats cannot hold")
    return found


def _unit_range(fields: Mapping[str, Any]) -> range:
    return range(fields["start"], index(fields["stop"]) + 1)


def _step_range(fields: Mapping[str, Any]) -> range:
    step, stop = fields["step"], index(fields["stop"])
    return range(fields["start"], stop + (1 if step > 0 else -1), step)


def _set(fields: Mapping[str, Any]) -> set[Any]:
    table = fields["dict"]
    if type(table) is not dict:
        raise TypeError("not of values that a set of Python can have")
    return set(table)


def _bits(fields: Mapping[str, Any]) -> Any:
    numpy = needed("numpy", "an array of Julia")
    words = fields["chunks"]
    if not isinstance(words, numpy.ndarray):  # a range would take memory as one
        raise TypeError("the bits are in no array")
    chunks = numpy.ascontiguousarray(words, "<u8").view("|u1")
    dims = fields.get("dims")
    # Of one dimension, the size is left undefined.
    dims = dims if isinstance(dims, tuple) and len(dims) != 1 else (fields["len"],)
    count = count_of(dims, 8 * len(chunks))
    if count != fields["len"]:
        raise ValueError("its size is not that of its bits")
    found = numpy.unpackbits(chunks, count=count, bitorder="little")
    return found.view("|b1").reshape(dims, order="F")


def _zoned(fields: Mapping[str, Any]) -> Any:
    offset, name = fields["zone"]["offset"], fields["timezone"]["name"]
    utc = fields["utc_datetime"].replace(tzinfo=datetime.UTC)
    shift = offset["std"] + offset["dst"]
    with suppress(MissingDependencyError, ValueError):
        found: datetime.datetime = utc.astimezone(named_zone(name))
        if found.utcoffset() == shift:
            return found
    return utc.astimezone(datetime.timezone(shift))


_DTYPES = {
    **NUMBERS,
    "Bool": "|b1",
    "Complex{Float32}": "<c8",
    "Complex{Float64}": "<c16",
    "Dates.Date": "<M8[D]",
    "Dates.DateTime": "<M8[ms]",
    **{name: f"<m8[{unit}]" for name, unit in PERIODS.items()},
}
_MAKERS: dict[str, Callable[[Mapping[str, Any]], Any]] = {
    "Tuple": lambda fields: tuple(fields.values()),
    "SubString": _text,
    "Complex": _complex,
    "Rational": lambda fields: Fraction(index(fields["num"]), index(fields["den"])),
    "UUID": lambda fields: uuid.UUID(int=index(fields["value"])),
    "UnitRange": _unit_range,
    "StepRange": _step_range,
    "Set": _set,
    "BitArray": _bits,
    **{name: _period(unit) for name, unit in PERIODS.items() if unit not in "YM"},
    "Dates.UTInstant": lambda fields: fields["periods"],
    "Dates.Date": _date,
    "Dates.DateTime": _datetime,
    "Dates.Time": _time,
    "DataFrames.DataFrame": frame,
    "TimeZones.ZonedDateTime": _zoned,
}
