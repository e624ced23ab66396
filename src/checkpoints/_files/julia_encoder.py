"""Values of Python as those of Julia, in the form of its BSON package."""

# ruff: noqa: SLF001 - tables name methods of a class of this module
from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

from checkpoints._files.bson_writer import BsonWriter
from checkpoints._files.julia_types import NUMBERS, JuliaType, named
from checkpoints._kinds.kind import Buffer
from checkpoints._kinds.records import Record
from checkpoints._text import shown
from checkpoints.errors import FormatError

__all__ = ["MISSING", "JuliaArray", "JuliaEncoder", "JuliaStruct"]

# Of what is written: a dict takes two, a set of Julia more.
_MOST_LEVELS = 100
_INT64 = range(-(1 << 63), 1 << 63)
_WORTH_ALIGNING = 1 << 10
_CORE = frozenset(
    ["Any", "String", "Symbol", "Array", "Tuple", "Nothing", "Bool", "Char", "Union"]
) | {"Int128", "UInt128", *NUMBERS}
_FIRST = datetime.datetime(1, 1, 1)  # noqa: DTZ001 - times of Julia have no zone
_DAY = datetime.timedelta(days=1)
_MICROSECOND, _MILLISECOND = (datetime.timedelta(microseconds=n) for n in (1, 1000))


class JuliaArray(NamedTuple):
    """
    An array of Julia.

    Args:
        kind: The type of its elements.
        dims: Its size.
        data: Its memory, first dimension first; a list if its elements are objects.
    """

    kind: JuliaType
    dims: tuple[int, ...]
    data: Buffer | list[Any]


class JuliaStruct(NamedTuple):
    """
    A value of a struct of Julia.

    Args:
        kind: Its type.
        parts: Its fields in order; bytes if the type is a number.
    """

    kind: JuliaType
    parts: Sequence[Any] | bytes


MISSING = JuliaStruct(named("Missing"), [])


class _InsideError(FormatError):
    """One that says where in a dict it is."""


class JuliaEncoder:
    """
    Writes values into a document.

    Args:
        writer: The document.
        convert: Takes a value of another class; returns one that can be written.
    """

    def __init__(self, writer: BsonWriter, convert: Callable[[Any], Any]) -> None:
        self._writer = writer
        self._convert = convert
        self._level = 0

    def document(self, value: Any) -> None:
        """
        Write a whole document that stands for a dict or another struct.

        Raises:
            FormatError: If Julia has no word for something in it.
        """
        opened = self._writer.open()
        self._struct(_as_struct(value))
        self._writer.close(opened)

    def value(self, key: str, value: Any) -> None:
        """Write a value under a key."""
        kind = type(value)
        write = _WRITERS.get(kind)
        if write is not None:
            write(self, key, value)
            return
        self._level += 1
        if self._level > _MOST_LEVELS:
            raise FormatError(
                "it contains itself, or is nested too deep: save its parts, or use "
                "format='zip'"
            )
        self._nested(key, value, kind)
        self._level -= 1

    def _nested(self, key: str, value: Any, kind: type) -> None:
        writer = self._writer
        if kind is list:
            self._items(key, value)
        elif kind is JuliaArray:
            opened = writer.open(key)
            self._array(value)
            writer.close(opened)
        elif kind in _STRUCTS or kind is JuliaStruct:
            opened = writer.open(key)
            self._struct(value if kind is JuliaStruct else _as_struct(value))
            writer.close(opened)
        else:
            self.value(key, self._convert(value))

    def _items(self, key: str, values: Sequence[Any]) -> None:
        opened = self._writer.open(key, is_array=True)
        for at, value in enumerate(values):
            self.value(str(at), value)
        self._writer.close(opened)

    def _struct(self, value: JuliaStruct) -> None:
        writer, kind = self._writer, value.kind
        if kind.name == "Tuple":
            writer.text("tag", "tuple")
            self._items("data", value.parts)
            return
        writer.text("tag", "struct")
        writer.whole("type", _type_document(kind))
        if isinstance(value.parts, bytes):
            writer.binary("data", value.parts)
        elif kind.name == "Dict":
            self._table(*value.parts)
        else:
            self._items("data", value.parts)

    def _table(self, keys: Sequence[Any], values: Sequence[Any]) -> None:
        """Write the keys and the values of a dict."""
        opened = self._writer.open("data", is_array=True)
        self.value("0", keys)
        inside = self._writer.open("1", is_array=True)
        self._level += 1
        for at, (key, value) in enumerate(zip(keys, values, strict=True)):
            try:
                self.value(str(at), value)
            except _InsideError:
                raise
            except FormatError as error:
                raise _InsideError(f"under {shown(key)}: {error}") from error
        self._level -= 1
        self._writer.close(inside)
        self._writer.close(opened)

    def _array(self, value: JuliaArray) -> None:
        writer = self._writer
        writer.text("tag", "array")
        writer.whole("type", _type_document(value.kind))
        self._items("size", value.dims)
        if isinstance(value.data, list):
            self._items("data", value.data)
            return
        if memoryview(value.data).nbytes >= _WORTH_ALIGNING:
            writer.align("data")
        writer.binary("data", value.data)

    def _text(self, key: str, value: str) -> None:
        try:
            self._writer.text(key, value)
        except UnicodeEncodeError as error:
            raise FormatError(
                f"a text is not Unicode ({error}): save its bytes"
            ) from error

    def _integer(self, key: str, value: int) -> None:
        if value not in _INT64:
            raise FormatError(
                "BSON has no integers of more than 64 bits: save it as a text"
            )
        self._writer.int64(key, value)


