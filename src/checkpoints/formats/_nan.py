"""Whether a value holds a NaN, whatever library it is of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["holds_nan"]


def holds_nan(value: Any) -> bool:
    """
    Tell whether a number that is none is in a value, or in what it holds.

    Numbers, arrays, tensors and tables are looked at, and dicts, lists and tuples of
    them. In a table a missing cell of a column of numbers counts as well where pandas
    keeps it as NaN.

    >>> holds_nan({"a": [1.0, float("nan")]})
    True
    """
    waiting = [value]
    seen: set[int] = set()
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, (list, tuple)):
            waiting.extend(each)
        elif isinstance(each, Mapping):
            waiting.extend(each.values())
        elif _is_nan(each):
            return True
    return False


def _is_nan(value: Any) -> bool:
    if isinstance(value, (float, complex)):
        return value != value  # noqa: PLR0124 - true of NaN alone
    root = type(value).__module__.partition(".")[0]
    look = _LOOKS.get(root)
    return look is not None and any(look(value))


def _in_numpy(array: Any) -> Iterable[bool]:
    if getattr(array, "dtype", None) is not None and array.dtype.kind in "fc":
        yield bool((array != array).any())  # noqa: PLR0124


def _in_pandas(table: Any) -> Iterable[bool]:
    columns = table.items() if getattr(table, "ndim", 0) == 2 else [("", table)]  # noqa: PLR2004
    for _, column in columns:
        if getattr(getattr(column, "dtype", None), "kind", "") in ("f", "c"):
            yield bool(column.isna().any())


def _in_polars(table: Any) -> Iterable[bool]:
    columns = table.get_columns() if hasattr(table, "get_columns") else [table]
    for column in columns:
        if getattr(column, "dtype", None) is not None and column.dtype.is_float():
            yield bool(column.is_nan().any())


def _in_torch(tensor: Any) -> Iterable[bool]:
    if getattr(tensor, "isnan", None) is not None:
        yield bool(tensor.isnan().any())


def _in_jax(array: Any) -> Iterable[bool]:
    import numpy

    return _in_numpy(numpy.asarray(array))


_LOOKS = {
    "numpy": _in_numpy,
    "pandas": _in_pandas,
    "polars": _in_polars,
    "torch": _in_torch,
    "jax": _in_jax,
    "jaxlib": _in_jax,
}
