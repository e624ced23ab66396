"""
Arrays in the .npy format: a short header, then the array's own memory.

The header is written for `numpy.load` and other readers of the format. It is never
evaluated here: the checkpoint file's own header describes the array in JSON.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Mapping
from typing import Any

from checkpoints._kinds.kind import Buffer, Inexact
from checkpoints._process.libraries import needed
from checkpoints.errors import CorruptFileError

__all__ = ["decode_array", "encode_array"]

_MAGIC = b"\x93NUMPY"
_SHORTEST = 12
_LENGTH_BYTES = {(1, 0): 2, (2, 0): 4, (3, 0): 4}
_PLAIN_DTYPE = re.compile(
    r"[<>|](?:[biufcSUV][0-9]{1,10}|[mM]8(?:\[[0-9]{0,10}[a-zA-Z]{1,2}\])?)"
)


def encode_array(array: Any) -> tuple[list[Buffer], dict[str, Any]]:
    """
    Encode an array as .npy, without a copy if its memory is contiguous.

    Args:
        array: A `numpy.ndarray`; anything that a subclass adds is left out.

    Returns:
        The header and the data as buffers, and the array's dtype, shape and memory
        order as metadata.

    Raises:
        Inexact: The .npy format cannot express the dtype.

    Example:
        >>> import numpy
        >>> encode_array(numpy.zeros((2, 3), "<f4"))[1]
        {'dtype': '<f4', 'shape': [2, 3], 'order': 'C'}
    """
    descr = _descr_of(array.dtype)
    flags = array.flags
    order = "F" if flags.f_contiguous and not flags.c_contiguous else "C"
    buffers: list[Buffer] = [_header(descr, order, array.shape)]
    if array.nbytes:
        buffers.append(_memory(array, order))
    meta = {"dtype": _as_json(descr), "shape": list(array.shape), "order": order}
    return buffers, meta


def decode_array(data: memoryview, meta: Mapping[str, Any]) -> Any:
    """
    Decode a .npy array as a view of the given memory.

    Args:
        data: The bytes of the .npy member.
        meta: The metadata from `encode_array`.

    Returns:
        A `numpy.ndarray`, writable if the memory is.

    Raises:
        CorruptFileError: The bytes and the metadata do not match.
        MissingDependencyError: NumPy is not installed.

    Example:
        >>> import numpy
        >>> buffers, meta = encode_array(numpy.arange(3))
        >>> decode_array(memoryview(b"".join(buffers)), meta)
        array([0, 1, 2])
    """
    numpy = needed("numpy", "loading an array")
    offset = _data_offset(data)
    dtype = _checked_dtype(meta.get("dtype"))
    shape = _checked_shape(meta.get("shape"), dtype.itemsize)
    order = meta.get("order")
    if order not in ("C", "F"):
        raise _corrupt(f"the memory order is {order!r}, not 'C' or 'F'")
    expected, found = math.prod(shape) * dtype.itemsize, len(data) - offset
    if expected != found:
        raise _corrupt(f"expected {expected} bytes of data, found {found}")
    try:
        return numpy.ndarray(shape, dtype, buffer=data, offset=offset, order=order)
    except (TypeError, ValueError, OverflowError) as error:
        raise _corrupt(str(error)) from error


def _corrupt(reason: str) -> CorruptFileError:
    return CorruptFileError(f"damaged array: {reason}")


def _descr_of(dtype: Any) -> Any:
    """Return the header's `descr` of a dtype: text, or a list of fields."""
    import numpy

    if dtype.hasobject:
        raise Inexact(f"arrays of dtype {dtype} hold Python objects")
    if _has_metadata(dtype):
        raise Inexact("the dtype has metadata")
    try:
        descr = dtype.descr if dtype.names is not None else dtype.str
        rebuilt = numpy.lib.format.descr_to_dtype(descr)
    except (TypeError, ValueError) as error:
        raise Inexact(f"the .npy format cannot express {dtype!r}") from error
    # Equality ignores numpy.record and the alignment of fields.
    if rebuilt != dtype or (dtype.kind == "V" and repr(rebuilt) != repr(dtype)):
        raise Inexact(f"the .npy format cannot express {dtype!r}")
    return descr


