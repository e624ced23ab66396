"""Dtypes under one name, whatever library and storage they belong to."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from checkpoints._compare.tally import Tally

__all__ = ["compare_dtypes", "dtype_name", "kind_of"]

_LONG = {"float96", "float128", "longdouble"}
_LONG_COMPLEX = {"complex192", "complex256", "clongdouble"}
_NAMES = {
    "boolean": "bool",
    "double": "float64",
    "float": "float32",
    "halffloat": "float16",
    "half_float": "float16",
    "complex": "complex128",
    "int": "int64",
}
_TEXTS = (
    *("str", "string", "large_string", "string_view", "utf8", "large_utf8"),
    *("stringdtype", "categorical", "enum"),
)
_BYTES = ("bytes", "binary", "large_binary", "binary_view", "fixed_size_binary")
# Names that begin with one of these, in this order.
_CLASSES = {
    **dict.fromkeys(("datetime64", "datetime", "timestamp", "date"), "datetime"),
    **dict.fromkeys(("timedelta64", "duration"), "duration"),
    **dict.fromkeys(("large_list", "fixed_size_list", "list", "array"), "list"),
    "decimal": "decimal",
    "struct": "struct",
    "time": "time",
}
# Whole numbers that are made of times depend on their unit.
_UNIT = re.compile(r"(?:datetime64|timedelta64)\[(\w+)")
_FIRST = re.compile(r"[a-z_]+[0-9]*")


@lru_cache(maxsize=1024)
def dtype_name(text: str) -> str:
    """
    Return the name of a dtype by what it holds, given its text in some library.

    >>> [dtype_name(text) for text in ("Float64", "double", "<U3", "large_string")]
    ['float64', 'float64', 'text', 'text']
    """
    if re.fullmatch(r"[<>=|]?U[0-9]*", text):
        return "text"
    if re.fullmatch(r"[<>=|]?S[0-9]*", text):
        return "bytes"
    lowered = text.lower().removeprefix("torch.")
    zone = _zone_of(lowered)
    lowered = lowered.removesuffix("[pyarrow]")
    found = _FIRST.match(lowered)
    first = found[0] if found else lowered
    first = _NAMES.get(first, first)
    if first in _LONG | _LONG_COMPLEX:
        return "longdouble" if first in _LONG else "clongdouble"
    if first in _TEXTS or first in _BYTES:
        return "text" if first in _TEXTS else "bytes"
    for start, name in _CLASSES.items():
        if first.startswith(start):
            is_day = name == "datetime" and re.fullmatch("date(32|64)?", first)
            return "date" if is_day else f"{name}{zone}"
    return first


def kind_of(array: Any) -> str:
    """Return the letter for what an array of NumPy holds; `"O"` for one of Arrow."""
    dtype = getattr(array, "dtype", None)
    kind = str(getattr(dtype, "kind", "O"))
    # NumPy does not know the floats that other libraries add to it.
    return "f" if kind == "V" and "float" in str(dtype) else kind


def _zone_of(text: str) -> str:
    """Return whether times have a zone; which one does not change the moment."""
    is_time = text.startswith(("datetime", "timestamp"))
    units = r"\[(?:[0-9]*\w+)(?:, (?:tz=)?(?P<zone>[^\]]+))?\]"
    found = re.search(units, text)
    named = re.search(r"time_zone='?(?P<zone>[^')]+)", text)
    zone = (named and named["zone"]) or (found and found["zone"])
    return " with zone" if is_time and zone and zone != "none" else ""


def compare_dtypes(one: tuple[str, str], other: tuple[str, str], tally: Tally) -> None:
    """
    Note that two dtypes differ, if they do.

    Args:
        one: The dtype by what it holds, and its text.
        other: The other one.
        tally: Where it is noted. What dtypes hold is part of the value, as is the unit
            of times; how their libraries store it is not.
    """
    if one[1] == other[1] and one[0] == other[0]:
        return
    units = _UNIT.match(one[1]), _UNIT.match(other[1])
    is_unit = units[0] and units[1] and units[0][1] != units[1][1]
    if one[1] == other[1]:
        one, other = ((it[0], f"{it[1]} of {it[0]}") for it in (one, other))
    is_same = (one[0] == other[0] and not is_unit) or tally.tolerance.dtype == "any"
    text = f"{one[1]} against {other[1]}"
    if is_same:
        tally.note(text, "close")
    else:
        tally.note_dtype(text)
