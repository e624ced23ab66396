"""
Strict comparison of two values, to the bit, independent of the library under test.

`difference(one, other)` returns a text that says where the two differ first, or an
empty one. It is stricter than the comparisons of the libraries: types, dtypes, byte
order, names, order of levels and categories, frequencies, time zones, flags,
attributes, chunks, the sign of zero and the bits of NaN count. What lies under a mask
or a null does not.
"""

from __future__ import annotations

import dataclasses
import datetime
import struct
from collections.abc import Iterator
from typing import Any

__all__ = ["difference"]

_MAX_DEPTH = 50


def difference(one: Any, other: Any, where: str = "", depth: int = 0) -> str:
    """Return where two values differ first; an empty text if they do not."""
    if type(one) is not type(other):
        return f"{where}: type {type(one).__name__} became {type(other).__name__}"
    if one is other or depth > _MAX_DEPTH:
        return ""
    traits = _traits(one, other)
    if traits is None:
        same = _is_same_scalar(one, other)
        return "" if same else f"{where}: {one!r:.200} became {other!r:.200}"
    for name, left, right in traits:
        found = difference(left, right, f"{where}.{name}", depth + 1)
        if found:
            return found
    return ""


def _traits(one: Any, other: Any) -> Iterator[tuple[str, Any, Any]] | None:
    """Return what two values of one type consist of; None if they are scalars."""
    for classes, traits in _BY_CLASS:
        if isinstance(one, classes()):
            return traits(one, other)
    if isinstance(one, (dict, list, tuple, set, frozenset)):
        return _collections(one, other)
    if dataclasses.is_dataclass(one) and not isinstance(one, type):
        return iter([("fields", dict(vars(one)), dict(vars(other)))])
    return None


def _collections(one: Any, other: Any) -> Iterator[tuple[str, Any, Any]]:
    yield "length", len(one), len(other)
    if isinstance(one, dict):
        yield "keys", list(map(_token, one)), list(map(_token, other))
        for key in one:
            yield f"[{key!r}]", one[key], other[key]
    elif isinstance(one, (set, frozenset)):
        yield "items", sorted(map(_token, one)), sorted(map(_token, other))
    else:
        for at, pair in enumerate(zip(one, other, strict=False)):
            yield f"[{at}]", *pair


class _Token(str):
    """A text that is compared as such."""

    __slots__ = ()


def _token(value: object) -> _Token:
    return _Token(f"{type(value).__name__} {value!r}")


def _is_same_scalar(one: Any, other: Any) -> bool:
    if isinstance(one, _Token):
        return str(one) == str(other)
    if isinstance(one, (float, complex)):
        return _bits(one) == _bits(other)
    if isinstance(one, (datetime.datetime, datetime.time)):
        return _moment(one) == _moment(other)
    try:
        return bool(one == other) or repr(one) == repr(other)
    except Exception:
        return repr(one) == repr(other)


def _bits(number: complex) -> bytes:
    return struct.pack("<2d", number.real, number.imag)


def _moment(value: Any) -> tuple[Any, ...]:
    zone = value.tzinfo
    return value.isoformat(), value.fold, type(zone), str(zone)


# NumPy


def _arrays(one: Any, other: Any) -> Iterator[tuple[str, Any, Any]]:
    yield from _dtypes("dtype", one.dtype, other.dtype)
    yield "shape", one.shape, other.shape
    if one.shape != other.shape:
        return
    if one.dtype.hasobject:
        yield "items", one.ravel().tolist(), other.ravel().tolist()
    elif one.dtype.names:
        # What lies between the fields is not content.
        for name in one.dtype.names:
            yield name, one[name], other[name]
    elif one.dtype.char == "T":
        yield "items", list(map(str, one.ravel())), list(map(str, other.ravel()))
    else:
        yield "bytes", one.tobytes(), other.tobytes()


def _dtypes(name: str, one: Any, other: Any) -> Iterator[tuple[str, Any, Any]]:
    yield name, _token(one), _token(other)
    yield f"{name}.str", _token(one.str), _token(other.str)
    yield f"{name}.metadata", dict(one.metadata or {}), dict(other.metadata or {})
    yield f"{name}.fields", _token(one.fields), _token(other.fields)
    yield f"{name}.align", one.isalignedstruct, other.isalignedstruct


