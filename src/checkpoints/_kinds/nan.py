"""Search for NaN in values of any library."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checkpoints._kinds.families import family_of

__all__ = ["holds_nan"]

_COLLECTIONS = (list, tuple, set, frozenset)


def holds_nan(value: Any) -> bool:
    """
    Return whether a value is NaN or contains one.

    Searched are numbers, tensors, numeric arrays (sparse and structured ones too),
    numeric columns of tables, and the contents of dicts, lists, tuples and sets; not
    the attributes of other objects, nor objects or lists in an array or a column.
    A missing cell of a numeric column counts where pandas stores it as NaN.

    >>> holds_nan({"a": [1.0, float("nan")]})
    True
    """
    pending = [value]
    seen: set[int] = set()
    while pending:
        item = pending.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        if isinstance(item, _COLLECTIONS):
            pending.extend(item)
        elif isinstance(item, Mapping):
            pending.extend(item.values())
        elif _has_nan(item):
            return True
    return False


def _has_nan(value: Any) -> bool:
    if isinstance(value, (float, complex)):
        return value != value  # noqa: PLR0124 - only NaN differs from itself
    family = family_of(type(value))
    search = family.holds_nan if family is not None else None
    return search is not None and search(value)