def _has_metadata(dtype: Any) -> bool:
    fields = (dtype.fields or {}).values()
    return bool(dtype.metadata) or any(_has_metadata(part) for part, *_ in fields)


def _as_json(descr: Any) -> Any:
    """Return a `descr` with lists in place of tuples, as JSON has them."""
    if isinstance(descr, list | tuple):
        return [_as_json(part) for part in descr]
    return descr


def _header(descr: Any, order: str, shape: tuple[int, ...]) -> bytes:
    """Return the header, padded so that the data starts at a multiple of 64."""
    text = (
        f"{{'descr': {descr!r}, 'fortran_order': {order == 'F'}, 'shape': {shape!r}, }}"
    )
    try:
        body, version = text.encode("latin1"), (1, 0)
    except UnicodeEncodeError:
        body, version = text.encode("utf-8"), (3, 0)
    if version == (1, 0) and len(body) > 0xFFFF - 64:
        version = (2, 0)
    width = _LENGTH_BYTES[version]
    fixed = len(_MAGIC) + 2 + width
    body += b" " * (-(fixed + len(body) + 1) % 64) + b"\n"
    return _MAGIC + bytes(version) + len(body).to_bytes(width, "little") + body


def _memory(array: Any, order: str) -> memoryview:
    """Return the array's bytes: its own memory if that is contiguous, else a copy."""
    import numpy

    block: Any = numpy.asarray(array.T if order == "F" else array)
    if not block.flags.c_contiguous:
        block = block.copy(order="C")
    # Viewed as bytes, because the buffer protocol has no format for dates and times.
    return memoryview(block.reshape(-1).view(numpy.uint8))


def _data_offset(data: memoryview) -> int:
    version = (data[6], data[7]) if len(data) >= _SHORTEST else (0, 0)
    if bytes(data[:6]) != _MAGIC or version not in _LENGTH_BYTES:
        raise _corrupt("it does not start with a .npy header")
    start = 8 + _LENGTH_BYTES[version]
    return start + int.from_bytes(data[8:start], "little")


def _checked_dtype(descr: Any) -> Any:
    """Return the dtype of a `descr`, if `encode_array` could have written it."""
    from numpy.lib import format as npy

    try:
        dtype = npy.descr_to_dtype(_with_tuples(descr))
    except (TypeError, ValueError, KeyError, OverflowError, RecursionError) as error:
        raise _corrupt(f"invalid dtype ({error})") from error
    if dtype.hasobject or dtype.subdtype is not None:
        raise _corrupt(f"the dtype {dtype!r:.80} is not plain data")
    return dtype


def _with_tuples(descr: Any) -> Any:
    """Return a `descr` with tuples again; raise ValueError unless it is plain."""
    if isinstance(descr, str) and _PLAIN_DTYPE.fullmatch(descr):
        return descr
    if isinstance(descr, list):
        return [_field(field) for field in descr]
    raise ValueError("not a plain dtype")


def _field(field: Any) -> tuple[Any, ...]:
    if not isinstance(field, list) or len(field) not in (2, 3):
        raise ValueError("a field must be a name, a dtype and an optional shape")
    name = tuple(field[0]) if isinstance(field[0], list) else field[0]
    for text in name if isinstance(name, tuple) else (name,):
        if not isinstance(text, str):
            raise TypeError("the name of a field must be a string")
    return (
        name,
        _with_tuples(field[1]),
        *(_checked_shape(part, 1) for part in field[2:]),
    )


def _checked_shape(shape: Any, itemsize: int) -> tuple[int, ...]:
    if not isinstance(shape, list):
        raise _corrupt(f"the shape {shape!r:.80} is not a list")
    if any(type(length) is not int or length < 0 for length in shape):
        raise _corrupt(f"invalid shape {shape!r:.80}")
    # As in NumPy, lengths of zero do not count, so that they cannot hide an overflow.
    if math.prod(filter(None, shape)) * max(itemsize, 1) > sys.maxsize:
        raise _corrupt(f"the shape {shape!r:.80} is larger than any memory")
    return tuple(shape)
