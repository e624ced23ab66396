"""SciPy: sparse matrices and arrays of every format, as the arrays they are made of."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from checkpoints._kinds.columns import Statistics
from checkpoints._kinds.elements import elements_of
from checkpoints._kinds.kind import Compound, Family, Kind
from checkpoints._kinds.numpy import holds_nan
from checkpoints.errors import MissingDependencyError

__all__ = ["FAMILY", "recognise"]

_FORMATS = ("csr", "csc", "coo", "bsr", "dia", "lil", "dok")
# These two are made of Python objects; another format holds the same in arrays.
_HELD_AS = {"lil": "csr", "dok": "coo"}


def recognise(cls: type) -> Kind | None:
    """
    Say which format takes values of exactly this class.

    Args:
        cls: A class of SciPy.

    Returns:
        The format; None where values of the class have to be pickled.

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


def _import_sparse() -> Any:
    try:
        import scipy.sparse
    except ImportError as error:
        message = "loading a sparse array needs SciPy: pip install scipy"
        raise MissingDependencyError(message) from error
    return scipy.sparse


def _take_apart(sparse: Any) -> dict[str, Any]:
    form = sparse.format
    is_array = type(sparse).__name__.endswith("_array")
    held = sparse.asformat(_HELD_AS.get(form, form))
    parts = {"format": form, "array": is_array, "shape": list(sparse.shape)}
    parts["data"] = held.data
    if held.format == "coo":
        coords = held.coords if hasattr(held, "coords") else (held.row, held.col)
        canonical = bool(held.has_canonical_format)
        return {**parts, "coords": list(coords), "canonical": canonical}
    if held.format == "dia":
        return {**parts, "offsets": held.offsets}
    return {**parts, "indices": held.indices, "indptr": held.indptr}


def _put_together(parts: dict[str, Any]) -> Any:
    form = parts["format"]
    if form not in _FORMATS:
        raise ValueError(f"{form!r:.80} is no format of sparse arrays")
    held_as = _HELD_AS.get(form, form)
    name = f"{held_as}_{'array' if parts['array'] else 'matrix'}"
    cls = getattr(_import_sparse(), name)
    build = {"coo": _coo, "dia": _dia}.get(held_as, _compressed)
    return build(cls, tuple(parts["shape"]), parts).asformat(form)


def _coo(cls: Any, shape: tuple[int, ...], parts: dict[str, Any]) -> Any:
    coords = tuple(parts["coords"])
    made = cls((parts["data"], coords), shape=shape)
    # The constructor has checked them, and may have made them narrower.
    if hasattr(made, "coords"):
        made.coords = coords
    else:
        made.row, made.col = coords
    made.has_canonical_format = parts["canonical"]
    return made


def _dia(cls: Any, shape: tuple[int, ...], parts: dict[str, Any]) -> Any:
    made = cls((parts["data"], parts["offsets"]), shape=shape)
    made.offsets = parts["offsets"]
    return made


def _compressed(cls: Any, shape: tuple[int, ...], parts: dict[str, Any]) -> Any:
    data, indices, indptr = parts["data"], parts["indices"], parts["indptr"]
    blocks = {"blocksize": data.shape[1:]} if parts["format"] == "bsr" else {}
    made = cls((data, indices, indptr), shape=shape, **blocks)
    # An index beyond the shape would be followed by compiled code, into other memory.
    made.check_format(full_check=True)
    made.indices, made.indptr = indices, indptr
    return made


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
    # Of matrices full of zeros, != is sparse, and == is not.
    alike = one.shape == other.shape and one.dtype == other.dtype
    return bool(alike and (one != other).nnz == 0)


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
