"""NumPy: arrays, scalars, arrays of Python objects, masked arrays."""

from __future__ import annotations

import copy
import datetime
import math
import re
import sys
from collections.abc import Iterable
from typing import Any

from checkpoints._kinds.columns import Statistics, columns_of, short
from checkpoints._kinds.elements import elements_of
from checkpoints._kinds.kind import Compound, Family, Format, Inexact, Kind
from checkpoints._kinds.npy import decode_array, encode_array
from checkpoints._process.libraries import needed

__all__ = ["FAMILY", "fallback", "holds_nan", "recognise"]

# Python's numbers hold NumPy's exactly up to this many bytes.
_MAX_PLAIN_BYTES = 8
_NUMBER = re.compile("[<>|=][biuf][1248]")


def recognise(cls: type) -> Kind | None:
    """
    Return the format for values of exactly this class.

    Args:
        cls: A class of NumPy.

    Returns:
        The format; None if values of the class are pickled.

    Example:
        >>> import numpy
        >>> recognise(numpy.ndarray).kind
        'numpy.ndarray'
    """
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return None
    if cls is numpy.ndarray or cls is numpy.memmap:
        return _ARRAY
    if cls is _masked_class():
        return _MASKED_ARRAY
    if issubclass(cls, numpy.generic) and cls.__module__ == "numpy":
        return _SCALAR
    return None


def fallback(cls: type) -> Compound | None:
    """
    Return the kind for values that the recognised format rejects with `Inexact`.

    Args:
        cls: A class of NumPy.

    Returns:
        The kind, or None. It may raise `Inexact` too.

    Example:
        >>> import numpy
        >>> fallback(numpy.ndarray).kind
        'numpy.object_array'
    """
    return _OBJECT_ARRAY if recognise(cls) is _ARRAY else None


def _masked_class() -> Any:
    # NumPy loads `numpy.ma` on demand: without it there are no masked arrays.
    return getattr(sys.modules.get("numpy.ma"), "MaskedArray", ())


def holds_nan(array: Any) -> bool:
    """
    Return whether an array, or a field of its records, contains NaN.

    Example:
        >>> import numpy
        >>> holds_nan(numpy.array([1.0, numpy.nan]))
        True
    """
    dtype = getattr(array, "dtype", None)
    if any(holds_nan(array[name]) for name in getattr(dtype, "names", None) or ()):
        return True
    if getattr(dtype, "kind", "") not in ("f", "c"):
        return False
    return bool((array != array).any())  # noqa: PLR0124 - only NaN differs from itself


def _weigh(value: Any) -> tuple[int, Iterable[Any]] | None:
    if not getattr(getattr(value, "dtype", None), "hasobject", False):
        return None
    return value.nbytes, value.ravel().tolist()


def _describe(value: Any, max_columns: int) -> Statistics | None:
    import numpy

    if not isinstance(value, (numpy.ndarray, numpy.generic)):
        return None
    array: Any = numpy.asarray(value)
    found = {"dtype": short(array.dtype), "shape": list(array.shape)}
    if isinstance(value, _masked_class()):
        array = numpy.ma.MaskedArray(array, numpy.ma.getmaskarray(value))
    if not array.dtype.names:
        return found | _describe_elements(array)
    columns = ((name, array[name]) for name in array.dtype.names)
    width = len(array.dtype.names)
    return found | columns_of(columns, width, max_columns, _describe_elements)


def _describe_elements(array: Any) -> Statistics:
    import numpy

    if not isinstance(array, _masked_class()) or array.dtype.names:
        return elements_of(array)
    mask = numpy.ma.getmaskarray(array)
    masked = {"masked": int(numpy.count_nonzero(mask))}
    return masked | elements_of(numpy.asarray(array)[~mask])


def _as_array(value: Any) -> tuple[Any, list[str]]:
    import numpy

    is_masked = isinstance(value, _masked_class())
    return value if is_masked else numpy.asarray(value), []


def _as_table(value: Any, name: str | None) -> Any:
    pyarrow = needed("pyarrow", "a table of NumPy values")
    column = "value" if name is None else name
    dimensions = getattr(value, "ndim", None)
    if dimensions == 1:
        return pyarrow.table({column: pyarrow.array(value)})
    if dimensions == 0:
        return pyarrow.table({column: _as_column(value)})
    return None


def _as_column(scalar: Any) -> Any:
    import pyarrow

    try:
        return pyarrow.array(scalar.reshape(1))
    except pyarrow.ArrowNotImplementedError:
        # Arrow does not have NumPy's units of days and hours, but Python's types can
        # hold them. In nanoseconds the item is a mere number.
        item = scalar.item()
        if not isinstance(item, (datetime.date, datetime.timedelta)):
            raise
        return [item]


