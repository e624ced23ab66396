"""The columns of pandas that Arrow keeps exactly, and those that it would change."""

from __future__ import annotations

import datetime
from contextlib import suppress
from typing import Any

from checkpoints._kinds.plain import named_zone

__all__ = ["has_surrogates", "is_exact", "zone_key"]

_ONE_TYPE = ({str}, {bytes}, {bool}, {datetime.date})
# The bits of a NaN that stands for a missing value, by the size of the number.
_NAN_BITS = {4: 0x7FC00000, 8: 0x7FF8000000000000}


def is_exact(column: Any) -> bool:
    """
    Tell whether Arrow keeps the values of a column, and its dtype by our metadata.

    Args:
        column: A `pandas.Series` or `pandas.Index`.

    Example:
        >>> import pandas
        >>> is_exact(pandas.Series(["a", None])), is_exact(pandas.Series(["a", 1]))
        (True, False)
    """
    import numpy
    import pandas

    dtype = column.dtype
    if isinstance(dtype, numpy.dtype):
        return dtype.isnative and _EXACT_OF_KIND.get(dtype.kind, _never)(column)
    if isinstance(dtype, pandas.StringDtype):
        # Arrow's own texts are Unicode.
        return dtype.storage == "pyarrow" or not has_surrogates(column.dropna())
    if isinstance(dtype, pandas.CategoricalDtype):
        return _is_plain_category(dtype.categories)
    if isinstance(dtype, pandas.DatetimeTZDtype):
        return zone_key(dtype.tz) is not None
    if isinstance(dtype, pandas.Float32Dtype | pandas.Float64Dtype):
        values = column.to_numpy("float64", na_value=0)
        return not (values != values).any()  # noqa: PLR0124 - only NaN differs from itself
    masked = type(column.array).__name__ in ("IntegerArray", "BooleanArray")
    return masked and type(column.array).__module__.startswith("pandas.")


def _never(_: Any) -> bool:
    return False


def _are_floats_exact(column: Any) -> bool:
    values = column.to_numpy()
    if values.itemsize not in (2, 4, 8):
        return False
    nan = values != values  # noqa: PLR0124 - only NaN differs from itself
    # Arrow makes them null, and pandas one and the same NaN.
    found = values[nan].view(f"u{values.itemsize}")
    return bool((found == _NAN_BITS.get(values.itemsize)).all())


def _are_objects_exact(column: Any) -> bool:
    types = set(map(type, column)) - {type(None)}
    if types == {str}:
        return not has_surrogates([text for text in column if text is not None])
    return not types or types in _ONE_TYPE


def has_surrogates(texts: Any) -> bool:
    """Tell whether one of these texts is not Unicode."""
    try:
        "".join(texts).encode()
    except UnicodeEncodeError:
        return True
    return False


_EXACT_OF_KIND = {
    "b": lambda _: True,
    "i": lambda _: True,
    "u": lambda _: True,
    "f": _are_floats_exact,
    "M": lambda _: True,
    "m": lambda _: True,
    "O": _are_objects_exact,
}


def _is_plain_category(categories: Any) -> bool:
    import pandas

    if type(categories) is not pandas.Index or categories.name is not None:
        return False
    if categories.dtype == "int64":
        return True
    is_text = categories.dtype == pandas.Index(["a"]).dtype
    types = set(map(type, categories))
    return bool(is_text and types <= {str} and not has_surrogates(categories))


def zone_key(zone: Any) -> str | None:
    """Return the key of a time zone, "" for `timezone.utc`, None for all others."""
    if zone is datetime.UTC:
        return ""
    key = getattr(zone, "key", None)
    if not isinstance(key, str):
        return None
    with suppress(Exception):  # there is no data for it, or it is not of that name
        return key if named_zone(key) is zone else None
    return None
