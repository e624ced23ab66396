"""
The .npy form of an array: a short header, then the array's own memory.

The header is written for `numpy.load` and every other reader of the form. It is never
evaluated here: what an array is stands in the file's own header too, as JSON.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Mapping
from typing import Any

from checkpoints._kinds.kind import Buffer, Inexact
from checkpoints.errors import CorruptFileError, MissingDependencyError

__all__ = ["decode_array", "encode_array"]

_MAGIC = b"\x93NUMPY"
_SHORTEST = 12
_LENGTH_BYTES = {(1, 0): 2, (2, 0): 4, (3, 0): 4}
_PLAIN_DTYPE = re.compile(
    r"[<>|](?:[biufcSUV][0-9]{1,10}|[mM]8(?:\[[0-9]{0,10}[a-zA-Z]{1,2}\])?)"
)


def encode_array(array: Any) -> tuple[list[Buffer], dict[str, Any]]:
    """
    Give the .npy form of an array, without a copy where its memory is one block.

    Args:
        array: A `numpy.ndarray`; what its subclasses add is left out.

    Returns:
        The header and the data, and the array's dtype, shape and memory order.

    Raises:
        Inexact: The .npy form cannot express the dtype.

    Example:
        >>> import numpy
        >>> encode_array(numpy.zeros((2, 3), "<f4"))[1]
        {'dtype': '<f4', 'shape': [2, 3], 'order': 'C'}
    """
    descr = _describe(array.dtype)
    flags = array.flags
    order = "F" if flags.f_contiguous and not flags.c_contiguous else "C"
    buffers: list[Buffer] = [_header(descr, order, array.shape)]
    if array.nbytes:
        buffers.append(_memory(array, order))
    noted = {"dtype": _as_json(descr), "shape": list(array.shape), "order": order}
    return buffers, noted


def decode_array(data: memoryview, meta: Mapping[str, Any]) -> Any:
    """
    Give the array back, over the very memory it is read from.

    Args:
        data: The bytes of the .npy form.
        meta: What `encode_array` noted.

    Returns:
        A `numpy.ndarray`, writable if the memory is.

    Raises:
        CorruptFileError: The bytes and the notes do not fit together.
        MissingDependencyError: NumPy is not installed.

    Example:
        >>> import numpy
        >>> buffers, meta = encode_array(numpy.arange(3))
        >>> decode_array(memoryview(b"".join(buffers)), meta)
        array([0, 1, 2])
    """
    numpy = _import_numpy()
    offset = _data_offset(data)
    dtype = _checked_dtype(meta.get("dtype"))
    shape = _checked_shape(meta.get("shape"), dtype.itemsize)
    order = meta.get("order")
    if order not in ("C", "F"):
        raise _corrupt(f"its memory order is {order!r}, neither 'C' nor 'F'")
    expected, found = math.prod(shape) * dtype.itemsize, len(data) - offset
    if expected != found:
        raise _corrupt(f"{expected} bytes of data should follow, {found} do")
    try:
        return numpy.ndarray(shape, dtype, buffer=data, offset=offset, order=order)
    except (TypeError, ValueError, OverflowError) as error:
        raise _corrupt(str(error)) from error


def _import_numpy() -> Any:
    try:
        import numpy
    except ImportError as error:
        message = "loading an array needs NumPy: pip install numpy"
        raise MissingDependencyError(message) from error
    return numpy


def _corrupt(reason: str) -> CorruptFileError:
    return CorruptFileError(
        f"an array in the file is not what was saved: {reason}; "
        "save it again, or take the file from a copy"
    )


def _describe(dtype: Any) -> Any:
    """What `dtype` is in the header: text, or a list of fields."""
    import numpy

    if dtype.hasobject:
        raise Inexact(f"a NumPy array of {dtype} holds Python objects")
    if _carries_metadata(dtype):
        raise Inexact("the dtype carries metadata")
    try:
        descr = dtype.descr if dtype.names is not None else dtype.str
        rebuilt = numpy.lib.format.descr_to_dtype(descr)
    except (TypeError, ValueError) as error:
        raise Inexact(f"the .npy form has no words for {dtype!r}") from error
    # Equality alone overlooks numpy.record and the alignment of fields.
    if rebuilt != dtype or (dtype.kind == "V" and repr(rebuilt) != repr(dtype)):
        raise Inexact(f"the .npy form has no words for {dtype!r}")
    return descr


def _carries_metadata(dtype: Any) -> bool:
    fields = (dtype.fields or {}).values()
    return bool(dtype.metadata) or any(_carries_metadata(part) for part, *_ in fields)


def _as_json(descr: Any) -> Any:
    """The same with lists for tuples, as JSON gives them back."""
    if isinstance(descr, list | tuple):
        return [_as_json(part) for part in descr]
    return descr


def _header(descr: Any, order: str, shape: tuple[int, ...]) -> bytes:
    """Everything before the data, which then starts at a multiple of 64."""
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
    """The bytes of the array; its own memory where that is one block."""
    import numpy

    block: Any = numpy.asarray(array.T if order == "F" else array)
    if not block.flags.c_contiguous:
        block = block.copy(order="C")
    # Not the buffer protocol itself: it has no letter for dates and times.
    return memoryview(block.reshape(-1).view(numpy.uint8))


def _data_offset(data: memoryview) -> int:
    version = (data[6], data[7]) if len(data) >= _SHORTEST else (0, 0)
    if bytes(data[:6]) != _MAGIC or version not in _LENGTH_BYTES:
        raise _corrupt("it does not begin as a .npy member does")
    start = 8 + _LENGTH_BYTES[version]
    return start + int.from_bytes(data[8:start], "little")


def _checked_dtype(descr: Any) -> Any:
    """The dtype that `descr` names, of the few forms that `encode_array` writes."""
    from numpy.lib import format as npy

    try:
        dtype = npy.descr_to_dtype(_native(descr))
    except (TypeError, ValueError, KeyError, OverflowError, RecursionError) as error:
        raise _corrupt(f"its dtype is none that such a member has ({error})") from error
    if dtype.hasobject or dtype.subdtype is not None:
        raise _corrupt(f"its dtype is {dtype!r:.80}, not one of plain data")
    return dtype


def _native(descr: Any) -> Any:
    """Field lists with tuples again; nothing but plain dtypes gets through."""
    if isinstance(descr, str) and _PLAIN_DTYPE.fullmatch(descr):
        return descr
    if isinstance(descr, list):
        return [_native_field(field) for field in descr]
    raise ValueError("not the text of a plain dtype")


def _native_field(field: Any) -> tuple[Any, ...]:
    if not isinstance(field, list) or len(field) not in (2, 3):
        raise ValueError("a field is a name, a dtype and perhaps a shape")
    name = tuple(field[0]) if isinstance(field[0], list) else field[0]
    for text in name if isinstance(name, tuple) else (name,):
        if not isinstance(text, str):
            raise TypeError("a field's name is text")
    return (name, _native(field[1]), *(_checked_shape(part, 1) for part in field[2:]))


def _checked_shape(shape: Any, itemsize: int) -> tuple[int, ...]:
    if not isinstance(shape, list):
        raise _corrupt(f"its shape is {shape!r:.80}, not a list")
    if any(type(length) is not int or length < 0 for length in shape):
        raise _corrupt(f"its shape is {shape!r:.80}")
    # Lengths of zero are left out as NumPy does it, so that none hides an overflow.
    if math.prod(filter(None, shape)) * max(itemsize, 1) > sys.maxsize:
        raise _corrupt(f"its shape is {shape!r:.80}, more than any memory holds")
    return tuple(shape)
