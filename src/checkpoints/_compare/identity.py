"""Objects that are equal only to themselves, so that no copy of one equals it."""

from __future__ import annotations

from typing import Any

__all__ = ["has_no_equality", "take_unequal"]


def has_no_equality(cls: type) -> bool:
    """
    Tell whether objects of a class are equal only to themselves.

    >>> has_no_equality(object), has_no_equality(int)
    (True, False)
    """
    owner = next(base for base in cls.__mro__ if "__eq__" in base.__dict__)
    return owner is object


def take_unequal(only: list[list[Any]]) -> list[Any]:
    """
    Take such objects out of what is on one side only, as many of each side.

    Args:
        only: What is in the baseline only, and what is in the candidate only.

    Returns:
        Those of the baseline.
    """
    found = [[it for it in items if has_no_equality(type(it))] for items in only]
    number = min(map(len, found))
    for items, own in zip(only, found, strict=True):
        taken = set(map(id, own[:number]))
        items[:] = [it for it in items if id(it) not in taken]
    return found[0][:number]
