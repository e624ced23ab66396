"""Arrow: tables, arrays, scalars and schemas, in Arrow's own IPC file format."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

from checkpoints._kinds.arrow_content import content_of
from checkpoints._kinds.arrow_parts import BATCH_OF_COLUMNS, CHUNKS, TABLE_OF_COLUMNS
from checkpoints._kinds.arrow_table import (
    decode_table,
    encode_table,
    from_table,
    to_table,
)
from checkpoints._kinds.columns import Statistics, columns_of, plain, short
from checkpoints._kinds.kind import Buffer, Family, Format, Inexact, Kind
from checkpoints._process.libraries import imported

__all__ = ["FAMILY", "recognise"]


def recognise(cls: type) -> Kind | None:
    """
    Return the format for values of exactly this class.

    Args:
        cls: A class of pyarrow.

    Returns:
        The format; None if values of the class are pickled.

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
        pyarrow.Schema: _SCHEMA,
        pyarrow.Field: _FIELD,
    }
    if cls in exact or cls.__module__ != "pyarrow.lib":
        return exact.get(cls)
    families = {
        pyarrow.Array: _ARRAY,
        pyarrow.Scalar: _SCALAR,
        pyarrow.DataType: _TYPE,
    }
    return next(
        (format for parent, format in families.items() if issubclass(cls, parent)), None
    )


def _fallback(cls: type) -> Kind | None:
    pyarrow = sys.modules["pyarrow"]
    return {
        pyarrow.Table: TABLE_OF_COLUMNS,
        pyarrow.RecordBatch: BATCH_OF_COLUMNS,
        pyarrow.ChunkedArray: CHUNKS,
    }.get(cls)


def _encode_batch(batch: Any) -> tuple[list[Buffer], dict[str, Any]]:
    import pyarrow

    return encode_table(pyarrow.Table.from_batches([batch]))


def _decode_batch(data: memoryview, meta: Mapping[str, Any]) -> Any:
    import pyarrow

    table = decode_table(data, meta)
    if not table.num_columns and table.num_rows:
        return table.to_batches()[0]
    arrays = [_only_chunk(column) for column in table.columns]
    return pyarrow.RecordBatch.from_arrays(arrays, schema=table.schema)


def _encode_column(column: Any) -> tuple[list[Buffer], dict[str, Any]]:
    import pyarrow

    buffers, meta = encode_table(pyarrow.table({"values": column}))
    return buffers, {**meta, "shape": [len(column)]}


def _decode_chunked(data: memoryview, meta: Mapping[str, Any]) -> Any:
    table = decode_table(data, meta)
    if table.num_columns != 1:
        raise ValueError(f"expected one column, found {table.num_columns}")
    return table.column(0)


def _decode_array(data: memoryview, meta: Mapping[str, Any]) -> Any:
    return _only_chunk(_decode_chunked(data, meta))


def _only_chunk(column: Any) -> Any:
    if column.num_chunks != 1:
        raise ValueError(f"expected one chunk, found {column.num_chunks}")
    return column.chunk(0)


def _encode_scalar(scalar: Any) -> tuple[list[Buffer], dict[str, Any]]:
    array = _array_of(scalar)
    if array[0] != scalar and str(array[0]) != str(scalar):
        raise Inexact("an array of it would not hold the same value")
    buffers, meta = _encode_column(array)
    return buffers, {**meta, "shape": []}


def _array_of(scalar: Any) -> Any:
    import pyarrow

    if isinstance(scalar, pyarrow.ExtensionScalar):
        storage = _array_of(scalar.value).cast(scalar.type.storage_type)
        return pyarrow.ExtensionArray.from_storage(scalar.type, storage)
    return pyarrow.repeat(scalar, 1)


def _decode_scalar(data: memoryview, meta: Mapping[str, Any]) -> Any:
    array = _decode_array(data, meta)
    if len(array) != 1:
        raise ValueError(f"expected one value, found {len(array)}")
    return array[0]


def _encode_schema(schema: Any) -> tuple[list[Buffer], dict[str, Any]]:
    import pyarrow

    return encode_table(pyarrow.Table.from_batches([], schema))


def _decode_schema(data: memoryview, meta: Mapping[str, Any]) -> Any:
    return decode_table(data, meta).schema


def _encode_field(field: Any) -> tuple[list[Buffer], dict[str, Any]]:
    import pyarrow

    return _encode_schema(pyarrow.schema([field]))


def _decode_field(data: memoryview, meta: Mapping[str, Any]) -> Any:
    schema = _decode_schema(data, meta)
    if len(schema) != 1:
        raise ValueError(f"expected one field, found {len(schema)}")
    return schema.field(0)


def _encode_type(kind: Any) -> tuple[list[Buffer], dict[str, Any]]:
    import pyarrow

    return _encode_field(pyarrow.field("", kind))


def _decode_type(data: memoryview, meta: Mapping[str, Any]) -> Any:
    return _decode_field(data, meta).type


