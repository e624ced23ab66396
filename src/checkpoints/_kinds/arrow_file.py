"""Arrow tables as in-memory files in Arrow's own IPC format."""

from __future__ import annotations

import itertools
from typing import Any

from checkpoints._kinds.arrow_ipc import cells_in
from checkpoints._kinds.kind import Buffer, Inexact
from checkpoints._process.libraries import needed

__all__ = ["batch_of", "buffers_to_table", "table_to_buffers"]


def table_to_buffers(table: Any) -> list[Buffer]:
    """
    Write a table as an Arrow IPC file that shares the memory of its columns.

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

    sink = _Sink()
    try:
        file = pyarrow.PythonFile(sink, mode="w")
        with pyarrow.ipc.new_file(file, table.schema) as writer:
            if table.num_rows or not table.num_columns:
                writer.write_table(table)
            else:
                # `write_table` would leave out the dictionaries of an empty table.
                writer.write_batch(batch_of(table))
    except (pyarrow.ArrowException, TypeError) as error:
        raise Inexact(f"the Arrow file format cannot hold it: {error}") from error
    return sink.buffers()


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
    table = pyarrow.ipc.open_file(pyarrow.py_buffer(data)).read_all()
    # Without this, an offset that points outside its buffer would be followed.
    table.validate(full=True)
    return table


def batch_of(table: Any) -> Any:
    """Return an empty table as a record batch."""
    import pyarrow

    arrays = [
        column.chunk(0) if column.num_chunks else pyarrow.array([], column.type)
        for column in table.columns
    ]
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
