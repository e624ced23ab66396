"""NumPy's masked arrays and records, and the constant `masked`."""

from __future__ import annotations

import sys
from typing import Any

from checkpoints._kinds.kind import Compound, Inexact, Kind
from checkpoints._kinds.npy import freeze_array
from checkpoints._process.libraries import needed

__all__ = ["KINDS", "recognise"]

_FLAGS = {"hard": "_hardmask", "shared": "_sharedmask", "field": "_isfield"}
_STATE = {*_FLAGS.values(), "_mask", "_fill_value", "_baseclass"}
# NumPy's own notes on where an array comes from, and on how a matrix is indexed.
_NOTES = {"_optinfo", "_basedict", "_getitem"}


def recognise(cls: type) -> Kind | None:
    """
    Return the kind for values of exactly this class of `numpy.ma`, None if none.

    Example:
        >>> import numpy.ma
        >>> recognise(numpy.ma.MaskedArray).kind
        'numpy.masked_array'
    """
    # NumPy loads it on demand: without it there are no masked arrays.
    core = sys.modules.get("numpy.ma.core")
    kind = _BY_NAME.get(cls.__name__)
    if core is None or kind is None:
        return None
    return kind if cls is getattr(core, cls.__name__, None) else None


def _take_apart(masked: Any) -> dict[str, Any]:
    import numpy

    if masked.baseclass not in (numpy.ndarray, numpy.matrix, numpy.recarray):
        raise Inexact(f"the masked array wraps a {masked.baseclass.__name__}")
    state = vars(masked)
    extra = sorted({*state, *state["_optinfo"]} - _STATE - _NOTES)
    if extra:
        raise Inexact(f"the masked array has attributes of its own: {extra}")
    mask, fill_value = state["_mask"], state["_fill_value"]
    return {
        "data": masked.data,
        "mask": None if mask is numpy.ma.nomask else _plain(mask),
        "fill_value": None if fill_value is None else numpy.asarray(fill_value),
        **{name: bool(state[flag]) for name, flag in _FLAGS.items()},
    }


def _plain(mask: Any) -> Any:
    import numpy

    # That of a comparison of matrices is a matrix, and is indexed as one.
    return mask if type(mask) is numpy.matrix else numpy.asarray(mask)


def _put_together(parts: dict[str, Any]) -> Any:
    ma = needed("numpy.ma", "loading a masked array")
    mask = _mask_of(parts)
    masked = _with_state(ma.MaskedArray(parts["data"], mask=mask), parts)
    if type(mask) is needed("numpy", "loading a masked array").matrix:
        # The constructor would make an array of it.
        vars(masked)["_mask"] = mask
    return masked


def _put_record_together(parts: dict[str, Any]) -> Any:
    ma = needed("numpy.ma", "loading a masked record")
    if parts["data"].shape or parts["mask"] is None:
        raise ValueError("a masked record must be one record with its mask")
    return _with_state(ma.mvoid(parts["data"], mask=_mask_of(parts)[()]), parts)


def _mask_of(parts: dict[str, Any]) -> Any:
    from numpy import ma

    data, mask = parts["data"], parts["mask"]
    if mask is None:
        return ma.nomask
    if mask.shape != data.shape or mask.dtype != ma.make_mask_descr(data.dtype):
        raise ValueError("the mask does not fit the masked array")
    return mask


def _with_state(masked: Any, parts: dict[str, Any]) -> Any:
    fill_value = parts["fill_value"]
    if fill_value is not None and fill_value.shape:
        raise ValueError("the fill value is not one value")
    # Files of the first versions have only some of the flags.
    flags = {_FLAGS[name]: parts[name] is True for name in _FLAGS if name in parts}
    # The constructor would convert the fill value to the array's dtype.
    vars(masked).update(flags, _fill_value=fill_value)
    return masked


def _freeze(masked: Any) -> Any:
    parts = _take_apart(masked)
    own = {name: parts[name] for name in ("data", "mask", "fill_value")}
    frozen = {name: _freeze_part(part) for name, part in own.items()}
    is_array = recognise(type(masked)) is _ARRAY
    put_together = _put_together if is_array else _put_record_together
    return put_together({**parts, **frozen})


def _freeze_part(part: Any) -> Any:
    return None if part is None else freeze_array(part).view(type(part))


def _take_constant_apart(constant: Any) -> dict[str, Any]:
    import numpy

    if constant is not numpy.ma.masked:
        raise Inexact("it is a copy of numpy.ma.masked")
    return {}


def _put_constant_together(_: dict[str, Any]) -> Any:
    return needed("numpy.ma", "loading the masked constant").masked


_ARRAY = Compound(
    kind="numpy.masked_array",
    take_apart=_take_apart,
    put_together=_put_together,
    package="numpy",
    freeze=_freeze,
)
_RECORD = Compound(
    kind="numpy.masked_record",
    take_apart=_take_apart,
    put_together=_put_record_together,
    package="numpy",
    freeze=_freeze,
)
_CONSTANT = Compound(
    kind="numpy.masked",
    take_apart=_take_constant_apart,
    put_together=_put_constant_together,
    package="numpy",
)
_BY_NAME = {"MaskedArray": _ARRAY, "mvoid": _RECORD, "MaskedConstant": _CONSTANT}
KINDS = (_ARRAY, _RECORD, _CONSTANT)
