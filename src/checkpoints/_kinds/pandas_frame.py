"""
Frames and series of pandas in parts: whatever one Arrow file would not hold exactly.

The parts of a frame are its labels, the columns that Arrow holds exactly as one table,
columns of one NumPy dtype as an array if there are many, and each other column on its
own. So a column that must be pickled does not lock the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from itertools import count
from typing import Any

from checkpoints._kinds.arrow_memory import memory_of
from checkpoints._kinds.kind import Compound, Inexact
from checkpoints._kinds.pandas_arrays import (
    ask_for_range,
    dtype_of,
    import_pandas,
    text_of,
)
from checkpoints._kinds.pandas_columns import is_exact
from checkpoints._kinds.pandas_index import is_default, values_of
from checkpoints._kinds.pandas_table import converted, from_table
from checkpoints._process.budget import ask
from checkpoints._process.libraries import imported

__all__ = ["FRAME", "MANY", "SERIES"]

Parts = dict[str, Any]

# From so many columns of one dtype on, blocks take a fraction of a table's time.
MANY = 100
# What a placeholder takes in a row: a reference in a list, and one in an array.
_CELL = 16


def _take_frame_apart(frame: Any) -> Parts:
    blocks, rest = _blocks_of(frame)
    columns = {at: frame.iloc[:, at] for at in rest}
    plain = [at for at, column in columns.items() if _is_plain(column)]
    try:
        table = _table_of(frame, plain)
    except Inexact:  # without pyarrow
        plain, table = [], {"table": None, "at": []}
    return {
        "blocks": blocks,
        **table,
        "odd": {str(at): values_of(columns[at]) for at in rest if at not in {*plain}},
        "columns": frame.columns,
        "index": frame.index,
        **_extras_of(frame),
    }


def _blocks_of(frame: Any) -> tuple[list[Parts], list[int]]:
    """Return the blocks of many columns of one dtype, and all other positions."""
    groups: dict[Any, list[int]] = {}
    for position, dtype in enumerate(frame.dtypes):
        groups.setdefault(dtype, []).append(position)
    blocks, rest = [], set(range(frame.shape[1]))
    for dtype, positions in groups.items():
        if len(positions) < MANY:
            continue
        at, data = _block(frame, dtype, positions)
        if at:
            every = len(at) == frame.shape[1]
            text = text_of(dtype)
            blocks.append({"at": None if every else at, "data": data, "dtype": text})
            rest -= {*at}
    return blocks, sorted(rest)


def _block(frame: Any, dtype: Any, positions: list[int]) -> tuple[list[int], Any]:
    """Return columns of numbers as an array, or those of text as an Arrow table."""
    import numpy

    if isinstance(dtype, numpy.dtype) and dtype.kind in "biufc":
        if len(positions) < frame.shape[1]:
            frame = frame.iloc[:, positions]
        return positions, frame.to_numpy().T
    texts = {}
    for at in positions:
        found = _texts_of(frame.iloc[:, at])
        if found is not None:
            texts[str(at)] = found
    return [int(at) for at in texts], imported("pyarrow").table(texts)


def _texts_of(column: Any) -> Any:
    """Return a column of text as an Arrow array, None if it is anything else."""
    if getattr(column.dtype, "storage", "") == "pyarrow":
        return column.array.__arrow_array__()
    if column.dtype != object or set(map(type, column)) - {type(None)} != {str}:
        return None
    pyarrow = imported("pyarrow")
    with suppress(UnicodeEncodeError):
        return pyarrow.array(column.to_numpy(), pyarrow.large_string())
    return None


def _is_plain(column: Any) -> bool:
    # Arrow has no bytes for a column of nothing, so it would be no bound for pandas.
    return is_exact(column) and not (column.dtype == object and column.isna().all())


def _table_of(frame: Any, positions: list[int]) -> Parts:
    import pandas

    if not positions:
        return {"table": None, "at": []}
    plain = frame.iloc[:, positions].set_axis(pandas.RangeIndex(len(frame)))
    plain.columns = [str(at) for at in positions]
    plain.attrs = {}
    table, meta = converted(plain.set_flags(allows_duplicate_labels=True))
    return {"table": table, "meta": meta, "at": positions}


def _put_frame_together(parts: Parts) -> Any:
    pandas = import_pandas()
    rows = pandas.RangeIndex(len(parts["index"]))
    frames = [_frame_of(block, rows) for block in parts["blocks"]]
    if parts["table"] is not None:
        frame = _checked_frame(parts["table"], parts["meta"])
        frame.columns = parts["at"]
        frames.append(frame.set_axis(rows))
    odd = {int(at): _column_of(it, len(rows)) for at, it in parts["odd"].items()}
    columns = {at: _series(values, rows) for at, values in odd.items()}
    frames.append(pandas.DataFrame(columns, index=rows, copy=False))
    found = [frame for frame in frames if frame.shape[1]] or frames[-1:]
    frame = found[0] if len(found) == 1 else pandas.concat(found, axis=1)
    order = sorted(range(frame.shape[1]), key=frame.columns.__getitem__)
    if [frame.columns[at] for at in order] != list(range(frame.shape[1])):
        raise ValueError("the columns of the frame are not numbered from 0 on")
    if order != list(range(len(order))):
        frame = frame.iloc[:, order]
    frame.columns, frame.index = parts["columns"], parts["index"]
    return _with_extras(frame, parts)


def _frame_of(block: Parts, rows: Any) -> Any:
    """Return a block as a frame, whose columns are the positions in the whole one."""
    import pandas

    data, at = block["data"], block["at"]
    if not hasattr(data, "columns"):
        return pandas.DataFrame(data.T, index=rows, columns=at, copy=False)
    dtype = dtype_of(block["dtype"])
    objects = not block["dtype"].endswith("[pyarrow]")
    ask(sum(memory_of(column, objects=objects) for column in data.columns))
    columns = {
        position: column.to_numpy() if dtype is object else dtype.__from_arrow__(column)
        for position, column in zip(at or count(), data.columns, strict=bool(at))
    }
    series = {at: _series(values, rows, dtype) for at, values in columns.items()}
    return pandas.DataFrame(series, index=rows, copy=False)


def _checked_frame(table: Any, meta: Mapping[str, Any]) -> Any:
    if table.num_rows * table.num_columns > 8 * table.nbytes:
        raise ValueError("the table has more cells than bits")
    return from_table(table, meta)


def _column_of(values: Any, rows: int) -> Any:
    """Return the values of a column; a placeholder is repeated for each row."""
    if hasattr(values, "__len__"):
        return values
    ask(_CELL * rows)
    return [values] * rows


def _series(values: Any, index: Any, dtype: Any = None) -> Any:
    import pandas

    dtype = object if isinstance(values, list) else dtype
    ask_for_range(values)
    return pandas.Series(values, index=index, dtype=dtype, copy=False)


def _extras_of(value: Any) -> Parts:
    extras: Parts = {"attrs": value.attrs} if value.attrs else {}
    if not value.flags.allows_duplicate_labels:
        extras["unique"] = True
    return extras


def _with_extras(value: Any, parts: Mapping[str, Any]) -> Any:
    if "attrs" in parts:
        value.attrs = parts["attrs"]
    if parts.get("unique"):
        value.flags.allows_duplicate_labels = False
    return value


def _take_series_apart(series: Any) -> Parts:
    values = values_of(series)
    parts = {
        "values": values,
        "index": None if is_default(series.index) else series.index,
        "name": series.name,
        **_extras_of(series),
    }
    if not isinstance(values, list) and values.dtype != series.dtype:
        raise Inexact(f"pandas would change the dtype {series.dtype}")
    return parts


def _put_series_together(parts: Parts) -> Any:
    pandas = import_pandas()
    index = parts["index"]
    values = parts["values"]
    if index is not None:
        values = _column_of(values, len(index))
    elif not hasattr(values, "__len__"):
        values = [values]
    series = _series(values, pandas.RangeIndex(len(values)) if index is None else index)
    series.name = parts["name"]
    return _with_extras(series, parts)


FRAME = Compound(
    kind="pandas.frame",
    take_apart=_take_frame_apart,
    put_together=_put_frame_together,
    package="pandas",
)
SERIES = Compound(
    kind="pandas.Series",
    take_apart=_take_series_apart,
    put_together=_put_series_together,
    package="pandas",
)
