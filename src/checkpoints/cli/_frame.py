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
    with warnings.catch_warnings():
        # Of names of columns that are texts and numbers: all of them become texts.
        warnings.simplefilter("ignore", UserWarning)
        return pyarrow.table(value.to_frame() if hasattr(value, "to_frame") else value)


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
