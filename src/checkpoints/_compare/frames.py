"""Frames, series and tables of pandas, Polars and Arrow, in one form."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from checkpoints._compare.columns import (
    Column,
    arrow_column,
    pandas_column,
    polars_column,
)
from checkpoints._text import shown

__all__ = ["Table", "name_key", "table_of"]

_NAN = object()


class Table(NamedTuple):
    """
    A table, or a value that is a single column.

    Args:
        library: The library that it belongs to.
        rows: How many rows it has.
        columns: Its columns.
        levels: Those of its index, if the library has such.
        has_columns: Whether it is no single column.
        attrs: What else the library keeps with it.
        form: The same without rows: all that is no cell.
    """

    library: str
    rows: int
    columns: list[Column]
    levels: list[Column]
    has_columns: bool = True
    attrs: Mapping[Any, Any] = {}
    form: Any = None

    def names(self) -> set[Any]:
        """Return the names that a key column may have."""
        return {name_key(column.name) for column in (*self.columns, *self.levels)}


def table_of(value: Any) -> Table | None:
    """Return a value as a table; None if it is none."""
    for cls in type(value).__mro__:
        find = _FINDERS.get((cls.__module__.partition(".")[0], cls.__name__))
        if find is not None:
            return find(value)
    return None


def name_key(name: Any) -> Any:
    """Return a name by which columns are paired: NaN equals NaN."""
    if isinstance(name, tuple):
        return tuple(map(name_key, name))
    try:
        is_known = bool(name == name)  # noqa: PLR0124 - only NaN differs
    except TypeError:  # the NA of pandas
        is_known = False
    return name if is_known else _NAN


def _title(name: Any) -> str:
    return f"column {shown(name)}"


def _of_pandas(frame: Any) -> Table:
    columns = [
        pandas_column(name, _title(name), column) for name, column in frame.items()
    ]
    return Table(
        "pandas",
        len(frame),
        columns,
        _levels(frame.index),
        attrs=frame.attrs,
        form=_form(frame, frame.index),
    )


def _form(value: Any, index: Any) -> list[Any]:
    flags = getattr(getattr(value, "flags", None), "allows_duplicate_labels", True)
    labels = [index, *([value.columns] if hasattr(value, "columns") else [])]
    return [value[:0], str(getattr(index, "freq", None)), flags, *map(_kind_of, labels)]


def _kind_of(index: Any) -> list[Any]:
    """Return the class, the dtype, the steps and the categories of an index."""
    if hasattr(index, "levels"):
        return [_kind_of(level) for level in index.levels]
    categories = getattr(index.dtype, "categories", None)
    steps = [getattr(index, it, None) for it in ("start", "stop", "step")]
    known = None if categories is None else list(categories)
    return [type(index).__name__, str(index.dtype), steps, known]


def _of_series(series: Any) -> Table:
    column = pandas_column(series.name, "", series)
    levels = _levels(series.index)
    return Table(
        "pandas",
        len(series),
        [column],
        levels,
        has_columns=False,
        attrs=series.attrs,
        form=_form(series, series.index),
    )


def _of_index(index: Any) -> Table:
    levels = _levels(index)
    is_table = len(levels) > 1
    return Table("pandas", len(index), levels, [], is_table, form=_form(index, index))


def _levels(index: Any) -> list[Column]:
    if index.nlevels == 1:
        return [pandas_column(index.name, _level_title(index.name, 0), index)]
    return [
        pandas_column(name, _level_title(name, at), index.get_level_values(at))
        for at, name in enumerate(index.names)
    ]


def _level_title(name: Any, number: int) -> str:
    named = f" {shown(name)}" if name is not None else ""
    return f"index{named}" if named or not number else f"index level {number}"


def _of_polars(frame: Any) -> Table:
    columns = [
        polars_column(name, _title(name), frame.to_series(at))
        for at, name in enumerate(frame.columns)
    ]
    return Table("Polars", frame.height, columns, [], form=frame.clear())


def _of_polars_series(series: Any) -> Table:
    column = polars_column(series.name or None, "", series)
    form = series.clear()
    return Table("Polars", len(series), [column], [], has_columns=False, form=form)


def _of_arrow(table: Any) -> Table:
    columns = [
        arrow_column(name, _title(name), table.column(at))
        for at, name in enumerate(table.schema.names)
    ]
    metadata = dict(table.schema.metadata or {})
    # It repeats the schema for pandas.
    metadata.pop(b"pandas", None)
    metadata |= _metadata_of(table.schema)
    form = table.slice(0, 0)
    return Table("Arrow", table.num_rows, columns, [], attrs=metadata, form=form)


def _of_arrow_array(array: Any) -> Table:
    column = arrow_column(None, "", array)
    return Table(
        "Arrow",
        len(array),
        [column],
        [],
        has_columns=False,
        attrs=_metadata_of(_fields_of(array.type)),
        form=array.slice(0, 0),
    )


def _metadata_of(fields: Iterable[Any], path: str = "") -> dict[str, Any]:
    """Return the metadata of fields, and of those in their types, by their paths."""
    found: dict[str, Any] = {}
    for field in fields:
        place = f"{path}.{field.name}" if path else f"field {field.name}"
        if field.metadata:
            found[place] = dict(field.metadata)
        found |= _metadata_of(_fields_of(field.type), place)
    return found


def _fields_of(type: Any) -> list[Any]:  # noqa: A002 - Arrow's word
    type = getattr(type, "storage_type", type)  # noqa: A001 - as above
    # The entries of a map have no field of their own to look at.
    if hasattr(type, "key_field"):
        return [type.key_field, type.item_field]
    # Older versions of pyarrow know the fields of some types only.
    count = type.num_fields if hasattr(type, "field") else 0
    return [type.field(at) for at in range(count)]


_INDEXES = ("Index", "RangeIndex", "MultiIndex")
_FINDERS: dict[tuple[str, str], Callable[[Any], Table]] = {
    ("pandas", "DataFrame"): _of_pandas,
    ("pandas", "Series"): _of_series,
    **{("pandas", name): _of_index for name in _INDEXES},
    ("polars", "DataFrame"): _of_polars,
    ("polars", "Series"): _of_polars_series,
    ("pyarrow", "Table"): _of_arrow,
    ("pyarrow", "RecordBatch"): _of_arrow,
    ("pyarrow", "ChunkedArray"): _of_arrow_array,
    ("pyarrow", "Array"): _of_arrow_array,
}