def _masked(one: Any, other: Any) -> Iterator[tuple[str, Any, Any]]:
    import numpy

    masks = [numpy.ma.getmaskarray(value) for value in (one, other)]
    yield "mask", masks[0], masks[1]
    yield "nomask", one.mask is numpy.ma.nomask, other.mask is numpy.ma.nomask
    yield "hard", one.hardmask, other.hardmask
    yield "fill", _token(one.fill_value), _token(other.fill_value)
    yield from _dtypes("dtype", one.dtype, other.dtype)
    yield "shape", one.shape, other.shape
    if not one.dtype.names:
        yield (
            "data",
            numpy.asarray(one.data)[~masks[0]],
            numpy.asarray(other.data)[~masks[1]],
        )
    else:
        yield "data", _token(one.tolist()), _token(other.tolist())


def _numpy_scalars(one: Any, other: Any) -> Iterator[tuple[str, Any, Any]]:
    import numpy

    yield from _arrays(numpy.asarray(one), numpy.asarray(other))


# pandas


def _frames(one: Any, other: Any) -> Iterator[tuple[str, Any, Any]]:
    yield "columns", one.columns, other.columns
    yield "index", one.index, other.index
    yield from _extras(one, other)
    for at in range(min(one.shape[1], other.shape[1])):
        yield f"column {at}", one.iloc[:, at].array, other.iloc[:, at].array


def _series(one: Any, other: Any) -> Iterator[tuple[str, Any, Any]]:
    yield "name", one.name, other.name
    yield "index", one.index, other.index
    yield from _extras(one, other)
    yield "array", one.array, other.array


def _extras(one: Any, other: Any) -> Iterator[tuple[str, Any, Any]]:
    yield "attrs", dict(one.attrs), dict(other.attrs)
    flags = [value.flags.allows_duplicate_labels for value in (one, other)]
    yield "flags", *flags


def _indexes(one: Any, other: Any) -> Iterator[tuple[str, Any, Any]]:
    yield "names", list(one.names), list(other.names)
    yield "length", len(one), len(other)
    yield "freq", getattr(one, "freq", None), getattr(other, "freq", None)
    if hasattr(one, "levels"):
        yield "levels", list(one.levels), list(other.levels)
        yield "codes", list(one.codes), list(other.codes)
    elif not hasattr(one, "step"):
        yield "array", one.array, other.array
    else:
        yield (
            "range",
            [one.start, one.stop, one.step],
            [other.start, other.stop, other.step],
        )


def _extension_arrays(one: Any, other: Any) -> Iterator[tuple[str, Any, Any]]:
    import numpy

    yield "dtype", _pandas_dtype(one.dtype), _pandas_dtype(other.dtype)
    yield "length", len(one), len(other)
    if hasattr(one, "codes"):
        yield "categories", one.categories, other.categories
        yield "codes", one.codes, other.codes
    elif hasattr(one, "sp_values"):
        yield "sparse", one.sp_values, other.sp_values
        yield "kind", one.kind, other.kind
        yield "places", *(each.sp_index.to_int_index().indices for each in (one, other))
    elif hasattr(one, "_mask"):
        yield "mask", one._mask, other._mask
        yield "data", one._data[~one._mask], other._data[~other._mask]
    elif hasattr(one, "asi8"):
        yield "values", one.asi8, other.asi8
    elif hasattr(one, "closed"):
        yield "left", one.left, other.left
        yield "right", one.right, other.right
    elif isinstance(one.dtype, numpy.dtype) or hasattr(one.dtype, "numpy_dtype"):
        yield "values", one.to_numpy(), other.to_numpy()
    else:
        yield "items", list(one), list(other)


def _pandas_dtype(dtype: Any) -> list[Any]:
    zone = getattr(dtype, "tz", None)
    fill = getattr(dtype, "fill_value", None)
    return [
        _token(dtype),
        _token(type(dtype)),
        _token(getattr(dtype, "storage", None)),
        _token(getattr(dtype, "na_value", None)),
        _token(type(zone)),
        _token(zone),
        _token(fill),
        _token(getattr(dtype, "byteorder", None)),
        _token(getattr(dtype, "ordered", None)),
    ]


