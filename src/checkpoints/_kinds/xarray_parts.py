"""The parts of xarray's values: coordinates, the indexes behind them, and encodings."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from checkpoints._kinds.kind import Inexact
from checkpoints._process.libraries import needed

__all__ = [
    "check_same_structure",
    "coords_to_parts",
    "encoding_to_parts",
    "index_to_parts",
    "is_in_memory",
    "parts_to_coords",
    "parts_to_encoding",
    "parts_to_index",
]

_DTYPE = re.compile(r"[<>|=](?:[biufcSUO][0-9]*|[mM]8(?:\[[0-9]*[a-zA-Z]{1,2}\])?)")


def is_in_memory(variable: Any) -> bool:
    """Return whether a variable's values are at hand, or can be read as they are."""
    return variable.chunks is None


def coords_to_parts(value: Any) -> dict[str, Any]:
    """
    Take the coordinates of a dataset or a data array apart.

    A coordinate that an index makes is saved as the index; of the coordinate itself
    only the notes are left.
    """
    coords = {}
    for name, variable in value.coords.variables.items():
        notes = {"attrs": variable.attrs, **encoding_to_parts(variable.encoding)}
        coords[name] = notes if name in value.xindexes else variable
    indexes = {}
    for index, covered in value.xindexes.group_by_index():
        names = list(covered)
        indexes[names[0]] = index_to_parts(index, names)
    return {"coords": coords, "indexes": indexes}


def parts_to_coords(parts: dict[str, Any]) -> Any:
    """Put the coordinates of a dataset or a data array together."""
    xarray = needed("xarray", "loading an xarray value")
    indexes, made = {}, {}
    for index_parts in parts["indexes"].values():
        index = parts_to_index(index_parts)
        indexes.update(dict.fromkeys(index_parts["coords"], index))
        made.update(index.create_variables())
    coords = {}
    for name, saved in parts["coords"].items():
        if name in indexes:
            coords[name] = made[name]
            coords[name].attrs = saved["attrs"]
            coords[name].encoding = parts_to_encoding(saved)
        else:
            coords[name] = saved
    return xarray.Coordinates(coords, indexes)


def index_to_parts(index: Any, names: list[Any]) -> dict[str, Any]:
    """
    Take an index apart.

    Args:
        index: One of xarray's indexes.
        names: The coordinates that it makes.

    Raises:
        Inexact: It is not based on pandas, or would come back changed.
    """
    indexes = needed("xarray", "saving an xarray value").indexes
    if type(index) not in (indexes.PandasIndex, indexes.PandasMultiIndex):
        raise Inexact(f"an index of type {type(index).__name__} cannot be saved")
    parts = {"coords": names, "dim": index.dim, "index": index.index}
    parts["dtypes"] = {
        name: _dtype_to_text(variable.dtype)
        for name, variable in index.create_variables().items()
        if name in _dtypes_of(index)
    }
    again = parts_to_index(parts)
    if (
        type(again) is not type(index)
        or again.dim != index.dim
        or not again.index.identical(index.index)
        or list(again.create_variables()) != names
        or _dtypes_of(again) != _dtypes_of(index)
    ):
        raise Inexact(f"the index of {names[0]!r:.80} would come back changed")
    return parts


def parts_to_index(parts: dict[str, Any]) -> Any:
    """Put an index together."""
    indexes = needed("xarray", "loading an xarray value").indexes
    # The constructor sets the names of the levels.
    index, dim = parts["index"].copy(), parts["dim"]
    dtypes = {name: _text_to_dtype(text) for name, text in parts["dtypes"].items()}
    if hasattr(index, "levels"):
        return indexes.PandasMultiIndex(index, dim, level_coords_dtype=dtypes)
    (dtype,) = dtypes.values()
    return indexes.PandasIndex(index, dim, coord_dtype=dtype)


def _dtypes_of(index: Any) -> dict[Any, Any]:
    if hasattr(index, "level_coords_dtype"):
        return dict(index.level_coords_dtype)
    return {index.index.name: index.coord_dtype}


def _dtype_to_text(dtype: Any) -> str | None:
    """Return the text of a NumPy dtype; None for the dtypes that an index implies."""
    import numpy

    if not isinstance(dtype, numpy.dtype):
        return None
    if not _is_plain(dtype):
        raise Inexact(f"the dtype {dtype} of a coordinate cannot be saved")
    return str(dtype.str)


def _is_plain(dtype: Any) -> bool:
    """Return whether the text of a NumPy dtype says all of it."""
    return bool(_DTYPE.fullmatch(dtype.str)) and not dtype.metadata


def _text_to_dtype(text: str | None) -> Any:
    numpy = needed("numpy", "loading an xarray value")
    if text is None:
        return None
    if not _DTYPE.fullmatch(text):
        raise ValueError(f"{text!r:.80} is not a dtype")
    return numpy.dtype(text)


def encoding_to_parts(encoding: dict[Any, Any]) -> dict[str, Any]:
    """
    Take apart how a variable was or will be stored in a file.

    The dtypes in it are saved as text: as objects they would be pickles.
    """
    import numpy

    dtypes = {}
    for name, noted in encoding.items():
        if noted is str:
            dtypes[name] = "str"
        elif isinstance(noted, numpy.dtype) and _is_plain(noted):
            dtypes[name] = noted.str
    plain = {name: None if name in dtypes else encoding[name] for name in encoding}
    return {"encoding": plain, "encoding_dtypes": dtypes}


def parts_to_encoding(parts: dict[str, Any]) -> dict[Any, Any]:
    """Put an encoding together."""
    encoding = dict(parts["encoding"])
    for name, text in parts["encoding_dtypes"].items():
        encoding[name] = str if text == "str" else _text_to_dtype(text)
    return encoding


def check_same_structure(saved: Iterable[Any], loaded: Iterable[Any]) -> None:
    """
    Check variables that were put together again from their parts.

    Their data is one object before and after, so only what holds it can differ.

    Raises:
        Inexact: The variables differ.
    """
    for one, other in zip(saved, loaded, strict=True):
        if (
            type(one) is not type(other)
            or one.dims != other.dims
            or one.shape != other.shape
            or one.dtype != other.dtype
            or list(one.attrs) != list(other.attrs)
            or list(one.encoding) != list(other.encoding)
        ):
            raise Inexact("xarray puts its variables together in another way")
        is_index = type(one).__name__ == "IndexVariable"
        if not is_index and one.data is not other.data:
            raise Inexact("xarray would convert its data")
