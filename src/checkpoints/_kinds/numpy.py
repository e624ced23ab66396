"""NumPy: arrays and scalars; the family of all its kinds."""

from __future__ import annotations

import copy
import datetime
import re
import sys
from collections.abc import Iterable
from typing import Any

from checkpoints._kinds import generators, masked
from checkpoints._kinds.columns import Statistics, columns_of, short
from checkpoints._kinds.dtypes import DTYPE, is_same_dtype
from checkpoints._kinds.elements import elements_of
from checkpoints._kinds.kind import Compound, Family, Format, Inexact, Kind
from checkpoints._kinds.npy import (
    decode_array,
    encode_array,
    freeze_array,
    repeated_axes,
    weight_of_array,
    without_repeats,
)
from checkpoints._kinds.numpy_content import content_of
from checkpoints._kinds.object_arrays import OBJECT_ARRAY
from checkpoints._kinds.spread import ask_for_objects
from checkpoints._process.libraries import needed

__all__ = ["FAMILY", "fallback", "holds_nan", "recognise"]

# Python's numbers hold NumPy's exactly up to this many bytes.
_MAX_PLAIN_BYTES = 8
# How `numpy.matrix` notes that it is being indexed.
_INTERNAL = {"_getitem"}
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
    if issubclass(cls, numpy.generic):
        return _SCALAR if cls.__module__ in ("numpy", "numpy.rec") else None
    if issubclass(cls, numpy.dtype):
        return DTYPE
    own = {numpy.recarray: _RECARRAY, numpy.matrix: _MATRIX}.get(cls)
    return own or masked.recognise(cls) or generators.recognise(cls)


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
    return OBJECT_ARRAY if recognise(cls) is _ARRAY else None


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
    import numpy

    if not isinstance(value, numpy.ndarray):
        return None
    # What a copy takes: a view counts as itself, and what is repeated once.
    own = without_repeats(value, repeated_axes(value))
    inside = own.ravel().tolist() if own.dtype.hasobject else ()
    if isinstance(value, _masked_class()):
        return own.nbytes, [numpy.ma.getmask(value), *inside]
    return own.nbytes, inside


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
        if value.dtype.hasobject:
            ask_for_objects(value.tolist())
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


def _take_scalar_apart(scalar: Any) -> dict[str, Any]:
    import numpy

    dtype, kind = scalar.dtype, scalar.dtype.kind
    is_own = numpy.dtype(dtype.str).type is type(scalar)
    if is_own and kind in "biuf" and dtype.itemsize <= _MAX_PLAIN_BYTES:
        value = scalar.item()
        # JSON has one NaN; the array has its sign and payload too.
        if value == value:  # noqa: PLR0124 - only NaN differs from itself
            return {"dtype": dtype.str, "value": value}
    array = numpy.asarray(scalar)
    # NumPy's arrays drop the NUL characters at the end of a text.
    if kind in "SU" and array[()] != scalar:
        return {"text": "".join(scalar) if kind == "U" else bytes(scalar)}
    is_same = kind in "SU" or is_same_dtype(array.dtype, dtype)
    if not is_same or type(array[()]) is not type(scalar):
        raise Inexact(f"an array of {type(scalar).__name__} is of {array.dtype!r}")
    return {"array": array}


def _put_scalar_together(parts: dict[str, Any]) -> Any:
    numpy = _import_numpy()
    if "value" in parts:
        if not _NUMBER.fullmatch(parts["dtype"]):
            raise ValueError(f"{parts['dtype']!r:.80} is not a number type")
        dtype = numpy.dtype(parts["dtype"])
        return dtype.type(parts["value"])
    if "text" in parts:
        text = parts["text"]
        return numpy.str_(text) if isinstance(text, str) else numpy.bytes_(text)
    array, char = parts["array"], parts.get("char")
    if char is None:
        return array[()]
    # Files of the first versions note C's integer types here.
    if char not in tuple("iIlLqQ"):
        raise ValueError(f"{char!r:.80} is not an integer type")
    return array.astype(char)[()]


def _freeze_scalar(scalar: Any) -> Any:
    # All others are immutable.
    return copy.deepcopy(scalar) if scalar.dtype.kind == "V" else scalar


def _subclass(name: str) -> Compound:
    """Return the kind of a subclass of arrays that adds nothing but methods."""

    def take_apart(value: Any) -> dict[str, Any]:
        import numpy

        array = numpy.asarray(value)
        view = put_together({"array": array})
        if not is_same_dtype(view.dtype, value.dtype):
            raise Inexact(f"a {name} of the dtype {value.dtype!r} would change")
        # An index can give a matrix three dimensions, which a view takes from it.
        if view.shape != value.shape:
            raise Inexact(f"a {name} of the shape {value.shape} would change")
        extra = vars(value).keys() - _INTERNAL
        if extra:
            raise Inexact(f"the {name} has attributes of its own: {sorted(extra)}")
        return {"array": array}

    def put_together(parts: dict[str, Any]) -> Any:
        numpy = _import_numpy()
        if type(parts["array"]) is not numpy.ndarray:
            raise TypeError(f"a {name} must be made of an array")
        return parts["array"].view(getattr(numpy, name))

    def freeze(value: Any) -> Any:
        frozen = freeze_array(value).view(type(value))
        if frozen.shape != value.shape:
            raise Inexact(f"a {name} of the shape {value.shape} would change")
        vars(frozen).update(copy.deepcopy(vars(value)))
        return frozen

    return Compound(
        kind=f"numpy.{name}",
        take_apart=take_apart,
        put_together=put_together,
        package="numpy",
        freeze=freeze,
    )


_ARRAY = Format(
    kind="numpy.ndarray",
    suffix="npy",
    encode=encode_array,
    decode=decode_array,
    package="numpy",
    freeze=freeze_array,
    weight=weight_of_array,
)
_SCALAR = Compound(
    kind="numpy.scalar",
    take_apart=_take_scalar_apart,
    put_together=_put_scalar_together,
    package="numpy",
    freeze=_freeze_scalar,
)
_RECARRAY = _subclass("recarray")
_MATRIX = _subclass("matrix")

FAMILY = Family(
    packages=("numpy",),
    kinds=(
        _ARRAY,
        _SCALAR,
        OBJECT_ARRAY,
        _RECARRAY,
        _MATRIX,
        DTYPE,
        *masked.KINDS,
        *generators.KINDS,
    ),
    recognise=recognise,
    fallback=fallback,
    weigh=_weigh,
    holds_nan=holds_nan,
    describe=_describe,
    content=content_of,
    as_table=_as_table,
    as_array=_as_array,
)
