"""What values of Arrow and Polars consist of."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from tests.corpora.leaf import Leaf

__all__ = ["parts", "parts_of_polars"]

Parts = Iterator[tuple[str, Any]]


def parts(value: Any) -> Parts | None:
    """Return the parts of a value of Arrow, None for other values."""
    import pyarrow

    kinds = [
        ((pyarrow.Table, pyarrow.RecordBatch), _of_table),
        (pyarrow.ChunkedArray, _of_chunks),
        (pyarrow.Array, _of_array),
        (pyarrow.Scalar, _of_scalar),
        (pyarrow.Schema, _of_schema),
        (pyarrow.Field, _of_field),
        (pyarrow.DataType, _of_type),
        (pyarrow.Buffer, lambda it: iter([("bytes", it.to_pybytes())])),
        (pyarrow.Tensor, _of_tensor),
    ]
    for classes, found in kinds:
        if isinstance(value, classes):
            return found(value)
    return None


def _of_table(value: Any) -> Parts:
    yield ".schema", value.schema
    yield ".num_rows", value.num_rows
    for at in range(value.num_columns):
        yield f".column({at})", value.column(at)


def _of_schema(value: Any) -> Parts:
    yield ".metadata", value.metadata or None
    yield ".fields", [value.field(at) for at in range(len(value))]


def _of_field(value: Any) -> Parts:
    yield ".name", value.name
    yield ".nullable", value.nullable
    yield ".metadata", value.metadata or None
    yield ".type", value.type


def _of_type(value: Any) -> Parts:
    import pyarrow

    yield "", Leaf(str(value))
    if isinstance(value, pyarrow.BaseExtensionType):
        yield ".name", value.extension_name
        yield ".storage", value.storage_type
        if hasattr(value, "__arrow_ext_serialize__"):
            yield ".serialized", value.__arrow_ext_serialize__()
        return
    names = ["ordered", "index_type", "keys_sorted", "type_codes"]
    # A list's is that of its field: seen twice at each level, deep ones took forever.
    names += [] if value.num_fields else ["value_type"]
    for name in names:
        if hasattr(value, name):
            yield f".{name}", getattr(value, name)
    # A map's fields are its keys and items, in an entry that has a name itself.
    yield ".fields", [value.field(at) for at in range(value.num_fields)]


def _of_chunks(value: Any) -> Parts:
    yield ".type", value.type
    yield ".chunks", list(value.chunks)


def _of_scalar(value: Any) -> Parts:
    import pyarrow

    yield ".type", value.type
    yield ".is_valid", value.is_valid
    if value.is_valid:
        yield ".value", pyarrow.array([value.as_py()], value.type)


def _of_tensor(value: Any) -> Parts:
    yield ".type", value.type
    yield ".names", value.dim_names
    yield ".values", value.to_numpy()


def _of_array(value: Any) -> Parts:
    yield ".type", value.type
    yield ".length", len(value)
    yield ".nulls", bytes(value.is_null().to_pylist())
    yield from _content(value)


def _content(value: Any) -> Parts:
    from pyarrow import types

    kind = value.type
    if hasattr(value, "storage"):
        yield ".storage", value.storage
    elif types.is_dictionary(kind):
        yield ".indices", value.indices
        yield ".dictionary", value.dictionary
    elif types.is_struct(kind):
        yield from _of_struct(value)
    elif types.is_map(kind):
        yield from _of_map(value.drop_null())
    elif hasattr(value, "flatten"):
        yield ".lengths", value.value_lengths().to_pylist()
        yield ".flat", value.flatten()
    elif types.is_union(kind):
        yield ".type_codes", Leaf(value.type_codes.to_pylist())
        yield ".items", value.to_pylist()
    else:
        yield ".values", _values(value)


def _of_map(value: Any) -> Parts:
    offsets = value.offsets.to_pylist()
    yield ".lengths", [end - start for start, end in itertools.pairwise(offsets)]
    yield ".keys", value.keys[offsets[0] : offsets[-1]]
    yield ".values", value.items[offsets[0] : offsets[-1]]


def _of_struct(value: Any) -> Parts:
    import pyarrow

    # What a null struct has in its fields does not count.
    valid = value.is_valid() if value.null_count else None
    for at in range(value.type.num_fields):
        field = value.field(at)
        try:
            yield f".field({at})", field if valid is None else field.filter(valid)
        except pyarrow.ArrowNotImplementedError:
            items = zip(field.to_pylist(), valid.to_pylist(), strict=True)
            yield f".field({at}).items", [item for item, is_valid in items if is_valid]


def _values(value: Any) -> Any:
    """Return what is in the slots that are not null, as bytes where it is numbers."""
    from pyarrow import types

    kind = value.type
    if types.is_string(kind) or types.is_large_string(kind):
        # As bytes, since they may be no UTF-8.
        return value.view("binary" if types.is_string(kind) else "large_binary")
    is_number = types.is_primitive(kind) or types.is_decimal(kind)
    if not is_number or types.is_boolean(kind):
        return value.to_pylist()
    rest = value.drop_null() if value.null_count else value
    width = kind.bit_width // 8
    start = rest.offset * width
    data = rest.buffers()[1]
    return data.to_pybytes()[start : start + len(rest) * width] if data else b""


def parts_of_polars(value: Any) -> Parts | None:
    """Return the parts of a value of Polars, None for other values."""
    import polars

    if isinstance(value, polars.DataFrame):
        return _of_polars_frame(value)
    if isinstance(value, polars.Series):
        return _of_polars_series(value)
    if isinstance(value, polars.LazyFrame):
        return iter([("plan", value.serialize())])
    if isinstance(value, polars.Expr):
        return iter([("plan", value.meta.serialize())])
    return None


def _of_polars_frame(value: Any) -> Parts:
    yield ".height", value.height
    yield ".columns", value.columns
    for name in value.columns:
        yield f"[{name!r}]", value.get_column(name)


def _of_polars_series(value: Any) -> Parts:
    import polars

    yield ".name", value.name
    yield ".dtype", value.dtype
    yield ".len()", len(value)
    if "Object" in str(value.dtype):
        # Arrow would have the addresses of the objects.
        yield ".items", value.to_list()
        return
    try:
        level = polars.CompatLevel.newest()
        arrow = value.rechunk().to_arrow(compat_level=level)
    except (polars.exceptions.PolarsError, TypeError, ValueError, NotImplementedError):
        # Arrow has no integers of 128 bits.
        yield ".items", value.to_list()
    else:
        yield ".arrow", arrow
