"""SciPy: sparse matrices and arrays of every format, as their component arrays."""

from __future__ import annotations

import itertools
import operator
import sys
from collections.abc import Callable
from typing import Any

from checkpoints._kinds.columns import Statistics
from checkpoints._kinds.elements import elements_of
from checkpoints._kinds.kind import Compound, Family, Inexact, Kind
from checkpoints._kinds.numpy import holds_nan
from checkpoints._process.budget import ask
from checkpoints._process.libraries import needed

__all__ = ["FAMILY", "recognise"]

_FORMATS = ("csr", "csc", "coo", "bsr", "dia", "lil", "dok")
# These consist of Python objects; the other format holds the same data in arrays.
_STORED_AS = {"lil": "csr", "dok": "coo"}
# In bytes, as measured: a row of a lil, an element of one, an element of a dok.
_ROW, _NUMBER, _ITEM = 200, 96, 400
# What is found from the data when it is asked for, and the attribute that has it.
_FLAGS = {
    "_has_canonical_format": "has_canonical_format",
    "_has_sorted_indices": "has_sorted_indices",
}


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
    is_array = type(sparse).__name__.endswith("_array")
    form = {"format": sparse.format, "array": is_array, "shape": list(sparse.shape)}
    parts = {**form, **_PARTS.get(sparse.format, _parts_of_compressed)(sparse)}
    # One that is not valid could not be loaded either: SciPy's checks say why.
    _check_same(sparse, _put_together(parts))
    return parts


def _parts_of_compressed(sparse: Any) -> dict[str, Any]:
    return {name: getattr(sparse, name) for name in ("data", "indices", "indptr")}


def _parts_of_coo(sparse: Any) -> dict[str, Any]:
    coords = sparse.coords if hasattr(sparse, "coords") else (sparse.row, sparse.col)
    canonical = bool(sparse.has_canonical_format)
    return {"data": sparse.data, "coords": list(coords), "canonical": canonical}


def _parts_of_dia(sparse: Any) -> dict[str, Any]:
    return {"data": sparse.data, "offsets": sparse.offsets}


def _parts_of_lil(sparse: Any) -> dict[str, Any]:
    number = type(sparse.dtype.type().item())
    indices = itertools.chain.from_iterable(sparse.rows)
    numbers = itertools.chain.from_iterable(sparse.data)
    if (
        {*map(type, indices)} <= {int}
        and {*map(type, numbers)} <= {number}
        and all(row == sorted({*row}) for row in sparse.rows)
    ):
        return _parts_of_compressed(sparse.tocsr())
    return {"rows": sparse.rows, "data": sparse.data, "dtype": sparse.dtype}


def _parts_of_dok(sparse: Any) -> dict[str, Any]:
    import numpy

    items, dtype = dict(sparse.items()), sparse.dtype
    keys = [key if type(key) is tuple else (key,) for key in items]
    types = {*map(type, itertools.chain.from_iterable(keys))}
    # Python's integers, or those of an array that SciPy has made it of.
    if len(types) > 1 or not {*map(type, items.values())} <= {dtype.type}:
        return {"items": items, "dtype": dtype}
    coords = numpy.array(keys or numpy.empty((0, sparse.ndim), "i8"))
    data = numpy.array([*items.values()], dtype)
    return {"keys": coords, "python": types <= {int}, "data": data}


_PARTS = {
    "coo": _parts_of_coo,
    "dia": _parts_of_dia,
    "lil": _parts_of_lil,
    "dok": _parts_of_dok,
}


def _check_same(sparse: Any, rebuilt: Any) -> None:
    state, expected = vars(sparse), vars(rebuilt)
    extra = state.keys() - expected.keys() - _FLAGS.keys()
    if state.get("maxprint") != expected.get("maxprint"):
        extra.add("maxprint")
    if extra:
        raise Inexact(f"the {sparse.format} has attributes of its own: {sorted(extra)}")
    for flag, name in _FLAGS.items():
        if state.get(flag) and not getattr(rebuilt, name):
            raise Inexact(f"{name} is set, but is not true")


def _put_together(parts: dict[str, Any]) -> Any:
    form = parts["format"]
    if form not in _FORMATS:
        raise ValueError(f"unknown format of sparse arrays {form!r:.80}")
    shape = tuple(parts["shape"])
    ask(_memory_of(form, shape, parts))
    if "items" in parts or "keys" in parts:
        return _dok(_class_of("dok", parts), shape, parts)
    if "rows" in parts:
        return _lil(_class_of("lil", parts), shape, parts)
    stored_as = _STORED_AS.get(form, form)
    build = {"coo": _coo, "dia": _dia}.get(stored_as, _compressed)
    return build(_class_of(stored_as, parts), shape, parts).asformat(form)


