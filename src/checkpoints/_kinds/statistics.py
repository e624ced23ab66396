"""
What can be said of data in a few numbers: type, shape, extremes, mean, what is missing.

Extremes and means are those of the finite numbers; the others are counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from checkpoints._text import text_of

__all__ = ["reason", "statistics_of"]

Statistics = dict[str, Any]

# What is shown of a text, such as the name of a column or the message of an error.
_LONGEST = 120
# So many objects are looked at; more would take time and say little else.
_MOST_OBJECTS = 10_000
_MOST_TYPES = 5


def statistics_of(value: Any, most: int) -> Statistics | None:
    """
    Describe a value of a data library.

    Args:
        value: Any value.
        most: How many columns of a table may be described; `more` has the number of
            those that are left.

    Returns:
        What can be said of it, in plain values; None where the library is not known.

    Raises:
        Exception: Whatever the library raises.

    >>> import numpy
    >>> statistics_of(numpy.array([1.0, 3.0, numpy.nan]), 10)["mean"]
    2.0
    """
    for kind in type(value).__mro__:
        package = str(kind.__module__).partition(".")[0]
        if package in _WITH_COLUMNS:
            return _WITH_COLUMNS[package](value, most)
        if package in _WITHOUT:
            return _WITHOUT[package](value)
    return None


def reason(error: Exception) -> str:
    """Return in short why something could not be said."""
    return f"{type(error).__name__}: {text_of(error)}"[:_LONGEST]


def _of_numpy(value: Any, most: int) -> Statistics | None:
    import numpy

    if not isinstance(value, (numpy.ndarray, numpy.generic)):
        return None
    array: Any = numpy.asarray(value)
    found: Statistics = {
        "dtype": str(array.dtype)[:_LONGEST],
        "shape": list(array.shape),
    }
    if isinstance(value, numpy.ma.MaskedArray):
        array = numpy.ma.MaskedArray(array, numpy.ma.getmaskarray(value))
    if not array.dtype.names:
        return found | _of_array(array)
    columns = ((name, array[name]) for name in array.dtype.names)
    return found | _of_columns(columns, len(array.dtype.names), most, _of_array)


def _of_array(array: Any) -> Statistics:
    import numpy

    if not isinstance(array, numpy.ma.MaskedArray) or array.dtype.names:
        return _of_numbers(array)
    mask = numpy.ma.getmaskarray(array)
    masked = {"masked": int(numpy.count_nonzero(mask))}
    return masked | _of_numbers(numpy.asarray(array)[~mask])


def _of_numbers(array: Any) -> Statistics:
    import numpy

    kind = array.dtype.kind
    if kind == "b":
        return {"true": int(numpy.count_nonzero(array))}
    if kind == "O":
        return _of_objects(array.flat, array.size)
    if kind in "mM":
        known = array[~numpy.isnat(array)]
        return {**_extremes(known), "missing": int(array.size - known.size)}
    if kind in "iu":
        mean = float(numpy.mean(array, dtype="float64")) if array.size else None
        return {**_extremes(array), "mean": mean}
    return _of_floats(array) if kind in "fc" else {}


def _of_floats(array: Any) -> Statistics:
    import numpy

    with numpy.errstate(all="ignore"):
        finite = numpy.isfinite(array)
        nan = int(numpy.count_nonzero(numpy.isnan(array)))
        count = int(numpy.count_nonzero(finite))
        numbers = {"nan": nan, "inf": int(array.size) - count - nan}
        # A mask takes an eighth of the array, or a quarter; a copy all of it.
        where = True if count == array.size else finite
        wide = numpy.result_type(array.dtype, "float64")
        mean = array.mean(dtype=wide, where=where) if count else None
        if array.dtype.kind == "c":
            return {"mean": None if mean is None else complex(mean), **numbers}
        if mean is None:
            return {"min": None, "max": None, "mean": None, **numbers}
        low = float(array.min(where=where, initial=numpy.inf))
        high = float(array.max(where=where, initial=-numpy.inf))
    return {"min": low, "max": high, "mean": float(mean), **numbers}


def _extremes(array: Any) -> Statistics:
    if not array.size:
        return {"min": None, "max": None}
    return {"min": _plain(array.min()), "max": _plain(array.max())}


def _of_objects(items: Iterable[Any], count: int) -> Statistics:
    types = Counter(type(item).__name__ for item in islice(items, _MOST_OBJECTS))
    found: Statistics = {"types": dict(types.most_common(_MOST_TYPES))}
    if count > _MOST_OBJECTS:
        found["looked_at"] = _MOST_OBJECTS
    return found


def _of_columns(
    columns: Iterable[tuple[Any, Any]],
    count: int,
    most: int,
    described: Callable[[Any], Statistics],
) -> Statistics:
    found = []
    for name, column in islice(columns, most):
        one: Statistics = {"name": str(name)[:_LONGEST]}
        try:
            one["dtype"] = str(getattr(column, "dtype", None) or column.type)[:_LONGEST]
            one.update(described(column))
        except Exception as error:  # noqa: BLE001 - the other columns can be described
            one["why"] = reason(error)
        found.append(one)
    more = {"more": count - len(found)} if count > len(found) else {}
    return {"columns": found, **more}


def _of_pandas(value: Any, most: int) -> Statistics | None:
    import pandas

    if isinstance(value, pandas.DataFrame):
        columns = ((value.columns[at], value.iloc[:, at]) for at in range(most))
        width = value.shape[1]
        described = _of_columns(islice(columns, width), width, most, _of_series)
        return {"shape": list(value.shape), **described}
    if isinstance(value, pandas.MultiIndex):
        return {"shape": [len(value)], "levels": value.nlevels}
    if isinstance(value, pandas.api.extensions.ExtensionArray):
        value = pandas.Series(value)
    if not isinstance(value, (pandas.Series, pandas.Index)):
        return None
    shape = {"dtype": str(value.dtype)[:_LONGEST], "shape": [len(value)]}
    return shape | _of_series(value)


def _of_series(column: Any) -> Statistics:
    import numpy
    from pandas.api import types

    dtype = column.dtype
    if isinstance(dtype, numpy.dtype):
        return _of_numbers(column.to_numpy())
    known = column.dropna()
    missing = {"missing": len(column) - len(known)}
    if hasattr(dtype, "categories"):
        return {"categories": len(dtype.categories), **missing}
    if types.is_bool_dtype(dtype):
        return {"true": int(known.sum()), **missing}
    if types.is_float_dtype(dtype):
        return _of_floats(known.to_numpy(dtype="float64")) | missing
    if types.is_numeric_dtype(dtype):
        mean = float(known.mean()) if len(known) else None
        return {**_extremes(known), "mean": mean, **missing}
    is_moment = types.is_datetime64_any_dtype(dtype)
    return {**_extremes(known), **missing} if is_moment else dict(missing)


def _of_polars(value: Any, most: int) -> Statistics | None:
    import polars

    if isinstance(value, polars.DataFrame):
        width = value.width
        columns = ((column.name, column) for column in value.iter_columns())
        described = _of_columns(columns, width, most, _of_polars_series)
        return {"shape": list(value.shape), **described}
    if not isinstance(value, polars.Series):
        return None
    shape = {"dtype": str(value.dtype)[:_LONGEST], "shape": [len(value)]}
    return shape | _of_polars_series(value)


def _of_polars_series(column: Any) -> Statistics:
    found: Statistics = {"missing": column.null_count()}
    dtype = column.dtype
    if str(dtype) == "Boolean":
        return {"true": int(column.sum() or 0), **found}
    if dtype.is_float():
        known = column.filter(column.is_finite())
        found["nan"] = int(column.is_nan().sum() or 0)
        found["inf"] = int(column.is_infinite().sum() or 0)
        column = known
    elif not (dtype.is_numeric() or dtype.is_temporal()):
        return found
    mean = {"mean": _plain(column.mean())} if dtype.is_numeric() else {}
    return {"min": _plain(column.min()), "max": _plain(column.max()), **mean, **found}


def _of_arrow(value: Any, most: int) -> Statistics | None:
    import pyarrow

    if isinstance(value, (pyarrow.Table, pyarrow.RecordBatch)):
        columns = zip(value.schema.names, value.columns, strict=True)
        described = _of_columns(columns, value.num_columns, most, _of_arrow_array)
        return {"shape": [value.num_rows, value.num_columns], **described}
    if not isinstance(value, (pyarrow.Array, pyarrow.ChunkedArray)):
        return None
    shape = {"dtype": str(value.type)[:_LONGEST], "shape": [len(value)]}
    return shape | _of_arrow_array(value)


def _of_arrow_array(column: Any) -> Statistics:
    from pyarrow import compute as functions
    from pyarrow import types

    # They are made when the module is loaded, so no type checker knows of them.
    compute: Any = functions
    found: Statistics = {"missing": column.null_count}
    kind = column.type
    if types.is_boolean(kind):
        return {"true": compute.sum(column).as_py() or 0, **found}
    is_number = types.is_integer(kind) or types.is_decimal(kind)
    if types.is_floating(kind):
        is_number = True
        nan, finite = compute.is_nan(column), compute.is_finite(column)
        found["nan"] = compute.sum(nan).as_py() or 0
        known = column.filter(finite)
        found["inf"] = len(column) - found["missing"] - found["nan"] - len(known)
        column = known
    elif not (is_number or types.is_temporal(kind)):
        return found
    extremes = compute.min_max(column)
    low, high = _plain(extremes["min"].as_py()), _plain(extremes["max"].as_py())
    mean = {"mean": _plain(compute.mean(column).as_py())} if is_number else {}
    return {"min": low, "max": high, **mean, **found}


def _of_scipy(value: Any) -> Statistics | None:
    if not hasattr(value, "tocoo"):
        return None
    stored = value.tocoo().data
    shape = {"dtype": str(value.dtype), "shape": list(value.shape)}
    return {**shape, "stored": len(stored), **_of_numbers(stored)}


def _of_torch(value: Any) -> Statistics | None:
    if not hasattr(value, "detach"):
        return None
    dtype = str(value.dtype).removeprefix("torch.")
    found = {"dtype": dtype, "shape": list(value.shape), "device": str(value.device)}
    if str(value.layout) != "torch.strided":
        return found
    value = value.detach().cpu().resolve_conj().resolve_neg()
    try:
        array = value.numpy()
    except TypeError:  # a type that NumPy has not, such as bfloat16
        array = value.float().numpy()
    return found | _of_numbers(array)


def _of_jax(value: Any) -> Statistics | None:
    import numpy

    if not hasattr(value, "__array__"):
        return None
    array = numpy.asarray(value)
    if array.dtype.kind == "V" and "float" in array.dtype.name:
        array = array.astype("float32")
    shape = {"dtype": str(value.dtype), "shape": list(value.shape)}
    return shape | _of_numbers(array)


def _of_pillow(value: Any) -> Statistics | None:
    if not hasattr(value, "mode"):
        return None
    return {"mode": str(value.mode), "size": list(value.size)}


def _plain(value: Any) -> Any:
    """Return a number or a text that stands for what a library calls an extreme."""
    if value is None or type(value) in (bool, int, float):
        return value
    # What NumPy makes of a moment in nanoseconds is a plain number.
    is_moment = getattr(getattr(value, "dtype", None), "kind", "") in ("m", "M")
    item = value.item() if hasattr(value, "item") and not is_moment else value
    return item if type(item) in (bool, int, float) else str(value)[:_LONGEST]


# By the root package of a type: whoever has a value of it has imported it.
_WITH_COLUMNS: dict[str, Callable[[Any, int], Statistics | None]] = {
    "numpy": _of_numpy,
    "pandas": _of_pandas,
    "polars": _of_polars,
    "pyarrow": _of_arrow,
}
_WITHOUT: dict[str, Callable[[Any], Statistics | None]] = {
    "scipy": _of_scipy,
    "torch": _of_torch,
    "jax": _of_jax,
    "jaxlib": _of_jax,
    "PIL": _of_pillow,
}
