"""Arrow: tables, record batches and arrays, in Arrow's own IPC file format."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from checkpoints._kinds.arrow_file import batch_of, buffers_to_table, table_to_buffers
from checkpoints._kinds.columns import Statistics, columns_of, plain, short
from checkpoints._kinds.kind import Buffer, Family, Format, Inexact, Kind
from checkpoints._process.libraries import imported

__all__ = ["FAMILY", "from_table", "recognise", "to_table"]


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
    }
    if cls in exact:
        return exact[cls]
    is_array = issubclass(cls, pyarrow.Array) and cls.__module__ == "pyarrow.lib"
    return _ARRAY if is_array else None


def to_table(value: Any) -> tuple[Any, dict[str, Any]]:
    """
    Check that a table can be written, and describe it.

    Args:
        value: A `pyarrow.Table`.

    Returns:
        The table, and its rows, schema and shape as metadata.

    Raises:
        Inexact: A column has an extension type that is defined outside Arrow.

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


def from_table(table: Any, meta: Mapping[str, Any]) -> Any:  # noqa: ARG001 - part of the signature
    """
    Return the table itself, the inverse of `to_table`.

    Args:
        table: A `pyarrow.Table`.
        meta: The metadata from `to_table`.

    Returns:
        The table.

    Example:
        >>> import pyarrow
        >>> from_table(*to_table(pyarrow.table({"a": [1, 2]}))).num_rows
        2
    """
    return table


def _extensions(types: Any) -> Iterator[Any]:
    """Yield all extension types among and inside these types."""
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
        # A table that loading would reject is rejected now.
        ready.validate(full=True)
    except pyarrow.ArrowException as error:
        raise Inexact(f"it is not valid: {error}") from error
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
        raise ValueError(f"expected one record batch, found {len(batches)}")
    return batches[0] if batches else batch_of(table)


def _encode_column(column: Any) -> tuple[list[Buffer], dict[str, Any]]:
    import pyarrow

    buffers, meta = _encode_table(pyarrow.table({"values": column}))
    return buffers, {**meta, "shape": [len(column)]}


def _decode_chunked(data: memoryview, meta: Mapping[str, Any]) -> Any:
    table = _decode_table(data, meta)
    if table.num_columns != 1:
        raise ValueError(f"expected one column, found {table.num_columns}")
    return table.column(0)


def _decode_array(data: memoryview, meta: Mapping[str, Any]) -> Any:
    chunked = _decode_chunked(data, meta)
    return chunked.chunk(0) if chunked.num_chunks == 1 else chunked.combine_chunks()


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
    extremes = compute.min_max(column)
    low, high = plain(extremes["min"].as_py()), plain(extremes["max"].as_py())
    mean = {"mean": plain(compute.mean(column).as_py())} if is_number else {}
    return {"min": low, "max": high, **mean, **found}


def _same(one: Any, other: Any, same: Callable[[Any, Any], bool]) -> bool:
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


_TABLE = Format(
    kind="pyarrow.Table",
    suffix="arrow",
    encode=_encode_table,
    decode=_decode_table,
    package="pyarrow",
    freeze=_frozen(_encode_table, _decode_table),
    to_table=to_table,
    from_table=from_table,
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

FAMILY = Family(
    packages=("pyarrow",),
    kinds=(_TABLE, _RECORD_BATCH, _CHUNKED_ARRAY, _ARRAY),
    recognise=recognise,
    holds_nan=_holds_nan,
    describe=_describe,
    same=_same,
    as_table=_as_table,
    concat_to="arrow",
)