def _memory_of(form: str, shape: tuple[int, ...], parts: dict[str, Any]) -> int:
    """Return the memory that a sparse array takes in addition to its parts."""
    if form == "lil":
        return _ROW * shape[0] + _NUMBER * (
            0 if "rows" in parts else len(parts["data"])
        )
    if form == "dok":
        return _ITEM * len(parts["items" if "items" in parts else "data"])
    indices = [
        parts[name] for name in ("indices", "indptr", "offsets") if name in parts
    ]
    # SciPy converts indices, and makes others to check them.
    return 2 * sum(int(array.nbytes) for array in (*indices, *parts.get("coords", ())))


def _class_of(form: str, parts: dict[str, Any]) -> Any:
    sparse = needed("scipy.sparse", "loading a sparse array")
    return getattr(sparse, f"{form}_{'array' if parts['array'] else 'matrix'}")


def _check_indices(*arrays: Any) -> None:
    # SciPy converts others, which may overflow after it has checked them.
    for array in arrays:
        if array.dtype.str[1:] not in ("i4", "i8") or not array.dtype.isnative:
            raise ValueError(f"indices must be int32 or int64, not {array.dtype}")


def _coo(cls: Any, shape: tuple[int, ...], parts: dict[str, Any]) -> Any:
    coords = tuple(parts["coords"])
    _check_indices(*coords)
    built = cls((parts["data"], coords), shape=shape)
    # The constructor has validated them, but may have changed their dtype.
    if hasattr(built, "coords"):
        built.coords = coords
    else:
        built.row, built.col = coords
    built.data = parts["data"]
    built.has_canonical_format = parts["canonical"]
    return built


def _dia(cls: Any, shape: tuple[int, ...], parts: dict[str, Any]) -> Any:
    _check_indices(parts["offsets"])
    built = cls((parts["data"], parts["offsets"]), shape=shape)
    built.data, built.offsets = parts["data"], parts["offsets"]
    return built


def _compressed(cls: Any, shape: tuple[int, ...], parts: dict[str, Any]) -> Any:
    data, indices, indptr = parts["data"], parts["indices"], parts["indptr"]
    _check_indices(indices, indptr)
    blocks = {"blocksize": data.shape[1:]} if parts["format"] == "bsr" else {}
    built = cls((data, indices, indptr), shape=shape, **blocks)
    # Compiled code would follow an index beyond the shape into other memory.
    built.check_format(full_check=True)
    # The checks cut off room to spare, and may have changed the dtypes.
    built.data, built.indices, built.indptr = data, indices, indptr
    return built


def _lil(cls: Any, shape: tuple[int, ...], parts: dict[str, Any]) -> Any:
    built = cls(shape, dtype=parts["dtype"])
    rows, data = parts["rows"], parts["data"]
    if rows.shape != built.rows.shape or data.shape != built.data.shape:
        raise ValueError("the rows of a lil do not fit its shape")
    for row, numbers in zip(rows, data, strict=True):
        if type(row) is not list or type(numbers) is not list:
            raise TypeError("the rows of a lil must be lists")
        if len(row) != len(numbers) or not _are_indices(row, shape[-1]):
            raise ValueError("a row of a lil does not fit its shape")
    built.rows, built.data = rows, data
    return built


def _dok(cls: Any, shape: tuple[int, ...], parts: dict[str, Any]) -> Any:
    items = parts["items"] if "items" in parts else _items_of(parts)
    built = cls(
        shape, dtype=parts["dtype"] if "items" in parts else parts["data"].dtype
    )
    for key in items:
        indices = key if type(key) is tuple else (key,)
        pairs = zip(indices, shape, strict=True)
        if not all(_are_indices([index], length) for index, length in pairs):
            raise ValueError(f"the key {key!r:.80} of a dok does not fit its shape")
    # Setting each item would convert it.
    built._dict = items
    return built


def _items_of(parts: dict[str, Any]) -> dict[Any, Any]:
    _check_indices(parts["keys"])
    columns = parts["keys"].T
    keys = [column.tolist() if parts["python"] else list(column) for column in columns]
    names = keys[0] if len(keys) == 1 else zip(*keys, strict=True)
    return dict(zip(names, parts["data"], strict=True))


def _are_indices(indices: list[Any], length: int) -> bool:
    return all(0 <= operator.index(index) < length for index in indices)


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
