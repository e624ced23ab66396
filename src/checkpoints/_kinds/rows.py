"""
Lists of many equal small items, converted to JSON at once.

Lists and dicts of scalars are what they are in JSON. Tuples and records of scalars are
written in columns, which take a fraction of the time and the space.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from itertools import chain
from typing import Any

from checkpoints._kinds.plain import IMMUTABLE, NOT_PLAIN, scalar_to_json
from checkpoints._kinds.records import form_of

__all__ = ["is_large", "may_be_record", "rows_to_json", "scalars_to_json"]

Json = Any

# Larger bytes are members of the file, not base64.
_MAX_BYTES = 4096
_INT_LIMIT = 1 << 64
_NUMBERS = {int, float}
_JSON_OWN = {str, bool, type(None)}
_BYTES = {bytes, bytearray}
_CONTAINERS = {tuple, list, dict, set, frozenset, bytearray}


def is_large(value: Any) -> bool:
    """Tell whether a value is bytes that do not belong into JSON."""
    return type(value) in _BYTES and len(value) > _MAX_BYTES


def scalars_to_json(items: Collection[Any]) -> list[Json] | None:
    """
    Convert scalars without looking at each in Python; None if that is impossible.

    >>> scalars_to_json([1, "a", None]), scalars_to_json([1j])
    ([1, 'a', None], None)
    """
    return list(items) if _are_json(items) else None


def _are_json(items: Collection[Any]) -> bool:
    types = set(map(type, items))
    if types <= _JSON_OWN:
        return True
    if types == {int}:
        return bool(max(items) < _INT_LIMIT and min(items) > -_INT_LIMIT)
    if not types <= _JSON_OWN | _NUMBERS:
        return False
    numbers = items
    if types & _JSON_OWN:
        numbers = [item for item in items if type(item) in _NUMBERS]
    try:
        return all(map(math.isfinite, numbers))
    except OverflowError:  # an int beyond all floats
        return False


def rows_to_json(items: Sequence[Any]) -> Json | None:
    """
    Convert the items of a list that are all of one kind and hold scalars only.

    Args:
        items: The items of a list.

    Returns:
        The JSON for the list; None if it has to be converted item by item.

    >>> rows_to_json([(1, "a"), (2, "b")])
    {'$rows': [[1, 2], ['a', 'b']]}
    """
    types = set(map(type, items))
    if len(types) != 1:
        return None
    (kind,) = types
    if kind is tuple:
        return _tuples(items)
    if kind is list:
        return list(items) if _are_json(list(chain.from_iterable(items))) else None
    if kind is dict:
        return _dicts(items)
    return None if kind in IMMUTABLE or len(items) == 1 else _records(items)


def may_be_record(items: Sequence[Any]) -> bool:
    """Tell whether these are not just many objects of one class without any form."""
    kinds = set(map(type, items))
    if len(kinds) != 1 or len(items) == 1 or kinds & _CONTAINERS or kinds <= IMMUTABLE:
        return True
    return form_of(items[0]) is not None


def _tuples(rows: Sequence[Any]) -> Json | None:
    columns = _columns(rows)
    return {"$rows": columns} if columns else None


def _dicts(rows: Sequence[dict[Any, Any]]) -> Json | None:
    # Of each key: those that are equal may be of several types.
    if set(map(type, chain.from_iterable(rows))) - {str}:
        return None
    if any(key.startswith("$") for key in set(chain.from_iterable(rows))):
        return None
    values = list(chain.from_iterable(map(dict.values, rows)))
    return list(rows) if _are_json(values) else None


def _records(rows: Sequence[Any]) -> Json | None:
    forms = [form for form in map(form_of, rows) if form is not None]
    # A `Record` is of any type, so one class is not yet one type.
    kinds = {(form.mark, form.name, tuple(form.fields)) for form in forms}
    if len(forms) != len(rows) or len(kinds) != 1:
        return None
    columns = _columns([tuple(form.fields.values()) for form in forms])
    if columns is None:
        return None
    ((mark, name, fields),) = kinds
    return {"$records": [mark, *name, [*fields], columns]}


def _columns(rows: Sequence[Any]) -> list[list[Json]] | None:
    """Return tuples of scalars as columns; None if they are anything else."""
    if len(set(map(len, rows))) != 1:
        return None
    columns = []
    for column in zip(*rows, strict=True):
        found = _column(column)
        if found is None:
            return None
        columns.append(found)
    return columns or None


def _column(items: Sequence[Any]) -> list[Json] | None:
    if _are_json(items):
        return list(items)
    types = set(map(type, items))
    if not types <= IMMUTABLE or (types & _BYTES and any(map(is_large, items))):
        return None
    found = list(map(scalar_to_json, items))
    return None if any(map(_is_not_plain, found)) else found


def _is_not_plain(item: Json) -> bool:
    return item is NOT_PLAIN
