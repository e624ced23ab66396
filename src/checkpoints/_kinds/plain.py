"""
Plain Python values as JSON, each of them back with its exact type.

What JSON knows stands as it is: None, bool, int, finite float, str, list, and dict with
str keys. Anything else is an object with a single key that begins with `$`, and a dict
that looks like one is written as pairs. So most of a file reads as one would expect.
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

# A larger int goes as hexadecimal digits: reading as many decimal ones takes
# quadratic time, and Python refuses to beyond 4300.
_LARGEST_INT = 1 << 64
# Whoever reads may have less of the stack left than who wrote.
_DEEPEST = 100
# JSON repeats what is held twice: twenty lists, each twice in the next, are a million.
_MOST_REPEATS = 10_000
_ZONE = re.compile("[A-Za-z0-9_+-]{1,64}(/[A-Za-z0-9_+-]{1,64}){0,4}")


def tree_to_json(value: Any, embed: Callable[[Any, tuple[str, ...]], Json]) -> Json:
    """
    Turn a plain value, and all that it holds, into JSON.

    Args:
        value: The value.
        embed: Called for each value in it that is not plain, with the names and
            positions that lead to it; returns the JSON that stands for it.

    Raises:
        Inexact: If the value holds itself, is nested too deep, or holds the same
            objects too often.
    """
    return _Tree(embed).convert(value, ())


class _Tree:
    """One value on its way to JSON, with the containers that are open above it."""

    def __init__(self, embed: Callable[[Any, tuple[str, ...]], Json]) -> None:
        self._embed = embed
        self._open: set[int] = set()
        self._seen: set[int] = set()
        self._repeats = 0

    def convert(self, value: Any, path: tuple[str, ...]) -> Json:
        kind = type(value)
        if kind in _CONTAINERS:
            if id(value) in self._open:
                raise Inexact("it holds itself")
            if len(self._open) >= _DEEPEST:
                raise Inexact(f"it is nested more than {_DEEPEST} deep")
            if id(value) in self._seen:
                self._repeats += 1
            if self._repeats > _MOST_REPEATS:
                raise Inexact("it holds the same objects over and over")
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
            # The order of a set is that of its hashes, another in each process.
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
    """Turn a plain value that holds no others into JSON, or return `NOT_PLAIN`."""
    kind = type(value)
    if kind in _AS_IT_IS:
        return value
    if kind is int:
        return value if abs(value) < _LARGEST_INT else {"$int": hex(value)}
    if kind is float:
        return value if math.isfinite(value) else {"$float": repr(value)}
    convert = _TO_JSON.get(kind)
    return NOT_PLAIN if convert is None else convert(value)


def from_json(data: Json, embedded: Callable[[str, dict[str, Any]], Any]) -> Any:
    """
    Turn JSON back into the value.

    Args:
        data: What `tree_to_json` returned.
        embedded: Called for each value in it that is not plain, with the key that
            begins with `$` and the object it stands in; returns the value.
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
    if mark in _COLLECTED:
        return _COLLECTED[mark](from_json(item, embedded) for item in data[mark])
    if mark in _FROM_JSON:
        return _FROM_JSON[mark](data[mark])
    return embedded(mark, data)


def _zone_to_json(zone: Any) -> Json:
    """Return what stands for a time zone, or `NOT_PLAIN` for those of others."""
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
        ValueError: If it is not what the name of a zone looks like.
        MissingDependencyError: If it is not known here.
    """
    # A zone is a file, and a package is asked for it: of its name, not of any.
    if not _ZONE.fullmatch(key):
        raise ValueError(f"{key!r:.80} is not the name of a time zone")
    # Costs more to import than all the rest of this library.
    import zoneinfo

    try:
        return zoneinfo.ZoneInfo(key)
    except zoneinfo.ZoneInfoNotFoundError as error:
        message = f"time zone {key!r} is not known here: pip install tzdata"
        raise MissingDependencyError(message) from error


def _moment_to_json(mark: str) -> Callable[[Any], Json]:
    def convert(value: Any) -> Json:
        zone = _zone_to_json(value.tzinfo)
        if zone is NOT_PLAIN:
            return NOT_PLAIN
        if zone is not None:
            value = value.replace(tzinfo=None)
        text = value.isoformat()
        return {mark: [text, zone, value.fold] if zone or value.fold else text}

    return convert


def _moment_from_json(kind: Any) -> Callable[[Json], Any]:
    def convert(data: Json) -> Any:
        text, zone, fold = data if isinstance(data, list) else (data, None, 0)
        value = kind.fromisoformat(text)
        if zone is not None:
            value = value.replace(tzinfo=_zone_from_json(zone))
        return value.replace(fold=fold) if fold else value

    return convert


NOT_PLAIN = object()
_sortable = json.JSONEncoder(sort_keys=True).encode
# The tag of an entry is a text like any other, once it is saved itself.
_AS_IT_IS = frozenset({type(None), bool, str, ExactText})
_CONTAINERS: dict[Any, str] = {
    list: "",
    dict: "$dict",
    tuple: "$tuple",
    set: "$set",
    frozenset: "$frozenset",
}
_COLLECTED: dict[str, Callable[[Any], Any]] = {
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
    datetime.datetime: _moment_to_json("$datetime"),
    datetime.time: _moment_to_json("$time"),
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
    "$datetime": _moment_from_json(datetime.datetime),
    "$time": _moment_from_json(datetime.time),
    "$timedelta": lambda data: datetime.timedelta(*data),
}
IMMUTABLE = (_AS_IT_IS | {int, float} | set(_TO_JSON)) - {bytearray}