def _timestamps(one: Any, other: Any) -> Iterator[tuple[str, Any, Any]]:
    for trait in (
        "value",
        "unit",
        "fold",
        "ordinal",
        "freqstr",
        "left",
        "right",
        "closed",
    ):
        if hasattr(one, trait):
            yield trait, _token(getattr(one, trait)), _token(getattr(other, trait))
    zones = getattr(one, "tzinfo", None), getattr(other, "tzinfo", None)
    yield "zone", _token((type(zones[0]), zones[0])), _token((type(zones[1]), zones[1]))


# Arrow, Polars, SciPy


def _arrow_tables(one: Any, other: Any) -> Iterator[tuple[str, Any, Any]]:
    same = one.schema.equals(other.schema, check_metadata=True)
    yield "schema", _Token("same"), _Token("same" if same else str(other.schema))
    yield "schema text", str(one.schema), str(other.schema)
    yield "rows", one.num_rows, other.num_rows
    for at in range(min(one.num_columns, other.num_columns)):
        yield f"column {at}", one.column(at), other.column(at)


def _arrow_arrays(one: Any, other: Any) -> Iterator[tuple[str, Any, Any]]:
    yield "type", _Token(str(one.type)), _Token(str(other.type))
    yield "type equal", True, one.type.equals(other.type, check_metadata=True)
    if hasattr(one, "chunks"):
        yield "chunks", list(map(len, one.chunks)), list(map(len, other.chunks))
    if not one.equals(other):
        yield (
            "items",
            list(map(_token, one.to_pylist())),
            list(map(_token, other.to_pylist())),
        )


def _arrow_scalars(one: Any, other: Any) -> Iterator[tuple[str, Any, Any]]:
    yield "type", _Token(str(one.type)), _Token(str(other.type))
    yield "value", _token(one.as_py()), _token(other.as_py())


def _polars_frames(one: Any, other: Any) -> Iterator[tuple[str, Any, Any]]:
    yield (
        "schema",
        list(map(_token, one.schema.items())),
        list(map(_token, other.schema.items())),
    )
    yield "shape", one.shape, other.shape
    for left, right in zip(one.get_columns(), other.get_columns(), strict=False):
        yield left.name, left, right


def _polars_series(one: Any, other: Any) -> Iterator[tuple[str, Any, Any]]:
    yield "name", one.name, other.name
    yield "dtype", _token(one.dtype), _token(other.dtype)
    yield "items", list(map(_token, one.to_list())), list(map(_token, other.to_list()))


def _sparse(one: Any, other: Any) -> Iterator[tuple[str, Any, Any]]:
    yield "shape", one.shape, other.shape
    yield "format", one.format, other.format
    for trait in ("data", "indices", "indptr", "offsets", "rows"):
        if hasattr(one, trait) and not callable(getattr(one, trait)):
            yield trait, getattr(one, trait), getattr(other, trait)
    if one.format == "coo":
        yield "coords", list(_coords(one)), list(_coords(other))
        yield "canonical", one.has_canonical_format, other.has_canonical_format
    if one.format == "dok":
        yield (
            "items",
            sorted(map(_token, one.items())),
            sorted(map(_token, other.items())),
        )


def _coords(value: Any) -> Any:
    return value.coords if hasattr(value, "coords") else (value.row, value.col)


def _class(module: str, *names: str) -> Any:
    def found() -> tuple[type, ...]:
        import sys

        library = sys.modules.get(module)
        return tuple(getattr(library, name) for name in names if hasattr(library, name))

    return found


_BY_CLASS = [
    (_class("numpy.ma", "MaskedArray"), _masked),
    (_class("numpy", "ndarray"), _arrays),
    (_class("numpy", "generic"), _numpy_scalars),
    (_class("pandas", "DataFrame"), _frames),
    (_class("pandas", "Series"), _series),
    (_class("pandas", "Index"), _indexes),
    (_class("pandas.api.extensions", "ExtensionArray"), _extension_arrays),
    (_class("pandas", "Timestamp", "Timedelta", "Period", "Interval"), _timestamps),
    (_class("pyarrow", "Table", "RecordBatch"), _arrow_tables),
    (_class("pyarrow", "Array", "ChunkedArray"), _arrow_arrays),
    (_class("pyarrow", "Scalar"), _arrow_scalars),
    (_class("polars", "DataFrame"), _polars_frames),
    (_class("polars", "Series"), _polars_series),
    (_class("scipy.sparse", "spmatrix", "sparray"), _sparse),
]
