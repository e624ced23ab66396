"""
Exact conversion of a pandas frame to an Arrow table and back.

Arrow changes some dtypes and most labels of pandas. Metadata in JSON types records how
to restore them. The conversion is tried with an empty slice first, and a frame that
would not come back exactly is rejected.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from typing import Any

from checkpoints._kinds.kind import Inexact
from checkpoints._process.libraries import needed
from checkpoints.errors import MissingDependencyError

__all__ = ["from_table", "import_pandas", "name_from_json", "name_to_json", "to_table"]

_ONE_TYPE = ({str}, {bytes}, {bool}, {datetime.date})


def to_table(value: Any) -> tuple[Any, dict[str, Any]]:
    """
    Convert a frame to an Arrow table that can be converted back exactly.

    Args:
        value: A `pandas.DataFrame`.

    Returns:
        The `pyarrow.Table`, and the frame's rows, schema, shape and labels as metadata.

    Raises:
        Inexact: A part of the frame would come back differently.

    Example:
        >>> import pandas
        >>> table, meta = to_table(pandas.DataFrame({"a": [1, 2]}))
        >>> table.num_rows, meta["schema"]
        (2, [['a', 'int64']])
    """
    try:
        needed("pyarrow", "saving a pandas frame as an Arrow table")
    except MissingDependencyError as error:
        raise Inexact(str(error)) from error
    if value.attrs or not value.flags.allows_duplicate_labels:
        raise Inexact("Arrow cannot store the frame's attrs and flags")
    meta = _metadata_of(value)
    for position in range(value.shape[1]):
        _check_column(value, position)
    try:
        table = _converted(_with_plain_names(value))
        empty = from_table(table.slice(0, 0), _metadata_without_rows(meta))
    except Exception as error:
        # pandas, pyarrow and third-party dtypes may raise anything here.
        raise Inexact(f"Arrow cannot hold the frame: {error}") from error
    if not _have_same_schema(value, empty):
        raise Inexact("Arrow would change dtypes or labels of the frame")
    return table, meta


def _converted(frame: Any) -> Any:
    import pyarrow

    try:
        return pyarrow.Table.from_pandas(frame)
    except RuntimeError:
        # No more threads can be started at exit, while the background queue may still
        # hold a frame.
        return pyarrow.Table.from_pandas(frame, nthreads=1)


def from_table(table: Any, meta: Mapping[str, Any]) -> Any:
    """
    Convert an Arrow table back to the original frame.

    Args:
        table: A `pyarrow.Table`.
        meta: The metadata from `to_table`.

    Returns:
        A `pandas.DataFrame` that is writable.

    Raises:
        ValueError: The table and the metadata do not match.
        MissingDependencyError: pandas is not installed.

    Example:
        >>> import pandas
        >>> from_table(*to_table(pandas.DataFrame({"a": [1, 2]}))).shape
        (2, 1)
    """
    import_pandas()
    frame = table.to_pandas()
    dtypes = [text for _, text in meta["schema"]]
    if frame.shape[1] != len(dtypes):
        raise ValueError(f"expected {len(dtypes)} columns, found {frame.shape[1]}")
    frame = _with_rows(frame, meta)
    for position, (dtype, text) in enumerate(zip(frame.dtypes, dtypes, strict=True)):
        if _text_of(dtype) != text:
            column = _cast(frame.iloc[:, position], table.column(position), text)
            frame.isetitem(position, column)
        elif text == "category":
            # Its codes share Arrow's memory, which is read-only.
            frame.isetitem(position, frame.iloc[:, position].copy())
    frame.columns = _column_labels(frame.columns, meta["columns"])
    return frame


def import_pandas() -> Any:
    """Return pandas, for a value that is being loaded."""
    return needed("pandas", "loading a pandas value", also="pyarrow")


def _with_plain_names(frame: Any) -> Any:
    """Return the frame without names of its index that pyarrow would warn about."""
    names = [name for name in frame.index.names if name is not None]
    if all(type(name) is str for name in names) and len({*names}) == len(names):
        return frame
    renamed = frame.copy(deep=False)
    renamed.index = frame.index.set_names([None] * frame.index.nlevels)
    return renamed


def _with_rows(frame: Any, meta: Mapping[str, Any]) -> Any:
    """Return the frame with its original row labels."""
    pandas: Any = import_pandas()

    index = meta["index"]
    if "range" in index:
        rows = pandas.RangeIndex(*index["range"])
        if not meta["schema"]:
            frame = pandas.DataFrame(index=rows)
        frame.index = rows
    frame.index.names = [name_from_json(name) for name in index["names"]]
    if "freq" in index:
        frame.index.freq = index["freq"]
    return frame


def _metadata_of(frame: Any) -> dict[str, Any]:
    """Describe a frame, with the properties of its labels that Arrow does not keep."""
    texts = [_text_of(dtype) for dtype in frame.dtypes]
    return {
        "rows": len(frame),
        "schema": [
            [str(name), text] for name, text in zip(frame.columns, texts, strict=True)
        ],
        "shape": list(frame.shape),
        "columns": _column_metadata(frame.columns),
        "index": _index_metadata(frame.index),
    }


def _metadata_without_rows(meta: dict[str, Any]) -> dict[str, Any]:
    """Return the metadata of the same frame without rows."""
    index = meta["index"]
    return {
        **meta,
        "index": {**index, "range": [0, 0, 1]} if "range" in index else index,
    }


def _column_metadata(columns: Any) -> dict[str, Any]:
    import pandas

    meta: dict[str, Any] = {"names": [name_to_json(name) for name in columns.names]}
    if isinstance(columns, pandas.RangeIndex):
        return {**meta, "range": [columns.start, columns.stop, columns.step]}
    integers = columns.dtype == "int64"
    if not integers and not all(
        type(part) is str
        for label in columns
        for part in (label if isinstance(label, tuple) else (label,))
    ):
        raise Inexact("some column names of the frame are not strings")
    if not columns.is_unique:
        raise Inexact("two columns of the frame have the same name")
    if columns.nlevels == 1 and not integers:
        meta["dtype"] = _text_of(columns.dtype)
    return meta


def _column_labels(found: Any, meta: Mapping[str, Any]) -> Any:
    import pandas

    labels = found
    if "range" in meta:
        labels = pandas.RangeIndex(*meta["range"])
    elif "dtype" in meta and _text_of(found.dtype) != meta["dtype"]:
        labels = pandas.Index(found, dtype=_dtype_of(meta["dtype"]))
    names = [name_from_json(name) for name in meta["names"]]
    return labels.set_names(names if labels.nlevels > 1 else names[0])


def _index_metadata(index: Any) -> dict[str, Any]:
    import pandas

    meta: dict[str, Any] = {"names": [name_to_json(name) for name in index.names]}
    if isinstance(index, pandas.RangeIndex):
        return {**meta, "range": [index.start, index.stop, index.step]}
    levels = index.levels if index.nlevels > 1 else [index]
    for level in levels:
        if level.dtype == object and set(map(type, level)) - {str}:
            raise Inexact("the index holds Python objects")
    freq = (
        None if isinstance(index, pandas.PeriodIndex) else getattr(index, "freq", None)
    )
    if freq is None:
        return meta
    if pandas.tseries.frequencies.to_offset(freq.freqstr) != freq:
        raise Inexact(f"the index has the frequency {freq!r}")
    return {**meta, "freq": freq.freqstr}


def name_to_json(name: Any) -> Any:
    """Convert a name of labels to JSON types; raise `Inexact` if that is impossible."""
    if type(name) is tuple:
        return {"tuple": [name_to_json(part) for part in name]}
    is_plain = type(name) in (str, int, bool, type(None))
    if is_plain or (type(name) is float and math.isfinite(name)):
        return name
    raise Inexact(f"the name {name!r} is not a plain string or number")


def name_from_json(name: Any) -> Any:
    """Convert a name back from JSON types."""
    if isinstance(name, dict):
        return tuple(name_from_json(part) for part in name["tuple"])
    return name


def _check_column(frame: Any, position: int) -> None:
    """Reject a column whose values, unlike its dtype, would not come back exactly."""
    import pandas

    column = frame.iloc[:, position]
    if column.dtype == object:
        types = set(map(type, column)) - {type(None)}
        if types and types not in _ONE_TYPE:
            raise Inexact(
                f"column {column.name!r} holds Python objects that Arrow would change"
            )
    elif isinstance(column.dtype, pandas.Float32Dtype | pandas.Float64Dtype):
        values = column.to_numpy("float64", na_value=0)
        if (values != values).any():  # noqa: PLR0124 - only NaN differs from itself
            raise Inexact(f"column {column.name!r} holds NaN, which becomes NA")


def _have_same_schema(one: Any, other: Any) -> bool:
    return (
        _have_same_levels(one.index, other.index)
        and _have_same_levels(one.columns, other.columns)
        and one.columns.identical(other.columns)
        and all(map(_is_same_dtype, one.dtypes, other.dtypes))
    )


def _have_same_levels(one: Any, other: Any) -> bool:
    if type(one) is not type(other) or list(one.names) != list(other.names):
        return False
    if getattr(one, "freq", None) != getattr(other, "freq", None):
        return False
    levels = [index.levels if index.nlevels > 1 else [index] for index in (one, other)]
    return all(_is_same_dtype(a.dtype, b.dtype) for a, b in zip(*levels, strict=True))


def _is_same_dtype(one: Any, other: Any) -> bool:
    """Compare dtypes more strictly than pandas does."""
    if one != other or _text_of(one) != _text_of(other):
        return False
    if _text_of(one) != "category":
        return True
    categories = one.categories, other.categories
    # The codes depend on the order of the categories even if they are unordered.
    return _have_same_levels(*categories) and categories[0].equals(categories[1])


def _text_of(dtype: Any) -> str:
    """Return a dtype as text that also tells all string dtypes apart."""
    import pandas

    if not isinstance(dtype, pandas.StringDtype):
        return str(dtype)
    missing = "string" if dtype.na_value is pandas.NA else "str"
    return f"{missing}[{dtype.storage}]"


def _dtype_of(text: str) -> Any:
    """Return the dtype of one of the few texts that Arrow does not distinguish."""
    pandas: Any = import_pandas()

    name, _, storage = text.rstrip("]").partition("[")
    if text == "object":
        return object
    if name == "string" and storage:
        return pandas.StringDtype(storage)
    if name == "str" and storage:
        return pandas.StringDtype(storage, na_value=math.nan)
    raise ValueError(
        f"this version of pandas does not read the dtype {text!r}: use another one"
    )


def _cast(column: Any, source: Any, text: str) -> Any:
    import pandas

    dtype = _dtype_of(text)
    if dtype is not object:
        return column.astype(dtype)
    # Not from the column, in which each None is already NaN.
    values = source.to_numpy().astype(object)
    return pandas.Series(values, index=column.index, dtype=object)
