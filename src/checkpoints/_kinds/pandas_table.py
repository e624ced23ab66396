"""
A pandas frame as an Arrow table, and exactly that frame again.

Between pandas and Arrow some dtypes and most labels change. What is noted here, in
JSON's own types, says how to put them right; a frame for which an empty slice shows
that it cannot be done is refused.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from typing import Any

from checkpoints._kinds.kind import Inexact
from checkpoints.errors import MissingDependencyError

__all__ = ["from_table", "import_pandas", "name_from_json", "name_to_json", "to_table"]

_ONE_TYPE = ({str}, {bytes}, {bool}, {datetime.date})


def to_table(value: Any) -> tuple[Any, dict[str, Any]]:
    """
    Turn a frame into an Arrow table that becomes exactly this frame again.

    Args:
        value: A `pandas.DataFrame`.

    Returns:
        The `pyarrow.Table`, and the frame's rows, schema, shape and labels.

    Raises:
        Inexact: Some part of the frame would come back as something else.

    Example:
        >>> import pandas
        >>> table, meta = to_table(pandas.DataFrame({"a": [1, 2]}))
        >>> table.num_rows, meta["schema"]
        (2, [['a', 'int64']])
    """
    if not _has_pyarrow():
        raise Inexact("pyarrow is not installed: pip install pandas pyarrow")
    if value.attrs or not value.flags.allows_duplicate_labels:
        raise Inexact("Arrow has no place for the frame's attrs and flags")
    meta = _frame_notes(value)
    for position in range(value.shape[1]):
        _check_column(value, position)
    try:
        table = _converted(_with_plain_names(value))
        empty = from_table(table.slice(0, 0), _notes_of_empty(meta))
    except Exception as error:
        # pandas, pyarrow and the dtypes of others raise whatever they like here.
        raise Inexact(f"Arrow cannot hold the frame: {error}") from error
    if not _have_same_form(value, empty):
        raise Inexact("Arrow gives the frame back with other dtypes or labels")
    return table, meta


def _has_pyarrow() -> bool:
    try:
        import pyarrow  # noqa: F401 - whether it is there is the question
    except ImportError:
        return False
    return True


def _converted(frame: Any) -> Any:
    import pyarrow

    try:
        return pyarrow.Table.from_pandas(frame)
    except RuntimeError:
        # At the end of a program no more threads can be started, and a save of the
        # background may still have a frame to convert.
        return pyarrow.Table.from_pandas(frame, nthreads=1)


def from_table(table: Any, meta: Mapping[str, Any]) -> Any:
    """
    Turn an Arrow table back into the frame that it was.

    Args:
        table: A `pyarrow.Table`.
        meta: What `to_table` noted.

    Returns:
        A `pandas.DataFrame` that can be written to.

    Raises:
        ValueError: The table and the notes do not fit together.
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
        raise ValueError(f"{frame.shape[1]} columns stand for {len(dtypes)} saved ones")
    frame = _with_rows(frame, meta)
    for position, (dtype, text) in enumerate(zip(frame.dtypes, dtypes, strict=True)):
        if _text_of(dtype) != text:
            column = _cast(frame.iloc[:, position], table.column(position), text)
            frame.isetitem(position, column)
        elif text == "category":
            # Arrow shares its memory for the codes, which leaves them read-only.
            frame.isetitem(position, frame.iloc[:, position].copy())
    frame.columns = _column_labels(frame.columns, meta["columns"])
    return frame


def import_pandas() -> Any:
    """Import pandas, or say what to install."""
    try:
        import pandas
    except ImportError as error:
        message = "loading a value of pandas needs pandas: pip install pandas pyarrow"
        raise MissingDependencyError(message) from error
    return pandas


def _with_plain_names(frame: Any) -> Any:
    """The frame without names of its index that pyarrow would warn of."""
    names = [name for name in frame.index.names if name is not None]
    if all(type(name) is str for name in names) and len({*names}) == len(names):
        return frame
    renamed = frame.copy(deep=False)
    renamed.index = frame.index.set_names([None] * frame.index.nlevels)
    return renamed


def _with_rows(frame: Any, meta: Mapping[str, Any]) -> Any:
    """The frame with the labels of its rows as they were."""
    pandas: Any = import_pandas()

    notes = meta["index"]
    if "range" in notes:
        rows = pandas.RangeIndex(*notes["range"])
        if not meta["schema"]:
            frame = pandas.DataFrame(index=rows)
        frame.index = rows
    frame.index.names = [name_from_json(name) for name in notes["names"]]
    if "freq" in notes:
        frame.index.freq = notes["freq"]
    return frame


def _frame_notes(frame: Any) -> dict[str, Any]:
    """What is known of the frame, and what Arrow would forget of its labels."""
    texts = [_text_of(dtype) for dtype in frame.dtypes]
    return {
        "rows": len(frame),
        "schema": [
            [str(name), text] for name, text in zip(frame.columns, texts, strict=True)
        ],
        "shape": list(frame.shape),
        "columns": _column_notes(frame.columns),
        "index": _index_notes(frame.index),
    }


def _notes_of_empty(meta: dict[str, Any]) -> dict[str, Any]:
    """The notes as they were if the frame had no rows."""
    index = meta["index"]
    return {
        **meta,
        "index": {**index, "range": [0, 0, 1]} if "range" in index else index,
    }


