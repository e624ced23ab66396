"""What can be said of data in a few numbers: type, shape, extremes, mean, missing."""

from __future__ import annotations

from typing import Any

from checkpoints._kinds.columns import Statistics
from checkpoints._kinds.families import families_of

__all__ = ["statistics_of"]


def statistics_of(value: Any, most: int) -> Statistics | None:
    """
    Describe a value of a data library.

    Args:
        value: Any value.
        most: How many columns of a table may be described; `more` has the number of
            those that are left.

    Returns:
        What can be said of it, in plain values; None where the library is not known,
        or has nothing to say.

    Raises:
        Exception: Whatever the library raises.

    >>> import numpy
    >>> statistics_of(numpy.array([1.0, 3.0, numpy.nan]), 10)["mean"]
    2.0
    """
    for family in families_of(type(value)):
        if family.describe is not None:
            return family.describe(value, most)
    return None
