"""Equality of two values of any library."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from checkpoints._kinds.families import families_of
from checkpoints._kinds.records import form_of

__all__ = ["same"]


def same(one: Any, other: Any) -> bool:
    """
    Return whether two values are the same in type, shape and content.

    NaN equals NaN here, because the question is whether the data is the same. Objects
    that cannot be compared are not the same.
    """
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    try:
        return _same_content(one, other)
    except Exception:  # noqa: BLE001 - an object's own comparison may raise anything
        return False


def _same_content(one: Any, other: Any) -> bool:
    # First, because a library's class may be a mapping as well.
    for family in families_of(type(one)):
        if family.same is not None:
            return family.same(one, other, same)
    if (form := form_of(one)) is not None:
        # Its own == would ask an array in a field whether it is true.
        one, other = form, form_of(other)
    if isinstance(one, Mapping):
        return one.keys() == other.keys() and all(
            same(one[key], other[key]) for key in one
        )
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) and math.isnan(one):
        return math.isnan(other)
    for trait, compare in _BY_TRAIT.items():
        if hasattr(one, trait):
            return compare(one, other)
    return bool(one == other)


def _same_array(one: Any, other: Any) -> bool:
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    equal = one == other
    both_nan = (one != one) & (other != other)  # noqa: PLR0124 - only NaN differs
    return bool((equal | both_nan).all())


# Some libraries ignore these in `equals`.
_METADATA: list[Callable[[Any], Any]] = [
    lambda table: getattr(table, "name", None),
    lambda table: getattr(table, "dtype", None),
    lambda table: getattr(table, "schema", None),
    lambda table: [*getattr(getattr(table, "index", None), "names", ())],
    lambda table: [*getattr(getattr(table, "columns", None), "names", ())],
]


def _same_by_equals(one: Any, other: Any) -> bool:
    return all(same(label(one), label(other)) for label in _METADATA) and bool(
        one.equals(other)
    )


# Frames, series and tables have `equals` in every library.
_BY_TRAIT: dict[str, Callable[[Any, Any], bool]] = {
    "equals": _same_by_equals,
    "dtype": _same_array,
}
