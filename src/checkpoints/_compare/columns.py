"""Columns of pandas, Polars and Arrow, each a vector of cells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from checkpoints._compare.dtypes import dtype_name
from checkpoints._compare.nulls import NAN, NONE
from checkpoints._compare.vectors import ArrayVector, Vector
from checkpoints._process.libraries import imported

__all__ = ["Column", "arrow_column", "pandas_column", "polars_column"]

_NOT_OF_ARROW = {"Object", "Int128", "UInt128"}


class Column(NamedTuple):
    """
    A column of a table, or a level of its index.

    Args:
        name: Its name.
        title: Its name for people.
        dtype: The text of its dtype.
        vector: Returns its cells; given places, only those of these rows.
        arrow: Returns its values as an Arrow array.
        categories: The values that it may have, if these are listed.
        steps: From where to where its values go by which step, if they do.
        at: Returns the label of a row, for a level of an index.
    """

    name: Any
    title: str
    dtype: str
    vector: Callable[[Any], Vector]
    arrow: Callable[[], Any]
    categories: Any = None
    steps: tuple[int, int, int] | None = None
    at: Callable[[int], Any] | None = None


def pandas_column(name: Any, title: str, values: Any) -> Column:
    """Return the column of a series, or of an index, of pandas."""

    def vector(places: Any) -> Vector:
        return _pandas_vector(values) if places is None else _taken(values, places)

    def arrow() -> Any:
        return imported("pyarrow").array(values, from_pandas=True)

    categories = getattr(values.dtype, "categories", None)
    is_range = type(values).__name__ == "RangeIndex"
    steps = (values.start, values.stop, values.step) if is_range else None
    at = None if hasattr(values, "iloc") else values.__getitem__
    return Column(name, title, str(values.dtype), vector, arrow, categories, steps, at)


def polars_column(name: Any, title: str, series: Any) -> Column:
    def vector(places: Any) -> Vector:
        values = series if places is None else series.gather(places)
        if str(values.dtype) in _NOT_OF_ARROW:
            return _ListVector(values)
        return _ArrowVector(values.to_arrow())

    return Column(name, title, str(series.dtype), vector, series.to_arrow)


def arrow_column(name: Any, title: str, array: Any) -> Column:
    def vector(places: Any) -> Vector:
        return _ArrowVector(array if places is None else array.take(places))

    return Column(name, title, str(array.type), vector, lambda: array)


class _ArrowVector:
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


def _pandas_vector(values: Any) -> Vector:
    """Return the vector of a series, an index or an array of pandas."""
    numpy = imported("numpy")
    if isinstance(values.dtype, numpy.dtype):
        return _of_numpy(numpy.asarray(values))
    array = getattr(values, "array", values)
    dtype = array.dtype
    if getattr(dtype, "tz", None) is not None and hasattr(array, "tz_convert"):
        moments = numpy.asarray(array.tz_convert(None))
        return ArrayVector(moments, dtype_name(str(dtype)))
    is_arrow = hasattr(dtype, "pyarrow_dtype")
    if is_arrow or (_holds_texts(dtype) and not hasattr(dtype, "categories")):
        return _ArrowVector(imported("pyarrow").array(array))
    for trait, kind in _BY_TRAIT.items():
        if hasattr(dtype, trait):
            return kind(array)
    return _ObjectVector(array)


def _holds_texts(dtype: Any) -> bool:
    return dtype_name(str(dtype)) == "text"


def _taken(values: Any, places: Any) -> Vector:
    numpy = imported("numpy")
    if not isinstance(values.dtype, numpy.dtype):
        return _pandas_vector(values.array.take(places))
    array = numpy.asarray(values)
    if array.dtype.kind == "O":
        return _ObjectVector(array[places])
    return _TakenVector(array, places)


class _TakenVector:
    """Some of the cells of an array."""

    def __init__(self, array: Any, places: Any) -> None:
        self._array, self._places = array, places
        self.dtype = dtype_name(str(array.dtype))
        self.length = len(places)

    def chunk(self, start: int, stop: int) -> tuple[Any, Any]:
        """Return an array of cells, and a mask of its nulls or None."""
        cells = ArrayVector(self._array[self._places[start:stop]])
        return cells.chunk(0, stop - start)


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


class _ListVector:
    """The cells of a series of Polars that Arrow has no type for."""

    def __init__(self, series: Any) -> None:
        self._series = series
        self.dtype = dtype_name(str(series.dtype))
        self.length = len(series)

    def chunk(self, start: int, stop: int) -> tuple[Any, Any]:
        """Return an array of cells, and a mask of its nulls or None."""
        cells = imported("numpy").empty(stop - start, object)
        cells[:] = self._series.slice(start, stop - start).to_list()
        return cells, None


class _SparseVector:
    """The cells of a sparse array, those that it does not store too."""

    def __init__(self, array: Any) -> None:
        self._array = array
        self.dtype = dtype_name(str(array.dtype.subtype))
        self.length = len(array)

    def chunk(self, start: int, stop: int) -> tuple[Any, Any]:
        """Return an array of cells, and a mask of its nulls or None."""
        cells = imported("numpy").asarray(self._array[start:stop])
        return cells, None


class _CategoryVector:
    """The cells of a categorical, by the values of their categories."""

    def __init__(self, array: Any) -> None:
        self._array = array
        self._inner = _pandas_vector(array.categories)
        self.dtype = self._inner.dtype
        self.length = len(array)

    def chunk(self, start: int, stop: int) -> tuple[Any, Any]:
        """Return an array of cells, and a mask of its nulls or None."""
        codes = self._array.codes[start:stop]
        nulls = codes < 0
        if not self._inner.length:
            return codes, nulls
        taken = self._array.categories.take(codes.clip(0))
        return _pandas_vector(taken).chunk(0, len(codes))[0], (
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
            if not cells.null_count:
                return cells, None
            numpy = imported("numpy")
            sorts = cells.is_null().to_numpy(zero_copy_only=False).view("u1")
            # A NaN among texts is no None, and Arrow makes nulls of both.
            nulls = numpy.asarray(part)[sorts != 0]
            known = [_sort_of_null(cell) for cell in nulls]
            if all(known):
                sorts[sorts != 0] = known
                return cells, sorts
        return imported("numpy").asarray(part, dtype=object), None


def _sort_of_null(cell: Any) -> int:
    """Return the sort of a null among texts, 0 of one that pandas alone has."""
    if cell is None:
        return NONE
    return NAN if isinstance(cell, float) else 0


# Of the dtypes of pandas.
_BY_TRAIT: dict[str, Callable[[Any], Vector]] = {
    "categories": _CategoryVector,
    "fill_value": _SparseVector,
    "numpy_dtype": _MaskedVector,
}
