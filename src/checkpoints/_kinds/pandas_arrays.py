"""The extension arrays of pandas, each as the arrays that it consists of."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

from checkpoints._kinds.arrow_memory import memory_of
from checkpoints._kinds.kind import Compound, Inexact
from checkpoints._kinds.pandas_zones import zone_from_parts, zone_to_parts
from checkpoints._process.budget import ask
from checkpoints._process.libraries import imported, needed

__all__ = [
    "ARRAY",
    "DTYPE",
    "ask_for_range",
    "dtype_of",
    "freq_from_text",
    "freq_to_text",
    "import_pandas",
    "is_array",
    "text_of",
]

Parts = dict[str, Any]

# Of times and intervals: what is made to check them, and what is made of them.
_COPIES = 2
_NUMBER = 8


class _Form(NamedTuple):
    """How arrays of a class are taken apart and put together."""

    take_apart: Callable[[Any], Parts]
    put_together: Callable[[Any, Parts], Any]


def import_pandas() -> Any:
    """Return pandas, for a value that is being loaded."""
    return needed("pandas", "loading a pandas value")


def is_array(cls: type) -> bool:
    """Tell whether values of exactly this class are kept as their arrays."""
    return cls.__name__ in _FORMS and cls.__module__.partition(".")[0] == "pandas"


def text_of(dtype: Any) -> str:
    """Return a dtype as text that also tells all string dtypes apart."""
    import pandas

    if not isinstance(dtype, pandas.StringDtype):
        return str(dtype)
    missing = "string" if dtype.na_value is pandas.NA else "str"
    return f"{missing}[{dtype.storage}]"


def dtype_of(text: str) -> Any:
    """
    Return the dtype of text: `object`, or one that `text_of` made of a string dtype.

    Raises:
        ValueError: If it is another one, or this version of pandas does not have it.
    """
    pandas: Any = import_pandas()
    name, _, storage = text.rstrip("]").partition("[")
    if text == "object":
        return object
    if name == "string" and storage in ("python", "pyarrow"):
        return pandas.StringDtype(storage)
    if name == "str" and storage in ("python", "pyarrow"):
        return pandas.StringDtype(storage, na_value=math.nan)
    raise ValueError(
        f"this version of pandas does not read the dtype {text!r:.80}: use another one"
    )


def freq_to_text(freq: Any) -> Any:
    """Return a frequency as text, or itself if that text does not mean the same."""
    import pandas

    if freq is None:
        return None
    text = str(freq.freqstr)
    try:
        found = pandas.tseries.frequencies.to_offset(text)
    except ValueError:
        return freq
    return text if type(found) is type(freq) and found == freq else freq


def freq_from_text(text: Any) -> Any:
    """Return the frequency of a text, and anything else as it is."""
    if not isinstance(text, str):
        return text
    return import_pandas().tseries.frequencies.to_offset(text)


def ask_for_range(values: Any) -> None:
    """Ask for the memory of the numbers of a range, which has none until then."""
    if type(values).__name__ == "RangeIndex":
        ask(_COPIES * _NUMBER * len(values))


def _take_apart(array: Any) -> Parts:
    name = type(array).__name__
    parts = {"type": name, **_FORMS[name].take_apart(array)}
    found = _put_together(parts)
    if type(found) is not type(array) or not _is_same_dtype(found.dtype, array.dtype):
        raise Inexact(f"pandas would change the dtype {array.dtype}")
    return parts


def _put_together(parts: Parts) -> Any:
    for part in parts.values():
        ask_for_range(part)
    form = _FORMS.get(parts["type"])
    if form is None:
        raise ValueError(f"{parts['type']!r:.80} is not a known array of pandas")
    return form.put_together(import_pandas(), parts)


def _is_same_dtype(one: Any, other: Any) -> bool:
    """Compare dtypes more strictly than pandas does."""
    zones = [getattr(dtype, "tz", None) for dtype in (one, other)]
    return (
        type(one) is type(other)
        and bool(one == other)
        and text_of(one) == text_of(other)
        and type(zones[0]) is type(zones[1])
    )


def _take_categorical(array: Any) -> Parts:
    return {
        "codes": array.codes,
        "categories": array.categories,
        "ordered": array.ordered,
    }


def _put_categorical(pandas: Any, parts: Parts) -> Any:
    dtype = pandas.CategoricalDtype(parts["categories"], ordered=parts["ordered"])
    return pandas.Categorical.from_codes(parts["codes"], dtype=dtype)


def _take_times(array: Any) -> Parts:
    return {
        "data": array.view("int64"),
        "unit": array.unit,
        "zone": zone_to_parts(getattr(array, "tz", None)),
        # From pandas 3 on, only an index has a frequency.
        "freq": freq_to_text(getattr(array, "freq", None)),
    }


def _put_times(pandas: Any, parts: Parts) -> Any:
    values = _of_unit(parts, "M")
    ask(_COPIES * values.nbytes)
    index = pandas.DatetimeIndex(values)
    zone = zone_from_parts(parts["zone"])
    if zone is not None:
        index = index.tz_localize("UTC").tz_convert(zone)
    # Checked against the values, so that a forged file cannot claim a wrong one.
    index.freq = freq_from_text(parts["freq"])
    # That of an index cannot be written to.
    return index.array.copy()


def _put_durations(pandas: Any, parts: Parts) -> Any:
    values = _of_unit(parts, "m")
    ask(_COPIES * values.nbytes)
    index = pandas.TimedeltaIndex(values)
    index.freq = freq_from_text(parts["freq"])
    # That of an index cannot be written to.
    return index.array.copy()


def _of_unit(parts: Parts, kind: str) -> Any:
    if parts["unit"] not in ("s", "ms", "us", "ns"):
        raise ValueError(f"{parts['unit']!r:.80} is not a unit of time")
    return parts["data"].view(f"{kind}8[{parts['unit']}]")


def _take_periods(array: Any) -> Parts:
    import pandas

    text = array.freqstr
    if pandas.PeriodDtype(text) != array.dtype:
        raise Inexact(f"the frequency {text!r} is not the one of its name")
    return {"ordinals": array.asi8, "freq": text}


def _put_periods(pandas: Any, parts: Parts) -> Any:
    return pandas.PeriodIndex.from_ordinals(parts["ordinals"], freq=parts["freq"]).array


def _take_intervals(array: Any) -> Parts:
    left, right = array.left.rename(None), array.right.rename(None)
    return {"left": left, "right": right, "closed": array.closed}


def _put_intervals(pandas: Any, parts: Parts) -> Any:
    ask(_COPIES * parts["left"].nbytes)
    return pandas.arrays.IntervalArray.from_arrays(
        parts["left"], parts["right"], closed=parts["closed"]
    )


def _take_sparse(array: Any) -> Parts:
    return {
        "values": array.sp_values,
        "indices": array.sp_index.to_int_index().indices,
        "length": len(array),
        "fill_value": array.fill_value,
        "kind": array.kind,
    }


def _put_sparse(pandas: Any, parts: Parts) -> Any:
    values, length, kind = parts["values"], parts["length"], parts["kind"]
    array = pandas.arrays.SparseArray
    dtype = pandas.SparseDtype(values.dtype, parts["fill_value"])
    # No public name of pandas before version 3.1 makes an index.
    index = type(array([0]).sp_index)(length, parts["indices"])
    if index.npoints != len(values):
        raise ValueError("a sparse array has another number of values than of places")
    if hasattr(array, "from_indices"):
        return array.from_indices(
            values,
            index.indices,
            length,
            dtype=values.dtype,
            kind=kind,
            fill_value=parts["fill_value"],
        )
    places = index.to_block_index() if kind == "block" else index
    return array(values, sparse_index=places, dtype=dtype)


def _take_masked(array: Any) -> Parts:
    return {"data": array._data, "mask": array._mask}  # noqa: SLF001 - only they tell NaN from NA


def _put_masked(pandas: Any, parts: Parts) -> Any:
    array = getattr(pandas.arrays, parts["type"])
    return array(parts["data"], parts["mask"])


def _take_texts(array: Any) -> Parts:
    text = text_of(array.dtype)
    if text.endswith("[pyarrow]"):
        with suppress(ImportError):
            return {"dtype": text, "chunks": _chunks(array)}
    missing = array.isna()
    texts = [None if gone else each for each, gone in zip(array, missing, strict=True)]
    return {"dtype": text, "texts": texts}


def _put_texts(pandas: Any, parts: Parts) -> Any:
    dtype = dtype_of(parts["dtype"])
    if "chunks" in parts:
        ask(memory_of(parts["chunks"], objects=dtype.storage == "python"))
        return pandas.array(dtype.__from_arrow__(parts["chunks"]), dtype=dtype)
    return pandas.array(parts["texts"], dtype=dtype)


def _chunks(array: Any) -> Any:
    pyarrow = imported("pyarrow")
    found = array.__arrow_array__()
    return found if hasattr(found, "chunks") else pyarrow.chunked_array([found])


def _put_arrow(pandas: Any, parts: Parts) -> Any:
    return pandas.arrays.ArrowExtensionArray(parts["chunks"])


def _put_numpy(pandas: Any, parts: Parts) -> Any:
    return pandas.arrays.NumpyExtensionArray(parts["values"])


_MASKED = _Form(_take_masked, _put_masked)
_TEXTS = _Form(_take_texts, _put_texts)
_FORMS = {
    "ArrowExtensionArray": _Form(lambda array: {"chunks": _chunks(array)}, _put_arrow),
    "ArrowStringArray": _TEXTS,
    "BooleanArray": _MASKED,
    "Categorical": _Form(_take_categorical, _put_categorical),
    "DatetimeArray": _Form(_take_times, _put_times),
    "FloatingArray": _MASKED,
    "IntegerArray": _MASKED,
    "IntervalArray": _Form(_take_intervals, _put_intervals),
    "NumpyExtensionArray": _Form(lambda it: {"values": it.to_numpy()}, _put_numpy),
    "PeriodArray": _Form(_take_periods, _put_periods),
    "SparseArray": _Form(_take_sparse, _put_sparse),
    "StringArray": _TEXTS,
    "ArrowStringArrayNumpySemantics": _TEXTS,
    "StringArrayNumpySemantics": _TEXTS,
    "TimedeltaArray": _Form(_take_times, _put_durations),
}


def _take_dtype_apart(dtype: Any) -> Parts:
    import pandas

    empty = pandas.array([], dtype=dtype)
    if not is_array(type(empty)) or not _is_same_dtype(empty.dtype, dtype):
        raise Inexact(f"no array of pandas has just the dtype {dtype}")
    return {"array": empty}


DTYPE = Compound(
    kind="pandas.dtype",
    take_apart=_take_dtype_apart,
    put_together=lambda parts: parts["array"].dtype,
    package="pandas",
)
ARRAY = Compound(
    kind="pandas.array",
    take_apart=_take_apart,
    put_together=_put_together,
    package="pandas",
)
