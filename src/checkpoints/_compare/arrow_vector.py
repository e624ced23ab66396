"""Arrow arrays as vectors of cells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from checkpoints._compare.dtypes import dtype_name
from checkpoints._process.libraries import imported

__all__ = ["ArrowVector"]


class ArrowVector:
    """
    The cells of an Arrow array.

    Args:
        array: An array or a chunked array.
    """

    def __init__(self, array: Any) -> None:
        pyarrow = imported("pyarrow")
        if isinstance(array, pyarrow.ExtensionArray):
            array = array.storage
        if not isinstance(array, pyarrow.ChunkedArray):
            array = pyarrow.chunked_array([array], array.type)
        self._array = array
        self.dtype = dtype_name(str(_stored_type(array.type)))
        self.length = len(array)

    def chunk(self, start: int, stop: int) -> tuple[Any, Any]:
        """Return an array of cells, and a mask of its nulls or None."""
        pyarrow = imported("pyarrow")
        piece = self._array.slice(start, stop - start).combine_chunks()
        if isinstance(piece, pyarrow.ChunkedArray):
            piece = pyarrow.concat_arrays(piece.chunks)
        if isinstance(piece, pyarrow.ExtensionArray):
            piece = piece.storage
        if pyarrow.types.is_dictionary(piece.type):
            piece = piece.dictionary_decode()
        nulls = None
        if piece.null_count:
            nulls = piece.is_null().to_numpy(zero_copy_only=False)
        return _converted(piece), nulls


def _stored_type(type: Any) -> Any:  # noqa: A002 - Arrow's word
    types = imported("pyarrow").types
    if types.is_dictionary(type):
        return type.value_type
    return getattr(type, "storage_type", type)


def _converted(piece: Any) -> Any:
    """Return numbers and times as an array of NumPy, other cells as they are."""
    pyarrow = imported("pyarrow")
    types = pyarrow.types
    if types.is_null(piece.type):
        return imported("numpy").zeros(len(piece), bool)
    for test, convert in _conversions(types):
        if test(piece.type):
            return convert(piece)
    return piece


def _conversions(
    types: Any,
) -> list[tuple[Callable[[Any], bool], Callable[[Any], Any]]]:
    return [
        (types.is_integer, _numbers),
        (types.is_floating, _numbers),
        (types.is_boolean, _numbers),
        (types.is_timestamp, lambda piece: _times(piece, f"M8[{piece.type.unit}]")),
        (types.is_date32, lambda piece: _times(piece, "M8[D]")),
        (types.is_date64, lambda piece: _times(piece, "M8[ms]")),
        (types.is_duration, lambda piece: _times(piece, f"m8[{piece.type.unit}]")),
        (types.is_time, lambda piece: _times(piece, f"m8[{piece.type.unit}]")),
        (_is_viewed, _unviewed),
    ]


def _numbers(piece: Any) -> Any:
    """Return numbers, and any numbers in place of nulls."""
    if not piece.null_count:
        return piece.to_numpy(zero_copy_only=False)
    pyarrow = imported("pyarrow")
    # The buffer has something there, and no copy is needed.
    whole = pyarrow.Array.from_buffers(
        piece.type, len(piece), [None, piece.buffers()[1]], offset=piece.offset
    )
    return whole.to_numpy(zero_copy_only=False)


def _times(piece: Any, dtype: str) -> Any:
    pyarrow = imported("pyarrow")
    numbers = piece.view(f"int{piece.type.bit_width}").cast(pyarrow.int64())
    return _numbers(numbers).view(dtype)


def _is_viewed(type: Any) -> bool:  # noqa: A002 - Arrow's word
    return str(type) in ("string_view", "binary_view")


def _unviewed(piece: Any) -> Any:
    pyarrow = imported("pyarrow")
    is_text = str(piece.type) == "string_view"
    return piece.cast(pyarrow.large_string() if is_text else pyarrow.large_binary())
