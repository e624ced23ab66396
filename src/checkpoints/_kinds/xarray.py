"""xarray: variables, data arrays and datasets, as their arrays, indexes and notes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any

from checkpoints._kinds.columns import Statistics, columns_of, short
from checkpoints._kinds.elements import elements_of
from checkpoints._kinds.kind import Compound, Family, Inexact, Kind
from checkpoints._kinds.numpy import holds_nan
from checkpoints._kinds.pickled import Pickled
from checkpoints._kinds.xarray_parts import (
    check_same_structure,
    coords_to_parts,
    encoding_to_parts,
    index_to_parts,
    is_in_memory,
    parts_to_coords,
    parts_to_encoding,
    parts_to_index,
)
from checkpoints._process.libraries import needed

__all__ = ["FAMILY", "recognise"]


def recognise(cls: type) -> Kind | None:
    """
    Return the kind for values of exactly this class.

    Args:
        cls: A class of xarray.

    Returns:
        The kind; None if values of the class are pickled.

    Example:
        >>> import xarray
        >>> recognise(xarray.Dataset).kind
        'xarray.Dataset'
    """
    xarray = sys.modules.get("xarray")
    if xarray is None:
        return None
    return {
        xarray.Variable: _VARIABLE,
        xarray.IndexVariable: _INDEX_VARIABLE,
        xarray.DataArray: _DATA_ARRAY,
        xarray.Dataset: _DATASET,
    }.get(cls)


def _import_xarray() -> Any:
    return needed("xarray", "loading an xarray value")


def _variables_of(value: Any) -> list[Any]:
    """Return all variables of a value, in order; a variable is its own only one."""
    if hasattr(value, "data_vars"):
        return list(value.variables.values())
    if hasattr(value, "coords"):
        return [value.variable, *value.coords.variables.values()]
    return [value]


def _loaded(value: Any) -> Any:
    """Return a shallow copy with all values in memory, except for Dask's."""
    # Loading the value itself would keep in the caller's object what it has left in a
    # file.
    copied = value.copy(deep=False)
    for variable in _variables_of(copied):
        if is_in_memory(variable):
            variable.load()
    return copied


def _take_variable_apart(variable: Any) -> dict[str, Any]:
    loaded = _loaded(variable)
    parts = {
        "dims": loaded.dims,
        "shape": loaded.shape,
        "data": loaded.data,
        "attrs": loaded.attrs,
        **encoding_to_parts(loaded.encoding),
    }
    check_same_structure([loaded], [_put_variable_together(parts)])
    return parts


def _put_variable_together(parts: dict[str, Any]) -> Any:
    data = parts["data"]
    if isinstance(data, Pickled):
        numpy = needed("numpy", "loading an xarray value")
        # A view of one element, however many there are.
        data = numpy.broadcast_to(numpy.array(data, dtype=object), parts["shape"])
    return _import_xarray().Variable(
        tuple(parts["dims"]),
        data,
        attrs=parts["attrs"],
        encoding=parts_to_encoding(parts),
        # xarray would convert objects that look like dates.
        fastpath=type(data).__name__ == "ndarray",
    )


def _take_index_variable_apart(variable: Any) -> dict[str, Any]:
    indexes = _import_xarray().indexes
    index, (dim,) = variable.to_index(), variable.dims
    if hasattr(index, "levels"):
        index = indexes.PandasMultiIndex(index.copy(), dim)
    else:
        index = indexes.PandasIndex(index, dim, coord_dtype=variable.dtype)
    parts = {
        "index": index_to_parts(index, list(index.create_variables())),
        "attrs": variable.attrs,
        **encoding_to_parts(variable.encoding),
    }
    check_same_structure([variable], [_put_index_variable_together(parts)])
    return parts


def _put_index_variable_together(parts: dict[str, Any]) -> Any:
    # An index of several levels makes one for itself, and then one for each level.
    variable, *_ = parts_to_index(parts["index"]).create_variables().values()
    variable.attrs, variable.encoding = parts["attrs"], parts_to_encoding(parts)
    return variable


def _take_dataset_apart(dataset: Any) -> dict[str, Any]:
    loaded = _loaded(dataset)
    parts = {
        **coords_to_parts(loaded),
        "data_vars": {name: loaded.variables[name] for name in loaded.data_vars},
        "order": list(loaded.variables),
        "attrs": loaded.attrs,
        **encoding_to_parts(loaded.encoding),
    }
    again = _put_dataset_together(parts)
    if list(again.variables) != parts["order"] or dict(again.sizes) != dict(
        loaded.sizes
    ):
        raise Inexact("its variables would come back in another order")
    check_same_structure(_variables_of(loaded), _variables_of(again))
    return parts


