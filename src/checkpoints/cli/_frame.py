"""A frame or a series of any library as an Arrow table."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from typing import Any

__all__ = ["arrow_table", "doubled", "with_named_index"]

_UNNAMED = "__index_level_"


def arrow_table(value: Any) -> Any:
    """
    Return a frame, a series, or an array of Arrow as an Arrow table.

    Raises:
        TypeError, ValueError, pyarrow.ArrowException: If Arrow cannot hold it.
    """
    import pyarrow

    if isinstance(value, (pyarrow.Array, pyarrow.ChunkedArray)):
        return pyarrow.table({"value": value})
    if isinstance(value, pyarrow.RecordBatch):
        return pyarrow.Table.from_batches([value])
    frame = value.to_frame() if hasattr(value, "to_frame") else value
    if type(frame).__module__.partition(".")[0] != "pandas":
        return pyarrow.table(frame)
    with warnings.catch_warnings():
        # Of names of columns that are texts and numbers: all of them become texts.
        warnings.simplefilter("ignore", UserWarning)
        # Left to Arrow, an index that is a range is told to pandas alone.
        is_data = not _only_counts(frame.index)
        return pyarrow.Table.from_pandas(frame, preserve_index=is_data)


def _only_counts(index: Any) -> bool:
    """Tell whether an index of pandas holds nothing but the numbers of the rows."""
    if type(index).__name__ != "RangeIndex" or index.name is not None:
        return False
    return range(index.start, index.stop, index.step) == range(len(index))


def with_named_index(table: Any) -> Any:
    """Return a table in which an index without a name is called as `concat` does."""
    names = table.column_names
    unnamed = [name for name in names if name.startswith(_UNNAMED)]
    if len(unnamed) != 1 or "index" in names:
        return table
    return table.rename_columns(["index" if it in unnamed else it for it in names])


def doubled(names: Sequence[object]) -> str:
    """Return a name that is there twice as a text; an empty text if none is."""
    counts = Counter(map(str, names))
    return next((name for name, count in counts.items() if count > 1), "")