def _column_notes(columns: Any) -> dict[str, Any]:
    import pandas

    notes: dict[str, Any] = {"names": [name_to_json(name) for name in columns.names]}
    if isinstance(columns, pandas.RangeIndex):
        return {**notes, "range": [columns.start, columns.stop, columns.step]}
    integers = columns.dtype == "int64"
    if not integers and not all(
        type(part) is str
        for label in columns
        for part in (label if isinstance(label, tuple) else (label,))
    ):
        raise Inexact("the frame has columns whose names are no text")
    if not columns.is_unique:
        raise Inexact("the frame has columns of the same name")
    if columns.nlevels == 1 and not integers:
        notes["dtype"] = _text_of(columns.dtype)
    return notes


def _column_labels(found: Any, notes: Mapping[str, Any]) -> Any:
    import pandas

    labels = found
    if "range" in notes:
        labels = pandas.RangeIndex(*notes["range"])
    elif "dtype" in notes and _text_of(found.dtype) != notes["dtype"]:
        labels = pandas.Index(found, dtype=_dtype_of(notes["dtype"]))
    names = [name_from_json(name) for name in notes["names"]]
    return labels.set_names(names if labels.nlevels > 1 else names[0])


def _index_notes(index: Any) -> dict[str, Any]:
    import pandas

    notes: dict[str, Any] = {"names": [name_to_json(name) for name in index.names]}
    if isinstance(index, pandas.RangeIndex):
        return {**notes, "range": [index.start, index.stop, index.step]}
    levels = index.levels if index.nlevels > 1 else [index]
    for level in levels:
        if level.dtype == object and set(map(type, level)) - {str}:
            raise Inexact("the index holds Python objects")
    freq = (
        None if isinstance(index, pandas.PeriodIndex) else getattr(index, "freq", None)
    )
    if freq is None:
        return notes
    if pandas.tseries.frequencies.to_offset(freq.freqstr) != freq:
        raise Inexact(f"the index has the frequency {freq!r}")
    return {**notes, "freq": freq.freqstr}


def name_to_json(name: Any) -> Any:
    """A label's name in JSON's own types; `Inexact` where it has none."""
    if type(name) is tuple:
        return {"tuple": [name_to_json(part) for part in name]}
    is_plain = type(name) in (str, int, bool, type(None))
    if is_plain or (type(name) is float and math.isfinite(name)):
        return name
    raise Inexact(f"the name {name!r} is no plain text or number")


def name_from_json(name: Any) -> Any:
    """The name again."""
    if isinstance(name, dict):
        return tuple(name_from_json(part) for part in name["tuple"])
    return name


def _check_column(frame: Any, position: int) -> None:
    """Refuse what an empty slice does not show, because it depends on the values."""
    import pandas

    column = frame.iloc[:, position]
    if column.dtype == object:
        types = set(map(type, column)) - {type(None)}
        if types and types not in _ONE_TYPE:
            raise Inexact(f"column {column.name!r} holds Python objects of other types")
    elif isinstance(column.dtype, pandas.Float32Dtype | pandas.Float64Dtype):
        values = column.to_numpy("float64", na_value=0)
        if (values != values).any():  # noqa: PLR0124 - only NaN differs from itself
            raise Inexact(f"column {column.name!r} holds NaN, which becomes NA")


def _have_same_form(one: Any, other: Any) -> bool:
    return (
        _is_same_index_form(one.index, other.index)
        and _is_same_index_form(one.columns, other.columns)
        and one.columns.identical(other.columns)
        and all(map(_is_same_dtype, one.dtypes, other.dtypes))
    )


def _is_same_index_form(one: Any, other: Any) -> bool:
    if type(one) is not type(other) or list(one.names) != list(other.names):
        return False
    if getattr(one, "freq", None) != getattr(other, "freq", None):
        return False
    levels = [index.levels if index.nlevels > 1 else [index] for index in (one, other)]
    return all(_is_same_dtype(a.dtype, b.dtype) for a, b in zip(*levels, strict=True))


def _is_same_dtype(one: Any, other: Any) -> bool:
    """Tell dtypes apart that pandas calls equal."""
    if one != other or _text_of(one) != _text_of(other):
        return False
    if _text_of(one) != "category":
        return True
    categories = one.categories, other.categories
    # Only the order of ordered categories counts for pandas; codes follow any order.
    return _is_same_index_form(*categories) and categories[0].equals(categories[1])


def _text_of(dtype: Any) -> str:
    """The dtype as text, with what pandas leaves out of a text dtype's."""
    import pandas

    if not isinstance(dtype, pandas.StringDtype):
        return str(dtype)
    missing = "string" if dtype.na_value is pandas.NA else "str"
    return f"{missing}[{dtype.storage}]"


def _dtype_of(text: str) -> Any:
    """The dtype of one of the few texts that Arrow does not tell apart."""
    pandas: Any = import_pandas()

    name, _, storage = text.rstrip("]").partition("[")
    if text == "object":
        return object
    if name == "string" and storage:
        return pandas.StringDtype(storage)
    if name == "str" and storage:
        return pandas.StringDtype(storage, na_value=math.nan)
    raise ValueError(
        f"this pandas does not read Arrow as {text!r}: use another version"
    )


def _cast(column: Any, source: Any, text: str) -> Any:
    import pandas

    dtype = _dtype_of(text)
    if dtype is not object:
        return column.astype(dtype)
    # Not from the column: it has made NaN of each None already.
    values = source.to_numpy().astype(object)
    return pandas.Series(values, index=column.index, dtype=object)