def _put_dataset_together(parts: dict[str, Any]) -> Any:
    dataset = _import_xarray().Dataset(
        parts["data_vars"], coords=parts_to_coords(parts), attrs=parts["attrs"]
    )
    if list(dataset.variables) != parts["order"]:
        dataset = dataset[parts["order"]]
    dataset.encoding = parts_to_encoding(parts)
    return dataset


def _take_array_apart(array: Any) -> dict[str, Any]:
    loaded = _loaded(array)
    name, indexes = loaded.name, loaded.xindexes
    # The variable of an index is made from the index: it is not saved twice.
    is_index = type(loaded.variable).__name__ == "IndexVariable" and name in indexes
    variable = None if is_index else loaded.variable
    parts = {**coords_to_parts(loaded), "variable": variable, "name": name}
    again = _put_array_together(parts)
    check_same_structure(_variables_of(loaded), _variables_of(again))
    if is_index and not again.variable.identical(loaded.variable):
        raise Inexact("it differs from the coordinate of its name")
    return parts


def _put_array_together(parts: dict[str, Any]) -> Any:
    coords, name, variable = parts_to_coords(parts), parts["name"], parts["variable"]
    if variable is None:
        variable = coords.variables[name]
    for coord in coords.variables.values():
        if any(coord.sizes[dim] != variable.sizes.get(dim) for dim in coord.dims):
            raise ValueError("a coordinate and the array differ in size")
    # The public way copies the variable without its encoding.
    return _import_xarray().DataArray(
        variable,
        dict(coords.variables),
        name=name,
        indexes=dict(coords.xindexes),
        fastpath=True,
    )


def _weigh(value: Any) -> tuple[int, Iterable[Any]] | None:
    if not hasattr(value, "nbytes"):
        return None
    return int(value.nbytes), ()


def _holds_nan(value: Any) -> bool:
    import numpy

    return hasattr(value, "dims") and any(
        holds_nan(numpy.asarray(variable))
        for variable in _variables_of(value)
        if is_in_memory(variable)
    )


def _describe(value: Any, max_columns: int) -> Statistics | None:
    if not hasattr(value, "sizes"):
        return None
    shape = {"dims": [short(dim) for dim in value.sizes]}
    shape["shape"] = list(value.sizes.values())
    if hasattr(value, "data_vars"):
        columns = value.variables.items()
        return shape | columns_of(
            columns, len(columns), max_columns, _describe_variable
        )
    dtype = {"dtype": short(value.dtype)}
    return dtype | shape | _describe_elements(_variables_of(value)[0])


def _labels(value: Any) -> dict[str, Any] | None:
    coords = getattr(value, "coords", {})
    if not hasattr(value, "attrs") or not all(map(is_in_memory, coords.values())):
        return None
    variables = {name: coord.variable for name, coord in coords.items()}
    attrs = {name: it.attrs for name, it in getattr(value, "data_vars", {}).items()}
    return {"coords": variables, "attrs": value.attrs, "of variables": attrs}


def _describe_variable(variable: Any) -> Statistics:
    return {"shape": list(variable.shape), **_describe_elements(variable)}


def _describe_elements(variable: Any) -> Statistics:
    import numpy

    # Describing values must not compute them.
    return elements_of(numpy.asarray(variable)) if is_in_memory(variable) else {}


def _same(one: Any, other: Any, _: Callable[[Any, Any], bool]) -> bool:
    if not hasattr(one, "identical"):
        return bool(one == other)
    dtypes = [[variable.dtype for variable in _variables_of(it)] for it in (one, other)]
    return bool(dtypes[0] == dtypes[1] and one.identical(other))


def _compound(
    kind: str,
    take_apart: Callable[[Any], dict[str, Any]],
    put_together: Callable[[dict[str, Any]], Any],
) -> Compound:
    return Compound(
        kind=f"xarray.{kind}",
        take_apart=take_apart,
        put_together=put_together,
        package="xarray",
    )


_VARIABLE = _compound("Variable", _take_variable_apart, _put_variable_together)
_INDEX_VARIABLE = _compound(
    "IndexVariable", _take_index_variable_apart, _put_index_variable_together
)
_DATA_ARRAY = _compound("DataArray", _take_array_apart, _put_array_together)
_DATASET = _compound("Dataset", _take_dataset_apart, _put_dataset_together)

FAMILY = Family(
    packages=("xarray",),
    kinds=(_VARIABLE, _INDEX_VARIABLE, _DATA_ARRAY, _DATASET),
    recognise=recognise,
    weigh=_weigh,
    holds_nan=_holds_nan,
    labels=_labels,
    describe=_describe,
    same=_same,
)
