"""What values of xarray consist of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

__all__ = ["parts"]

Parts = Iterator[tuple[str, Any]]


def parts(value: Any) -> Parts | None:
    """Return the parts of a value of xarray, None for other values."""
    import xarray

    if isinstance(value, xarray.Dataset):
        return _of_dataset(value)
    if isinstance(value, xarray.DataArray):
        return _of_array(value)
    if isinstance(value, xarray.Variable):
        return _of_variable(value)
    return None


def _of_dataset(value: Any) -> Parts:
    yield ".sizes", dict(value.sizes)
    yield ".variables", dict(value.variables)
    yield ".coords", list(value.coords)
    yield from _of_any(value)
    yield from _of_indexes(value)


def _of_array(value: Any) -> Parts:
    yield ".name", value.name
    yield ".variable", value.variable
    yield ".coords", {name: coord.variable for name, coord in value.coords.items()}
    yield from _of_indexes(value)


def _of_variable(value: Any) -> Parts:
    yield ".dims", value.dims
    yield from _of_any(value)
    is_index = hasattr(value, "get_level_variable")
    yield ".data", value.to_index() if is_index else value.data


def _of_indexes(value: Any) -> Parts:
    yield ".xindexes", {name: type(index) for name, index in value.xindexes.items()}
    for name, index in value.xindexes.items():
        try:
            yield f".xindexes[{name!r}]", index.to_pandas_index()
        except TypeError:  # one of another sort, which has no labels in pandas
            yield f".xindexes[{name!r}]", index


def _of_any(value: Any) -> Parts:
    yield ".attrs", dict(value.attrs)
    yield ".encoding", dict(value.encoding)
