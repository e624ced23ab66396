"""Statistics of data: type, shape, extremes, mean, missing values."""

from __future__ import annotations

from typing import Any

from checkpoints._kinds.columns import Statistics
from checkpoints._kinds.families import families_of

__all__ = ["statistics_of"]


def statistics_of(value: Any, max_columns: int) -> Statistics | None:
    """
    Describe a value of a data library.

    Args:
        value: Any value.
        max_columns: How many columns of a table to describe; `more` is the number of
            the others.

    Returns:
        The statistics as plain values; None if the library is unknown or has none for
        this value.

    Raises:
        Exception: If the library raises it.

    >>> import numpy
    >>> statistics_of(numpy.array([1.0, 3.0, numpy.nan]), 10)["mean"]
    2.0
    """
    for family in families_of(type(value)):
        if family.describe is not None:
            return family.describe(value, max_columns)
    return None
