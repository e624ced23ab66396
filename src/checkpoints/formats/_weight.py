"""How many bytes a value holds, about: by this, what waits in memory is bounded."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["size_of", "weight_of"]

# What keeping a save for later takes by itself, whatever its values are.
_LEAST = 2048
_COLLECTIONS = (list, tuple, set, frozenset)


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
        if id(value) not in seen:
            seen.add(id(value))
            size, parts = _weighed(value)
            total += size
            waiting.extend(parts)
    return total


def _weighed(value: Any) -> tuple[int, Iterator[Any]]:
    """Return the bytes of a value itself, and the values that it holds."""
    try:
        if isinstance(value, dict):
            return sys.getsizeof(value), iter([*value.keys(), *value.values()])
        if isinstance(value, _COLLECTIONS):
            return sys.getsizeof(value), iter(value)
        own = _own_size(value)
        if own is not None:
            return own, iter(())
        held = getattr(value, "__dict__", None)
        parts = list(held.values()) if isinstance(held, dict) else []
        return sys.getsizeof(value), iter(parts)
    except Exception:  # noqa: BLE001 - the value's own words may raise anything
        return _LEAST, iter(())


def _own_size(value: Any) -> int | None:
    """Return what a value of a data library says of itself."""
    if isinstance(value, (str, bytes, bytearray, int, float, type)):
        return sys.getsizeof(value)
    if hasattr(value, "memory_usage"):  # pandas; texts are shared, not copied
        return int(getattr(usage := value.memory_usage(), "sum", lambda: usage)())
    if hasattr(value, "estimated_size"):  # Polars
        return int(value.estimated_size())
    size = getattr(value, "nbytes", None)
    return size if isinstance(size, int) else None
