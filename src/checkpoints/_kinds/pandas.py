"""pandas: frames, series and indexes as Arrow files, and scalars."""

from __future__ import annotations

import copy
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from checkpoints._kinds.arrow_file import buffers_to_table, table_to_buffers
from checkpoints._kinds.columns import Statistics, columns_of, short
from checkpoints._kinds.elements import elements_of, extremes_of, floats_of
from checkpoints._kinds.kind import Buffer, Family, Format, Inexact, Kind
from checkpoints._kinds.pandas_arrays import ARRAY, DTYPE, is_array
from checkpoints._kinds.pandas_content import content_of, labels_of
from checkpoints._kinds.pandas_frame import FRAME, MANY, SERIES
from checkpoints._kinds.pandas_index import INDEX, freeze_index
from checkpoints._kinds.pandas_scalars import (
    INTERVAL,
    NA,
    NAT,
    OFFSET,
    PERIOD,
    TIMEDELTA,
    TIMESTAMP,
)
from checkpoints._kinds.pandas_table import exact_table, from_table, to_table
from checkpoints._kinds.spread import ask_for_objects
from checkpoints._process.budget import ask
from checkpoints._process.libraries import needed

__all__ = ["FAMILY", "fallback", "from_table", "recognise", "to_table"]

_NUMBER = 8


def recognise(cls: type) -> Kind | None:
    """
    Return the format for values of exactly this class.

    Args:
        cls: A class of pandas.

    Returns:
        The format; None if values of the class are pickled.

    Example:
        >>> import pandas
        >>> recognise(pandas.RangeIndex).kind
        'pandas.Index'
    """
    pandas = sys.modules.get("pandas")
    if pandas is None:
        return None
    exact: dict[Any, Kind] = {
        pandas.DataFrame: _FRAME,
        pandas.Series: SERIES,
        pandas.Timestamp: TIMESTAMP,
        pandas.Timedelta: TIMEDELTA,
        pandas.Period: PERIOD,
        pandas.Interval: INTERVAL,
        type(pandas.NaT): NAT,
        type(pandas.NA): NA,
    }
    if cls in exact:
        return exact[cls]
    if cls.__module__.partition(".")[0] != "pandas":
        return None
    bases: dict[type, Kind] = {
        pandas.Index: INDEX,
        pandas.tseries.offsets.BaseOffset: OFFSET,
        pandas.api.extensions.ExtensionDtype: DTYPE,
    }
    for base, kind in bases.items():
        if issubclass(cls, base):
            return kind
    return ARRAY if is_array(cls) else None


def fallback(cls: type) -> Kind | None:
    """
    Return the kind for values that the recognised format rejects with `Inexact`.

    Args:
        cls: A class of pandas.

    Returns:
        The kind, or None. It may raise `Inexact` too.

    Example:
        >>> import pandas
        >>> fallback(pandas.DataFrame).kind
        'pandas.frame'
    """
    return FRAME if recognise(cls) is _FRAME else None


def _encode_frame(frame: Any) -> tuple[list[Buffer], dict[str, Any]]:
    if frame.shape[1] >= MANY:
        raise Inexact("Arrow takes long for so many columns")
    table, meta = exact_table(frame)
    return table_to_buffers(table), meta


def _decode_frame(data: memoryview, meta: Mapping[str, Any]) -> Any:
    needed("pandas", "loading a pandas value", also="pyarrow")
    return from_table(buffers_to_table(data), meta)


def _freeze_frame(frame: Any) -> Any:
    """Copy a frame of numbers and times at once; others are copied in their parts."""
    import numpy

    # As it joins columns, `copy` changes swapped bytes to the native order.
    plain = [
        isinstance(it, numpy.dtype) and it.kind != "O" and it.isnative
        for it in frame.dtypes
    ]
    if not all(plain):
        raise Inexact("its columns are copied one by one")
    frozen = frame.copy()
    frozen.columns = freeze_index(frame.columns)
    frozen.index = freeze_index(frame.index)
    frozen.attrs = copy.deepcopy(frame.attrs)
    return frozen


def _weigh(value: Any) -> tuple[int, Iterable[Any]] | None:
    if not hasattr(value, "memory_usage"):
        return None
    usage = value.memory_usage(deep=True)
    return int(usage.sum() if hasattr(usage, "sum") else usage), ()


