"""
Exact conversion of a pandas frame to an Arrow table and back.

Only dtypes and labels that come back exactly are converted; metadata in JSON types
records what Arrow does not keep. Parquet may hold others too, if the frame that is read
back from the table is the same in every detail.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from checkpoints._kinds.arrow_memory import memory_of
from checkpoints._kinds.kind import Inexact
from checkpoints._kinds.pandas_arrays import dtype_of, freq_to_text, text_of
from checkpoints._kinds.pandas_columns import has_surrogates, is_exact, zone_key
from checkpoints._kinds.pandas_same import same_frames
from checkpoints._kinds.plain import named_zone
from checkpoints._process.budget import ask
from checkpoints._process.libraries import imported, needed
from checkpoints.errors import MissingDependencyError, TooLargeError

__all__ = ["converted", "exact_table", "from_table", "to_table"]

_INDEX_COLUMN = "__index_level_"


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
        return exact_table(value)
    except Inexact:
        table, meta = converted(value)
    try:
        is_same = same_frames(value, from_table(table, meta))
    except Exception as error:
        # pandas, pyarrow and third-party dtypes may raise anything here.
        raise Inexact(f"Arrow cannot hold the frame: {error}") from error
    if not is_same:
        raise Inexact("Arrow would change values, dtypes or labels of the frame")
    return table, meta


def exact_table(frame: Any) -> tuple[Any, dict[str, Any]]:
    """
    Convert a frame whose dtypes and labels are all known to come back exactly.

    Args:
        frame: A `pandas.DataFrame`.

    Returns:
        As `to_table`.

    Raises:
        Inexact: A dtype or a label is not known to come back exactly.

    Example:
        >>> import pandas
        >>> exact_table(pandas.DataFrame({"a": [1j]}))
        Traceback (most recent call last):
        checkpoints._kinds.kind.Inexact: Arrow would change column 'a' of complex128
    """
    _check_labels(frame)
    for name, column in frame.items():
        if not is_exact(column):
            raise Inexact(f"Arrow would change column {name!r} of {column.dtype}")
    return converted(frame)


def _check_labels(frame: Any) -> None:
    import pandas

    columns, index = frame.columns, frame.index
    if columns.nlevels > 1 or index.nlevels > 1:
        raise Inexact("Arrow would change the levels of the labels")
    if not columns.is_unique:
        raise Inexact("two columns of the frame have the same name")
    if {*map(type, [*columns.names, *index.names])} - {str, type(None)}:
        raise Inexact("a name of the labels is not a string")
    names = {type(name) for name in columns}
    is_number = columns.dtype == "int64" and len(columns) > 0
    is_range = isinstance(columns, pandas.RangeIndex)
    is_text = names <= {str} and (
        columns.dtype == object or hasattr(columns.dtype, "storage")
    )
    if not (is_text or is_number or is_range):
        raise Inexact("some column names of the frame are not strings")
    if any(name.startswith(_INDEX_COLUMN) for name in columns if type(name) is str):
        raise Inexact("a column has the name of a column that Arrow makes of an index")
    if type(index) in (pandas.RangeIndex, pandas.DatetimeIndex, pandas.TimedeltaIndex):
        is_exact_index = getattr(index, "tz", None) is None
    else:
        is_exact_index = type(index) is pandas.Index and _is_plain(index)
    if not is_exact_index or has_surrogates(
        [name for name in columns if type(name) is str]
    ):
        raise Inexact("Arrow would change the labels of the frame")


def _is_plain(index: Any) -> bool:
    import numpy
    import pandas

    is_text = isinstance(index.dtype, pandas.StringDtype) or (
        index.dtype == object and set(map(type, index)) == {str}
    )
    is_number = isinstance(index.dtype, numpy.dtype) and index.dtype.kind in "biuf"
    return (is_text or is_number) and is_exact(index)


def converted(frame: Any) -> tuple[Any, dict[str, Any]]:
    """
    Convert a frame to an Arrow table, whether or not it would come back exactly.

    Raises:
        Inexact: Arrow cannot hold it, or pyarrow is not installed.
    """
    try:
        pyarrow = needed("pyarrow", "saving a pandas frame as an Arrow table")
    except MissingDependencyError as error:
        raise Inexact(str(error)) from error
    if frame.attrs or not frame.flags.allows_duplicate_labels:
        raise Inexact("Arrow cannot store the frame's attrs and flags")
    meta = _metadata_of(frame)
    plain = _with_plain_names(frame)
    try:
        try:
            return pyarrow.Table.from_pandas(plain), meta
        except RuntimeError:
            # No more threads can be started at exit, while the background queue may
            # still hold a frame.
            return pyarrow.Table.from_pandas(plain, nthreads=1), meta
    except Exception as error:
        # pandas, pyarrow and third-party dtypes may raise anything here.
        raise Inexact(f"Arrow cannot hold the frame: {error}") from error


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
    needed("pandas", "loading a pandas value", also="pyarrow")
    with suppress(ImportError):
        # pyarrow knows the types of periods and intervals only from then on.
        imported("pandas.core.arrays.arrow.extension_types")
    dtypes = [text for _, text in meta["schema"]]
    _ask_for(table, dtypes)
    frame = table.to_pandas()
    if frame.shape[1] != len(dtypes):
        raise ValueError(f"expected {len(dtypes)} columns, found {frame.shape[1]}")
    frame = _with_rows(frame, meta)
    for position, (dtype, text) in enumerate(zip(frame.dtypes, dtypes, strict=True)):
        if text_of(dtype) != text:
            column = _cast(frame.iloc[:, position], table.column(position), text)
            frame.isetitem(position, column)
        elif text == "category":
            # Its codes share Arrow's memory, which is read-only.
            frame.isetitem(position, frame.iloc[:, position].copy())
    for position, key in meta.get("zones", ()):
        zone = named_zone(key) if key else datetime.UTC
        frame.isetitem(position, frame.iloc[:, position].dt.tz_convert(zone))
    frame.columns = _column_labels(frame.columns, meta["columns"])
    return frame


def _ask_for(table: Any, dtypes: list[str]) -> None:
    """Ask for the memory of the columns, and of the labels behind them, in pandas."""
    # Behind the columns of the frame are those of its labels.
    labels = [""] * (table.num_columns - len(dtypes))
    columns = list(zip(table.columns, [*dtypes, *labels], strict=True))
    try:
        ask(sum(_memory_of(*column, exact=False) for column in columns))
    except TooLargeError:
        # Each text is looked at only where that matters.
        ask(sum(_memory_of(*column, exact=True) for column in columns))


def _memory_of(column: Any, dtype: str, *, exact: bool) -> int:
    if dtype == "category" and hasattr(column.type, "value_type"):
        return int(column.nbytes)
    objects = not dtype.endswith("[pyarrow]")
    return memory_of(column, objects=objects, exact=exact)


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
    pandas: Any = needed("pandas", "loading a pandas value")

    index = meta["index"]
    if "range" in index:
        rows = pandas.RangeIndex(*index["range"])
        if not meta["schema"]:
            frame = pandas.DataFrame(index=rows)
        frame.index = rows
    elif "dtype" in index and text_of(frame.index.dtype) != index["dtype"]:
        frame.index = frame.index.astype(dtype_of(index["dtype"]))
    frame.index.names = [_name_from_json(name) for name in index["names"]]
    if "freq" in index:
        frame.index.freq = index["freq"]
    return frame


def _metadata_of(frame: Any) -> dict[str, Any]:
    """Describe a frame, with the properties of its labels that Arrow does not keep."""
    texts = [text_of(dtype) for dtype in frame.dtypes]
    zones = [
        [position, zone_key(dtype.tz)]
        for position, dtype in enumerate(frame.dtypes)
        if getattr(dtype, "tz", None) is not None
    ]
    return {
        "rows": len(frame),
        "schema": [
            [str(name), text] for name, text in zip(frame.columns, texts, strict=True)
        ],
        "shape": list(frame.shape),
        "columns": _column_metadata(frame.columns),
        "index": _index_metadata(frame.index),
        **({"zones": zones} if zones else {}),
    }


def _column_metadata(columns: Any) -> dict[str, Any]:
    import pandas

    meta: dict[str, Any] = {"names": [_name_to_json(name) for name in columns.names]}
    if isinstance(columns, pandas.RangeIndex):
        return {**meta, "range": [columns.start, columns.stop, columns.step]}
    if columns.nlevels == 1 and columns.dtype != "int64":
        meta["dtype"] = text_of(columns.dtype)
    return meta


def _column_labels(found: Any, meta: Mapping[str, Any]) -> Any:
    import pandas

    labels = found
    if "range" in meta:
        labels = pandas.RangeIndex(*meta["range"])
    elif "dtype" in meta and text_of(found.dtype) != meta["dtype"]:
        labels = pandas.Index(found, dtype=dtype_of(meta["dtype"]))
    names = [_name_from_json(name) for name in meta["names"]]
    return labels.set_names(names) if labels.nlevels > 1 else labels.rename(names[0])


def _index_metadata(index: Any) -> dict[str, Any]:
    import pandas

    meta: dict[str, Any] = {"names": [_name_to_json(name) for name in index.names]}
    if isinstance(index, pandas.RangeIndex):
        return {**meta, "range": [index.start, index.stop, index.step]}
    if index.dtype == object or isinstance(index.dtype, pandas.StringDtype):
        meta["dtype"] = text_of(index.dtype)
    freq = getattr(index, "freq", None)
    if freq is None or isinstance(index, pandas.PeriodIndex):
        return meta
    return {**meta, "freq": freq_to_text(freq)}


def _name_to_json(name: Any) -> Any:
    """Convert a name of labels to JSON types; raise `Inexact` if that is impossible."""
    if type(name) is tuple:
        return {"tuple": [_name_to_json(part) for part in name]}
    is_plain = type(name) in (str, int, bool, type(None))
    if is_plain or (type(name) is float and math.isfinite(name)):
        return name
    raise Inexact(f"the name {name!r} is not a plain string or number")


def _name_from_json(name: Any) -> Any:
    """Convert a name back from JSON types."""
    if isinstance(name, dict):
        return tuple(_name_from_json(part) for part in name["tuple"])
    return name


def _cast(column: Any, source: Any, text: str) -> Any:
    import pandas

    dtype = dtype_of(text)
    if dtype is not object:
        return column.astype(dtype)
    # Not from the column, in which each None is already NaN.
    values = source.to_numpy().astype(object)
    return pandas.Series(values, index=column.index, dtype=object)
