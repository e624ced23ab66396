"""Whether two Arrow values are the same in every bit that is part of the value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["is_identical", "is_same_schema"]


def is_identical(one: Any, other: Any) -> bool:
    """
    Return whether two values are the same to the bit, with schema and chunks.

    Arrow's own `equals` ignores names inside types, metadata, chunks and runs. It does
    not tell 0.0 from -0.0, and does not find NaN equal to itself.

    Args:
        one: A table, record batch, chunked array or array of pyarrow.
        other: Another one.

    Returns:
        Whether they are identical. What lies under a null is not part of the value.

    Example:
        >>> import pyarrow
        >>> zeros = pyarrow.array([0.0]), pyarrow.array([-0.0])
        >>> zeros[0].equals(zeros[1]), is_identical(*zeros)
        (True, False)
    """
    if type(one) is not type(other):
        return False
    if hasattr(one, "schema"):
        same = is_same_schema(one.schema, other.schema)
        same = same and one.num_rows == other.num_rows
        return same and all(map(is_identical, one.columns, other.columns))
    if not hasattr(one, "chunks"):
        return _is_same_array(one, other)
    return (
        _is_same_type(one.type, other.type)
        and one.num_chunks == other.num_chunks
        and all(map(_is_same_array, one.chunks, other.chunks))
    )


def is_same_schema(one: Any, other: Any) -> bool:
    """Return whether two schemas are the same, with all metadata and all names."""
    return bool(one.equals(other, check_metadata=True)) and all(
        map(_is_same_type, one.types, other.types)
    )


def _is_same_type(one: Any, other: Any) -> bool:
    # The text has the time zone, and the names inside a map.
    return bool(one.equals(other, check_metadata=True)) and str(one) == str(other)


def _is_same_array(one: Any, other: Any) -> bool:
    import pyarrow

    is_alike = type(one) is type(other) and _is_same_type(one.type, other.type)
    if not is_alike or len(one) != len(other):
        return False
    if pyarrow.types.is_union(one.type):
        return _is_same_union(one, other)
    # pyarrow crashes when it counts the nulls of a dictionary of the null type.
    has_parts_only = isinstance(one, pyarrow.ExtensionArray | pyarrow.DictionaryArray)
    if not has_parts_only and not one.is_valid().equals(other.is_valid()):
        return False
    parts = _parts(one)
    if parts is None:
        return bool(one.equals(other))
    return all(map(_is_same_part, parts, _parts(other) or ()))


def _is_same_part(one: Any, other: Any) -> bool:
    import pyarrow

    if isinstance(one, pyarrow.Array):
        return _is_same_array(one, other)
    return bool(one == other)


def _parts(array: Any) -> list[Any] | None:
    """Return what an array consists of; None if `equals` compares all of it."""
    import pyarrow

    kind, types = array.type, pyarrow.types
    ways: list[tuple[bool, Callable[[], list[Any]]]] = [
        (isinstance(array, pyarrow.ExtensionArray), lambda: [array.storage]),
        (types.is_dictionary(kind), lambda: [array.indices, array.dictionary]),
        (types.is_floating(kind), lambda: [array.view(f"uint{kind.bit_width}")]),
        (types.is_struct(kind), lambda: list(array.flatten())),
        (types.is_run_end_encoded(kind), lambda: _runs(array)),
        (types.is_map(kind), lambda: _entries(array)),
        (types.is_fixed_size_list(kind), lambda: [array.flatten()]),
        (
            hasattr(array, "value_lengths"),
            lambda: [array.value_lengths(), array.flatten()],
        ),
    ]
    return next((take() for holds, take in ways if holds), None)


def _entries(array: Any) -> list[Any]:
    """Return the keys and the values of maps as lists."""
    import pyarrow

    # Not as a view on lists: older versions of pyarrow crash on some of those.
    known = array.drop_null()
    sides = known.keys, known.items
    return [pyarrow.ListArray.from_arrays(known.offsets, side) for side in sides]


def _is_same_union(one: Any, other: Any) -> bool:
    # An empty one that was read may have no buffers, and pyarrow crashes on those.
    if any(union.buffers()[1] is None for union in (one, other)):
        return False
    return _codes(one) == _codes(other) and all(
        map(_is_same_array, _chosen(one), _chosen(other))
    )


def _codes(union: Any) -> Any:
    return _numbers(union, "int8", 1)


def _chosen(union: Any) -> list[Any]:
    """Return, for each field of a union, the values that are part of the union."""
    import pyarrow

    codes = _codes(union)
    is_dense = union.type.mode == "dense"
    places = _numbers(union, "int32", 2) if is_dense else range(len(union))
    return [
        union.field(position).take(
            pyarrow.array(
                [at for at, each in zip(places, codes, strict=True) if each == code],
                pyarrow.int64(),
            )
        )
        for position, code in enumerate(union.type.type_codes)
    ]


def _numbers(union: Any, kind: str, number: int) -> list[int]:
    """Return the contents of a buffer, which pyarrow itself does not slice."""
    import pyarrow

    numbers: list[int] = pyarrow.Array.from_buffers(
        pyarrow.type_for_alias(kind),
        len(union),
        [None, union.buffers()[number]],
        offset=union.offset,
    ).to_pylist()
    return numbers


def _runs(array: Any) -> list[Any]:
    first, count = array.find_physical_offset(), array.find_physical_length()
    ends = array.run_ends.slice(first, count).to_pylist()
    ends = [min(end - array.offset, len(array)) for end in ends]
    return [ends, array.values.slice(first, count)]
