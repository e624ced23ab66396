"""Approximate sizes of values, which limit how much the background queue holds."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

from checkpoints._kinds.families import family_of
from checkpoints._kinds.plain import IMMUTABLE

__all__ = ["size_of", "weight_of"]

# The overhead of one queued save, whatever its values.
_OVERHEAD = 2048
_COLLECTIONS = (list, tuple, set, frozenset, deque)
_NOTHING: tuple[Any, ...] = ()


def weight_of(values: Mapping[str, Any]) -> int:
    """
    Return about how many bytes it takes to keep a save with these values.

    Arrays, tables, strings and bytes count in full, shared ones once; other objects
    count by their attributes.

    >>> weight_of({"text": "x" * 1_000_000}) > 1_000_000
    True
    """
    return _OVERHEAD + size_of(values)


def size_of(values: Mapping[str, Any]) -> int:
    """
    Return about how many bytes these values take.

    >>> size_of({})
    0
    """
    seen: set[int] = set()
    pending = list(values.values())
    total = 0
    while pending:
        value = pending.pop()
        if type(value) in IMMUTABLE:
            total += sys.getsizeof(value)
        elif id(value) not in seen:
            seen.add(id(value))
            size, parts = _weighed(value)
            total += size
            pending += parts
    return total


def _weighed(value: Any) -> tuple[int, Iterable[Any]]:
    """Return the size of a value itself, and the values inside it."""
    try:
        if isinstance(value, dict):
            return sys.getsizeof(value), [*value.keys(), *value.values()]
        if isinstance(value, _COLLECTIONS):
            return sys.getsizeof(value), list(value)
        return _by_family(value) or _by_attributes(value)
    except Exception:  # noqa: BLE001 - the value's own code may raise anything
        return _OVERHEAD, _NOTHING


def _by_family(value: Any) -> tuple[int, Iterable[Any]] | None:
    """Weigh a value as its family does, or by its `nbytes`; None if neither can."""
    family = family_of(type(value))
    if family is None:
        return None
    if family.weigh is not None and (weighed := family.weigh(value)) is not None:
        return weighed
    size = getattr(value, "nbytes", None)
    return (size, _NOTHING) if isinstance(size, int) else None


def _by_attributes(value: Any) -> tuple[int, Iterable[Any]]:
    parts = list(getattr(value, "__dict__", {}).values())
    for kind in type(value).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        names = (slots,) if isinstance(slots, str) else slots
        parts.extend(getattr(value, name, None) for name in names)
    return sys.getsizeof(value), parts
