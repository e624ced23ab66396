"""The content of Arrow's tables and arrays, without chunks and hidden bytes."""

from __future__ import annotations

from typing import Any

from checkpoints._process.libraries import imported, needed

__all__ = ["content_of", "items_of"]


def content_of(value: Any) -> Any:
    """
    Return the content of a table, a record batch or an array.

    Args:
        value: A value of pyarrow.

    Returns:
        Plain values and NumPy arrays; None for a value of any other class. The
        metadata of a schema does not count, as in a comparison by `equals`.

    Example:
        >>> import pyarrow
        >>> content_of(pyarrow.array([1, None]))["type"]
        'int64'
    """
    import pyarrow

    if isinstance(value, pyarrow.Table | pyarrow.RecordBatch):
        fields = [[it.name, str(it.type), it.nullable] for it in value.schema]
        rows = value.num_rows
        return {"fields": fields, "rows": rows, "columns": _columns(value)}
    if isinstance(value, pyarrow.Array | pyarrow.ChunkedArray):
        return {"type": str(value.type), **items_of(value)}
    return None


def _columns(table: Any) -> list[Any]:
    return [items_of(column) for column in table.columns]


def items_of(array: Any) -> dict[str, Any]:
    """
    Return the items of an array, without its type.

    Args:
        array: A `pyarrow.Array` or a `pyarrow.ChunkedArray`.

    Example:
        >>> import pyarrow
        >>> chunks = pyarrow.chunked_array([[1], [2, 3]])
        >>> items_of(chunks)["length"]
        3
    """
    if hasattr(array, "chunks"):
        array = _combined(array)
    if hasattr(array, "storage"):
        return items_of(array.storage)
    found: dict[str, Any] = {"length": len(array)}
    if array.null_count:
        found["valid"] = array.is_valid().to_numpy(zero_copy_only=False)
    return {**found, **_values(array)}


def _combined(array: Any) -> Any:
    import pyarrow

    combined = array.combine_chunks()
    # Before version 19 of pyarrow, it may be chunked still.
    if not hasattr(combined, "chunks"):
        return combined
    return combined.chunk(0) if combined.num_chunks else pyarrow.array([], array.type)


def _values(array: Any) -> dict[str, Any]:
    from pyarrow import types

    kind = array.type
    for is_kind, values in (
        (types.is_dictionary, _of_dictionary),
        (types.is_boolean, _of_booleans),
        (_is_text, _of_texts),
        (_is_list, _of_lists),
        (types.is_fixed_size_list, lambda it: {"items": items_of(it.flatten())}),
        (types.is_struct, lambda it: {"items": list(map(items_of, it.flatten()))}),
        (_is_fixed, _of_fixed),
    ):
        if is_kind(kind):
            return values(array)
    plain = _plain_type(kind)
    return {"items": array.to_pylist()} if plain is None else _values(array.cast(plain))


def _plain_type(kind: Any) -> Any:
    """Return the type of the same items in one piece; None if there is none."""
    import pyarrow

    plain = {
        "string_view": pyarrow.large_string(),
        "binary_view": pyarrow.large_binary(),
    }
    return plain.get(str(kind))


def _is_text(kind: Any) -> bool:
    from pyarrow import types

    return any(
        getattr(types, f"is_{name}")(kind)
        for name in ("string", "large_string", "binary", "large_binary")
    )


def _is_list(kind: Any) -> bool:
    from pyarrow import types

    return bool(types.is_list(kind) or types.is_large_list(kind))


def _is_fixed(kind: Any) -> bool:
    """Return whether each item takes the same number of whole bytes."""
    from pyarrow import types

    return bool(types.is_primitive(kind) or types.is_decimal(kind))


def _of_dictionary(array: Any) -> dict[str, Any]:
    ordered = {"order": items_of(array.dictionary)} if array.type.ordered else {}
    return {**ordered, "items": items_of(array.dictionary_decode())}


def _of_booleans(array: Any) -> dict[str, Any]:
    return {"items": array.fill_null(False).to_numpy(zero_copy_only=False)}  # noqa: FBT003 - it has no other name


def _of_texts(array: Any) -> dict[str, Any]:
    import pyarrow

    numpy = needed("numpy", "a digest of an Arrow array")
    compute = imported("pyarrow.compute")
    if array.null_count:
        array = compute.fill_null(array, pyarrow.scalar(b"").cast(array.type))
    wide = "i8" if str(array.type).startswith("large") else "i4"
    _, offsets, data = array.buffers()
    if not len(array) or offsets is None:
        return {"lengths": numpy.zeros(len(array), "i8"), "items": b""}
    ends = numpy.frombuffer(offsets, wide)[array.offset : array.offset + len(array) + 1]
    used = memoryview(data or b"")[ends[0] : ends[-1]]
    return {"lengths": numpy.diff(ends).astype("i8"), "items": used}


def _of_lists(array: Any) -> dict[str, Any]:
    compute = imported("pyarrow.compute")
    lengths = compute.fill_null(compute.list_value_length(array), 0)
    # What a missing list refers to is not part of it.
    return {"lengths": items_of(lengths), "items": items_of(array.flatten())}


def _of_fixed(array: Any) -> dict[str, Any]:
    from pyarrow import types

    numpy = needed("numpy", "a digest of an Arrow array")
    size = array.type.bit_width // 8
    data = array.buffers()[1]
    if data is None or not len(array):
        return {"items": b""}
    items = numpy.frombuffer(data, f"V{size}")[array.offset : array.offset + len(array)]
    if array.null_count:
        items = items.copy()
        missing = array.is_null().to_numpy(zero_copy_only=False)
        items[missing] = numpy.zeros((), items.dtype)
    is_float = types.is_floating(array.type)
    return {"items": items.view(f"f{size}") if is_float else items.view("u1")}