def _frozen(
    encode: Callable[[Any], tuple[list[Buffer], dict[str, Any]]],
    decode: Callable[[memoryview, Mapping[str, Any]], Any],
) -> Callable[[Any], Any]:
    """Copy by encoding, because Arrow values may share the memory of other objects."""

    def freeze(value: Any) -> Any:
        buffers, meta = encode(value)
        return decode(memoryview(b"".join(buffers)), meta)

    return freeze


def _holds_nan(value: Any) -> bool:
    from pyarrow import types

    compute = imported("pyarrow.compute")
    return any(
        bool(compute.any(compute.is_nan(column)).as_py())
        for column in getattr(value, "columns", [value])
        if hasattr(column, "type") and types.is_floating(column.type)
    )


def _describe(value: Any, max_columns: int) -> Statistics | None:
    import pyarrow

    if isinstance(value, (pyarrow.Table, pyarrow.RecordBatch)):
        columns = zip(value.schema.names, value.columns, strict=True)
        shape = [value.num_rows, value.num_columns]
        described = columns_of(columns, shape[1], max_columns, _describe_column)
        return {"shape": shape, **described}
    if not isinstance(value, (pyarrow.Array, pyarrow.ChunkedArray)):
        return None
    found = {"dtype": short(value.type), "shape": [len(value)]}
    return found | _describe_column(value)


def _describe_column(column: Any) -> Statistics:
    from pyarrow import types

    compute = imported("pyarrow.compute")
    found: Statistics = {"missing": column.null_count}
    kind = column.type
    if types.is_boolean(kind):
        return {"true": compute.sum(column).as_py() or 0, **found}
    is_number = types.is_integer(kind) or types.is_decimal(kind)
    if types.is_floating(kind):
        is_number = True
        nan, finite = compute.is_nan(column), compute.is_finite(column)
        found["nan"] = compute.sum(nan).as_py() or 0
        known = column.filter(finite)
        found["inf"] = len(column) - found["missing"] - found["nan"] - len(known)
        column = known
    elif not (is_number or types.is_temporal(kind)):
        return found
    if hasattr(column, "chunks"):
        # The mean of chunks may differ in the last digit.
        column = column.combine_chunks()
    extremes = compute.min_max(column)
    low, high = plain(extremes["min"].as_py()), plain(extremes["max"].as_py())
    mean = {"mean": plain(compute.mean(column).as_py())} if is_number else {}
    return {"min": low, "max": high, **mean, **found}


def _same(one: Any, other: Any, same: Callable[[Any, Any], bool]) -> bool:
    if hasattr(one, "as_py") and one.type == other.type:
        return bool(one.equals(other)) or same(one.as_py(), other.as_py())
    if not hasattr(one, "to_pylist"):
        return bool(one == other)
    about = "schema" if hasattr(one, "schema") else "type"
    if not getattr(one, about).equals(getattr(other, about)):
        return False
    # Arrow's `equals` does not treat NaN as equal to NaN.
    return bool(one.equals(other)) or same(one.to_pylist(), other.to_pylist())


def _as_table(value: Any, name: str | None) -> Any:
    import pyarrow

    if isinstance(value, pyarrow.Table):
        return value
    if isinstance(value, pyarrow.RecordBatch):
        return pyarrow.Table.from_batches([value])
    if isinstance(value, (pyarrow.Array, pyarrow.ChunkedArray)):
        return pyarrow.table({"value" if name is None else name: value})
    return None


def _format(
    kind: str,
    encode: Callable[[Any], tuple[list[Buffer], dict[str, Any]]],
    decode: Callable[[memoryview, Mapping[str, Any]], Any],
    **more: Any,
) -> Format:
    return Format(
        kind=f"pyarrow.{kind}",
        suffix="arrow",
        encode=encode,
        decode=decode,
        package="pyarrow",
        freeze=_frozen(encode, decode),
        **more,
    )


_TABLE = _format(
    "Table", encode_table, decode_table, to_table=to_table, from_table=from_table
)
_RECORD_BATCH = _format("RecordBatch", _encode_batch, _decode_batch)
_CHUNKED_ARRAY = _format("ChunkedArray", _encode_column, _decode_chunked)
_ARRAY = _format("Array", _encode_column, _decode_array)
_SCALAR = _format("Scalar", _encode_scalar, _decode_scalar)
_SCHEMA = _format("Schema", _encode_schema, _decode_schema)
_FIELD = _format("Field", _encode_field, _decode_field)
_TYPE = _format("DataType", _encode_type, _decode_type)

FAMILY = Family(
    packages=("pyarrow",),
    kinds=(
        *(_TABLE, _RECORD_BATCH, _CHUNKED_ARRAY, _ARRAY),
        *(_SCALAR, _SCHEMA, _FIELD, _TYPE),
        *(TABLE_OF_COLUMNS, BATCH_OF_COLUMNS, CHUNKS),
    ),
    recognise=recognise,
    fallback=_fallback,
    holds_nan=_holds_nan,
    describe=_describe,
    same=_same,
    content=content_of,
    as_table=_as_table,
    concat_to="arrow",
)
