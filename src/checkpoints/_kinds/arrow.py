"""Arrow: tables, record batches and arrays, in Arrow's own IPC file format."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from checkpoints._kinds.arrow_ipc import cells_in
from checkpoints._kinds.kind import Buffer, Compound, Format, Inexact
from checkpoints.errors import MissingDependencyError

__all__ = [
    "KINDS",
    "buffers_to_table",
    "from_table",
    "recognise",
    "table_to_buffers",
    "to_table",
]


def recognise(cls: type) -> Format | Compound | None:
    """
    Say which format takes values of exactly this class.

    Args:
        cls: A class of pyarrow.

    Returns:
        The format; None where values of the class have to be pickled.

    Example:
        >>> import pyarrow
        >>> recognise(pyarrow.Table).kind
        'pyarrow.Table'
    """
    pyarrow = sys.modules.get("pyarrow")
    if pyarrow is None:
        return None
    exact = {
        pyarrow.Table: _TABLE,
        pyarrow.RecordBatch: _RECORD_BATCH,
        pyarrow.ChunkedArray: _CHUNKED_ARRAY,
    }
    if cls in exact:
        return exact[cls]
    is_array = issubclass(cls, pyarrow.Array) and cls.__module__ == "pyarrow.lib"
    return _ARRAY if is_array else None


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
                writer.write_batch(_batch_of(table))
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


def to_table(value: Any) -> tuple[Any, dict[str, Any]]:
    """
    Give a table as it can be written, with what is known of it.

    Args:
        value: A `pyarrow.Table`.

    Returns:
        The table, and its rows, schema and shape.

    Raises:
        Inexact: It has columns of a type that only this process knows.

    Example:
        >>> import pyarrow
        >>> to_table(pyarrow.table({"a": [1, 2]}))[1]
        {'rows': 2, 'schema': [['a', 'int64']], 'shape': [2, 1]}
    """
    for extension in _extensions(value.schema.types):
        name = getattr(extension, "extension_name", "")
        if not name.startswith("arrow.") or name == "arrow.py_extension_type":
            raise Inexact(f"the extension type {name!r} is not one of Arrow's own")
    schema = [[field.name, str(field.type)] for field in value.schema]
    shape = [value.num_rows, value.num_columns]
    return value, {"rows": value.num_rows, "schema": schema, "shape": shape}


def from_table(table: Any, meta: Mapping[str, Any]) -> Any:  # noqa: ARG001
    """
    Give back what `to_table` was given.

    Args:
        table: A `pyarrow.Table`.
        meta: What `to_table` noted of it.

    Returns:
        The table.

    Example:
        >>> import pyarrow
        >>> from_table(*to_table(pyarrow.table({"a": [1, 2]}))).num_rows
        2
    """
    return table


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


def _extensions(types: Any) -> Iterator[Any]:
    """All extension types among these types, and inside them."""
    import pyarrow

    for kind in types:
        if isinstance(kind, pyarrow.BaseExtensionType):
            yield kind
            yield from _extensions([kind.storage_type])
        elif pyarrow.types.is_dictionary(kind):
            yield from _extensions([kind.value_type])
        else:
            yield from _extensions(
                [kind.field(position).type for position in range(kind.num_fields)]
            )


def _encode_table(table: Any) -> tuple[list[Buffer], dict[str, Any]]:
    import pyarrow

    ready, meta = to_table(table)
    try:
        # Loading checks all of it too: what would be refused then is refused now.
        ready.validate(full=True)
    except pyarrow.ArrowException as error:
        raise Inexact(f"it is not sound: {error}") from error
    return table_to_buffers(ready), meta


def _decode_table(data: memoryview, meta: Mapping[str, Any]) -> Any:
    return from_table(buffers_to_table(data), meta)


def _encode_batch(batch: Any) -> tuple[list[Buffer], dict[str, Any]]:
    import pyarrow

    return _encode_table(pyarrow.Table.from_batches([batch]))


def _decode_batch(data: memoryview, meta: Mapping[str, Any]) -> Any:
    table = _decode_table(data, meta)
    batches = table.combine_chunks().to_batches()
    if len(batches) > 1:
        raise ValueError(f"{len(batches)} record batches stand where one was saved")
    return batches[0] if batches else _batch_of(table)


def _batch_of(table: Any) -> Any:
    """A table without rows as a record batch."""
    import pyarrow

    arrays = [
        column.chunk(0) if column.num_chunks else pyarrow.array([], column.type)
        for column in table.columns
    ]
    return pyarrow.RecordBatch.from_arrays(arrays, schema=table.schema)


def _encode_column(column: Any) -> tuple[list[Buffer], dict[str, Any]]:
    import pyarrow

    buffers, meta = _encode_table(pyarrow.table({"values": column}))
    return buffers, {**meta, "shape": [len(column)]}


def _decode_chunked(data: memoryview, meta: Mapping[str, Any]) -> Any:
    table = _decode_table(data, meta)
    if table.num_columns != 1:
        raise ValueError(f"{table.num_columns} columns stand where one array was saved")
    return table.column(0)


def _decode_array(data: memoryview, meta: Mapping[str, Any]) -> Any:
    chunked = _decode_chunked(data, meta)
    return chunked.chunk(0) if chunked.num_chunks == 1 else chunked.combine_chunks()


def _frozen(
    encode: Callable[[Any], tuple[list[Buffer], dict[str, Any]]],
    decode: Callable[[memoryview, Mapping[str, Any]], Any],
) -> Callable[[Any], Any]:
    """Copy by way of the file: Arrow's values may share the memory of an array."""

    def freeze(value: Any) -> Any:
        buffers, meta = encode(value)
        return decode(memoryview(b"".join(buffers)), meta)

    return freeze


_TABLE = Format(
    kind="pyarrow.Table",
    suffix="arrow",
    encode=_encode_table,
    decode=_decode_table,
    package="pyarrow",
    freeze=_frozen(_encode_table, _decode_table),
)
_RECORD_BATCH = Format(
    kind="pyarrow.RecordBatch",
    suffix="arrow",
    encode=_encode_batch,
    decode=_decode_batch,
    package="pyarrow",
    freeze=_frozen(_encode_batch, _decode_batch),
)
_CHUNKED_ARRAY = Format(
    kind="pyarrow.ChunkedArray",
    suffix="arrow",
    encode=_encode_column,
    decode=_decode_chunked,
    package="pyarrow",
    freeze=_frozen(_encode_column, _decode_chunked),
)
_ARRAY = Format(
    kind="pyarrow.Array",
    suffix="arrow",
    encode=_encode_column,
    decode=_decode_array,
    package="pyarrow",
    freeze=_frozen(_encode_column, _decode_array),
)

KINDS: tuple[Format | Compound, ...] = (_TABLE, _RECORD_BATCH, _CHUNKED_ARRAY, _ARRAY)
