"""The memory that a value takes once each of its cells has a place of its own."""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from checkpoints._kinds.records import Record
from checkpoints._process.budget import ask

__all__ = ["ask_for_cells", "ask_for_objects"]

# Of an object: its place in a list, and its text beside the object itself.
_PLACE, _COPIES = 8, 2
_WITHOUT_PARTS = frozenset({str, bytes, int, float, bool, type(None)})


def ask_for_cells(value: object, *, with_rows: bool = True) -> None:
    """
    Ask for the memory of a value in which each cell has a place.

    A range takes little until then, and a sparse array too.

    Args:
        value: The value.
        with_rows: Whether rows without cells have a place as well.
    """
    shape = getattr(value, "shape", ())
    if not isinstance(shape, tuple) or not all(isinstance(n, int) for n in shape):
        return
    cell = getattr(getattr(value, "dtype", None), "itemsize", 1)
    lengths = itertools.takewhile(bool, shape) if with_rows else shape
    least = 1 if with_rows else 0
    ask(math.prod(lengths) * max(cell if isinstance(cell, int) else 1, least))


def ask_for_objects(value: object) -> None:
    """
    Ask for the memory of objects of Python, each as often as it occurs.

    One that occurs in many places is in memory once, but in a text it is everywhere.

    Args:
        value: The value, with whatever is in it.
    """
    pending: list[Iterator[Collection[Any]]] = [iter([(value,)])]
    while pending:
        items = next(pending[-1], None)
        if items is None:
            pending.pop()
            continue
        ask(_PLACE * len(items) + _COPIES * sum(map(sys.getsizeof, items)))
        pending.append(_parts_in(items))


def _parts_in(items: Iterable[Any]) -> Iterator[Collection[Any]]:
    """Yield what is in each of several objects."""
    for item in items:
        if type(item) not in _WITHOUT_PARTS and (parts := _parts_of(item)):
            yield parts


def _parts_of(item: object) -> Collection[Any]:
    """Return what is in an object and would be in its text."""
    if isinstance(item, Mapping):
        return [*item.keys(), *item.values()]
    if isinstance(item, (list, tuple, set, frozenset)):
        return item
    if isinstance(item, Record):
        return [item.type, *(item[name] for name in item.keys())]  # noqa: SIM118 - it is no dict
    names = getattr(type(item), "__dataclass_fields__", ())
    others = getattr(type(item), "__attrs_attrs__", ())
    fields = [*names, *(field.name for field in others)]
    return [getattr(item, name, None) for name in fields]
