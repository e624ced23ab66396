"""
Arrays in the .npy format: a short header, then the array's own memory.

The header is written for `numpy.load` and other readers of the format. It is never
evaluated here: the checkpoint file's own header describes the array in JSON. Axes along
which an array is repeated, as by `numpy.broadcast_to`, are stored once.
"""

from __future__ import annotations

import copy
import math
import sys
from collections.abc import Mapping
from typing import Any

from checkpoints._kinds.dtypes import (
    dtype_from_layout,
    has_long_double,
    is_same_dtype,
    layout_of,
)
from checkpoints._kinds.kind import Buffer, Inexact
from checkpoints._process.libraries import needed
from checkpoints.errors import CorruptFileError, FormatError

__all__ = [
    "decode_array",
    "decode_base",
    "encode_array",
    "freeze_array",
    "repeated_axes",
    "weight_of_array",
    "without_repeats",
]

_MAGIC = b"\x93NUMPY"
_SHORTEST = 12
# What an element of no size takes elsewhere: a reference to it.
_ELEMENT = 8
_LENGTH_BYTES = {(1, 0): 2, (2, 0): 4, (3, 0): 4}


def encode_array(array: Any) -> tuple[list[Buffer], dict[str, Any]]:
    """
    Encode an array as .npy, without a copy if its memory is contiguous.

    Args:
        array: A `numpy.ndarray`; anything that a subclass adds is left out.

    Returns:
        The header and the data as buffers, and metadata: the array's dtype and shape,
        the memory order, the exact `layout` of a dtype that `dtype` does not say all
        about, and the `repeated` axes, whose length is 1 in the .npy.

    Raises:
        Inexact: The .npy format cannot express the dtype.

    Example:
        >>> import numpy
        >>> encode_array(numpy.zeros((2, 3), "<f4"))[1]
        {'dtype': '<f4', 'shape': [2, 3], 'order': 'C'}
    """
    import numpy

    array = numpy.asarray(array)
    descr, notes = _described(array.dtype)
    axes = repeated_axes(array)
    stored = without_repeats(array, axes)
    order = _order_of(stored)
    buffers: list[Buffer] = [_header(descr, order, stored.shape)]
    if stored.nbytes:
        buffers.append(_memory(stored, order))
    meta = {"dtype": _as_json(descr), "shape": list(array.shape), "order": order}
    return buffers, {**meta, **notes, **({"repeated": axes} if axes else {})}


def repeated_axes(array: Any) -> list[int]:
    """
    Return the axes along which all elements are the same memory.

    Example:
        >>> import numpy
        >>> repeated_axes(numpy.broadcast_to(numpy.arange(3), (4, 3)))
        [0]
    """
    # The steps of an array without bytes say nothing.
    if 0 not in array.strides or not array.nbytes:
        return []
    lengths = zip(array.strides, array.shape, strict=True)
    return [axis for axis, (step, n) in enumerate(lengths) if step == 0 and n > 1]


def without_repeats(array: Any, axes: list[int]) -> Any:
    """Return the array with one element along each of these axes."""
    if not axes:
        return array
    everything = range(array.ndim)
    return array[tuple(slice(1 if axis in axes else None) for axis in everything)]


def freeze_array(array: Any) -> Any:
    """
    Return a copy that takes what the array takes, repeated where the array is.

    Args:
        array: A `numpy.ndarray`. Python objects in it are copied too.
    """
    import numpy

    axes = repeated_axes(array)
    own = without_repeats(numpy.asarray(array), axes)
    copied = copy.deepcopy(own) if own.dtype.hasobject else numpy.array(own, order="K")
    return numpy.broadcast_to(copied, array.shape) if axes else copied


def decode_array(data: memoryview, meta: Mapping[str, Any]) -> Any:
    """
    Decode a .npy array as a view of the given memory.

    Args:
        data: The bytes of the .npy member.
        meta: The metadata from `encode_array`.

    Returns:
        A `numpy.ndarray`, writable if the memory is, or a read-only view if it is
        repeated.

    Raises:
        CorruptFileError: The bytes and the metadata do not match.
        FormatError: The numbers are of a type that this system does not have.
        MissingDependencyError: NumPy is not installed.

    Example:
        >>> import numpy
        >>> buffers, meta = encode_array(numpy.arange(3))
        >>> decode_array(memoryview(b"".join(buffers)), meta)
        array([0, 1, 2])
    """
    numpy = needed("numpy", "loading an array")
    stored = decode_base(data, meta)
    if not meta.get("repeated"):
        return stored
    return numpy.broadcast_to(stored, tuple(meta["shape"]))


def decode_base(data: memoryview, meta: Mapping[str, Any]) -> Any:
    """Decode what is stored of an array: `decode_array` without the repetition."""
    numpy = needed("numpy", "loading an array")
    offset = _data_offset(data)
    dtype = _checked_dtype(meta)
    shape = _stored_shape(meta, dtype.itemsize)
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


