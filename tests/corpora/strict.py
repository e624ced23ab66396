"""
A comparison of two values to the bit, independent of the library under test.

`difference` is stricter than the comparisons of the libraries: types, dtypes, byte
order, memory order, names, order of levels and categories, frequencies, time zones,
flags, attributes, Arrow's metadata and chunks, the sign of zero and the bits of NaN
count, and so does which objects inside a value are one object.

Not compared is what lies under a mask or a null, in the padding of a struct or beyond
the end of a sparse matrix; how Polars and pandas cut their own columns into chunks;
what a library caches; whether metadata of Arrow is empty or absent; and whether an
integer dtype is C's `long` or `long long`, where these have one size, as NumPy itself
does not save it.
"""

from __future__ import annotations

import datetime
import decimal
import enum
import functools
import itertools
import struct
import types
import zoneinfo
from collections.abc import Callable, Iterator
from typing import Any

from tests.corpora import (
    strict_arrow,
    strict_geometries,
    strict_numpy,
    strict_pandas,
    strict_xarray,
)
from tests.corpora.leaf import ANY, Leaf

__all__ = ["difference"]

Parts = Iterator[tuple[str, Any]]

_EXACT = (int, bool, str, bytes, bytearray, type(None), type(...), type(NotImplemented))
_NAMED = (type, types.ModuleType, types.BuiltinFunctionType, types.FunctionType)
# Of these a value may hold one twice, and a change to one is then a change to both.
_MUTABLE = ("list", "dict", "set", "bytearray", "ndarray", "DataFrame", "Series")


def difference(one: Any, other: Any) -> str:
    """
    Return where two values differ first, as text; an empty one if they do not.

    Raises:
        Exception: If a library cannot say what one of the values consists of.
    """
    return _Comparison().difference(one, other, "")


class _Comparison:
    def __init__(self) -> None:
        # With the objects themselves, or a new one could have the id of one of these.
        self._compared: dict[tuple[int, int], tuple[Any, Any]] = {}
        self._partner: dict[tuple[int, int], tuple[Any, Any]] = {}

    def difference(self, one: Any, other: Any, where: str) -> str:
        if one is ANY:
            return ""
        if type(one) is not type(other) and not _is_long(one, other):
            return f"{where}: {_short(one)} became {_short(other)}"
        if _is_leaf(one):
            same = one is other or _bits(one) == _bits(other)
            return "" if same else f"{where}: {_short(one)} became {_short(other)}"
        if (id(one), id(other)) in self._compared:
            return ""
        self._compared[id(one), id(other)] = (one, other)
        return self._of_parts(one, other, where)

    def _of_parts(self, one: Any, other: Any, where: str) -> str:
        of_containers = type(one) in (list, tuple, dict)
        nothing = ("nothing", Leaf("nothing"))
        pairs = itertools.zip_longest(_parts(one), _parts(other), fillvalue=nothing)
        for (name, left), (other_name, right) in pairs:
            if name != other_name:
                return f"{where}: {name} became {other_name}"
            if of_containers and not self._is_shared_alike(left, right):
                return f"{where}{name}: one object became two, or two became one"
            if found := self.difference(left, right, where + name):
                return found
        return ""

    def _is_shared_alike(self, one: Any, other: Any) -> bool:
        if type(one).__name__ not in _MUTABLE:
            return True
        first = self._partner.setdefault((0, id(one)), (one, other))
        second = self._partner.setdefault((1, id(other)), (other, one))
        return first[1] is other and second[1] is one


def _is_long(one: Any, other: Any) -> bool:
    """Tell whether two are dtypes of C's `long` and `long long`, of one size."""
    return str(one) == str(other) and all(
        type(value).__module__ == "numpy.dtypes" and value.kind in "iu"
        for value in (one, other)
    )


def _short(value: Any) -> str:
    text = str(value) if isinstance(value, Leaf) else f"{value!r:.80}"
    name = "" if isinstance(value, Leaf) else f"{type(value).__name__} "
    return f"{name}{text:.80}".replace("\n", " ")


def _is_leaf(value: Any) -> bool:
    return type(value) in (*_EXACT, float, complex, Leaf) or isinstance(value, _NAMED)