@lru_cache(maxsize=1024)
def _type_document(kind: JuliaType) -> bytes:
    writer = BsonWriter()
    opened = writer.open()
    is_union = kind.name == "Union" and kind.params
    if is_union:  # a struct of the type Union, of two types
        writer.text("tag", "struct")
        writer.whole("type", _type_document(named("Union")))
    else:
        writer.text("tag", "datatype")
        _write_path(writer, kind.name)
    params = writer.open("data" if is_union else "params", is_array=True)
    for at, param in enumerate(kind.params):
        if isinstance(param, JuliaType):
            writer.whole(str(at), _type_document(param))
        elif isinstance(param, tuple):
            _write_symbols(writer, str(at), param)
        else:
            writer.int64(str(at), param)
    writer.close(params)
    writer.close(opened)
    return b"".join(writer.pieces)


def _write_path(writer: BsonWriter, kind: str) -> None:
    name = writer.open("name", is_array=True)
    for at, part in enumerate(_path_of(kind)):
        writer.text(str(at), part)
    writer.close(name)


def _write_symbols(writer: BsonWriter, key: str, names: tuple[str, ...]) -> None:
    opened = writer.open(key)
    writer.text("tag", "tuple")
    data = writer.open("data", is_array=True)
    for at, name in enumerate(names):
        symbol = writer.open(str(at))
        writer.text("tag", "symbol")
        writer.text("name", name)
        writer.close(symbol)
    writer.close(data)
    writer.close(opened)


def _path_of(name: str) -> list[str]:
    if "." in name:
        return name.split(".")
    return ["Main", "Core" if name in _CORE else "Base", name]


def _as_struct(value: Any) -> JuliaStruct:
    """Return a value of Python as the struct of Julia that means the same."""
    if type(value) is JuliaStruct:
        return value
    return _STRUCTS[type(value)](value)


def _dict(value: Mapping[Any, Any]) -> JuliaStruct:
    of = named("String" if all(type(key) is str for key in value) else "Any")
    kind = named("Dict", of, named("Any"))
    return JuliaStruct(kind, [list(value), list(value.values())])


def _set(value: Any) -> JuliaStruct:
    kind = named("Dict", named("Any"), named("Nothing"))
    table = JuliaStruct(kind, [list(value), [None] * len(value)])
    return JuliaStruct(named("Set", named("Any")), [table])


def _complex(value: complex) -> JuliaStruct:
    return JuliaStruct(named("Complex", named("Float64")), [value.real, value.imag])


def _fraction(value: Fraction) -> JuliaStruct:
    kind = named("Rational", named("Int64"))
    return JuliaStruct(kind, [value.numerator, value.denominator])


def _uuid(value: uuid.UUID) -> JuliaStruct:
    number = JuliaStruct(named("UInt128"), value.int.to_bytes(16, "little"))
    return JuliaStruct(named("UUID"), [number])


