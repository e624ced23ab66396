"""The columns of tables, and pandas' series and indexes, as vectors of Julia."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from numbers import Number
from typing import Any

from checkpoints._files.julia_arrays import array_of, with_gaps
from checkpoints._files.julia_encoder import MISSING, JuliaArray, JuliaStruct
from checkpoints._files.julia_types import named
from checkpoints._process.libraries import needed
from checkpoints.errors import FormatError

__all__ = ["arrow_vector", "by_name", "frame_columns", "only_counts", "pandas_vector"]

_TEXT, _DATE = named("String"), named("Dates.Date")
_TYPES = {str: _TEXT, datetime.date: _DATE}
_NO_ZONE = (
    "the DateTime of Julia has no time zone: convert these times to UTC, and drop "
    "their zone"
)


def only_counts(index: Any) -> bool:
    """Tell whether an index of pandas merely numbers the rows from 0."""
    count = needed("pandas", "an index").RangeIndex(len(index))
    return index.nlevels == 1 and index.name is None and bool(index.equals(count))


def frame_columns(frame: Any) -> dict[str, Any]:
    """Return the columns of a frame of pandas, and its index unless that counts."""
    names, parts = [], []
    if not only_counts(frame.index):
        levels = frame.index.nlevels
        for at, name in enumerate(frame.index.names):
            unnamed = "index" if levels == 1 else f"level_{at}"
            names.append(unnamed if name is None else str(name))
            parts.append(frame.index.get_level_values(at))
    names += map(str, frame.columns)
    columns = (frame.iloc[:, at] for at in range(frame.shape[1]))
    parts += [column.reset_index(drop=True) for column in columns]
    return by_name(names, parts)


def by_name(names: Sequence[str], columns: Sequence[Any]) -> dict[str, Any]:
    """
    Return columns as a dict.

    Raises:
        FormatError: If two of them share a name.
    """
    found = dict(zip(names, columns, strict=True))
    if len(found) != len(names):
        raise FormatError(
            "its columns, or one and its index, share a name, and those of a dict "
            "cannot: rename them"
        )
    return found


def pandas_vector(column: Any) -> JuliaArray | list[Any]:
    """
    Return a series of pandas as a vector.

    Raises:
        FormatError: If Julia has no type like its dtype.
    """
    pandas, numpy = needed("pandas", "a column"), needed("numpy", "a column")
    dtype = column.dtype
    if isinstance(dtype, pandas.SparseDtype):
        return array_of(numpy.asarray(column))
    if isinstance(dtype, pandas.StringDtype) or getattr(dtype, "hasobject", False):
        return _objects(column.tolist())
    if isinstance(dtype, numpy.dtype):
        return array_of(column.to_numpy())
    if isinstance(dtype, pandas.CategoricalDtype):
        return _of_categories(column.cat)
    if isinstance(dtype, pandas.ArrowDtype):
        pyarrow = needed("pyarrow", "a column")
        return arrow_vector(pyarrow.chunked_array(pyarrow.array(column)))
    if isinstance(dtype, pandas.DatetimeTZDtype):
        raise FormatError(_NO_ZONE)
    if not hasattr(dtype, "numpy_dtype"):
        raise _no_type(dtype)
    numbers = column.to_numpy(dtype.numpy_dtype, na_value=0)
    return with_gaps(array_of(numbers), numpy.asarray(column.isna()))


def _no_type(dtype: Any) -> FormatError:
    return FormatError(
        f"Julia has no type like {dtype!s:.80}: convert it, as with .astype(str), or "
        "use format='zip'"
    )


def _of_categories(column: Any) -> JuliaArray | list[Any]:
    """Return the values that categories stand for."""
    codes = needed("numpy", "a column").asarray(column.codes)
    if not len(column.categories):
        return [MISSING] * len(codes)
    known = column.categories.take(codes.clip(0))
    found = pandas_vector(known.to_series().reset_index(drop=True))
    if isinstance(found, list):
        found = JuliaArray(named("Any"), (len(found),), found)
    return with_gaps(found, codes < 0)


def _objects(items: list[Any]) -> JuliaArray | list[Any]:
    """Return objects as a vector, in which those that pandas lacks are missing."""
    pandas = needed("pandas", "a column")
    # NaN is a number among numbers, and else how pandas says that something is missing.
    has_numbers = any(isinstance(it, Number) and it == it for it in items)  # noqa: PLR0124 - NaN is not

    def is_gap(it: Any) -> bool:
        if it is None or it is pandas.NA or it is pandas.NaT:
            return True
        return type(it) is float and it != it and not has_numbers  # noqa: PLR0124 - as above

    found = [MISSING if is_gap(it) else it for it in items]
    kinds = set(map(type, found))
    known = [kind for of, kind in _TYPES.items() if kinds - {JuliaStruct} == {of}]
    return _typed_items(known[0], found, gaps=JuliaStruct in kinds) if known else found


def _typed_items(kind: Any, items: list[Any], *, gaps: bool) -> JuliaArray:
    if gaps:
        kind = named("Union", MISSING.kind, kind)
    elif kind is _DATE:  # without gaps, they lie in memory
        return array_of(needed("numpy", "a column").array(items, "M8[D]"))
    return JuliaArray(kind, (len(items),), items)


def arrow_vector(column: Any) -> JuliaArray | list[Any]:
    """
    Return a chunked array of Arrow as a vector.

    Raises:
        FormatError: If Julia has no type like its own.
    """
    pyarrow = needed("pyarrow", "a table")
    types, kind = pyarrow.types, column.type
    if isinstance(kind, pyarrow.BaseExtensionType):
        raise _no_type(kind)
    if getattr(kind, "tz", None):
        raise FormatError(_NO_ZONE)
    if types.is_dictionary(kind):
        return arrow_vector(column.cast(kind.value_type))
    if types.is_date(kind):
        return array_of(column.cast(pyarrow.date32()).to_numpy())
    if types.is_timestamp(kind) or types.is_duration(kind):
        return array_of(column.to_numpy())
    if types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind):
        zero = pyarrow.scalar(False if types.is_boolean(kind) else 0, kind)
        numbers = array_of(column.fill_null(zero).to_numpy())
        return with_gaps(numbers, column.is_null().to_numpy())
    items = [MISSING if it is None else it for it in _in_microseconds(column)]
    if "string" not in str(kind).partition("<")[0]:
        return items
    return _typed_items(_TEXT, items, gaps=column.null_count > 0)


def _in_microseconds(column: Any) -> list[Any]:
    """Return the values of a column, times of day as those that Python has."""
    pyarrow = needed("pyarrow", "a table")
    if column.type != pyarrow.time64("ns"):
        return list(column.to_pylist())
    try:
        return list(column.cast(pyarrow.time64("us")).to_pylist())
    except pyarrow.ArrowInvalid as error:
        raise FormatError(
            f"a column of times has parts of microseconds ({error}): round it"
        ) from error
