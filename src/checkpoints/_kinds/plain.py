"""
Plain Python scalars as JSON that restores their exact types, and JSON as values.

JSON's own types are written as they are: None, bool, int, finite float, str, list, and
dict with str keys. Any other value is an object with a single key that starts with `$`,
and a dict that looks like one is written as pairs. So most of a file is ordinary JSON.
"""

from __future__ import annotations

import base64
import datetime
import decimal
import fractions
import math
import re
import sys
import uuid
from collections import Counter
from collections.abc import Callable, Collection
from typing import Any, TypeAlias

from checkpoints._keys.entry_tags import ExactText
from checkpoints._process.budget import ask
from checkpoints._process.libraries import imported
from checkpoints.errors import MissingDependencyError

__all__ = [
    "IMMUTABLE",
    "NOT_PLAIN",
    "check_hashes",
    "from_json",
    "named_zone",
    "scalar_to_json",
]

Json: TypeAlias = Any

# Larger ints are written in hexadecimal: parsing decimal digits takes quadratic time,
# and Python refuses more than 4300 of them.
_INT_LIMIT = 1 << 64
# In bytes, roughly: a tuple in a list, each of its elements, and each element of a set
# that has just grown. Sets of a few are counted with their text.
_ROW, _CELL, _ELEMENT, _FEW = 72, 16, 120, 16
_ZONE = re.compile("[A-Za-z0-9_+-]{1,64}(/[A-Za-z0-9_+-]{1,64}){0,4}")


def scalar_to_json(value: Any) -> Json:
    """Convert a plain value that is not a container, or return `NOT_PLAIN`."""
    kind = type(value)
    if kind in _JSON_SCALARS:
        return value
    if kind is int:
        return value if abs(value) < _INT_LIMIT else {"$int": hex(value)}
    if kind is float:
        return value if math.isfinite(value) else {"$float": repr(value)}
    convert = _TO_JSON.get(kind)
    return NOT_PLAIN if convert is None else convert(value)


def from_json(data: Json, embedded: Callable[[str, dict[str, Any]], Any]) -> Any:
    """
    Convert JSON back to the value.

    Args:
        data: What `scalar_to_json` or `tree_to_json` returned.
        embedded: Called for each value inside it that is not plain, with the key that
            starts with `$` and the object that contains it; returns the value.
    """
    if isinstance(data, list):
        return [from_json(item, embedded) for item in data]
    return _object_from_json(data, embedded) if isinstance(data, dict) else data


def _object_from_json(
    data: dict[str, Json], embedded: Callable[[str, dict[str, Any]], Any]
) -> Any:
    mark = next(iter(data), "")
    if not mark.startswith("$"):
        return {key: from_json(item, embedded) for key, item in data.items()}
    if mark == "$dict":
        pairs = [[from_json(it, embedded) for it in pair] for pair in data[mark]]
        check_hashes([key for key, _ in pairs])
        return dict(pairs)
    if mark == "$rows":
        columns = [from_json(column, embedded) for column in data[mark]]
        if set(map(type, columns)) - {list}:
            raise ValueError("a column of rows is not a list")
        ask(len(columns[0]) * (_ROW + _CELL * len(columns)) if columns else 0)
        return list(zip(*columns, strict=True))
    if mark in _COLLECTIONS:
        if mark != "$tuple" and len(data[mark]) > _FEW:
            ask(_ELEMENT * len(data[mark]))
        items = [from_json(item, embedded) for item in data[mark]]
        if mark != "$tuple":
            check_hashes(items)
        return _COLLECTIONS[mark](items)
    if mark in _FROM_JSON:
        return _FROM_JSON[mark](data[mark])
    return embedded(mark, data)


def check_hashes(items: Collection[Any]) -> None:
    """
    Check that few items have the same hash, as those of a set or the keys of a dict.

    With many, the time to build it grows with the square of their number; whoever makes
    a file can choose such integers.

    Raises:
        ValueError: If there are too many.
    """
    if len(items) <= _MOST_OF_A_HASH:
        return
    ((_, count),) = Counter(map(hash, items)).most_common(1)
    if count > _MOST_OF_A_HASH:
        raise ValueError(f"{count:,} of its items have the same hash")


