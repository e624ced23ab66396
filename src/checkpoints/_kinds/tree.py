"""
Containers of any values as JSON that restores types, order and shared objects.

A list and a dict with str keys are what they are in JSON. A list of tuples of scalars
is written in columns. An object that occurs several times is written once, in a table
before the value, and each occurrence refers to it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Iterable
from typing import Any

from checkpoints._kinds.kind import Inexact
from checkpoints._kinds.plain import IMMUTABLE, NOT_PLAIN, scalar_to_json
from checkpoints._kinds.records import Form, form_of

__all__ = ["CONTAINERS", "tree_to_json"]

Json = Any
Path = tuple[str, ...]

# Well below the recursion limit: the reader may have less stack left than the writer.
_MAX_DEPTH = 100
# Larger bytes are members of the file, not base64.
_MAX_BYTES = 4096
_INT_LIMIT = 1 << 64
_JSON_OWN = frozenset({str, bool, type(None)})
_sortable = json.JSONEncoder(sort_keys=True).encode
CONTAINERS: dict[Any, str] = {
    list: "",
    dict: "$dict",
    tuple: "$tuple",
    set: "$set",
    frozenset: "$frozenset",
}


def tree_to_json(
    value: Any,
    embed: Callable[[Any, Path], Json],
    has_kind: Callable[[type], bool] = lambda _: False,
) -> Json:
    """
    Convert a value, with all its contents, to JSON.

    Args:
        value: The value.
        embed: Called with each value inside it that is not plain, and the names and
            positions that lead to that value; returns the JSON that stands for it.
        has_kind: Tells whether values of a class have a kind of their own, and are
            embedded even if they are records.

    Raises:
        Inexact: If the value contains itself, or is nested too deep.
    """
    return _Tree(value, embed, has_kind).whole()


class _Tree:
    """Converts one value to JSON, and keeps track of the containers around it."""

    def __init__(
        self,
        value: Any,
        embed: Callable[[Any, Path], Json],
        has_kind: Callable[[type], bool],
    ) -> None:
        self._value = value
        self._embed = embed
        self._has_kind = has_kind
        self._shared = self._repeated(value)
        self._numbers: dict[int, int] = {}
        self._table: list[Json] = []
        self._open: set[int] = set()

    def whole(self) -> Json:
        data = self._convert(self._value, ())
        return {"$let": [self._table, data]} if self._table else data

    def _repeated(self, value: Any) -> set[int]:
        """Return the objects that occur more than once, by their ids."""
        seen: set[int] = set()
        repeated: set[int] = set()
        pending = [value]
        while pending:
            item = pending.pop()
            parts = self._parts_of(item)
            is_scalar = _are_scalars(parts)
            # The same constant in many places is not an object that they share.
            if is_scalar and type(item) in (tuple, frozenset):
                continue
            if id(item) in seen:
                repeated.add(id(item))
                continue
            seen.add(id(item))
            if not is_scalar:
                pending += [part for part in parts if type(part) not in IMMUTABLE]
        return repeated

    def _parts_of(self, value: Any) -> Collection[Any]:
        kind = type(value)
        if kind is dict:
            return (
                value.values() if _has_plain_keys(value) else [*value, *value.values()]
            )
        if kind in CONTAINERS:
            return value  # type: ignore[no-any-return]
        form = self._form(value)
        return () if form is None else form.fields.values()

    def _form(self, value: Any) -> Form | None:
        return None if self._has_kind(type(value)) else form_of(value)

    def _convert(self, value: Any, path: Path) -> Json:
        # Only of those that cannot change is it no matter which object it is.
        if type(value) is not bytearray and not _is_large(value):
            converted = scalar_to_json(value)
            if converted is not NOT_PLAIN:
                return converted
        if id(value) not in self._shared:
            return self._converted(value, path)
        if id(value) not in self._numbers:
            data = self._converted(value, path)
            self._numbers[id(value)] = len(self._table)
            self._table.append(data)
        return {"$ref": self._numbers[id(value)]}

    def _converted(self, value: Any, path: Path) -> Json:
        if type(value) not in CONTAINERS:
            return self._object(value, path)
        self._enter(value)
        converted = self._container(value, type(value), path)
        self._open.discard(id(value))
        return converted

    def _enter(self, value: Any) -> None:
        if id(value) in self._open:
            raise Inexact("it contains itself")
        if len(self._open) >= _MAX_DEPTH:
            raise Inexact(f"it is nested more than {_MAX_DEPTH} levels deep")
        self._open.add(id(value))

    def _object(self, value: Any, path: Path) -> Json:
        if type(value) is bytearray and not _is_large(value):
            return scalar_to_json(value)
        form = self._form(value)
        if form is None:
            return self._embed(value, path)
        self._enter(value)
        fields = {
            name: self._convert(item, (*path, name))
            for name, item in form.fields.items()
        }
        self._open.discard(id(value))
        return {form.mark: [*form.name, fields]}

    def _container(self, value: Any, kind: type, path: Path) -> Json:
        if kind is dict:
            return self._dict(value, path)
        items = _at_once(value)
        if items is None and kind is list and (columns := _columns(value)) is not None:
            return {"$rows": columns}
        if items is None:
            items = [
                self._convert(item, (*path, str(number)))
                for number, item in enumerate(value)
            ]
        if kind is list:
            return items
        if kind is not tuple:
            # A set is ordered by hashes, which differ from process to process.
            items.sort(key=_sortable)
        return {CONTAINERS[kind]: items}

    def _dict(self, value: dict[Any, Any], path: Path) -> Json:
        if _has_plain_keys(value):
            items = _at_once(value.values())
            if items is not None:
                return dict(zip(value, items, strict=True))
            return {
                key: self._convert(item, (*path, key)) for key, item in value.items()
            }
        pairs = []
        for number, (key, item) in enumerate(value.items()):
            step = key if isinstance(key, str) else str(number)
            pairs.append(
                [
                    self._convert(key, (*path, f"{number}.key")),
                    self._convert(item, (*path, step)),
                ]
            )
        return {"$dict": pairs}


def _has_plain_keys(value: dict[Any, Any]) -> bool:
    return all(type(key) is str and not key.startswith("$") for key in value)


def _is_large(value: Any) -> bool:
    return type(value) in (bytes, bytearray) and len(value) > _MAX_BYTES


def _are_scalars(items: Collection[Any]) -> bool:
    types = set(map(type, items))
    return types <= IMMUTABLE or (types == {tuple} and _columns(items) is not None)


def _at_once(items: Collection[Any]) -> list[Any] | None:
    """Return scalars that JSON has, without looking at each in Python, else None."""
    types = set(map(type, items))
    if types <= _JSON_OWN:
        return list(items)
    if types == {int} and max(items) < _INT_LIMIT and min(items) > -_INT_LIMIT:
        return list(items)
    if types == {float} and all(map(math.isfinite, items)):
        return list(items)
    return None


def _columns(rows: Iterable[Any]) -> list[Json] | None:
    """Return a list of tuples of scalars as columns; None if it is anything else."""
    rows = list(rows)
    if set(map(type, rows)) != {tuple} or set(map(len, rows)) - {len(rows[0])}:
        return None
    columns = []
    for column in zip(*rows, strict=True):
        if not set(map(type, column)) <= IMMUTABLE or any(map(_is_large, column)):
            return None
        found = _at_once(column) or [scalar_to_json(item) for item in column]
        if any(item is NOT_PLAIN for item in found):
            return None
        columns.append(found)
    return columns or None
