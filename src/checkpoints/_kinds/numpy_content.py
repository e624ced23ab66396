"""The content of NumPy's arrays, without their order in memory and hidden bytes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

__all__ = ["content_of"]

# An extended float of x86 has 10 bytes, and others up to its size that mean nothing.
_EXTENDED_BITS, _EXTENDED_BYTES = 63, 10
_AT_ONCE = 1 << 20


def content_of(value: Any) -> Any:
    """
    Return the content of an array, or of a scalar; None for any other value.

    Args:
        value: A value of NumPy.

    Example:
        >>> import numpy
        >>> content_of(numpy.array([1, 2], "<i2"))["dtype"]
        '<i2'
    """
    import numpy

    if not isinstance(value, numpy.ndarray | numpy.generic):
        return None
    if hasattr(value, "mask") and hasattr(value, "hardmask"):
        return _masked(value)
    array: Any = numpy.asarray(value)
    described: dict[str, Any] = {"shape": list(array.shape)}
    dtype = array.dtype
    if dtype.metadata:
        described["metadata"] = dict(dtype.metadata)
    if dtype.names is not None:
        # One field after the other, without what lies between them.
        places: Any = dtype.fields
        fields = [[name, places[name][1], array[name]] for name in dtype.names]
        return {**described, "dtype": dtype.itemsize, "fields": fields}
    if dtype.kind == "O" or not hasattr(dtype, "str") or dtype.kind == "T":
        name = "O" if dtype.kind == "O" else str(dtype)
        return {**described, "dtype": name, "items": array.ravel().tolist()}
    return {**described, "dtype": dtype.str, "data": _buffers(array)}


def _masked(masked: Any) -> dict[str, Any]:
    import numpy

    mask = numpy.ma.getmaskarray(masked)
    data = numpy.array(masked.data, order="C")
    # Assigning zero to a field sets what it holds; zeros of any dtype are possible.
    data[mask] = numpy.zeros((), data.dtype) if data.dtype.names is None else 0
    return {
        "data": data,
        "mask": mask,
        "fill_value": numpy.asarray(masked.fill_value),
        "hard": bool(masked.hardmask),
    }


def _buffers(array: Any) -> Iterator[memoryview]:
    """Yield the bytes of an array in C order, with the same NaN everywhere."""
    import numpy

    # An iterator makes no copy of all of a view that repeats its elements.
    flat = array.reshape(-1) if array.flags.c_contiguous else array.flat
    for start in range(0, array.size, _AT_ONCE):
        part = numpy.ascontiguousarray(flat[start : start + _AT_ONCE])
        if part.nbytes:
            yield _bytes_of(part)


def _bytes_of(flat: Any) -> memoryview:
    import numpy

    if flat.dtype.kind == "c":
        flat = flat.view(flat.real.dtype)
    if flat.dtype.kind == "f":
        nan = numpy.isnan(flat)
        if nan.any():
            flat = numpy.where(nan, flat.dtype.type("nan"), flat).astype(flat.dtype)
        if flat.dtype.char == "g":
            return _extended(flat)
    raw: Any = flat.view(f"V{flat.itemsize}").view("u1")
    return memoryview(raw)


def _extended(flat: Any) -> memoryview:
    import numpy

    raw = flat.view("u1").reshape(-1, flat.itemsize)
    if numpy.finfo(flat.dtype).nmant == _EXTENDED_BITS:
        little = flat.dtype.isnative
        raw = raw[:, :_EXTENDED_BYTES] if little else raw[:, -_EXTENDED_BYTES:]
    return memoryview(raw.tobytes())
