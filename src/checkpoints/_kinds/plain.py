"""
Plain Python values as JSON that restores their exact types.

JSON's own types are written as they are: None, bool, int, finite float, str, list, and
dict with str keys. Any other value is an object with a single key that starts with `$`,
and a dict that looks like one is written as pairs. So most of a file is ordinary JSON.
"""

from __future__ import annotations

import base64
import datetime
import decimal
import json
import math
import re
import sys
import uuid
from collections.abc import Callable
from typing import Any, TypeAlias

from checkpoints._keys.entry_tags import ExactText
from checkpoints._kinds.kind import Inexact
from checkpoints._process.libraries import imported
from checkpoints.errors import MissingDependencyError

__all__ = [
    "IMMUTABLE",
    "NOT_PLAIN",
    "from_json",
    "named_zone",
    "scalar_to_json",
    "tree_to_json",
]

Json: TypeAlias = Any

# Larger ints are written in hexadecimal: parsing decimal digits takes quadratic time,
# and Python refuses more than 4300 of them.
_INT_LIMIT = 1 << 64
# Well below the recursion limit: the reader may have less stack left than the writer.
_MAX_DEPTH = 100
# JSON repeats shared objects: of twenty lists, each twice in the next, it makes a
# million.
_MAX_REPEATS = 10_000
_ZONE = re.compile("[A-Za-z0-9_+-]{1,64}(/[A-Za-z0-9_+-]{1,64}){0,4}")


def tree_to_json(value: Any, embed: Callable[[Any, tuple[str, ...]], Json]) -> Json:
    """
    Convert a plain value, with all its contents, to JSON.

    Args:
        value: The value.
        embed: Called with each value inside it that is not plain, and the names and
            positions that lead to that value; returns the JSON that stands for it.

    Raises:
        Inexact: If the value contains itself, is nested too deep, or contains the same
            objects too often.
    """
    return _Tree(embed).convert(value, ())


class _Tree:
    """Converts one value to JSON, and keeps track of the containers around it."""

    def __init__(self, embed: Callable[[Any, tuple[str, ...]], Json]) -> None:
        self._embed = embed
        self._open: set[int] = set()
        self._seen: set[int] = set()
        self._repeats = 0

    def convert(self, value: Any, path: tuple[str, ...]) -> Json:
        kind = type(value)
        if kind in _CONTAINERS:
            if id(value) in self._open:
                raise Inexact("it contains itself")
            if len(self._open) >= _MAX_DEPTH:
                raise Inexact(f"it is nested more than {_MAX_DEPTH} levels deep")
            if id(value) in self._seen:
                self._repeats += 1
            if self._repeats > _MAX_REPEATS:
                raise Inexact("it contains the same objects too many times")
            self._seen.add(id(value))
            self._open.add(id(value))
            converted = self._container(value, kind, path)
            self._open.discard(id(value))
            return converted
        converted = scalar_to_json(value)
        return self._embed(value, path) if converted is NOT_PLAIN else converted

    def _container(self, value: Any, kind: type, path: tuple[str, ...]) -> Json:
        if kind is dict:
            return self._dict(value, path)
        items = [
            self.convert(item, (*path, str(number)))
            for number, item in enumerate(value)
        ]
        if kind is list:
            return items
        if kind is not tuple:
            # A set is ordered by hashes, which differ from process to process.
            items.sort(key=_sortable)
        return {_CONTAINERS[kind]: items}

    def _dict(self, value: dict[Any, Any], path: tuple[str, ...]) -> Json:
        if all(type(key) is str and not key.startswith("$") for key in value):
            return {
                key: self.convert(item, (*path, key)) for key, item in value.items()
            }
        pairs = []
        for number, (key, item) in enumerate(value.items()):
            step = key if isinstance(key, str) else str(number)
            pairs.append(
                [
                    self.convert(key, (*path, f"{number}.key")),
                    self.convert(item, (*path, step)),
                ]
            )
        return {"$dict": pairs}


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
        data: What `tree_to_json` returned.
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
        return {
            from_json(key, embedded): from_json(item, embedded)
            for key, item in data[mark]
        }
    if mark in _COLLECTIONS:
        return _COLLECTIONS[mark](from_json(item, embedded) for item in data[mark])
    if mark in _FROM_JSON:
        return _FROM_JSON[mark](data[mark])
    return embedded(mark, data)


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
_sortable = json.JSONEncoder(sort_keys=True).encode
# An entry's tag value (`ExactText`) that is saved as data is ordinary text.
_JSON_SCALARS = frozenset({type(None), bool, str, ExactText})
_CONTAINERS: dict[Any, str] = {
    list: "",
    dict: "$dict",
    tuple: "$tuple",
    set: "$set",
    frozenset: "$frozenset",
}
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
    "$uuid": uuid.UUID,
    "$date": datetime.date.fromisoformat,
    "$datetime": _time_from_json(datetime.datetime),
    "$time": _time_from_json(datetime.time),
    "$timedelta": lambda data: datetime.timedelta(*data),
}
IMMUTABLE = (_JSON_SCALARS | {int, float} | set(_TO_JSON)) - {bytearray}
