"""What values of pandas consist of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tests.corpora.leaf import Leaf

__all__ = ["parts"]

Parts = Iterator[tuple[str, Any]]


def parts(value: Any) -> Parts | None:
    """Return the parts of a value of pandas, None for other values."""
    import pandas

    for classes, found in _kinds(pandas):
        if isinstance(value, classes):
            return found(value)
    return None


def _kinds(pandas: Any) -> list[tuple[Any, Callable[[Any], Parts | None]]]:
    return [
        (pandas.DataFrame, _of_frame),
        (pandas.Series, _of_series),
        (pandas.MultiIndex, _of_multi_index),
        (pandas.RangeIndex, _of_range_index),
        (pandas.Index, _of_index),
        (pandas.api.extensions.ExtensionArray, _of_array),
        (pandas.api.extensions.ExtensionDtype, _of_dtype),
        (pandas.offsets.BaseOffset, _of_offset),
        ((pandas.Timestamp, pandas.Timedelta), _of_moment),
        (pandas.Period, lambda it: _named(it, "ordinal", "freq")),
        (pandas.Interval, lambda it: _named(it, "left", "right", "closed")),
    ]


def _named(value: Any, *names: str) -> Parts:
    for name in names:
        yield f".{name}", getattr(value, name)


def _of_frame(value: Any) -> Parts:
    yield ".columns", value.columns
    yield ".index", value.index
    yield from _of_any(value)
    for at in range(value.shape[1]):
        yield f".iloc[:, {at}]", value.iloc[:, at].array


def _of_series(value: Any) -> Parts:
    yield ".name", value.name
    yield ".index", value.index
    yield from _of_any(value)
    yield ".array", value.array


def _of_any(value: Any) -> Parts:
    yield ".attrs", dict(value.attrs)
    yield ".flags", value.flags.allows_duplicate_labels
    for name in type(value)._metadata:
        if name not in ("name", "_name"):
            yield f".{name}", getattr(value, name, None)


def _of_index(value: Any) -> Parts:
    yield ".name", value.name
    yield ".freq", getattr(value, "freq", None)
    yield ".array", value.array


def _of_range_index(value: Any) -> Parts:
    yield from _named(value, "name", "start", "stop", "step")


def _of_multi_index(value: Any) -> Parts:
    yield ".names", list(value.names)
    yield ".levels", list(value.levels)
    yield ".codes", list(value.codes)
    yield ".sortorder", value.sortorder


def _of_array(value: Any) -> Parts | None:
    for names, found in _ARRAYS:
        if all(hasattr(value, name) for name in names):
            return found(value)
    return None


def _of_masked(value: Any) -> Parts:
    yield ".dtype", value.dtype
    yield ".mask", value._mask
    yield ".data", value._data[~value._mask]


def _of_categorical(value: Any) -> Parts:
    yield from _named(value, "dtype", "codes")


def _of_sparse(value: Any) -> Parts:
    yield from _named(value, "dtype", "kind", "sp_values")
    index = value.sp_index
    yield ".sp_index", Leaf((type(index).__name__, index.length))
    yield ".places", index.indices if value.kind == "integer" else index.blocs
    yield ".lengths", None if value.kind == "integer" else index.blengths


def _of_interval(value: Any) -> Parts:
    yield from _named(value, "dtype", "closed", "left", "right")


def _of_arrow(value: Any) -> Parts:
    yield ".dtype", value.dtype
    # pandas joins the chunks itself, as when it pickles.
    yield ".arrow", value._pa_array.combine_chunks()


def _of_moments(value: Any) -> Parts:
    yield ".dtype", value.dtype
    yield ".freq", getattr(value, "freq", None)
    yield ".values", value.asi8


def _of_numpy(value: Any) -> Parts:
    yield ".dtype", value.dtype
    yield ".values", value._ndarray


# By what an array has, from the most particular.
_ARRAYS: list[tuple[tuple[str, ...], Callable[[Any], Parts]]] = [
    (("_mask", "_data"), _of_masked),
    (("categories", "codes"), _of_categorical),
    (("sp_values", "sp_index"), _of_sparse),
    (("left", "right", "closed"), _of_interval),
    (("_pa_array",), _of_arrow),
    (("asi8",), _of_moments),
    (("_ndarray",), _of_numpy),
]


def _of_dtype(value: Any) -> Parts:
    yield "", Leaf(str(value))
    for name in ("categories", "ordered", "unit", "tz", "freq", "subtype", "closed"):
        if hasattr(value, name):
            yield f".{name}", getattr(value, name)
    for name in ("fill_value", "storage", "na_value", "pyarrow_dtype"):
        if hasattr(value, name):
            yield f".{name}", getattr(value, name)


def _of_offset(value: Any) -> Parts:
    yield from _named(value, "n", "normalize")
    yield ".kwds", dict(value.kwds)


def _of_moment(value: Any) -> Parts:
    yield "", Leaf(value._value)
    yield from _named(value, "unit")
    if hasattr(value, "fold"):
        yield from _named(value, "fold", "tz")