def _instant(name: str, unit: str, count: int) -> JuliaStruct:
    period = JuliaStruct(named(unit), [count])
    instant = JuliaStruct(named("Dates.UTInstant", named(unit)), [period])
    return JuliaStruct(named(name), [instant])


def _date(value: datetime.date) -> JuliaStruct:
    return _instant("Dates.Date", "Dates.Day", value.toordinal())


def _datetime(value: datetime.datetime) -> JuliaStruct:
    if value.tzinfo is not None or value.fold:
        raise FormatError(
            "the DateTime of Julia has no time zone: save value.isoformat(), or "
            "value.astimezone(UTC).replace(tzinfo=None)"
        )
    count, rest = divmod(value - _FIRST + _DAY, _MILLISECOND)
    if rest:
        raise FormatError(
            "the DateTime of Julia has milliseconds, not microseconds: round it, or "
            "save value.isoformat()"
        )
    return _instant("Dates.DateTime", "Dates.Millisecond", count)


def _time(value: datetime.time) -> JuliaStruct:
    if value.tzinfo is not None or value.fold:
        raise FormatError("the Time of Julia has no time zone: save value.isoformat()")
    moment = datetime.datetime.combine(_FIRST, value)
    count = (moment - _FIRST) // _MICROSECOND * 1000
    period = JuliaStruct(named("Dates.Nanosecond"), [count])
    return JuliaStruct(named("Dates.Time"), [period])


def _timedelta(value: datetime.timedelta) -> JuliaStruct:
    return JuliaStruct(named("Dates.Microsecond"), [value // _MICROSECOND])


def _range(value: range) -> JuliaStruct:
    number, start, step = named("Int64"), value.start, value.step
    # Julia keeps the last number instead of an end.
    last = value[-1] if value else start - (1 if step > 0 else -1)
    if step == 1:
        return JuliaStruct(named("UnitRange", number), [start, last])
    return JuliaStruct(named("StepRange", number, number), [start, step, last])


def _tuple(value: tuple[Any, ...]) -> JuliaStruct:
    return JuliaStruct(named("Tuple"), list(value))


def _record(value: Record) -> JuliaStruct:
    fields = {name: value[name] for name in value.keys()}  # noqa: SIM118 - it is no dict
    if value.type == "Core.NamedTuple":
        return JuliaStruct(_named_tuple(tuple(fields)), list(fields.values()))
    is_pair = value.type.partition("{")[0] == "Base.Pair"
    if is_pair and fields.keys() == {"first", "second"}:
        kind = named("Pair", named("Any"), named("Any"))
        return JuliaStruct(kind, [fields["first"], fields["second"]])
    raise FormatError(
        f"it holds a record of the type {value.type[:80]!r}, and of the records only "
        "NamedTuple and Pair of Julia are written: save dict(record), or use "
        "format='zip'"
    )


def _named_tuple(names: tuple[str, ...]) -> JuliaType:
    try:
        "".join(names).encode()
        kind = named("NamedTuple", names, named("Tuple", *[named("Any")] * len(names)))
    except ValueError as error:
        raise FormatError(
            f"the names of a NamedTuple are too long, or not Unicode ({error})"
        ) from error
    if any("\0" in name for name in names):
        raise FormatError("a field of a NamedTuple has NUL in its name: rename it")
    return kind


_STRUCTS: dict[type, Callable[[Any], JuliaStruct]] = {
    Record: _record,
    tuple: _tuple,
    dict: _dict,
    set: _set,
    frozenset: _set,
    range: _range,
    complex: _complex,
    Fraction: _fraction,
    uuid.UUID: _uuid,
    datetime.date: _date,
    datetime.datetime: _datetime,
    datetime.time: _time,
    datetime.timedelta: _timedelta,
}
_WRITERS: dict[type, Callable[[JuliaEncoder, str, Any], None]] = {
    type(None): lambda encoder, key, _: encoder._writer.null(key),
    bool: lambda encoder, key, value: encoder._writer.boolean(key, value),
    int: JuliaEncoder._integer,
    float: lambda encoder, key, value: encoder._writer.double(key, value),
    str: JuliaEncoder._text,
    bytes: lambda encoder, key, value: encoder._writer.binary(key, value),
}