def _holds_nan(value: Any) -> bool:
    columns = value.items() if getattr(value, "ndim", 0) > 1 else [("", value)]
    return any(
        bool(column.isna().any())
        for _, column in columns
        if getattr(getattr(column, "dtype", None), "kind", "") in ("f", "c")
    )


def _describe(value: Any, max_columns: int) -> Statistics | None:
    import pandas

    if isinstance(value, pandas.DataFrame):
        width = value.shape[1]
        positions = range(min(width, max_columns))
        columns = ((value.columns[at], value.iloc[:, at]) for at in positions)
        described = columns_of(columns, width, max_columns, _describe_series)
        return {"shape": list(value.shape), **described}
    if isinstance(value, pandas.MultiIndex):
        return {"shape": [len(value)], "levels": value.nlevels}
    if isinstance(value, pandas.api.extensions.ExtensionArray):
        value = pandas.Series(value)
    if not isinstance(value, (pandas.Series, pandas.Index)):
        return None
    shape = {"dtype": short(value.dtype), "shape": [len(value)]}
    return shape | _describe_series(value)


def _describe_series(column: Any) -> Statistics:
    import numpy
    from pandas.api import types

    dtype = column.dtype
    if isinstance(dtype, numpy.dtype):
        return elements_of(column.to_numpy())
    known = column.dropna()
    missing = {"missing": len(column) - len(known)}
    if hasattr(dtype, "categories"):
        return {"categories": len(dtype.categories), **missing}
    if types.is_bool_dtype(dtype):
        return {"true": int(known.sum()), **missing}
    if types.is_float_dtype(dtype):
        return floats_of(known.to_numpy(dtype="float64")) | missing
    if types.is_numeric_dtype(dtype):
        mean = float(known.mean()) if len(known) else None
        return {**extremes_of(known), "mean": mean, **missing}
    is_time = types.is_datetime64_any_dtype(dtype)
    return {**extremes_of(known), **missing} if is_time else dict(missing)


def _as_frame(value: Any, name: str | None) -> Any:
    """Return a frame, a series, or an index without a name given, as a frame."""
    import pandas

    if isinstance(value, pandas.Series):
        return value.to_frame() if name is None else value.to_frame(name)
    if isinstance(value, pandas.Index) and name is None:
        return value.to_frame(index=False)
    return value if isinstance(value, pandas.DataFrame) else None


def _as_table(value: Any, name: str | None) -> Any:
    pyarrow = needed("pyarrow", "a table of pandas values")
    frame = _as_frame(value, name)
    if frame is None:
        return None
    ask(_NUMBER * len(frame) * (1 + sum(map(_is_sparse, frame.dtypes))))
    frame = _without_sparse(frame)
    for number in range(frame.shape[1]):
        column = frame.iloc[:, number]
        if getattr(column.dtype, "hasobject", False):
            ask_for_objects(column.tolist())
    # By default Arrow would store a range index in metadata that only pandas reads.
    is_data = not _only_counts(frame.index)
    if is_data:
        _ask_for_levels(frame.index)
    return pyarrow.Table.from_pandas(frame, preserve_index=is_data)


def _ask_for_levels(index: Any) -> None:
    """Ask for the memory of an index each of whose labels has a place of its own."""
    import numpy

    ask(_NUMBER * len(index) * index.nlevels)
    # Each level has a label once, however many rows it has.
    for level, codes in zip(
        getattr(index, "levels", ()), getattr(index, "codes", ()), strict=True
    ):
        counts = numpy.bincount(codes[codes >= 0], minlength=len(level))
        sizes = numpy.fromiter(map(sys.getsizeof, level), "int64", len(level))
        ask(int(counts @ sizes))


def _without_sparse(frame: Any) -> Any:
    """Return a frame with all cells of sparse columns, of which Arrow has none."""
    sparse = [at for at, dtype in enumerate(frame.dtypes) if _is_sparse(dtype)]
    found = frame.copy(deep=False) if sparse else frame
    for at in sparse:
        found.isetitem(at, frame.iloc[:, at].sparse.to_dense())
    return found


def _is_sparse(dtype: Any) -> bool:
    return hasattr(dtype, "fill_value")