def _bits(value: Any) -> Any:
    if type(value) is float:
        return struct.pack("<d", value)
    if type(value) is complex:
        return struct.pack("<dd", value.real, value.imag)
    if isinstance(value, types.FunctionType):
        # One that was pickled by value is another object.
        return value.__module__, value.__qualname__, value.__code__.co_code
    if isinstance(value, type):
        # As is a class of a test.
        return value.__module__, value.__qualname__
    return value


def _parts(value: Any) -> Parts:
    """Yield what a value consists of, by name, simpler at each step."""
    for parts in _parts_of(type(value)):
        found = parts(value)
        if found is not None:
            yield from found
            return
    if isinstance(value, dict):
        yield from _of_dict(value)
    elif isinstance(value, list | tuple):
        yield from ((f"[{at}]", item) for at, item in enumerate(value))
    elif isinstance(value, set | frozenset):
        # In the order of their texts, as a set has none.
        yield "items", sorted(value, key=lambda item: (type(item).__name__, repr(item)))
    if type(value) not in (dict, list, tuple, set, frozenset):
        yield from _of_object(value)


def _of_dict(value: dict[Any, Any]) -> Parts:
    yield ".keys()", list(value)
    for key, item in value.items():
        yield f"[{key!r:.40}]", item


def _of_object(value: Any) -> Parts:
    """Yield the state of an object as it is pickled, or else its attributes."""
    try:
        reduced = value.__reduce_ex__(4)
    except Exception:
        yield "attributes", dict(getattr(value, "__dict__", {}))
        yield "text", Leaf(repr(value).split(" at 0x")[0])
        return
    if isinstance(reduced, str):
        yield "name", reduced
        return
    names = ("made by", "from", "state", "items", "pairs")
    for name, part in zip(names, reduced[:5], strict=False):
        if name in ("items", "pairs"):
            yield f".{name}", None if part is None else list(part)
        else:
            yield f".{name}", part


@functools.cache
def _parts_of(cls: type) -> list[Callable[[Any], Parts | None]]:
    """Return what knows the parts of values of a class, nearest first."""
    found = [parts for base, parts in _PYTHON.items() if issubclass(cls, base)]
    packages = {str(base.__module__).partition(".")[0] for base in cls.__mro__}
    return found + [parts for name, parts in _LIBRARIES.items() if name in packages]


def _of_time(value: Any) -> Parts | None:
    if type(value) not in (datetime.datetime, datetime.time):
        return None
    text = value.replace(tzinfo=None).isoformat()
    return iter([("", Leaf(text)), (".fold", value.fold), (".tz", value.tzinfo)])


def _of_zone(zone: zoneinfo.ZoneInfo) -> Parts:
    yield "key", zone.key
    yield "text", str(zone)
    moments = [
        datetime.datetime(year, month, 15, 12)
        for year in (1890, 1915, 1945, 1975, 2000, 2024, 2050)
        for month in (1, 7)
    ]
    yield "offsets", Leaf([(zone.utcoffset(at), zone.tzname(at)) for at in moments])


def _of_memory(value: memoryview) -> Parts:
    yield "form", Leaf((value.format, value.shape, value.readonly))
    yield "bytes", value.tobytes()


_PYTHON: dict[type, Callable[[Any], Parts | None]] = {
    enum.Enum: lambda it: iter([("member", Leaf(it.name)), ("value", it.value)]),
    decimal.Decimal: lambda it: iter([("digits", Leaf(it.as_tuple()))]),
    datetime.datetime: _of_time,
    datetime.time: _of_time,
    zoneinfo.ZoneInfo: _of_zone,
    memoryview: _of_memory,
    types.MappingProxyType: lambda it: iter([("pairs", dict(it))]),
}
# The nearer first: some values of GeoPandas are pandas' too, some of these NumPy's.
_LIBRARIES: dict[str, Callable[[Any], Parts | None]] = {
    "geopandas": strict_geometries.parts_of_array,
    "shapely": strict_geometries.parts,
    "pandas": strict_pandas.parts,
    "polars": strict_arrow.parts_of_polars,
    "pyarrow": strict_arrow.parts,
    "scipy": strict_numpy.parts_of_sparse,
    "xarray": strict_xarray.parts,
    "numpy": strict_numpy.parts,
}
