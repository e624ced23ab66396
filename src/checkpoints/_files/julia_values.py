"""The values of Julia as values of Python, from their types and parts."""

from __future__ import annotations

import datetime
import math
import struct
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from fractions import Fraction
from typing import Any

from checkpoints._files.julia_types import (
    NUMBERS,
    PERIODS,
    JuliaType,
    fields_of,
    layout_of,
)
from checkpoints._kinds.plain import check_hashes, named_zone
from checkpoints._kinds.records import Record
from checkpoints._process.libraries import needed
from checkpoints.errors import MissingDependencyError

__all__ = [
    "array",
    "count_of",
    "dictionary",
    "in_memory",
    "made",
    "number",
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
_POINTER = 8
_OBJECT = 64


def number(name: str, data: memoryview) -> Any:
    """
    Return a number from its bytes: of Python's type if it has 64 bits, else of NumPy's.

    Args:
        name: The name of its type.
        data: Its bytes, as many as the type has.
    """
    if name in ("Int64", "Int128", "UInt128"):
        return int.from_bytes(data, "little", signed=name[0] == "I")
    if name == "Float64":
        return struct.unpack("<d", data)[0]
    if name == "Bool":
        if data[0] > 1:
            raise ValueError("a boolean is neither true nor false")
        return bool(data[0])
    if name == "Char":
        # The bytes of its UTF-8, from the highest one down.
        text = bytes(data)[::-1].rstrip(b"\0") or b"\0"
        return text.decode("utf-8", "surrogateescape")
    numpy = needed("numpy", f"a number of Julia's type {name}")
    return numpy.frombuffer(data, NUMBERS[name])[0]


def in_memory(kind: JuliaType, data: memoryview, offset: int = 0) -> Any:
    """
    Return the value that lies in memory at an offset, as a Record if it is unknown.

    Args:
        kind: Its type.
        data: The memory.
        offset: Where it starts.
    """
    layout = layout_of(kind)
    if layout is None:
        return Record(kind.full, {"data": bytes(data[offset:])})
    if offset + layout.size > len(data):
        raise ValueError(f"a value of type {kind!s:.80} is cut off")
    if kind.name in ("Nothing", "Missing"):
        return None
    if layout.fields or kind.name in ("Tuple", "NamedTuple"):
        return made(
            kind, [in_memory(of, data, offset + at) for at, of in layout.fields]
        )
    return number(kind.name, data[offset : offset + layout.size])


def count_of(dims: Sequence[Any], limit: int) -> int:
    """
    Return the number of elements of an array, checked against a limit.

    Raises:
        ValueError: If the dimensions are no lengths, or there are more.
    """
    if not all(isinstance(n, int) and n >= 0 for n in dims):
        raise ValueError("the size of an array is not a list of lengths")
    count: int = math.prod(dims)
    # Lengths of zero must not hide an overflow.
    if count > limit or math.prod(filter(None, dims)) >= 1 << 62:
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
        fields = {"element": kind.full, "size": tuple(dims), "data": bytes(data)}
        return Record("Base.Array", fields)
    limit = len(data) // layout.size if layout.size else 1 << 40
    count = count_of(dims, limit)
    if count * layout.size != len(data):
        raise ValueError("an array has another size than its data")
    dtype = _DTYPES.get(str(kind))
    if dtype is not None:
        return _numbers(dtype, dims, data)
    spend(count * (_OBJECT + _POINTER * len(layout.fields)))
    if not layout.size:
        return shaped([in_memory(kind, data)] * count, dims)
    items = [in_memory(kind, data, at * layout.size) for at in range(count)]
    return shaped(items, dims)


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
    """Return a dict; a Record where keys cannot be those of a dict of Python."""
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
    fields = dict(zip(names, parts, strict=True))
    make = _MAKERS.get(kind.name)
    if make is not None:
        try:
            return make(fields)
        except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError):
            pass  # such as a date before year 1
    # The type of a named tuple says nothing that its fields do not.
    is_named = kind.name == "NamedTuple"
    return Record("Core.NamedTuple" if is_named else kind.full, fields)


def _text(fields: Mapping[str, Any]) -> Any:
    start, size = fields["offset"], fields["ncodeunits"]
    whole = fields["string"].encode("utf-8", "surrogateescape")
    return whole[start : start + size].decode("utf-8", "surrogateescape")


def _period(unit: str) -> Callable[[Mapping[str, Any]], Any]:
    def period(fields: Mapping[str, Any]) -> datetime.timedelta:
        if unit == "ns":
            micros, rest = divmod(fields["value"], 1_000)
            if rest:
                raise ValueError("not a number of microseconds")
        else:
            micros = fields["value"] * _MICROSECONDS[unit]
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


def _unit_range(fields: Mapping[str, Any]) -> range:
    return range(fields["start"], fields["stop"] + 1)


def _step_range(fields: Mapping[str, Any]) -> range:
    step = fields["step"]
    return range(fields["start"], fields["stop"] + (1 if step > 0 else -1), step)


def _set(fields: Mapping[str, Any]) -> set[Any]:
    return set(fields["dict"].keys())


def _bits(fields: Mapping[str, Any]) -> Any:
    numpy = needed("numpy", "an array of Julia")
    chunks = numpy.ascontiguousarray(fields["chunks"], "<u8").view("|u1")
    dims, length = fields.get("dims") or (), fields["len"]
    # Of one dimension, the size is left undefined.
    dims = dims if math.prod(dims) == length and dims else (length,)
    count = count_of(dims, 8 * len(chunks))
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


def _frame(fields: Mapping[str, Any]) -> Any:
    columns, names = fields["columns"], fields["colindex"]["names"]
    pandas = needed("pandas", "a DataFrame of Julia")
    if len(set(names)) != len(names) or len(names) != len(columns):
        raise ValueError("the columns have other names")
    made = {name: _column(pandas, it) for name, it in zip(names, columns, strict=True)}
    return pandas.DataFrame(made)


def _column(pandas: Any, column: Any) -> Any:
    if isinstance(column, list) and None in column:
        # As integers with missing values, not as floats.
        return pandas.Series(column, dtype=object).convert_dtypes()
    return pandas.Series(column)


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
    "Complex": lambda fields: complex(fields["re"], fields["im"]),
    "Rational": lambda fields: Fraction(fields["num"], fields["den"]),
    "UUID": lambda fields: uuid.UUID(int=fields["value"]),
    "UnitRange": _unit_range,
    "StepRange": _step_range,
    "Set": _set,
    "BitArray": _bits,
    **{name: _period(unit) for name, unit in PERIODS.items() if unit not in "YM"},
    "Dates.UTInstant": lambda fields: fields["periods"],
    "Dates.Date": _date,
    "Dates.DateTime": _datetime,
    "Dates.Time": _time,
    "DataFrames.DataFrame": _frame,
    "TimeZones.ZonedDateTime": _zoned,
}
