"""Arrays of any dtype and shape: those of NumPy and SciPy, tensors, pictures."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from typing import Any

from checkpoints._compare.difference import Comparer, Difference, worse
from checkpoints._compare.dtypes import compare_dtypes, dtype_name
from checkpoints._compare.grid import Squares
from checkpoints._compare.items import Items
from checkpoints._compare.tally import Place, Tally, Where
from checkpoints._compare.vectors import ArrayVector, compare_vectors
from checkpoints._kinds.families import families_of
from checkpoints._process.libraries import imported
from checkpoints._text import count_text

__all__ = [
    "array_of",
    "compare_arrays",
    "compare_pictures",
    "compare_sparse",
    "is_picture",
]

# Beside an array, these become arrays too.
_SCALARS = (bool, int, float, complex, str, bytes)


def compare_arrays(
    baseline: Any, candidate: Any, comparer: Comparer, names: tuple[str, str] = ("", "")
) -> Difference:
    """
    Compare two arrays.

    Args:
        baseline: An array of NumPy.
        candidate: Another one.
        comparer: What is allowed.
        names: The dtypes that they stand for, if these are not their own.
    """
    tally = Tally(comparer.tolerance)
    pair = baseline, candidate
    texts = [name or str(array.dtype) for name, array in zip(names, pair, strict=True)]
    tally.dtype = texts[0], texts[1]
    tally.shape = str(baseline.shape), str(candidate.shape)
    if baseline.dtype.names or candidate.dtype.names:
        return _by_field(baseline, candidate, comparer, tally)
    known = [_name(name, array) for name, array in zip(names, pair, strict=True)]
    compare_dtypes((known[0], texts[0]), (known[1], texts[1]), tally)
    _compare_layout(baseline, candidate, tally)
    if baseline.dtype.metadata != candidate.dtype.metadata:
        tally.note("other metadata of the dtype", "close")
    one, other = _comparable(baseline, candidate, tally)
    if not one.size:
        return tally.result()
    # Chunks are made without a copy, in the order of the memory.
    is_reversed = _is_fortran(one) and _is_fortran(other)
    if comparer.with_grid and one.ndim:
        tally.squares = Squares(one.shape, is_reversed=is_reversed)
    where = _places(one.shape, is_reversed=is_reversed)
    if is_reversed:
        one, other = one.T, other.T
    vectors = ArrayVector(one, known[0]), ArrayVector(other, known[1])
    compare_vectors(*vectors, tally, where, Items(comparer).compare)
    return tally.result()


def _name(name: str, array: Any) -> str:
    """Return the dtype by what it holds, whatever the order of its bytes."""
    letters = {"U": "text", "T": "text", "S": "bytes"}
    return letters.get(array.dtype.kind) or dtype_name(name or array.dtype.name)


def _is_fortran(array: Any) -> bool:
    return bool(array.flags.f_contiguous and not array.flags.c_contiguous)


def _compare_layout(baseline: Any, candidate: Any, tally: Tally) -> None:
    orders = [_order_of(array) for array in (baseline, candidate)]
    if orders[0] != orders[1] and all(orders):
        tally.note(f"{orders[0]} order against {orders[1]} order", "close")
    of_masked = imported("numpy").ma.MaskedArray
    masked = [isinstance(array, of_masked) for array in (baseline, candidate)]
    if masked[0] != masked[1]:
        side = "baseline" if masked[0] else "candidate"
        tally.note(f"masked in the {side} only", "close")
    elif all(masked):
        for trait in ("fill_value", "hardmask"):
            one, other = (repr(getattr(it, trait)) for it in (baseline, candidate))
            if one != other and baseline.dtype == candidate.dtype:
                tally.note(f"{trait} {one} against {other}", "close")


def _order_of(array: Any) -> str:
    if array.flags.c_contiguous:
        # One that is both has no order to speak of.
        return "" if array.flags.f_contiguous else "C"
    return "Fortran" if array.flags.f_contiguous else ""


def _comparable(baseline: Any, candidate: Any, tally: Tally) -> tuple[Any, Any]:
    """Return the parts of two arrays that have the same shape, and count the rest."""
    shapes = baseline.shape, candidate.shape
    if shapes[0] == shapes[1]:
        return baseline, candidate
    tally.note(f"shape {shapes[0]} against {shapes[1]}", "different")
    rows = 0
    if len(shapes[0]) == len(shapes[1]) > 0 and shapes[0][1:] == shapes[1][1:]:
        rows = min(shapes[0][0], shapes[1][0])
        side = "baseline" if shapes[0][0] > rows else "candidate"
        more = abs(shapes[0][0] - shapes[1][0])
        tally.note(f"{count_text(more, 'row')} at the end of the {side} only")
    left = max(baseline.size, candidate.size) - rows * math.prod(shapes[0][1:])
    tally.cells += left
    tally.lose(left)
    if not rows:
        nothing = imported("numpy").empty(0, baseline.dtype)
        return nothing, nothing
    return baseline[:rows], candidate[:rows]


def _places(shape: tuple[int, ...], *, is_reversed: bool) -> Where:
    if len(shape) == 1:
        return lambda place: Place(f"[{place}]", (place,))

    def where(place: int) -> Place:
        index = []
        for length in shape if is_reversed else shape[::-1]:
            place, at = divmod(place, length)
            index.append(at)
        index = index if is_reversed else index[::-1]
        return Place(str(index) if index else "", tuple(index))

    return where


def _by_field(
    baseline: Any, candidate: Any, comparer: Comparer, tally: Tally
) -> Difference:
    """Compare structured arrays."""
    one, other = (array.dtype.names or () for array in (baseline, candidate))
    if not (one and other) or baseline.shape != candidate.shape:
        compare_dtypes(("", tally.dtype[0]), ("", tally.dtype[1]), tally)
        if baseline.shape != candidate.shape:
            shapes = f"shape {baseline.shape} against {candidate.shape}"
            tally.note(shapes, "different")
    if [name for name in one if name in other] != [
        name for name in other if name in one
    ]:
        tally.note("other order of fields", "close")
    for name in dict.fromkeys([*one, *other]):
        field = f"field {name!r}"
        if name not in one or name not in other:
            side = "baseline" if name in one else "candidate"
            tally.note(f"{field} in the {side} only", "different")
            continue
        part = compare_arrays(baseline[name], candidate[name], comparer)
        tally.include(replace(part, name=field))
    dtypes = [(repr(it.dtype), it.dtype.metadata) for it in (baseline, candidate)]
    if dtypes[0] != dtypes[1]:
        tally.note("another layout of fields, or metadata", "close")
    return tally.result()


def array_of(value: Any, partner: Any) -> tuple[Any, str] | None:
    """
    Return a value as an array, and the name of the dtype that it stands for.

    Args:
        value: Any value.
        partner: The value that it is compared with. Beside an array, numbers of Python
            and lists of them become arrays.

    Returns:
        The array, and an empty name if the dtype is its own; None if the value is no
        array of any library.
    """
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return None
    if isinstance(value, numpy.ndarray | numpy.generic):
        is_masked = isinstance(value, numpy.ma.MaskedArray)
        return (value if is_masked else numpy.asarray(value)), ""
    if isinstance(value, _SCALARS) and hasattr(partner, "dtype"):
        return numpy.asarray(value), ""
    if isinstance(value, list | tuple) and isinstance(partner, numpy.ndarray):
        return numpy.asarray(value), ""
    for family in families_of(type(value)):
        if family.as_array is not None and hasattr(value, "dtype"):
            return _of_tensor(family.as_array, value)
    return None


def _of_tensor(as_array: Any, value: Any) -> tuple[Any, str]:
    if hasattr(value, "resolve_conj"):
        value = value.detach().cpu().resolve_conj().resolve_neg()
    array, lost = as_array(value)
    # NumPy has no dtype of these digits: the numbers are exact, their name is not.
    return array, str(value.dtype).removeprefix("torch.") if lost else ""


def compare_sparse(one: Any, other: Any, comparer: Comparer) -> Difference:
    """
    Compare two sparse matrices or arrays; what one of them does not store is zero.

    Args:
        one: The baseline.
        other: The candidate.
        comparer: What is allowed.
    """
    tally = Tally(comparer.tolerance)
    dtypes = [str(matrix.dtype) for matrix in (one, other)]
    tally.dtype = dtypes[0], dtypes[1]
    tally.shape = str(one.shape), str(other.shape)
    named = [(dtype_name(dtype), dtype) for dtype in dtypes]
    compare_dtypes(named[0], named[1], tally)
    names = type(one).__name__, type(other).__name__
    if names[0] != names[1]:
        tally.note(f"{names[0]} against {names[1]}", "close")
    if one.shape != other.shape:
        tally.note(f"shape {one.shape} against {other.shape}", "different")
        return tally.result()
    stored = _stored(one), _stored(other)
    if stored[0][2] != stored[1][2]:
        counts = f"{stored[0][2]} against {stored[1][2]} stored cells"
        tally.note(counts, "close")
    index, values = _aligned(stored[0], stored[1])
    tally.cells += math.prod(one.shape) - len(values[0])

    def where(place: int) -> Place:
        cell = tuple(int(axis[place]) for axis in index)
        return Place(str(list(cell)), cell)

    vectors = ArrayVector(values[0]), ArrayVector(values[1])
    compare_vectors(*vectors, tally, where, Items(comparer).compare)
    return tally.result()


def _stored(matrix: Any) -> tuple[list[Any], Any, int]:
    """Return the indexes of the stored cells, their values, and how many there are."""
    found = matrix.tocoo(copy=True)
    found.sum_duplicates()
    coords = getattr(found, "coords", None) or (found.row, found.col)
    return [axis.astype("int64") for axis in coords], found.data, len(found.data)


def _aligned(one: Any, other: Any) -> tuple[list[Any], tuple[Any, Any]]:
    """Return the indexes of the cells that either side stores, and both values."""
    numpy = imported("numpy")
    axes = [numpy.concatenate(pair) for pair in zip(one[0], other[0], strict=True)]
    order = numpy.lexsort(axes[::-1])
    axes = [axis[order] for axis in axes]
    begins = numpy.zeros(len(order), bool)
    begins[:1] = True
    for axis in axes:
        begins[1:] |= axis[1:] != axis[:-1]
    group = numpy.empty(len(order), "int64")
    group[order] = numpy.cumsum(begins) - 1
    values = []
    for data, places in (
        (one[1], group[: one[2]]),
        (other[1], group[one[2] :]),
    ):
        filled = numpy.zeros(int(begins.sum()), data.dtype)
        filled[places] = data
        values.append(filled)
    return [axis[begins] for axis in axes], (values[0], values[1])


def is_picture(value: Any) -> bool:
    """Tell whether a value is an image of Pillow."""
    return any(
        cls.__name__ == "Image" and cls.__module__ == "PIL.Image"
        for cls in type(value).__mro__
    )


def compare_pictures(one: Any, other: Any, comparer: Comparer) -> Difference:
    """
    Compare two images by mode, size and pixels; a place is a row, a column, a band.

    Args:
        one: The baseline.
        other: The candidate.
        comparer: What is allowed.
    """
    size = _size(one), _size(other)
    images = [one, other]
    notes = [] if one.mode == other.mode else [f"mode {one.mode} against {other.mode}"]
    if notes or one.mode == "P":
        # The colours of a palette decide, not the numbers that stand for them.
        images = [_coloured(image) for image in images]
    arrays = [imported("numpy").asarray(image) for image in images]
    found = compare_arrays(arrays[0], arrays[1], comparer)
    info = comparer.compare(dict(one.info), dict(other.info))
    if info.verdict != "equal":
        notes.append(f"info {info.where}".rstrip())
    own = "different" if one.mode != other.mode else info.verdict
    return replace(
        found,
        verdict=worse(own, found.verdict),
        hopeless=found.hopeless or own == "different",
        dtype=(one.mode, other.mode),
        shape=size,
        notes=(*notes, *found.notes),
    )


def _coloured(image: Any) -> Any:
    try:
        return image.convert("RGBA")
    except ValueError:  # a mode for measurements, such as I;16
        return image


def _size(image: Any) -> str:
    return f"{image.width} x {image.height}"
