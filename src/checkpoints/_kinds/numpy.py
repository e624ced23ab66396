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
from checkpoints.errors import MissingDependencyError

__all__ = ["FAMILY", "holds_nan", "otherwise", "recognise"]

# The widest number, in bytes, that a Python number of its kind holds exactly.
_WIDEST_PLAIN = 8
_NUMBER = re.compile("[<>|=][biuf][1248]")


def recognise(cls: type) -> Kind | None:
    """
    Say which format takes values of exactly this class.

    Args:
        cls: A class of NumPy.

    Returns:
        The format; None where values of the class have to be pickled.

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
    if cls is numpy.ma.MaskedArray:
        return _MASKED_ARRAY
    if issubclass(cls, numpy.generic) and cls.__module__ == "numpy":
        return _SCALAR
    return None


def otherwise(cls: type) -> Compound | None:
    """
    Say what takes the values that the recognised format finds inexact.

    Args:
        cls: A class of NumPy.

    Returns:
        The other kind, or None. It may raise `Inexact` in its turn.

    Example:
        >>> import numpy
        >>> otherwise(numpy.ndarray).kind
        'numpy.object_array'
    """
    return _OBJECT_ARRAY if recognise(cls) is _ARRAY else None


def holds_nan(array: Any) -> bool:
    """
    Tell whether an array, or a field of its records, holds a NaN.

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
    return bool((array != array).any())  # noqa: PLR0124 - true of NaN alone


def _weigh(value: Any) -> tuple[int, Iterable[Any]] | None:
    if not getattr(getattr(value, "dtype", None), "hasobject", False):
        return None
    return value.nbytes, value.ravel().tolist()


def _describe(value: Any, most: int) -> Statistics | None:
    import numpy

    if not isinstance(value, (numpy.ndarray, numpy.generic)):
        return None
    array: Any = numpy.asarray(value)
    found = {"dtype": short(array.dtype), "shape": list(array.shape)}
    if isinstance(value, numpy.ma.MaskedArray):
        array = numpy.ma.MaskedArray(array, numpy.ma.getmaskarray(value))
    if not array.dtype.names:
        return found | _describe_elements(array)
    columns = ((name, array[name]) for name in array.dtype.names)
    width = len(array.dtype.names)
    return found | columns_of(columns, width, most, _describe_elements)


def _describe_elements(array: Any) -> Statistics:
    import numpy

    if not isinstance(array, numpy.ma.MaskedArray) or array.dtype.names:
        return elements_of(array)
    mask = numpy.ma.getmaskarray(array)
    masked = {"masked": int(numpy.count_nonzero(mask))}
    return masked | elements_of(numpy.asarray(array)[~mask])


def _as_array(value: Any) -> tuple[Any, list[str]]:
    import numpy

    is_masked = isinstance(value, numpy.ma.MaskedArray)
    return value if is_masked else numpy.asarray(value), []


def _as_table(value: Any, name: str | None) -> Any:
    import pyarrow

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
        # Days and hours are no units of Arrow, but Python has them; nanoseconds would
        # be a mere number there.
        item = scalar.item()
        if not isinstance(item, (datetime.date, datetime.timedelta)):
            raise
        return [item]


def _import_numpy() -> Any:
    try:
        import numpy
    except ImportError as error:
        message = "loading a NumPy value needs NumPy: pip install numpy"
        raise MissingDependencyError(message) from error
    return numpy


def _freeze_array(array: Any) -> Any:
    import numpy

    if array.dtype.hasobject:
        return copy.deepcopy(array)
    return numpy.array(array, order="K")


def _take_scalar_apart(scalar: Any) -> dict[str, Any]:
    import numpy

    dtype, kind = scalar.dtype, scalar.dtype.kind
    is_own = numpy.dtype(dtype.str).type is type(scalar)
    if is_own and kind in "biuf" and dtype.itemsize <= _WIDEST_PLAIN:
        return {"dtype": dtype.str, "value": scalar.item()}
    array = numpy.asarray(scalar)
    if kind in "SU" and array[()] != scalar:
        raise Inexact("a text that ends in NUL characters loses them in NumPy")
    # C has two integer types of one width, and .npy knows the width alone.
    if kind in "iu" and not is_own:
        return {"array": array, "char": array.dtype.char}
    return {"array": array}


def _put_scalar_together(parts: dict[str, Any]) -> Any:
    numpy = _import_numpy()
    if "value" in parts:
        if not _NUMBER.fullmatch(parts["dtype"]):
            raise ValueError(f"{parts['dtype']!r:.80} is no type of number")
        dtype = numpy.dtype(parts["dtype"])
        return dtype.type(parts["value"])
    array, char = parts["array"], parts.get("char")
    if char is None:
        return array[()]
    if char not in tuple("iIlLqQ"):
        raise ValueError(f"{char!r:.80} is no type of integer")
    return array.astype(char)[()]


def _take_objects_apart(array: Any) -> dict[str, Any]:
    if array.dtype != object or array.dtype.metadata:
        raise Inexact(f"a NumPy array of {array.dtype} holds Python objects in fields")
    flags = array.flags
    order = "F" if flags.f_contiguous and not flags.c_contiguous else "C"
    items = array.ravel(order=order).tolist()
    return {"shape": list(array.shape), "order": order, "items": items}


def _put_objects_together(parts: dict[str, Any]) -> Any:
    numpy = _import_numpy()
    shape, items = parts["shape"], parts["items"]
    if math.prod(shape) != len(items):
        raise ValueError(f"{len(items)} objects do not fill the shape {shape!r:.80}")
    flat = numpy.fromiter(items, dtype=object, count=len(items))
    return flat.reshape(shape, order=parts["order"])


def _take_masked_apart(masked: Any) -> dict[str, Any]:
    import numpy

    if masked.baseclass is not numpy.ndarray:
        raise Inexact(f"the masked array is made over {masked.baseclass.__name__}")
    mask = masked.mask
    fill_value = getattr(masked, "_fill_value", None)
    return {
        "data": masked.data,
        "mask": None if mask is numpy.ma.nomask else numpy.asarray(mask),
        "fill_value": None if fill_value is None else numpy.asarray(fill_value),
        "hard": bool(masked.hardmask),
    }


def _put_masked_together(parts: dict[str, Any]) -> Any:
    numpy = _import_numpy()
    data, mask, fill_value = parts["data"], parts["mask"], parts["fill_value"]
    if mask is not None and mask.shape != data.shape:
        raise ValueError("a masked array and its mask differ in shape")
    return numpy.ma.MaskedArray(
        data,
        mask=numpy.ma.nomask if mask is None else mask,
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
    otherwise=otherwise,
    weigh=_weigh,
    holds_nan=holds_nan,
    describe=_describe,
    as_table=_as_table,
    as_array=_as_array,
)
