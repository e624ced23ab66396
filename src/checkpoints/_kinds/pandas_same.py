"""Strict equality of frames of pandas, down to the bits, types and labels."""

from __future__ import annotations

from typing import Any

from checkpoints._kinds.pandas_arrays import text_of
from checkpoints._kinds.pandas_index import values_of

__all__ = ["same_frames", "same_index"]


def same_frames(one: Any, other: Any) -> bool:
    """
    Tell whether two frames are the same in every detail but their memory layout.

    Args:
        one: A `pandas.DataFrame`.
        other: Another one.

    Example:
        >>> import pandas
        >>> same_frames(pandas.DataFrame({"a": [0.0]}), pandas.DataFrame({"a": [-0.0]}))
        False
    """
    return (
        one.shape == other.shape
        and same_index(one.columns, other.columns)
        and same_index(one.index, other.index)
        and all(
            _same_values(one.iloc[:, at], other.iloc[:, at])
            for at in range(one.shape[1])
        )
    )


def same_index(one: Any, other: Any) -> bool:
    """Tell whether two indexes are the same, down to the order of their levels."""
    traits = (type, len, lambda index: list(map(_typed, index.names)))
    if any(trait(one) != trait(other) for trait in traits):
        return False
    if getattr(one, "freq", None) != getattr(other, "freq", None):
        return False
    if one.nlevels == 1:
        return _same_values(one, other)
    return all(map(same_index, one.levels, other.levels)) and all(
        (codes == found).all()
        for codes, found in zip(one.codes, other.codes, strict=True)
    )


def _same_values(one: Any, other: Any) -> bool:
    """Compare the values of two columns or indexes of equal length."""
    if not _same_dtype(one.dtype, other.dtype):
        return False
    values = values_of(one), values_of(other)
    if isinstance(values[0], list):
        return all(map(_same_object, *values))
    if hasattr(values[0], "tobytes"):
        return bool(values[0].tobytes() == values[1].tobytes())
    if text_of(one.dtype) == "category":
        return bool((values[0].codes == values[1].codes).all())
    return bool(values[0].equals(values[1]))


def _same_dtype(one: Any, other: Any) -> bool:
    """Compare dtypes more strictly than pandas does."""
    zones = [getattr(dtype, "tz", None) for dtype in (one, other)]
    if type(one) is not type(other) or one != other or text_of(one) != text_of(other):
        return False
    if type(zones[0]) is not type(zones[1]):
        return False
    # The codes depend on the order of the categories even if they are unordered.
    return text_of(one) != "category" or same_index(one.categories, other.categories)


def _same_object(one: Any, other: Any) -> bool:
    is_nan = one != one and other != other  # noqa: PLR0124 - only NaN differs
    return type(one) is type(other) and bool(is_nan or one == other)


def _typed(value: Any) -> tuple[type, Any]:
    return type(value), value
