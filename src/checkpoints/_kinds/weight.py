"""How many bytes a value holds, about: by this, what waits in memory is bounded."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

from checkpoints._kinds.families import family_of
from checkpoints._kinds.plain import IMMUTABLE

__all__ = ["size_of", "weight_of"]

# What keeping a save for later takes by itself, whatever its values are.
_LEAST = 2048
_COLLECTIONS = (list, tuple, set, frozenset, deque)
_NOTHING: tuple[Any, ...] = ()


def weight_of(values: Mapping[str, Any]) -> int:
    """
    Return about how many bytes it takes to keep named values, at least some for each.

    Arrays, tables, texts and bytes count in full, shared ones once; an object counts
    by its attributes.

    >>> weight_of({"text": "x" * 1_000_000}) > 1_000_000
    True
    """
    return _LEAST + size_of(values)


def size_of(values: Mapping[str, Any]) -> int:
    """
    Return about how many bytes named values hold.

    >>> size_of({})
    0
    """
    seen: set[int] = set()
    waiting = list(values.values())
    total = 0
    while waiting:
        value = waiting.pop()
        if type(value) in IMMUTABLE:
            total += sys.getsizeof(value)
        elif id(value) not in seen:
            seen.add(id(value))
            size, parts = _weighed(value)
            total += size
            waiting += parts
    return total


def _weighed(value: Any) -> tuple[int, Iterable[Any]]:
    """Return the bytes of a value itself, and the values that it holds."""
    try:
        if isinstance(value, dict):
            return sys.getsizeof(value), [*value.keys(), *value.values()]
        if isinstance(value, _COLLECTIONS):
            return sys.getsizeof(value), list(value)
        return _in_family(value) or _object(value)
    except Exception:  # noqa: BLE001 - the value's own words may raise anything
        return _LEAST, _NOTHING


def _in_family(value: Any) -> tuple[int, Iterable[Any]] | None:
    """Return the same as the value's family knows it, or as its `nbytes` says."""
    family = family_of(type(value))
    if family is None:
        return None
    if family.weigh is not None and (weighed := family.weigh(value)) is not None:
        return weighed
    size = getattr(value, "nbytes", None)
    return (size, _NOTHING) if isinstance(size, int) else None


def _object(value: Any) -> tuple[int, Iterable[Any]]:
    parts = list(getattr(value, "__dict__", {}).values())
    for kind in type(value).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        names = (slots,) if isinstance(slots, str) else slots
        parts.extend(getattr(value, name, None) for name in names)
    return sys.getsizeof(value), parts
