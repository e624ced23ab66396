"""Polars frames and series that are no single Arrow file, as their parts."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from checkpoints._kinds.kind import Compound
from checkpoints._kinds.pickled import Pickled
from checkpoints._kinds.polars_table import (
    check_same,
    import_polars,
    panics_as_errors,
)

__all__ = ["COLUMNS", "VALUES", "freeze_frame", "freeze_series"]


def freeze_frame(frame: Any) -> Any:
    """
    Return a copy of a frame that shares no memory with it.

    Args:
        frame: A `polars.DataFrame`.

    Example:
        >>> import polars
        >>> freeze_frame(polars.DataFrame({"a": [1, 2]})).shape
        (2, 1)
    """
    import polars

    if not frame.width:
        return frame.clone()
    if polars.Object in frame.dtypes:
        return _frame_of(map(freeze_series, frame.get_columns()))
    # A clone would share its memory, which may belong to a NumPy array.
    return frame.select(polars.all().gather(polars.int_range(polars.len())))


def freeze_series(series: Any) -> Any:
    """
    Return a copy of a series that shares no memory with it.

    Args:
        series: A `polars.Series`.

    Example:
        >>> import polars
        >>> freeze_series(polars.Series("a", [1, 2])).name
        'a'
    """
    import polars

    if series.dtype != polars.Object:
        return freeze_frame(series.to_frame()).to_series()
    values = copy.deepcopy(series.to_list())
    return polars.Series(series.name, values, dtype=polars.Object)


def _columns_of(frame: Any) -> dict[str, Any]:
    return {"names": frame.columns, "columns": frame.get_columns()}


def _from_columns(parts: dict[str, Any]) -> Any:
    polars = import_polars()
    names, columns = parts["names"], parts["columns"]
    others = [each for each in columns if not isinstance(each, Pickled)]
    # If all are pickles, nothing says how many rows there are.
    rows = min(map(len, others))
    if len(others) < len(columns) and rows > 8 * sum(
        each.estimated_size() for each in others
    ):
        raise ValueError("the frame has more rows than bits")
    return _frame_of(
        polars.Series(name, [column] * rows, dtype=polars.Object)
        if isinstance(column, Pickled)
        else column
        for name, column in zip(names, columns, strict=True)
    )


def _frame_of(columns: Iterable[Any]) -> Any:
    import polars

    # In a list, a series without a name would get one.
    return polars.DataFrame({column.name: column for column in columns})


def _values_of(series: Any) -> dict[str, Any]:
    """Take a series apart as Python objects; its dtype is in a series without rows."""
    import polars

    is_object = series.dtype == polars.Object
    dtype = None if is_object else series.clear()
    parts = {"name": series.name, "dtype": dtype, "values": series.to_list()}
    if not is_object:
        check_same(series.to_frame(), _from_values(parts).to_frame())
    return parts


def _from_values(parts: dict[str, Any]) -> Any:
    polars = import_polars()
    dtype = polars.Object if parts["dtype"] is None else parts["dtype"].dtype
    with panics_as_errors():
        return polars.Series(parts["name"], parts["values"], dtype=dtype)


COLUMNS = Compound(
    kind="polars.columns",
    take_apart=_columns_of,
    put_together=_from_columns,
    package="polars",
    freeze=freeze_frame,
)
VALUES = Compound(
    kind="polars.values",
    take_apart=_values_of,
    put_together=_from_values,
    package="polars",
    freeze=freeze_series,
)
