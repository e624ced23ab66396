"""Tables of pandas, Polars and Arrow as columns, each a vector of cells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from checkpoints._compare.arrays import ArrayVector
from checkpoints._compare.arrow_vector import ArrowVector
from checkpoints._compare.pandas_vector import pandas_vector
from checkpoints._compare.vectors import Vector
from checkpoints._process.libraries import imported
from checkpoints._text import printable

__all__ = ["Column", "Table", "table_of"]


class Column(NamedTuple):
    """
    A column of a table, or a level of its index.

    Args:
        name: Its name.
        title: Its name for people.
        dtype: The text of its dtype.
        vector: Returns its cells; given places, only those of these rows.
        arrow: Returns its values as an Arrow array.
        categories: The values that it may have, if these are listed.
    """

    name: Any
    title: str
    dtype: str
    vector: Callable[[Any], Vector]
    arrow: Callable[[], Any]
    categories: Any = None


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
    """

    library: str
    rows: int
    columns: list[Column]
    levels: list[Column]
    has_columns: bool = True
    attrs: Mapping[Any, Any] = {}


def table_of(value: Any) -> Table | None:
    """Return a value as a table; None if it is none."""
    for cls in type(value).__mro__:
        find = _FINDERS.get((cls.__module__.partition(".")[0], cls.__name__))
        if find is not None:
            return find(value)
    return None


def _title(name: Any) -> str:
    return f"column {printable(repr(name))}"


def _of_pandas(frame: Any) -> Table:
    columns = [
        _pandas_column(name, _title(name), frame.iloc[:, at])
        for at, name in enumerate(frame.columns)
    ]
    return Table("pandas", len(frame), columns, _levels(frame.index), attrs=frame.attrs)


def _of_series(series: Any) -> Table:
    column = _pandas_column(series.name, "", series)
    levels = _levels(series.index)
    return Table("pandas", len(series), [column], levels, False, series.attrs)  # noqa: FBT003


def _of_index(index: Any) -> Table:
    levels = _levels(index)
    return Table("pandas", len(index), levels, [], len(levels) > 1)


def _levels(index: Any) -> list[Column]:
    if index.nlevels == 1:
        return [_pandas_column(index.name, _level_title(index.name, 0), index)]
    return [
        _pandas_column(name, _level_title(name, at), index.get_level_values(at))
        for at, name in enumerate(index.names)
    ]


def _level_title(name: Any, number: int) -> str:
    named = f" {printable(repr(name))}" if name is not None else ""
    return f"index{named}" if named or not number else f"index level {number}"


def _pandas_column(name: Any, title: str, values: Any) -> Column:
    def vector(places: Any) -> Vector:
        return pandas_vector(values if places is None else values.take(places))

    def arrow() -> Any:
        return imported("pyarrow").array(values, from_pandas=True)

    categories = getattr(values.dtype, "categories", None)
    return Column(name, title, str(values.dtype), vector, arrow, categories)


def _of_polars(frame: Any) -> Table:
    columns = [
        _polars_column(name, _title(name), frame.to_series(at))
        for at, name in enumerate(frame.columns)
    ]
    return Table("Polars", frame.height, columns, [])


def _of_polars_series(series: Any) -> Table:
    column = _polars_column(series.name or None, "", series)
    return Table("Polars", len(series), [column], [], has_columns=False)


def _polars_column(name: Any, title: str, series: Any) -> Column:
    def vector(places: Any) -> Vector:
        values = series if places is None else series.gather(places)
        if series.dtype.is_(imported("polars").Object):
            return ArrayVector(values.to_numpy())
        return ArrowVector(values.to_arrow())

    return Column(name, title, str(series.dtype), vector, series.to_arrow)


def _of_arrow(table: Any) -> Table:
    columns = [
        _arrow_column(name, _title(name), table.column(at))
        for at, name in enumerate(table.schema.names)
    ]
    metadata = dict(table.schema.metadata or {})
    # It repeats the schema for pandas.
    metadata.pop(b"pandas", None)
    return Table("Arrow", table.num_rows, columns, [], attrs=metadata)


def _of_arrow_array(array: Any) -> Table:
    column = _arrow_column(None, "", array)
    return Table("Arrow", len(array), [column], [], has_columns=False)


def _arrow_column(name: Any, title: str, array: Any) -> Column:
    def vector(places: Any) -> Vector:
        return ArrowVector(array if places is None else array.take(places))

    return Column(name, title, str(array.type), vector, lambda: array)


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