def _zone_to_json(zone: Any) -> Json:
    """Convert a time zone, or return `NOT_PLAIN` if its class is not standard."""
    if type(zone) is datetime.timezone:
        offset, *name = zone.__getinitargs__()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
        plain = zone is datetime.UTC or (not name and not offset.microseconds)
        return None if plain else [*_TO_JSON[type(offset)](offset).values(), *name]
    zoneinfo = sys.modules.get("zoneinfo")
    if zoneinfo is not None and type(zone) is zoneinfo.ZoneInfo and zone.key:
        return zone.key
    return None if zone is None else NOT_PLAIN


def _zone_from_json(data: Json) -> datetime.tzinfo:
    if isinstance(data, list):
        offset, *name = data
        return datetime.timezone(datetime.timedelta(*offset), *name)
    return named_zone(data)


def named_zone(key: str) -> datetime.tzinfo:
    """
    Return the time zone of a name.

    Raises:
        ValueError: If it does not look like the name of a zone.
        MissingDependencyError: If there is no data for the zone here.
    """
    # The name becomes the path of a file, so it must not lead anywhere else.
    if not _ZONE.fullmatch(key):
        raise ValueError(f"{key!r:.80} is not the name of a time zone")
    # Importing it takes longer than importing this whole library.
    zoneinfo = imported("zoneinfo")
    try:
        zone: datetime.tzinfo = zoneinfo.ZoneInfo(key)
    except zoneinfo.ZoneInfoNotFoundError as error:
        message = f"unknown time zone {key!r}: pip install tzdata"
        raise MissingDependencyError(message) from error
    return zone


def _time_to_json(mark: str) -> Callable[[Any], Json]:
    def convert(value: Any) -> Json:
        zone = _zone_to_json(value.tzinfo)
        if zone is NOT_PLAIN:
            return NOT_PLAIN
        if zone is not None:
            value = value.replace(tzinfo=None)
        text = value.isoformat()
        return {mark: [text, zone, value.fold] if zone or value.fold else text}

    return convert


def _time_from_json(kind: Any) -> Callable[[Json], Any]:
    def convert(data: Json) -> Any:
        text, zone, fold = data if isinstance(data, list) else (data, None, 0)
        value = kind.fromisoformat(text)
        if zone is not None:
            value = value.replace(tzinfo=_zone_from_json(zone))
        return value.replace(fold=fold) if fold else value

    return convert


NOT_PLAIN = object()
_MOST_OF_A_HASH = 1_000
# An entry's tag value (`ExactText`) that is saved as data is ordinary text.
_JSON_SCALARS = frozenset({type(None), bool, str, ExactText})
_COLLECTIONS: dict[str, Callable[[Any], Any]] = {
    "$tuple": tuple,
    "$set": set,
    "$frozenset": frozenset,
}
_TO_JSON: dict[type, Callable[[Any], Json]] = {
    complex: lambda value: {"$complex": [repr(value.real), repr(value.imag)]},
    bytes: lambda value: {"$bytes": base64.b64encode(value).decode("ascii")},
    bytearray: lambda value: {"$bytearray": base64.b64encode(value).decode("ascii")},
    decimal.Decimal: lambda value: {"$decimal": str(value)},
    fractions.Fraction: lambda value: {
        "$fraction": [hex(value.numerator), hex(value.denominator)]
    },
    range: lambda value: {
        "$range": [hex(it) for it in (value.start, value.stop, value.step)]
    },
    uuid.UUID: lambda value: {"$uuid": str(value)},
    datetime.date: lambda value: {"$date": value.isoformat()},
    datetime.datetime: _time_to_json("$datetime"),
    datetime.time: _time_to_json("$time"),
    datetime.timedelta: lambda value: {
        "$timedelta": [value.days, value.seconds, value.microseconds]
    },
}
_FROM_JSON: dict[str, Callable[[Json], Any]] = {
    "$int": lambda data: int(data, 16),
    "$float": float,
    "$complex": lambda data: complex(float(data[0]), float(data[1])),
    "$bytes": lambda data: base64.b64decode(data, validate=True),
    "$bytearray": lambda data: bytearray(base64.b64decode(data, validate=True)),
    "$decimal": decimal.Decimal,
    "$fraction": lambda data: fractions.Fraction(*(int(it, 16) for it in data)),
    "$range": lambda data: range(*(int(it, 16) for it in data)),
    "$uuid": uuid.UUID,
    "$date": datetime.date.fromisoformat,
    "$datetime": _time_from_json(datetime.datetime),
    "$time": _time_from_json(datetime.time),
    "$timedelta": lambda data: datetime.timedelta(*data),
}
IMMUTABLE = (_JSON_SCALARS | {int, float} | set(_TO_JSON)) - {bytearray}
