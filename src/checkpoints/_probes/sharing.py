"""Which arguments of a call are one object."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any

from checkpoints._kinds.plain import IMMUTABLE

__all__ = ["one_object"]

# With a space, so that no parameter can have this name.
_ONE_OBJECT = "one object"
# Often shared, by chance, and never changed.
_CONSTANT = (tuple, frozenset, type, enum.Enum)


def one_object(values: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return which values are one object, in groups of names; nothing if none are.

    Each value is saved on its own, so a replay could not know it.
    """
    names: dict[int, list[str]] = {}
    for name, value in values.items():
        if type(value) not in IMMUTABLE and not isinstance(value, _CONSTANT):
            names.setdefault(id(value), []).append(name)
    groups = [group for group in names.values() if len(group) > 1]
    return {_ONE_OBJECT: groups} if groups else {}
