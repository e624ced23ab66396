"""What values of NumPy and SciPy consist of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tests.corpora.leaf import ANY, Leaf

__all__ = ["parts", "parts_of_sparse"]

Parts = Iterator[tuple[str, Any]]

# On x86 a long double has ten bytes of content in sixteen bytes of memory.
_LONG, _LONG_CONTENT = 16, 10
_OF_FILE = ("_mmap", "filename", "offset", "mode")
# Arrays of SciPy's formats; those of csr, csc and bsr may have room to spare.
_TRIMMED = ("csr", "csc", "bsr")
_ARRAYS = {
    "csr": ("data", "indices", "indptr"),
    "csc": ("data", "indices", "indptr"),
    "bsr": ("data", "indices", "indptr"),
    "coo": ("data", "coords"),
    "dia": ("data", "offsets"),
    "lil": ("data", "rows"),
}


def parts(value: Any) -> Parts | None:
    """Return the parts of a value of NumPy, None for other values."""
    import numpy

    if value is numpy.ma.masked:
        return iter([("masked", True)])
    kinds: list[tuple[type, Callable[[Any], Parts]]] = [
        (numpy.ma.MaskedArray, _of_masked),
        (numpy.ndarray, _of_array),
        (numpy.generic, _of_scalar),
        (numpy.dtype, _of_dtype),
        (numpy.ufunc, lambda it: iter([("name", it.__name__)])),
    ]
    return next((found(value) for cls, found in kinds if isinstance(value, cls)), None)


def _of_array(value: Any) -> Parts:
    import numpy

    yield ".dtype", value.dtype
    yield ".shape", value.shape
    yield ".order", _order(value)
    # A memmap knows its file, which is not its content.
    is_of_file = isinstance(value, numpy.memmap)
    own = getattr(value, "__dict__", {}).items()
    if attributes := {k: v for k, v in own if not (is_of_file and k in _OF_FILE)}:
        yield ".attributes", attributes
    yield from _content(numpy.asarray(value))


def _order(value: Any) -> Any:
    if value.ndim < 2 or value.size < 2:
        return ANY
    if value.flags.c_contiguous or value.flags.f_contiguous:
        return "C" if value.flags.c_contiguous else "F"
    # A view of another array: it comes back as an array of its own.
    return ANY


def _content(value: Any) -> Parts:
    if value.dtype.names is not None:
        for name in value.dtype.names:
            yield f"[{name!r}]", value[name]
    elif value.dtype.hasobject or value.dtype.char == "T":
        yield ".items", value.ravel().tolist()
    else:
        yield ".bytes", _bytes(value)


def _bytes(value: Any) -> bytes:
    content: bytes = value.tobytes()
    if value.dtype.char not in "gG" or value.dtype.itemsize % _LONG:
        return content
    starts = range(0, len(content), _LONG)
    # In the other byte order the content is at the end.
    skip = 0 if value.dtype.isnative else _LONG - _LONG_CONTENT
    return b"".join(content[at + skip : at + skip + _LONG_CONTENT] for at in starts)


def _of_scalar(value: Any) -> Parts:
    import numpy

    array = numpy.asarray(value)
    yield ".dtype", getattr(value, "dtype", array.dtype)
    yield from _content(array)


def _of_masked(value: Any) -> Parts:
    import numpy

    yield ".dtype", value.dtype
    yield ".shape", value.shape
    yield ".mask is nomask", value.mask is numpy.ma.nomask
    yield ".mask", numpy.ma.getmaskarray(value)
    yield ".hardmask", value.hardmask
    yield ".fill_value", numpy.asarray(value.fill_value)
    yield ".baseclass", value.baseclass
    yield ".order", _order(value.data)
    yield (
        ".attributes",
        {name: item for name, item in vars(value).items() if not name.startswith("_")},
    )
    if value.dtype.names is not None:
        for name in value.dtype.names:
            yield (
                f"[{name!r}]",
                numpy.ma.MaskedArray(
                    numpy.asarray(value.data[name]), numpy.ma.getmaskarray(value)[name]
                ),
            )
    else:
        yield ".data", numpy.asarray(value.data)[~numpy.ma.getmaskarray(value)]


def _of_dtype(value: Any) -> Parts:
    yield "", Leaf((value.str, value.itemsize, value.alignment, value.isalignedstruct))
    # Of records and of C's `long` and `long long` there are several.
    yield ".type", value.type if value.kind == "V" else None
    yield ".metadata", dict(value.metadata) if value.metadata else None
    if value.subdtype is not None:
        yield ".shape", value.shape
        yield ".base", value.base
    if value.names is not None:
        yield ".names", value.names
        for name in value.names:
            field = value.fields[name]
            yield f"[{name!r}]", tuple(field)
    if value.char == "T":
        yield ".coerce", value.coerce
        yield ".na_object", Leaf(repr(getattr(value, "na_object", "none")))


def parts_of_sparse(value: Any) -> Parts | None:
    """Return the parts of a sparse matrix or array of SciPy, None for other values."""
    import scipy.sparse

    if not scipy.sparse.issparse(value):
        return None
    return _of_sparse(value)


def _of_sparse(value: Any) -> Parts:
    yield ".shape", tuple(value.shape)
    yield ".dtype", value.dtype
    if value.format == "dok":
        yield ".items", list(value.items())
        return
    used = int(value.indptr[-1]) if value.format in _TRIMMED else None
    for name in _ARRAYS[value.format]:
        array = getattr(value, name)
        yield f".{name}", array[:used] if name in ("data", "indices") else array
    if value.format == "coo":
        yield ".has_canonical_format", bool(value.has_canonical_format)
