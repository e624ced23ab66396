"""NumPy arrays whose elements lie elsewhere: objects, text of any length, both."""

from __future__ import annotations

import math
from typing import Any

from checkpoints._kinds.dtypes import (
    dtype_from_layout,
    layout_of,
    string_dtype,
    string_notes,
)
from checkpoints._kinds.kind import Compound, Inexact
from checkpoints._kinds.npy import freeze_array
from checkpoints._process.budget import ask
from checkpoints._process.libraries import needed

__all__ = ["OBJECT_ARRAY"]

# Alignment at most doubles the size of a record; this leaves room for odd layouts.
_MOST_PADDING = 8
# A reference, or the place of a short text; a longer one is in memory twice.
_MOST_OF_AN_ITEM = 16


def _take_apart(array: Any) -> dict[str, Any]:
    dtype, flags = array.dtype, array.flags
    order = "F" if flags.f_contiguous and not flags.c_contiguous else "C"
    parts = {"shape": list(array.shape), "order": order}
    if dtype.char == "T":
        return {**parts, **_texts_of(array.ravel(order=order))}
    layout = layout_of(dtype)
    if dtype.names is not None:
        _check_padding(dtype)
        fields = {name: array[name] for name in dtype.names}
        return {**parts, "layout": layout, "fields": fields}
    if layout != "|O":
        raise Inexact(f"the dtype {dtype} is none of NumPy's own")
    return {**parts, "items": array.ravel(order=order).tolist()}


def _check_padding(dtype: Any) -> None:
    """Refuse a dtype whose arrays would take far more memory than their fields."""
    used = sum(dtype.fields[name][0].itemsize for name in dtype.names)
    if dtype.itemsize > _MOST_PADDING * used:
        raise Inexact(f"the dtype {dtype!r:.80} is nearly empty")


def _texts_of(flat: Any) -> dict[str, Any]:
    notes = string_notes(flat.dtype)
    missing, items = notes["missing"], flat.tolist()
    if missing:
        items = [None if item is missing[0] else item for item in items]
    return {"strings": notes, "items": items}


def _put_together(parts: dict[str, Any]) -> Any:
    needed("numpy", "loading a NumPy value")
    if "fields" in parts:
        return _records(parts)
    shape, items = parts["shape"], parts["items"]
    if type(items) is not list or math.prod(shape) != len(items):
        raise ValueError(f"other objects than for an array of shape {shape!r:.80}")
    ask(_MOST_OF_AN_ITEM * len(items))
    flat = _texts(parts) if "strings" in parts else _objects(items)
    return flat.reshape(shape, order=parts["order"])


def _objects(items: list[Any]) -> Any:
    import numpy

    return numpy.fromiter(items, dtype=object, count=len(items))


def _texts(parts: dict[str, Any]) -> Any:
    items, missing = parts["items"], parts["strings"]["missing"]
    if missing:
        items = [missing[0] if item is None else item for item in items]
    return _objects(items).astype(string_dtype(parts["strings"]))


def _records(parts: dict[str, Any]) -> Any:
    import numpy

    fields = parts["fields"]
    dtype = dtype_from_layout(parts["layout"], objects=True)
    _check_padding(dtype)
    shape = tuple(parts["shape"])
    if any(fields[name].shape[: len(shape)] != shape for name in dtype.names):
        raise ValueError(f"a field is not of the shape {shape!r:.80}")
    ask(math.prod(shape) * dtype.itemsize)
    array = numpy.empty(shape, dtype, order=parts["order"])
    for name in dtype.names:
        array[name] = fields[name]
    return array


OBJECT_ARRAY = Compound(
    kind="numpy.object_array",
    take_apart=_take_apart,
    put_together=_put_together,
    package="numpy",
    freeze=freeze_array,
)
