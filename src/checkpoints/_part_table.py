"""A loaded value as an Arrow table: one entry's part of a table of many."""

from __future__ import annotations

import datetime
import decimal
from typing import Any

from checkpoints._columns import import_pyarrow

__all__ = ["table_of"]

_SINGLE = (
    type(None),
    bool,
    int,
    float,
    str,
    bytes,
    datetime.date,
    datetime.time,
    datetime.timedelta,
    decimal.Decimal,
)
_FITTING = "a table, a series, an array of one dimension, or a single value"


def table_of(name: str, value: Any) -> Any:
    """
    Return a value as a `pyarrow.Table`, under its name if it has no columns.

    Raises:
        TypeError: If it is nothing that has rows.
        ValueError, pyarrow.ArrowException: If Arrow cannot hold it.
    """
    kind = type(value)
    library = kind.__module__.partition(".")[0]
    if library == "pandas" and kind.__name__ in ("DataFrame", "Series"):
        return _of_pandas(name, value)
    if library == "polars" and kind.__name__ in ("DataFrame", "Series"):
        found = value.to_arrow()
        return found if kind.__name__ == "DataFrame" else _column(name, found)
    if library == "pyarrow":
        return _of_arrow(name, value)
    if library == "numpy":
        return _of_numpy(name, value)
    if isinstance(value, datetime.time) and value.tzinfo is not None:
        raise ValueError("a time of day has no time zone in Arrow")
    if isinstance(value, _SINGLE):
        return _column(name, [value])
    raise TypeError(f"it is not {_FITTING}")


def _column(name: str, values: Any) -> Any:
    return import_pyarrow().table({name: values})


def _of_pandas(name: str, value: Any) -> Any:
    frame = value.to_frame(name) if type(value).__name__ == "Series" else value
    table = import_pyarrow().Table.from_pandas(
        frame, preserve_index=not _only_counts(frame.index)
    )
    table = table.replace_schema_metadata(None)
    unnamed = [it for it in table.column_names if it.startswith("__index_level_")]
    if len(unnamed) == 1 and "index" not in table.column_names:
        places = ["index" if it in unnamed else it for it in table.column_names]
        table = table.rename_columns(places)
    return table


def _only_counts(index: Any) -> bool:
    """Tell whether an index of pandas holds nothing but the numbers of the rows."""
    if type(index).__name__ != "RangeIndex" or index.name is not None:
        return False
    return range(index.start, index.stop, index.step) == range(len(index))


def _of_arrow(name: str, value: Any) -> Any:
    pyarrow = import_pyarrow()
    if isinstance(value, pyarrow.RecordBatch):
        value = pyarrow.Table.from_batches([value])
    if isinstance(value, pyarrow.Table):
        if len(set(value.column_names)) < value.num_columns:
            raise ValueError("two of its columns have the same name")
        return _without_views(value.replace_schema_metadata(None))
    if isinstance(value, (pyarrow.Array, pyarrow.ChunkedArray)):
        return _column(name, value)
    raise TypeError(f"it is not {_FITTING}")


def _without_views(table: Any) -> Any:
    """Return a table whose texts and bytes go together with those of other tables."""
    pyarrow = import_pyarrow()
    usual = {
        "string_view": pyarrow.large_string(),
        "binary_view": pyarrow.large_binary(),
    }
    for number, field in enumerate(table.schema):
        if kind := usual.get(str(field.type)):
            column = table.column(number).cast(kind)
            table = table.set_column(number, field.name, column)
    return table


def _of_numpy(name: str, value: Any) -> Any:
    dimensions = getattr(value, "ndim", None)
    if dimensions == 1:
        return _column(name, import_pyarrow().array(value))
    if dimensions == 0:
        return _column(name, _of_scalar(value))
    raise TypeError(f"it has {dimensions} dimensions, and is not {_FITTING}")


def _of_scalar(value: Any) -> Any:
    pyarrow = import_pyarrow()
    try:
        return pyarrow.array(value.reshape(1))
    except pyarrow.ArrowNotImplementedError:
        # Days and hours are no units of Arrow, but Python has them; nanoseconds would
        # be a mere number there.
        item = value.item()
        if not isinstance(item, (datetime.date, datetime.timedelta)):
            raise
        return [item]
