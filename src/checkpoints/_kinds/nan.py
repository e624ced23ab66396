"""Whether a value holds a NaN, whatever library it is of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["holds_nan"]

_COLLECTIONS = (list, tuple, set, frozenset)


def holds_nan(value: Any) -> bool:
    """
    Tell whether a number that is none is in a value, or in what it holds.

    Looked at are numbers, tensors, arrays of numbers, sparse ones and records among
    them, the columns of numbers of tables, and what dicts, lists, tuples and sets hold
    of these: not what other objects hold, nor objects or lists in an array or a column.
    In a table a missing cell of a column of numbers counts as well where pandas keeps
    it as NaN.

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
        if isinstance(each, _COLLECTIONS):
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
    dtype = getattr(array, "dtype", None)
    for name in getattr(dtype, "names", None) or ():
        yield from _in_numpy(array[name])
    if getattr(dtype, "kind", "") in ("f", "c"):
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


def _in_arrow(value: Any) -> Iterable[bool]:
    from pyarrow import compute as functions
    from pyarrow import types

    # They are made when the module is loaded, so no type checker knows of them.
    compute: Any = functions
    for column in getattr(value, "columns", [value]):
        kind = getattr(column, "type", None)
        if kind is not None and types.is_floating(kind):
            yield bool(compute.any(compute.is_nan(column)).as_py())


def _in_scipy(matrix: Any) -> Iterable[bool]:
    if hasattr(matrix, "tocoo"):
        yield from _in_numpy(matrix.tocoo().data)


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
    "pyarrow": _in_arrow,
    "scipy": _in_scipy,
    "torch": _in_torch,
    "jax": _in_jax,
    "jaxlib": _in_jax,
}
