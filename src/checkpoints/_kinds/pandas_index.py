"""The index of pandas: its values, levels, names and frequency."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checkpoints._kinds.kind import Compound, Inexact
from checkpoints._kinds.pandas_arrays import (
    freq_from_text,
    freq_to_text,
    import_pandas,
    text_of,
)

__all__ = [
    "INDEX",
    "freeze_index",
    "index_from_parts",
    "index_to_parts",
    "is_default",
    "values_of",
]

Parts = dict[str, Any]


def index_to_parts(index: Any) -> Parts:
    """
    Take an index of any class of pandas apart.

    Args:
        index: A `pandas.Index`.

    Returns:
        Its names, and its range, its levels and codes, or its values.

    Raises:
        Inexact: pandas would make another index of the parts.

    Example:
        >>> import pandas
        >>> index_to_parts(pandas.RangeIndex(3))
        {'names': [None], 'range': [0, 3, 1]}
    """
    import pandas

    parts: Parts = {"names": list(index.names)}
    if isinstance(index, pandas.RangeIndex):
        return {**parts, "range": [index.start, index.stop, index.step]}
    if isinstance(index, pandas.MultiIndex):
        levels = [level.rename(None) for level in index.levels]
        codes = [numbers.copy() for numbers in index.codes]
        parts |= {"levels": levels, "codes": codes}
        parts["sort"] = getattr(index, "sortorder", None)
        found = index_from_parts(parts)
        # A NaN that is a value of a level becomes a missing one.
        if any((one != it).any() for one, it in zip(codes, found.codes, strict=True)):
            raise Inexact("pandas would change the codes of the levels")
        return parts
    parts["values"] = values_of(index)
    freq = getattr(index, "freq", None)
    if freq is not None and index.dtype.kind in "mM":
        parts["freq"] = freq_to_text(freq)
    found = index_from_parts(parts)
    if type(found) is not type(index) or text_of(found.dtype) != text_of(index.dtype):
        raise Inexact(f"pandas would make another index of a {index.dtype} index")
    return parts


def index_from_parts(parts: Mapping[str, Any]) -> Any:
    """
    Put an index together again.

    Args:
        parts: What `index_to_parts` returned.

    Returns:
        A `pandas.Index`, or an instance of one of its subclasses.

    Raises:
        ValueError: The parts do not match.
        MissingDependencyError: pandas is not installed.

    Example:
        >>> index_from_parts({"names": ["n"], "range": [0, 3, 1]})
        RangeIndex(start=0, stop=3, step=1, name='n')
    """
    pandas = import_pandas()
    names = parts["names"]
    if "range" in parts:
        return pandas.RangeIndex(*parts["range"], name=names[0])
    if "levels" in parts:
        return pandas.MultiIndex(
            parts["levels"], parts["codes"], sortorder=parts.get("sort"), names=names
        )
    values = parts["values"]
    dtype = object if isinstance(values, list) else None
    found = pandas.Index(values, dtype=dtype, name=names[0], tupleize_cols=False)
    if "freq" in parts:
        found.freq = freq_from_text(parts["freq"])
    return found


def is_default(index: Any) -> bool:
    """Tell whether an index merely numbers the rows, from 0 on, without a name."""
    import pandas

    return (
        type(index) is pandas.RangeIndex
        and index.name is None
        and (index.start, index.step) == (0, 1)
        and index.stop == len(index)
    )


def freeze_index(index: Any) -> Any:
    """
    Return a copy of an index that shares no memory with it.

    Raises:
        Inexact: It consists of several arrays, and is copied in parts.
    """
    import numpy
    import pandas

    if isinstance(index, pandas.RangeIndex):
        return index
    parts = index_to_parts(index)
    values = parts.get("values")
    if isinstance(values, numpy.ndarray):
        copied: Any = values.copy()
    elif isinstance(index.dtype, pandas.StringDtype) and _is_one_piece(index):
        copied = pandas.array([*index], dtype=index.dtype)
    elif isinstance(values, list):
        copied = values
    else:
        raise Inexact("it is copied in its parts")
    return index_from_parts({**parts, "values": copied})


def _is_one_piece(index: Any) -> bool:
    """Tell whether text is in one chunk, as it is where pandas makes it anew."""
    if index.dtype.storage != "pyarrow":
        return True
    return bool(index.array.__arrow_array__().num_chunks == 1)


def values_of(column: Any) -> Any:
    """Return the values of a column or an index, without their labels."""
    import numpy

    if column.dtype == object:
        return list(column)
    if isinstance(column.dtype, numpy.dtype):
        return column.to_numpy()
    return column.array


INDEX = Compound(
    kind="pandas.Index",
    take_apart=index_to_parts,
    put_together=index_from_parts,
    package="pandas",
)