def _only_counts(index: Any) -> bool:
    """Return whether an index merely numbers the rows."""
    if type(index).__name__ != "RangeIndex" or index.name is not None:
        return False
    return range(index.start, index.stop, index.step) == range(len(index))


def _with_texts(value: Any) -> tuple[Any, dict[str, str]]:
    frame = _as_frame(value, None)
    found, dtypes = frame.copy(deep=False), {}
    for at in range(frame.shape[1]):
        column = frame.iloc[:, at]
        if not _is_of_arrow(column):
            found.isetitem(at, _texts_of(column))
            dtypes[str(frame.columns[at])] = str(column.dtype)
    found.index, of_levels = _index_with_texts(frame.index)
    return found, dtypes | of_levels


def _index_with_texts(index: Any) -> tuple[Any, dict[str, str]]:
    import pandas

    levels = [index.get_level_values(level) for level in range(index.nlevels)]
    dtypes = {}
    for at, level in enumerate(levels):
        if not _is_of_arrow(level.to_series()):
            levels[at] = pandas.Index(_texts_of(level), dtype=object, name=level.name)
            dtypes[_name_of_level(index, at)] = str(level.dtype)
    if not dtypes:
        return index, dtypes
    if index.nlevels == 1:
        return levels[0], dtypes
    return pandas.MultiIndex.from_arrays(levels, names=index.names), dtypes


def _name_of_level(index: Any, at: int) -> str:
    """Return what the column of a level is called, as by `with_named_index`."""
    if index.names[at] is not None:
        return str(index.names[at])
    return "index" if [*index.names].count(None) == 1 else f"__index_level_{at}__"


def _is_of_arrow(column: Any) -> bool:
    pyarrow = needed("pyarrow", "a table of pandas values")
    try:
        pyarrow.Table.from_pandas(column.to_frame("x"), preserve_index=False)
    except Exception:  # noqa: BLE001 - the cells may be objects of any kind
        return False
    return True


def _texts_of(column: Any) -> list[str | None]:
    cells = zip(column, column.isna(), strict=True)
    return [None if is_missing else str(cell) for cell, is_missing in cells]


def _with_nan(value: Any, table: Any) -> Any:
    index = getattr(value, "index", value)
    # An index is a table of its levels.
    columns = [] if index is value else [value]
    if hasattr(value, "columns"):
        columns = [column for _, column in value.items()]
    levels = [index.get_level_values(level) for level in range(index.nlevels)]
    # An index that only counts is not in the table.
    for at, column in enumerate((*columns, *levels)[: table.num_columns]):
        found = _array_with_nan(column) if table.column(at).null_count else None
        if found is not None:
            table = table.set_column(at, table.column_names[at], found)
    return table


def _array_with_nan(column: Any) -> Any:
    """Return a column in which NaN is no null for Arrow; None if it has no such."""
    import pyarrow

    # In other dtypes a missing value is not NaN, or cannot be told from it.
    if getattr(column.dtype, "char", "") not in tuple("efdO"):
        return None
    try:
        return pyarrow.array(column.to_numpy(), from_pandas=False)
    except (pyarrow.ArrowException, TypeError, ValueError, OverflowError):
        return None  # NaN stands for a missing text or object


def _as_text(value: Any) -> str:
    return str(value.isoformat() if hasattr(value, "isoformat") else value)


_FRAME = Format(
    kind="pandas.DataFrame",
    suffix="arrow",
    encode=_encode_frame,
    decode=_decode_frame,
    package="pandas",
    freeze=_freeze_frame,
    to_table=to_table,
    from_table=from_table,
)
FAMILY = Family(
    packages=("pandas",),
    kinds=(
        _FRAME,
        FRAME,
        SERIES,
        INDEX,
        ARRAY,
        DTYPE,
        TIMESTAMP,
        TIMEDELTA,
        PERIOD,
        INTERVAL,
        OFFSET,
        NAT,
        NA,
    ),
    recognise=recognise,
    fallback=fallback,
    weigh=_weigh,
    holds_nan=_holds_nan,
    labels=labels_of,
    describe=_describe,
    content=content_of,
    as_table=_as_table,
    with_texts=_with_texts,
    with_nan=_with_nan,
    as_text=_as_text,
    concat_to="pandas",
)
