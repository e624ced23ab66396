"""Arrow tables to files and back, exactly: with their schema and their chunks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import starmap
from typing import Any

from checkpoints._kinds.arrow_equality import is_identical
from checkpoints._kinds.arrow_file import buffers_to_table, chunks_of, table_to_buffers
from checkpoints._kinds.arrow_types import (
    as_saved,
    as_stored,
    is_simple,
    register_extensions,
    width_of,
)
from checkpoints._kinds.kind import Buffer, Inexact

__all__ = [
    "decode_table",
    "encode_table",
    "from_table",
    "to_table",
    "with_chunks_of",
]

# How many bytes of a table justify a chunk, and how many chunks need none.
_BYTES_PER_CHUNK = 64
_FREE_CHUNKS = 1 << 15


def encode_table(table: Any) -> tuple[list[Buffer], dict[str, Any]]:
    """
    Write a table as an Arrow file.

    Args:
        table: A `pyarrow.Table`.

    Returns:
        The bytes of the file as buffers, which share the memory of the table, and the
        table's rows, schema and shape as metadata.

    Raises:
        Inexact: The table would not come back exactly.

    Example:
        >>> import pyarrow
        >>> encode_table(pyarrow.table({"a": [1, 2]}))[1]
        {'rows': 2, 'schema': [['a', 'int64']], 'shape': [2, 1]}
    """
    import pyarrow

    if len(chunks_of(table)) > 1:
        raise Inexact("its columns are divided into chunks differently")
    stored, meta = _described(table)
    try:
        # A table that loading would reject is rejected now.
        stored.validate(full=True)
    except pyarrow.ArrowException as error:
        raise Inexact(f"it is not valid: {error}") from error
    buffers = table_to_buffers(stored)
    if not all(map(is_simple, table.schema.types)):
        found = decode_table(memoryview(b"".join(buffers)), meta)
        if not is_identical(found, table):
            raise Inexact("an Arrow file would not give it back exactly")
    return buffers, meta


def decode_table(data: memoryview, meta: Mapping[str, Any]) -> Any:
    """
    Read a table from an Arrow file, without a copy, the inverse of `encode_table`.

    Args:
        data: The bytes of the file.
        meta: The metadata from `encode_table`.

    Returns:
        A `pyarrow.Table`.

    Example:
        >>> import pyarrow
        >>> buffers, meta = encode_table(pyarrow.table({"a": [1, 2]}))
        >>> decode_table(memoryview(b"".join(buffers)), meta).num_rows
        2
    """
    register_extensions(meta)
    return as_saved(buffers_to_table(data), meta)


def to_table(value: Any) -> tuple[Any, dict[str, Any]]:
    """
    Return a table as Parquet can hold it, and describe it.

    Args:
        value: A `pyarrow.Table`.

    Returns:
        The table, and its rows, schema, shape and chunks as metadata.

    Raises:
        Inexact: A column has an extension type that is defined outside Arrow.

    Example:
        >>> import pyarrow
        >>> table = pyarrow.table({"a": [1, 2]})
        >>> to_table(table)[1]["chunks"]
        [[2]]
    """
    stored, meta = _described(value)
    for name in meta.get("extensions", ()):
        if not name.startswith("arrow."):
            raise Inexact(f"the extension type {name!r} is not one of Arrow's own")
    chunks = chunks_of(value)
    if _are_too_many(chunks, value):
        raise Inexact("its chunks are too many for so few rows")
    return stored, {**meta, "chunks": chunks}


def from_table(table: Any, meta: Mapping[str, Any]) -> Any:
    """
    Return the table as it was, the inverse of `to_table`.

    Args:
        table: A `pyarrow.Table`.
        meta: The metadata from `to_table`.

    Returns:
        The table, with its own chunks.

    Raises:
        ValueError: The table and the metadata do not match.

    Example:
        >>> import pyarrow
        >>> from_table(*to_table(pyarrow.table({"a": [1, 2]}))).num_rows
        2
    """
    import pyarrow

    if not table.num_columns and meta["rows"]:
        # Parquet does not record how many rows a table without columns has.
        # `nulls` would allocate memory for as many rows as a forged file claims.
        nulls = pyarrow.Array.from_buffers(pyarrow.null(), meta["rows"], [None])
        rows = pyarrow.table({"": nulls}, metadata=table.schema.metadata)
        return rows.select([])
    saved = as_saved(table, meta)
    chunks = meta.get("chunks")
    if not chunks:
        return saved
    if _are_too_many(chunks, saved):
        raise ValueError("it claims to have more chunks than are ever written")
    return _with_chunks(saved, chunks)


def with_chunks_of(table: Any, other: Any) -> Any:
    """
    Return another table in the chunks of a table.

    Args:
        table: A `pyarrow.Table`.
        other: A table of the same shape.

    Example:
        >>> import pyarrow
        >>> table = pyarrow.table({"a": pyarrow.chunked_array([[1], [2]])})
        >>> with_chunks_of(table, pyarrow.table({"a": [3, 4]}))["a"].num_chunks
        2
    """
    return _with_chunks(other, chunks_of(table))


def _described(table: Any) -> tuple[Any, dict[str, Any]]:
    stored, meta = as_stored(table)
    schema = [[field.name, str(field.type)] for field in table.schema]
    shape = [table.num_rows, table.num_columns]
    return stored, {"rows": shape[0], "schema": schema, "shape": shape, **meta}


def _are_too_many(chunks: list[list[int]], table: Any) -> bool:
    """Tell whether so many chunks could take far more memory than their contents."""
    copies = table.num_columns if len(chunks) == 1 else 1
    size = table.num_rows * sum(map(width_of, table.schema.types))
    count = copies * sum(map(len, chunks)) - _FREE_CHUNKS
    return bool(count * _BYTES_PER_CHUNK > size)


def _with_chunks(table: Any, chunks: list[list[int]]) -> Any:
    import pyarrow

    if chunks == chunks_of(table):
        return table
    if len(chunks) == 1:
        chunks = chunks * table.num_columns
    columns = starmap(_divided, zip(table.columns, chunks, strict=True))
    return pyarrow.Table.from_arrays(list(columns), schema=table.schema)


def _divided(column: Any, lengths: Sequence[int]) -> Any:
    """Return a column in chunks of these lengths."""
    import pyarrow

    if sum(lengths) != len(column) or min(lengths, default=0) < 0:
        raise ValueError("the lengths of its chunks do not fit the column")
    start, chunks = 0, []
    for length in lengths:
        # The slice has no chunks if it has no rows, and its dictionary would be gone.
        part = column.slice(start, length)
        chunks.append(part.chunk(0) if part.num_chunks == 1 else part.combine_chunks())
        start += length
    return pyarrow.chunked_array(chunks, column.type)
