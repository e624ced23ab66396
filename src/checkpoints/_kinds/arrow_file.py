"""An Arrow table as a file in memory, in Arrow's own IPC format."""

from __future__ import annotations

import itertools
from typing import Any

from checkpoints._kinds.arrow_ipc import cells_in
from checkpoints._kinds.kind import Buffer, Inexact
from checkpoints.errors import MissingDependencyError

__all__ = ["batch_of", "buffers_to_table", "table_to_buffers"]


def table_to_buffers(table: Any) -> list[Buffer]:
    """
    Write a table as an Arrow IPC file, over the memory of its columns.

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
                # A table without rows is written without its dictionaries.
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
        A `pyarrow.Table` over this memory, checked to be sound.

    Raises:
        pyarrow.ArrowInvalid: The bytes are no such file.
        ValueError: They are one that was never written here, such as a compressed one.
        MissingDependencyError: pyarrow is not installed.

    Example:
        >>> import pyarrow
        >>> written = b"".join(table_to_buffers(pyarrow.table({"a": [1, 2]})))
        >>> buffers_to_table(memoryview(written)).num_rows
        2
    """
    pyarrow = _import_pyarrow()
    cells_in(data)
    table = pyarrow.ipc.open_file(pyarrow.py_buffer(data)).read_all()
    # An offset that points outside its buffer would otherwise be followed.
    table.validate(full=True)
    return table


def batch_of(table: Any) -> Any:
    """Return a table without rows as a record batch."""
    import pyarrow

    arrays = [
        column.chunk(0) if column.num_chunks else pyarrow.array([], column.type)
        for column in table.columns
    ]
    return pyarrow.RecordBatch.from_arrays(arrays, schema=table.schema)


class _Sink:
    """A file to pyarrow: it keeps the buffers that it is handed, and copies none."""

    closed = False

    def __init__(self) -> None:
        self._pieces: list[Any] = []
        self._size = 0

    def write(self, piece: Any) -> int:
        # Bytes are pyarrow's notes between the columns; its Buffer is the column.
        self._pieces.append(piece)
        self._size += len(piece)
        return len(piece)

    def tell(self) -> int:
        return self._size

    def flush(self) -> None:
        """Nothing waits to be written."""

    def close(self) -> None:
        self.closed = True

    def buffers(self) -> list[Buffer]:
        buffers: list[Buffer] = []
        for small, run in itertools.groupby(self._pieces, key=_is_bytes):
            pieces = list(run)
            buffers.extend([b"".join(pieces)] if small else map(memoryview, pieces))
        return buffers


def _is_bytes(piece: Any) -> bool:
    return type(piece) is bytes


def _import_pyarrow() -> Any:
    try:
        import pyarrow
        import pyarrow.ipc
    except ImportError as error:
        message = "loading a table needs pyarrow: pip install pyarrow"
        raise MissingDependencyError(message) from error
    return pyarrow
