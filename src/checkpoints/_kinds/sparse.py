"""SciPy: sparse matrices and arrays of every format, as their component arrays."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from checkpoints._kinds.columns import Statistics
from checkpoints._kinds.elements import elements_of
from checkpoints._kinds.kind import Compound, Family, Kind
from checkpoints._kinds.numpy import holds_nan
from checkpoints._process.libraries import needed

__all__ = ["FAMILY", "recognise"]

_FORMATS = ("csr", "csc", "coo", "bsr", "dia", "lil", "dok")
# These consist of Python objects; the other format holds the same data in arrays.
_STORED_AS = {"lil": "csr", "dok": "coo"}


def recognise(cls: type) -> Kind | None:
    """
    Return the format for values of exactly this class.

    Args:
        cls: A class of SciPy.

    Returns:
        The format; None if values of the class are pickled.

    Example:
        >>> import scipy.sparse
        >>> recognise(scipy.sparse.csr_array).kind
        'scipy.sparse'
    """
    sparse = sys.modules.get("scipy.sparse")
    names = (f"{form}_{kind}" for form in _FORMATS for kind in ("matrix", "array"))
    if sparse is None or all(cls is not getattr(sparse, name) for name in names):
        return None
    return _SPARSE


def _take_apart(sparse: Any) -> dict[str, Any]:
    form = sparse.format
    is_array = type(sparse).__name__.endswith("_array")
    stored = sparse.asformat(_STORED_AS.get(form, form))
    parts = {"format": form, "array": is_array, "shape": list(sparse.shape)}
    parts["data"] = stored.data
    if stored.format == "coo":
        coords = (
            stored.coords if hasattr(stored, "coords") else (stored.row, stored.col)
        )
        canonical = bool(stored.has_canonical_format)
        return {**parts, "coords": list(coords), "canonical": canonical}
    if stored.format == "dia":
        return {**parts, "offsets": stored.offsets}
    return {**parts, "indices": stored.indices, "indptr": stored.indptr}


def _put_together(parts: dict[str, Any]) -> Any:
    form = parts["format"]
    if form not in _FORMATS:
        raise ValueError(f"unknown format of sparse arrays {form!r:.80}")
    stored_as = _STORED_AS.get(form, form)
    name = f"{stored_as}_{'array' if parts['array'] else 'matrix'}"
    cls = getattr(needed("scipy.sparse", "loading a sparse array"), name)
    build = {"coo": _coo, "dia": _dia}.get(stored_as, _compressed)
    return build(cls, tuple(parts["shape"]), parts).asformat(form)


def _coo(cls: Any, shape: tuple[int, ...], parts: dict[str, Any]) -> Any:
    coords = tuple(parts["coords"])
    built = cls((parts["data"], coords), shape=shape)
    # The constructor has validated them, but may have changed their dtype.
    if hasattr(built, "coords"):
        built.coords = coords
    else:
        built.row, built.col = coords
    built.has_canonical_format = parts["canonical"]
    return built


def _dia(cls: Any, shape: tuple[int, ...], parts: dict[str, Any]) -> Any:
    built = cls((parts["data"], parts["offsets"]), shape=shape)
    built.offsets = parts["offsets"]
    return built


def _compressed(cls: Any, shape: tuple[int, ...], parts: dict[str, Any]) -> Any:
    data, indices, indptr = parts["data"], parts["indices"], parts["indptr"]
    blocks = {"blocksize": data.shape[1:]} if parts["format"] == "bsr" else {}
    built = cls((data, indices, indptr), shape=shape, **blocks)
    # Compiled code would follow an index beyond the shape into other memory.
    built.check_format(full_check=True)
    built.indices, built.indptr = indices, indptr
    return built


def _freeze(sparse: Any) -> Any:
    return sparse.copy()


def _holds_nan(value: Any) -> bool:
    return hasattr(value, "tocoo") and holds_nan(value.tocoo().data)


def _describe(value: Any, _: int) -> Statistics | None:
    if not hasattr(value, "tocoo"):
        return None
    stored = value.tocoo().data
    shape = {"dtype": str(value.dtype), "shape": list(value.shape)}
    return {**shape, "stored": len(stored), **elements_of(stored)}


def _same(one: Any, other: Any, _: Callable[[Any, Any], bool]) -> bool:
    if not hasattr(one, "nnz"):
        return bool(one == other)
    # The result of != is sparse, that of == would be dense.
    comparable = one.shape == other.shape and one.dtype == other.dtype
    return bool(comparable and (one != other).nnz == 0)


def _stored(value: Any) -> Any:
    data = getattr(value, "data", None)
    return data if hasattr(data, "dtype") else None


_SPARSE = Compound(
    kind="scipy.sparse",
    take_apart=_take_apart,
    put_together=_put_together,
    package="scipy",
    freeze=_freeze,
)

FAMILY = Family(
    packages=("scipy",),
    kinds=(_SPARSE,),
    recognise=recognise,
    holds_nan=_holds_nan,
    describe=_describe,
    same=_same,
    stored=_stored,
)
