"""Columns and indexes of pandas as vectors of cells."""

from __future__ import annotations

from typing import Any

from checkpoints._compare.arrays import ArrayVector
from checkpoints._compare.arrow_vector import ArrowVector
from checkpoints._compare.dtypes import dtype_name
from checkpoints._compare.vectors import Vector
from checkpoints._process.libraries import imported

__all__ = ["pandas_vector"]


def pandas_vector(values: Any) -> Vector:
    """Return the vector of a series, an index or an array of pandas."""
    numpy = imported("numpy")
    if isinstance(values.dtype, numpy.dtype):
        return _of_numpy(numpy.asarray(values))
    array = getattr(values, "array", values)
    dtype = array.dtype
    if hasattr(dtype, "categories"):
        return _CategoryVector(array)
    if getattr(dtype, "tz", None) is not None and hasattr(array, "tz_convert"):
        moments = numpy.asarray(array.tz_convert(None))
        return ArrayVector(moments, dtype_name(str(dtype)))
    if hasattr(dtype, "numpy_dtype") and not hasattr(dtype, "pyarrow_dtype"):
        return _MaskedVector(array)
    if hasattr(dtype, "pyarrow_dtype") or dtype_name(str(dtype)) == "text":
        return ArrowVector(imported("pyarrow").array(array))
    return _ObjectVector(array)


def _of_numpy(array: Any) -> Vector:
    return _ObjectVector(array) if array.dtype.kind == "O" else ArrayVector(array)


class _MaskedVector:
    """The cells of an array with a mask, such as one of the dtype `Int64`."""

    def __init__(self, array: Any) -> None:
        self._array = array
        self.dtype = dtype_name(str(array.dtype))
        self.length = len(array)

    def chunk(self, start: int, stop: int) -> tuple[Any, Any]:
        """Return an array of cells, and a mask of its nulls or None."""
        part = self._array[start:stop]
        dtype = part.dtype.numpy_dtype
        nulls = part.isna()
        # What is no null may be NaN, which only some arrays tell apart.
        cells = part.to_numpy(dtype=dtype, na_value=dtype.type(0))
        return cells, nulls if nulls.any() else None


class _CategoryVector:
    """The cells of a categorical, by the values of their categories."""

    def __init__(self, array: Any) -> None:
        self._array = array
        self._inner = pandas_vector(array.categories)
        self.dtype = self._inner.dtype
        self.length = len(array)

    def chunk(self, start: int, stop: int) -> tuple[Any, Any]:
        """Return an array of cells, and a mask of its nulls or None."""
        codes = self._array.codes[start:stop]
        nulls = codes < 0
        if not self._inner.length:
            return codes, nulls
        taken = self._array.categories.take(codes.clip(0))
        return pandas_vector(taken).chunk(0, len(codes))[0], (
            nulls if nulls.any() else None
        )


class _ObjectVector:
    """The cells of a column of objects, texts perhaps."""

    def __init__(self, array: Any) -> None:
        self._array = array
        infer = imported("pandas").api.types.infer_dtype
        # Other extension arrays are converted to objects chunk by chunk.
        is_objects = getattr(array.dtype, "kind", "") == "O" and hasattr(array, "flags")
        self._is_text = is_objects and infer(array, skipna=True) == "string"
        self.dtype = "text" if self._is_text else dtype_name(str(array.dtype))
        self.length = len(array)

    def chunk(self, start: int, stop: int) -> tuple[Any, Any]:
        """Return an array of cells, and a mask of its nulls or None."""
        part = self._array[start:stop]
        if self._is_text:
            pyarrow = imported("pyarrow")
            cells = pyarrow.array(part, pyarrow.large_string(), from_pandas=True)
            nulls = cells.is_null().to_numpy(zero_copy_only=False)
            return cells, nulls if cells.null_count else None
        return imported("numpy").asarray(part, dtype=object), None