def weight_of_array(data: memoryview, meta: Mapping[str, Any]) -> int:
    """
    Return the bytes that an array claims in addition to those stored of it.

    They take no memory until something works with the array, such as a comparison.
    """
    stored = len(data) - _data_offset(data)
    shape = _checked_shape(meta.get("shape"), 1)
    if not stored:  # elements of no size are elements still, as objects for example
        return _ELEMENT * math.prod(shape)
    axes = meta.get("repeated")
    return stored * math.prod(shape[axis] for axis in axes) if axes else 0


def _corrupt(reason: str) -> CorruptFileError:
    return CorruptFileError(f"damaged array: {reason}")


def _described(dtype: Any) -> tuple[Any, dict[str, Any]]:
    """Return the header's `descr` of a dtype, and what else there is to note of it."""
    import numpy

    if dtype.hasobject:
        raise Inexact(f"arrays of dtype {dtype} hold Python objects")
    notes: dict[str, Any] = {}
    if has_long_double(dtype):
        notes["long_double"] = int(numpy.finfo(numpy.longdouble).nmant)
    layout = layout_of(dtype)
    if isinstance(layout, str):
        return layout, notes
    descr = _descr_of(dtype)
    if not _is_exact(_as_json(descr), dtype):
        notes["layout"] = layout
    return descr, notes


def _descr_of(dtype: Any) -> Any:
    """Return what `numpy.load` makes of it: at the least, elements of its size."""
    import numpy

    raw = f"|V{dtype.itemsize}"
    if dtype.names is None:
        return dtype.str
    try:
        read = numpy.lib.format.descr_to_dtype(dtype.descr)
    except (TypeError, ValueError):
        return raw
    return dtype.descr if read.itemsize == dtype.itemsize else raw


def _is_exact(descr: Any, dtype: Any) -> bool:
    try:
        return is_same_dtype(_dtype_of(descr), dtype)
    except (TypeError, ValueError):
        return False


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


def _order_of(array: Any) -> str:
    flags = array.flags
    return "F" if flags.f_contiguous and not flags.c_contiguous else "C"


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


def _checked_dtype(meta: Mapping[str, Any]) -> Any:
    """Return the dtype of an array, if `encode_array` could have noted it."""
    _check_long_double(meta)
    try:
        if "layout" in meta:
            dtype = dtype_from_layout(meta["layout"])
        else:
            dtype = _dtype_of(meta.get("dtype"))
    except (TypeError, ValueError, LookupError, OverflowError, RecursionError) as error:
        raise _corrupt(f"invalid dtype ({error})") from error
    if dtype.hasobject or dtype.subdtype is not None:
        raise _corrupt(f"the dtype {dtype!r:.80} is not plain data")
    return dtype


def _check_long_double(meta: Mapping[str, Any]) -> None:
    import numpy

    digits = meta.get("long_double")
    here = int(numpy.finfo(numpy.longdouble).nmant) if digits is not None else None
    if digits != here:
        raise FormatError(
            f"its long doubles have {digits!r:.20} binary digits, and those of this "
            f"system {here}. Load it on a system such as the one that saved it"
        )


def _dtype_of(descr: Any) -> Any:
    from numpy.lib import format as npy

    return npy.descr_to_dtype(_with_tuples(descr))


def _with_tuples(descr: Any) -> Any:
    """Return a `descr` with tuples again; raise ValueError unless it is plain."""
    if isinstance(descr, str):
        dtype_from_layout(descr)
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


def _stored_shape(meta: Mapping[str, Any], itemsize: int) -> tuple[int, ...]:
    """Return the shape of what is stored: with a length of 1 for repeated axes."""
    shape = _checked_shape(meta.get("shape"), itemsize)
    axes = meta.get("repeated", [])
    known = range(len(shape))
    if type(axes) is not list or any(
        type(axis) is not int or axis not in known for axis in axes
    ):
        raise _corrupt(f"the repeated axes {axes!r:.80} are none of its axes")
    return tuple(1 if axis in axes else n for axis, n in enumerate(shape))


def _checked_shape(shape: Any, itemsize: int) -> tuple[int, ...]:
    if not isinstance(shape, list):
        raise _corrupt(f"the shape {shape!r:.80} is not a list")
    if any(type(length) is not int or length < 0 for length in shape):
        raise _corrupt(f"invalid shape {shape!r:.80}")
    # As in NumPy, lengths of zero do not count, so that they cannot hide an overflow.
    if math.prod(filter(None, shape)) * max(itemsize, 1) > sys.maxsize:
        raise _corrupt(f"the shape {shape!r:.80} is larger than any memory")
    return tuple(shape)
