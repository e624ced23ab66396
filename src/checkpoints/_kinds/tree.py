"""
Containers of any values as JSON that restores types, order and shared objects.

A list and a dict with str keys are what they are in JSON. An object that occurs
several times is written once, in a table before the value, and each occurrence refers
to it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from typing import Any

from checkpoints._kinds.kind import Inexact
from checkpoints._kinds.plain import IMMUTABLE, NOT_PLAIN, check_hashes, scalar_to_json
from checkpoints._kinds.records import Form, form_of
from checkpoints._kinds.rows import (
    is_large,
    may_be_record,
    rows_to_json,
    scalars_to_json,
)

__all__ = ["CONTAINERS", "tree_to_json"]

Json = Any
Path = tuple[str, ...]

# Well below the recursion limit: the reader may have less stack left than the writer.
_MAX_DEPTH = 100
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
    embed_all: Callable[[list[Any], Path], Json] | None = None,
) -> Json:
    """
    Convert a value, with all its contents, to JSON.

    Args:
        value: The value.
        embed: Called with each value inside it that is not plain, and the names and
            positions that lead to that value; returns the JSON that stands for it.
        has_kind: Tells whether values of a class have a kind of their own, and are
            embedded even if they are records.
        embed_all: Called with a list of objects of one class without a kind, instead
            of `embed` with each.

    Raises:
        Inexact: If the value contains itself, or is nested too deep.
    """
    return _Tree(value, embed, has_kind, embed_all).whole()


class _Tree:
    """Converts one value to JSON, and keeps track of the containers around it."""

    def __init__(
        self,
        value: Any,
        embed: Callable[[Any, Path], Json],
        has_kind: Callable[[type], bool],
        embed_all: Callable[[list[Any], Path], Json] | None,
    ) -> None:
        self._value = value
        self._embed = embed
        self._embed_all = embed_all
        self._has_kind = has_kind
        # The JSON of lists that were converted at once, by their ids.
        self._ready: dict[int, tuple[Json, frozenset[int]]] = {}
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
            is_scalar = set(map(type, parts)) <= IMMUTABLE
            # The same constant in many places is not an object that they share.
            if is_scalar and type(item) in (tuple, frozenset):
                continue
            if id(item) in seen:
                repeated.add(id(item))
                continue
            seen.add(id(item))
            if not is_scalar and not self._is_ready(item, seen):
                pending += [part for part in parts if type(part) not in IMMUTABLE]
        return repeated

    def _is_ready(self, value: Any, seen: set[int]) -> bool:
        """Convert a list of equal small items, none of which was seen before."""
        if type(value) is not list or self._has_kind(type(value[0])):
            return False
        own = frozenset(() if type(value[0]) is tuple else map(id, value))
        if own and (len(own) < len(value) or not own.isdisjoint(seen)):
            return False
        data = rows_to_json(value)
        is_opaque = data is None and self._embed_all and not may_be_record(value)
        if data is None and not is_opaque:
            return False
        seen |= own
        self._ready[id(value)] = data, own
        return True

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
        if type(value) is not bytearray and not is_large(value):
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
        if type(value) is bytearray and not is_large(value):
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
        if id(value) in self._ready:
            data, own = self._ready[id(value)]
            if self._shared.isdisjoint(own):
                if data is None and self._embed_all is not None:
                    return self._embed_all(value, path)
                return data
        items = scalars_to_json(value)
        if items is None:
            items = [
                self._convert(item, (*path, str(number)))
                for number, item in enumerate(value)
            ]
        if kind is list:
            return items
        if kind is not tuple:
            _check_hashes(value)
            # A set is ordered by hashes, which differ from process to process.
            items.sort(key=_sortable)
        return {CONTAINERS[kind]: items}

    def _dict(self, value: dict[Any, Any], path: Path) -> Json:
        if _has_plain_keys(value):
            items = scalars_to_json(value.values())
            if items is not None:
                return dict(zip(value, items, strict=True))
            return {
                key: self._convert(item, (*path, key)) for key, item in value.items()
            }
        _check_hashes(value)
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


def _check_hashes(items: Collection[Any]) -> None:
    try:
        check_hashes(items)
    except ValueError as error:  # it would not be loaded
        raise Inexact(str(error)) from error


def _has_plain_keys(value: dict[Any, Any]) -> bool:
    return all(type(key) is str and not key.startswith("$") for key in value)
