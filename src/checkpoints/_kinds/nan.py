"""Whether a value holds a NaN, whatever library it is of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checkpoints._kinds.families import family_of

__all__ = ["holds_nan"]

_COLLECTIONS = (list, tuple, set, frozenset)


def holds_nan(value: Any) -> bool:
    """
    Tell whether a number that is none is in a value, or in what it holds.

    Looked at are numbers, tensors, arrays of numbers, sparse ones and records among
    them, the columns of numbers of tables, and what dicts, lists, tuples and sets hold
    of these: not what other objects hold, nor objects or lists in an array or a column.
    In a table a missing cell of a column of numbers counts as well where pandas keeps
    it as NaN.

    >>> holds_nan({"a": [1.0, float("nan")]})
    True
    """
    waiting = [value]
    seen: set[int] = set()
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, _COLLECTIONS):
            waiting.extend(each)
        elif isinstance(each, Mapping):
            waiting.extend(each.values())
        elif _is_nan(each):
            return True
    return False


def _is_nan(value: Any) -> bool:
    if isinstance(value, (float, complex)):
        return value != value  # noqa: PLR0124 - true of NaN alone
    family = family_of(type(value))
    look = family.holds_nan if family is not None else None
    return look is not None and look(value)
