"""Objects that equal no copy of themselves, and classes that pickles made twice."""

from __future__ import annotations

from typing import Any

from checkpoints._kinds.pickled import class_name

__all__ = ["are_one_class", "has_no_equality", "take_unequal"]


def has_no_equality(cls: type) -> bool:
    """
    Tell whether objects of a class are equal only to themselves.

    >>> has_no_equality(object), has_no_equality(int)
    (True, False)
    """
    owner = next(base for base in cls.__mro__ if "__eq__" in base.__dict__)
    return owner is object


def are_one_class(one: type, other: type) -> bool:
    """
    Tell whether two classes are one, or were one before they were pickled.

    A class that a script defines is in each pickle of its objects, and each load makes
    it anew.
    """
    return one is other or class_name(one) == class_name(other)


def take_unequal(only: list[list[Any]]) -> list[Any]:
    """
    Take objects that equal no copy of themselves out of what is on one side only.

    As many are taken of each side.

    Args:
        only: What is in the baseline only, and what is in the candidate only.

    Returns:
        Those of the baseline.
    """
    kinds = [{class_name(type(it)): type(it) for it in items} for items in only]
    common = kinds[0].keys() & kinds[1].keys()
    twice = {name for name in common if kinds[0][name] is not kinds[1][name]}
    found = [
        [
            it
            for it in items
            if has_no_equality(type(it)) or class_name(type(it)) in twice
        ]
        for items in only
    ]
    number = min(map(len, found))
    for items, own in zip(only, found, strict=True):
        taken = set(map(id, own[:number]))
        items[:] = [it for it in items if id(it) not in taken]
    return found[0][:number]