def _import_numpy() -> Any:
    return needed("numpy", "loading a NumPy value")


def _freeze_array(array: Any) -> Any:
    import numpy

    if array.dtype.hasobject:
        return copy.deepcopy(array)
    return numpy.array(array, order="K")


def _take_scalar_apart(scalar: Any) -> dict[str, Any]:
    import numpy

    dtype, kind = scalar.dtype, scalar.dtype.kind
    is_own = numpy.dtype(dtype.str).type is type(scalar)
    if is_own and kind in "biuf" and dtype.itemsize <= _MAX_PLAIN_BYTES:
        return {"dtype": dtype.str, "value": scalar.item()}
    array = numpy.asarray(scalar)
    if kind in "SU" and array[()] != scalar:
        raise Inexact("NumPy drops the NUL characters at the end of the text")
    # C can have two integer types of the same width, and .npy records only the width.
    if kind in "iu" and not is_own:
        return {"array": array, "char": array.dtype.char}
    return {"array": array}


def _put_scalar_together(parts: dict[str, Any]) -> Any:
    numpy = _import_numpy()
    if "value" in parts:
        if not _NUMBER.fullmatch(parts["dtype"]):
            raise ValueError(f"{parts['dtype']!r:.80} is not a number type")
        dtype = numpy.dtype(parts["dtype"])
        return dtype.type(parts["value"])
    array, char = parts["array"], parts.get("char")
    if char is None:
        return array[()]
    if char not in tuple("iIlLqQ"):
        raise ValueError(f"{char!r:.80} is not an integer type")
    return array.astype(char)[()]


def _take_objects_apart(array: Any) -> dict[str, Any]:
    if array.dtype != object or array.dtype.metadata:
        raise Inexact(f"fields of the dtype {array.dtype} hold Python objects")
    flags = array.flags
    order = "F" if flags.f_contiguous and not flags.c_contiguous else "C"
    items = array.ravel(order=order).tolist()
    return {"shape": list(array.shape), "order": order, "items": items}


def _put_objects_together(parts: dict[str, Any]) -> Any:
    numpy = _import_numpy()
    shape, items = parts["shape"], parts["items"]
    if math.prod(shape) != len(items):
        raise ValueError(f"{len(items)} objects for an array of shape {shape!r:.80}")
    flat = numpy.fromiter(items, dtype=object, count=len(items))
    return flat.reshape(shape, order=parts["order"])


def _take_masked_apart(masked: Any) -> dict[str, Any]:
    import numpy

    if masked.baseclass is not numpy.ndarray:
        raise Inexact(f"the masked array wraps a {masked.baseclass.__name__}")
    mask = masked.mask
    fill_value = getattr(masked, "_fill_value", None)
    return {
        "data": masked.data,
        "mask": None if mask is numpy.ma.nomask else numpy.asarray(mask),
        "fill_value": None if fill_value is None else numpy.asarray(fill_value),
        "hard": bool(masked.hardmask),
    }


def _put_masked_together(parts: dict[str, Any]) -> Any:
    ma = needed("numpy.ma", "loading a masked array")
    data, mask, fill_value = parts["data"], parts["mask"], parts["fill_value"]
    if mask is not None and mask.shape != data.shape:
        raise ValueError("the masked array and its mask differ in shape")
    return ma.MaskedArray(
        data,
        mask=ma.nomask if mask is None else mask,
        fill_value=None if fill_value is None else fill_value[()],
        hard_mask=parts["hard"],
    )


_ARRAY = Format(
    kind="numpy.ndarray",
    suffix="npy",
    encode=encode_array,
    decode=decode_array,
    package="numpy",
    freeze=_freeze_array,
)
_SCALAR = Compound(
    kind="numpy.scalar",
    take_apart=_take_scalar_apart,
    put_together=_put_scalar_together,
    package="numpy",
)
_OBJECT_ARRAY = Compound(
    kind="numpy.object_array",
    take_apart=_take_objects_apart,
    put_together=_put_objects_together,
    package="numpy",
)
_MASKED_ARRAY = Compound(
    kind="numpy.masked_array",
    take_apart=_take_masked_apart,
    put_together=_put_masked_together,
    package="numpy",
)

FAMILY = Family(
    packages=("numpy",),
    kinds=(_ARRAY, _SCALAR, _OBJECT_ARRAY, _MASKED_ARRAY),
    recognise=recognise,
    fallback=fallback,
    weigh=_weigh,
    holds_nan=holds_nan,
    describe=_describe,
    as_table=_as_table,
    as_array=_as_array,
)
