"""Approximate sizes of values, which limit how much the background queue holds."""

from __future__ import annotations

import logging
import sys
import weakref
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import chain, islice
from types import BuiltinFunctionType, CodeType, FrameType, FunctionType, ModuleType
from typing import Any, NamedTuple, TypeAlias

from checkpoints._kinds.families import families_of
from checkpoints._kinds.plain import IMMUTABLE

__all__ = ["size_of", "weight_of"]

# The overhead of one queued save, whatever its values.
_OVERHEAD = 2048
# What an array or a table takes besides its data.
_HEADER = 112
# So many objects are weighed one by one; of more, a sample of that size is.
_MAX_OBJECTS = 50_000
# A sample has this share of a budget, so that each part of it has a budget too.
_SHARE, _FEW = 64, 8
# Scatters numbers in order (Knuth's multiplicative hash).
_SCATTER, _SHIFT = 2654435761, 16
_COLLECTIONS = (list, tuple, set, frozenset, deque)
_NOTHING: tuple[Any, ...] = ()
# A copy of a value refers to the same ones, and whole libraries hang on them.
_SHARED = (
    type,
    ModuleType,
    FunctionType,
    BuiltinFunctionType,
    CodeType,
    FrameType,
    property,
    logging.Logger,
    weakref.ref,
)


def weight_of(values: Mapping[str, Any]) -> int:
    """
    Return about how many bytes it takes to keep a save with these values.

    Arrays, tables, strings and bytes count in full, shared ones once; other objects
    count by their attributes, or by what their copy would be made of.

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
    total = _weigh(values, is_sample=False)
    if total is None:
        total = _weigh(values, is_sample=True)
    return int(total or 0)


class _Entries:
    """The keys and values of a dict, without a copy of them."""

    def __init__(self, entries: dict[Any, Any]) -> None:
        self._entries = entries

    def __len__(self) -> int:
        return 2 * len(self._entries)

    def __iter__(self) -> Iterator[Any]:
        return chain(self._entries.keys(), self._entries.values())


_Parts: TypeAlias = (
    _Entries | list[Any] | tuple[Any, ...] | set[Any] | frozenset[Any] | deque[Any]
)


class _Object(NamedTuple):
    """
    A value that is to be weighed.

    Args:
        value: The value.
        budget: How many objects may be weighed for it, in a sample.
        factor: How many objects it stands for, in a sample.
    """

    value: Any
    budget: int
    factor: float


def _weigh(values: Mapping[str, Any], *, is_sample: bool) -> float | None:
    """Weigh values by all that they hold, or by a sample; None if that is too much."""
    pending = [_Object(value, _MAX_OBJECTS, 1) for value in values.values()]
    # Kept alive, so that no later object gets the id of an earlier one.
    seen: dict[int, Any] = {}
    total: float = 0
    while pending:
        value, budget, factor = pending.pop()
        if id(value) in seen:
            continue
        seen[id(value)] = value
        size, parts = _weighed(value)
        total += size * factor
        if not is_sample and len(seen) + len(pending) + len(parts) > _MAX_OBJECTS:
            return None
        # Another thread may change a dict or a set meanwhile.
        with suppress(RuntimeError):
            if is_sample:
                pending += _sampled(parts, budget, factor, len(seen))
            else:
                pending += [_Object(part, budget, factor) for part in parts]
    return total


def _sampled(parts: _Parts, budget: int, factor: float, seed: int) -> Iterator[_Object]:
    """Yield parts of a value, or a sample of them, each with its share of a budget."""
    if budget < 1 or not len(parts):
        return
    wanted = min(max(_FEW, budget // _SHARE), budget)
    step = -(-len(parts) // wanted)
    # Not always the first of a few attributes, which may all be numbers.
    start = (seed * _SCATTER >> _SHIFT) % step
    found = list(islice(parts, start, None, step))
    counts = Counter(map(id, found))
    heavy = sum(type(part) not in IMMUTABLE for part in found)
    left = (budget - len(found)) // max(1, heavy)
    for part in found:
        # What a sample has twice is not likely to stand for many others.
        is_single = counts[id(part)] == 1
        scale = len(parts) / len(found) if is_single else 1
        yield _Object(part, left, factor * scale)


def _weighed(value: Any) -> tuple[int, _Parts]:
    """Return the size of a value itself, and the values inside it."""
    if type(value) in IMMUTABLE:
        return sys.getsizeof(value), _NOTHING
    if isinstance(value, _SHARED):
        return 0, _NOTHING
    try:
        items = _items_of(value)
        if items is not None:
            return sys.getsizeof(value), items
        size, parts = _by_family(value) or (sys.getsizeof(value), _parts_of(value))
        return size, list(parts)
    except Exception:  # noqa: BLE001 - the value's own code may raise anything
        return _OVERHEAD, _NOTHING


def _items_of(value: Any) -> _Parts | None:
    """Return the items of a collection, without a copy if their iteration is safe."""
    if type(value) is dict:
        return _Entries(value)
    if type(value) in _COLLECTIONS:
        items: _Parts = value
        return items
    if isinstance(value, dict):
        return [*value.keys(), *value.values()]
    return list(value) if isinstance(value, _COLLECTIONS) else None


def _by_family(value: Any) -> tuple[int, Iterable[Any]] | None:
    """Weigh a value as its family does, or by its `nbytes`; None if neither can."""
    for family in families_of(type(value)):
        if family.weigh is not None and (weighed := family.weigh(value)) is not None:
            return weighed
        size = getattr(value, "nbytes", None)
        if isinstance(size, int):
            return _HEADER + size, _NOTHING
    return None


def _parts_of(value: Any) -> list[Any]:
    """Return what an object refers to, as far as a copy of it would be a copy of it."""
    cls = type(value)
    # One that tells its own size tells all of it.
    if not _has_own(cls, "__sizeof__") and any(
        _has_own(cls, method) and not isinstance(getattr(cls, method), FunctionType)
        for method in ("__reduce_ex__", "__reduce__")
    ):
        return _reduced(value)
    # Objects share the table of their attributes' names, but their copies do not.
    parts: list[Any] = [dict(getattr(value, "__dict__", {}))]
    for kind in cls.__mro__:
        slots = kind.__dict__.get("__slots__", ())
        names = (slots,) if isinstance(slots, str) else slots
        parts.extend(getattr(value, name, None) for name in names)
    return parts


def _has_own(cls: type, method: str) -> bool:
    return getattr(cls, method) is not getattr(object, method)


def _reduced(value: Any) -> list[Any]:
    """Return what a compiled object would be copied from: its memory is not visible."""
    reduced = value.__reduce_ex__(4)
    if isinstance(reduced, str):
        return []
    return [list(it) if isinstance(it, Iterator) else it for it in reduced[1:]]
