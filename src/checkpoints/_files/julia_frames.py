"""The frames of Julia as those of pandas: columns with the values that they held."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from checkpoints._files.julia_types import NUMBERS
from checkpoints._process.budget import ask
from checkpoints._process.libraries import needed

__all__ = ["frame"]

# The memory that a number takes, and an object, roughly.
_NUMBER, _OBJECT = 8, 64
# Of which pandas has a type with a value for what is missing, other than NaN.
_WITH_MISSING = (str, datetime.datetime, datetime.timedelta)
_MASKED = {
    **{code[1:]: "IntegerArray" for code in NUMBERS.values() if code[1] in "iu"},
    "f4": "FloatingArray",
    "f8": "FloatingArray",
    "b1": "BooleanArray",
}


def frame(fields: Mapping[str, Any]) -> Any:
    """
    Return a DataFrame of Julia as one of pandas.

    Raises:
        Exception: If pandas cannot have such columns, or it is damaged.
    """
    columns, names = fields["columns"], fields["colindex"]["names"]
    pandas = needed("pandas", "a DataFrame of Julia")
    # Only of texts, as integers can be chosen so that a set of them takes long.
    if not all(type(name) is str for name in names):
        raise TypeError("the columns have other names than texts")
    if len(set(names)) != len(names) or len(names) != len(columns):
        raise ValueError("the columns have other names")
    made = {name: _column(pandas, it) for name, it in zip(names, columns, strict=True)}
    # Pandas would fill shorter ones up.
    if len(set(map(len, made.values()))) > 1:
        raise ValueError("the columns have different lengths")
    return pandas.DataFrame(made)


def _column(pandas: Any, column: Any) -> Any:
    if isinstance(column, bytes):
        column = needed("numpy", "a column").frombuffer(column, "|u1").copy()
    if not isinstance(column, list):
        if getattr(column, "ndim", None) != 1 and not isinstance(column, range):
            raise TypeError("not a column that a DataFrame of pandas can have")
        if isinstance(column, range):  # which took no memory so far
            ask(_NUMBER * len(column))
        dtype = str(getattr(column, "dtype", ""))
        if dtype in ("timedelta64[M]", "timedelta64[Y]"):
            # Pandas would count them in days, of which months have no one number.
            ask(_OBJECT * len(column))
            return pandas.Series(list(column), dtype=object)
        if dtype == "datetime64[D]":
            column = _dates(column)
        return pandas.Series(column)
    kinds = set(map(type, column))
    if len(kinds - {type(None)}) != 1:  # each value as it is
        return pandas.Series(column, dtype=object)
    if type(None) in kinds:
        return _with_missing(pandas, column)
    return pandas.Series(column)


def _dates(column: Any) -> Any:
    """Return dates as those of Python: pandas would make times of them."""
    ask(_OBJECT * len(column))
    found = column.astype(object)
    # Those that Python does not have are numbers then.
    return found if set(map(type, found)) == {datetime.date} else column


def _with_missing(pandas: Any, column: list[Any]) -> Any:
    """Return values of one type, in which others are missing, as a column."""
    numpy = needed("numpy", "a column")
    mask = numpy.array([it is None for it in column])
    some = next(it for it in column if it is not None)
    if isinstance(some, (int, float, numpy.generic)):
        found = numpy.array([some if it is None else it for it in column])
        made = _MASKED.get(found.dtype.str[1:])
        # NumPy makes floats of integers that no type of 64 bits can hold.
        is_same = (found.dtype.kind == "f") is isinstance(some, (float, numpy.floating))
        if made is not None and is_same:  # pandas has none for floats of 16 bits
            return pandas.Series(getattr(pandas.arrays, made)(found, mask))
    values = pandas.Series(column, dtype=object)
    return values.convert_dtypes() if isinstance(some, _WITH_MISSING) else values
