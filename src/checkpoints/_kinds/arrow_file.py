"""Arrow tables as in-memory files in Arrow's own IPC format."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from checkpoints._kinds.arrow_ipc import cells_in
from checkpoints._kinds.kind import Buffer, Inexact
from checkpoints._process.libraries import needed

__all__ = ["buffers_to_table", "chunks_of", "table_to_buffers"]

_SMALL_COLUMN = 1 << 12


def table_to_buffers(table: Any) -> list[Buffer]:
    """
    Write a table as an Arrow IPC file that shares the memory of its columns.

    Each chunk becomes a record batch. If the columns are divided differently, each
    division divides them all.

    Args:
        table: A `pyarrow.Table`.

    Returns:
        The bytes of the file, as buffers in order.

    Raises:
        Inexact: The IPC file format cannot hold the table.

    Example:
        >>> import pyarrow
        >>> table = pyarrow.table({"a": [1, 2]})
        >>> bytes(table_to_buffers(table)[0][:6])
        b'ARROW1'
    """
    import pyarrow

    # Small columns are copied: each piece of a file costs more than its bytes.
    is_small = table.nbytes <= _SMALL_COLUMN * table.num_columns
    sink: Any = pyarrow.BufferOutputStream() if is_small else _Sink()
    try:
        file = sink if is_small else pyarrow.PythonFile(sink, mode="w")
        with pyarrow.ipc.new_file(file, table.schema) as writer:
            for batch in _batches_of(table):
                writer.write_batch(batch)
        buffers: list[Buffer] = (
            [memoryview(sink.getvalue())] if is_small else sink.buffers()
        )
        if not table.num_rows:
            # Only a batch is refused when it is written because its types are nested
            # too deeply; a schema without one is refused when it is read.
            pyarrow.ipc.open_file(pyarrow.py_buffer(b"".join(buffers)))
    except (pyarrow.ArrowException, OSError, TypeError) as error:
        raise Inexact(f"the Arrow file format cannot hold it: {error}") from error
    return buffers


def buffers_to_table(data: memoryview) -> Any:
    """
    Read an Arrow IPC file, without a copy.

    Args:
        data: The bytes of the file.

    Returns:
        A `pyarrow.Table` over this memory, validated.

    Raises:
        pyarrow.ArrowInvalid: The bytes are not such a file.
        ValueError: The file has a form that is never written, such as compressed.
        MissingDependencyError: pyarrow is not installed.

    Example:
        >>> import pyarrow
        >>> written = b"".join(table_to_buffers(pyarrow.table({"a": [1, 2]})))
        >>> buffers_to_table(memoryview(written)).num_rows
        2
    """
    pyarrow = needed("pyarrow", "loading a table")
    cells_in(data)
    file = pyarrow.ipc.open_file(pyarrow.py_buffer(data))
    batches = map(file.get_batch, range(file.num_record_batches))
    table = pyarrow.Table.from_batches(list(batches), file.schema)
    # Without this, an offset that points outside its buffer would be followed.
    table.validate(full=True)
    return table


def chunks_of(table: Any) -> list[list[int]]:
    """
    Return the lengths of the chunks of each column.

    Args:
        table: A `pyarrow.Table`.

    Returns:
        A list for each column, or just one if the columns are divided alike.

    Example:
        >>> import pyarrow
        >>> chunks_of(pyarrow.table({"a": [1, 2], "b": [3, 4]}))
        [[2]]
    """
    columns = table.columns
    if columns and all(column.num_chunks == 1 for column in columns):
        return [[table.num_rows]]
    lengths = [list(map(len, column.chunks)) for column in columns]
    alike = all(each == lengths[0] for each in lengths)
    return lengths[:1] if alike else lengths


def _batches_of(table: Any) -> Iterator[Any]:
    chunks = chunks_of(table)
    if len(chunks) == 1 and not all(chunks[0]):
        for position in range(len(chunks[0])):
            yield _batch(table, [column.chunk(position) for column in table.columns])
    elif len(chunks) > 1 and not table.num_rows:
        yield _batch(table, [column.combine_chunks() for column in table.columns])
    else:
        # This is faster, but leaves out empty batches.
        yield from table.to_batches()


def _batch(table: Any, arrays: list[Any]) -> Any:
    import pyarrow

    return pyarrow.RecordBatch.from_arrays(arrays, schema=table.schema)


class _Sink:
    """A file object for pyarrow that keeps the buffers it is given without a copy."""

    closed = False

    def __init__(self) -> None:
        self._pieces: list[Any] = []
        self._size = 0

    def write(self, piece: Any) -> int:
        # pyarrow passes metadata as bytes, and columns as its own Buffer.
        self._pieces.append(piece)
        self._size += len(piece)
        return len(piece)

    def tell(self) -> int:
        return self._size

    def flush(self) -> None:
        """Do nothing: writes are not buffered."""

    def close(self) -> None:
        self.closed = True

    def buffers(self) -> list[Buffer]:
        buffers: list[Buffer] = []
        for is_metadata, run in itertools.groupby(self._pieces, key=_is_bytes):
            pieces = list(run)
            buffers.extend(
                [b"".join(pieces)] if is_metadata else map(memoryview, pieces)
            )
        return buffers


def _is_bytes(piece: Any) -> bool:
    return type(piece) is bytes
