"""Two vectors compared in chunks, however long they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

from checkpoints._compare.cells import Cells
from checkpoints._compare.distance import coarser
from checkpoints._compare.measure import CHUNK
from checkpoints._compare.tally import Found, Tally, Where
from checkpoints._compare.tolerance import Bounds
from checkpoints._process.libraries import imported

__all__ = ["Others", "Vector", "compare_vectors"]

_NUMBERS = "fciu"

# Compares cells that are neither numbers nor times, given their places.
Others: TypeAlias = Callable[[Any, Any, Any, Tally, Where], None]


class Vector(Protocol):
    """Cells in a row, which can be read a chunk at a time."""

    dtype: str
    length: int

    def chunk(self, start: int, stop: int) -> tuple[Any, Any]:
        """Return an array of cells, and a mask of its nulls or None."""
        ...


def compare_vectors(
    baseline: Vector, candidate: Vector, tally: Tally, where: Where, others: Others
) -> None:
    """
    Compare two vectors of one length.

    Args:
        baseline: A vector.
        candidate: Another one.
        tally: Where the result goes.
        where: Returns the text of a place.
        others: Compares arrays of cells that are neither numbers nor times.
    """
    dtypes = baseline.dtype, candidate.dtype
    bounds = _scaled(tally.tolerance.bounds(coarser(*dtypes)), baseline)
    cells = Cells(dtypes, bounds, tally, where)
    tally.cells += baseline.length
    for start in range(0, baseline.length, CHUNK):
        stop = min(start + CHUNK, baseline.length)
        one, other = baseline.chunk(start, stop), candidate.chunk(start, stop)
        values, found, places = one[0], other[0], start
        if one[1] is not None or other[1] is not None:
            present = _compare_nulls(one, other, start, tally, where)
            values, found = _taken(values, present), _taken(found, present)
            places = present + start
        if not len(values):
            continue
        kinds = {_kind_of(values), _kind_of(found)}
        is_number = kinds <= {*_NUMBERS, "b"} and kinds != {"b"}
        if is_number or kinds in ({"m"}, {"M"}):
            cells.compare(values, found, places)
        else:
            others(values, found, places, tally, where)


def _kind_of(array: Any) -> str:
    dtype = getattr(array, "dtype", None)
    kind = str(getattr(dtype, "kind", "O"))
    # NumPy does not know the floats that other libraries add to it.
    return "f" if kind == "V" and "float" in str(dtype) else kind


def _scaled(bounds: Bounds, baseline: Vector) -> Bounds:
    """Return the bounds with the baseline's largest value in place of `max`."""
    if not bounds.of_largest:
        return bounds
    numpy = imported("numpy")
    largest = 0.0
    for start in range(0, baseline.length, CHUNK):
        values, nulls = baseline.chunk(start, min(start + CHUNK, baseline.length))
        if _kind_of(values) not in _NUMBERS:
            break
        wide = values.astype("complex128" if _kind_of(values) == "c" else "float64")
        known = numpy.isfinite(wide) & (True if nulls is None else ~nulls)
        largest = max(largest, float(abs(wide[known]).max(initial=0.0)))
    return bounds.scaled(largest)


def _compare_nulls(
    one: tuple[Any, Any],
    other: tuple[Any, Any],
    start: int,
    tally: Tally,
    where: Where,
) -> Any:
    """Compare where two chunks are null, and return where neither is."""
    numpy = imported("numpy")
    nulls, missing = (
        numpy.zeros(len(values), bool) if mask is None else mask
        for values, mask in (one, other)
    )
    # One library's null is another one's NaN.
    as_nan = (nulls & _nan_in(other[0], missing)) | (missing & _nan_in(one[0], nulls))
    if as_nan.any() and tally.tolerance.nan == "equal":
        tally.note_cells("null against NaN", int(as_nan.sum()))
        tally.note("null against NaN", "close")
    else:
        as_nan[:] = False
    for side, mask in (
        ("baseline", nulls & ~missing & ~as_nan),
        ("candidate", missing & ~nulls & ~as_nan),
    ):
        _one_sided(
            one[0], other[0], (side, numpy.flatnonzero(mask)), start, tally, where
        )
    return numpy.flatnonzero(~(nulls | missing))


def _one_sided(
    values: Any,
    found: Any,
    nulls: tuple[str, Any],
    start: int,
    tally: Tally,
    where: Where,
) -> None:
    side, places = nulls
    if not len(places):
        return
    tally.note_cells(f"null in the {side} only", len(places))

    def cell(at: int) -> Found:
        place = int(places[at])
        pair = (
            (None, _item(found, place))
            if side == "baseline"
            else (_item(values, place), None)
        )
        return Found(lambda: where(start + place), pair)

    tally.differ_all(len(places), cell)


def _item(values: Any, place: int) -> Any:
    item = values[place]
    return item.as_py() if hasattr(item, "as_py") else item


def _nan_in(values: Any, nulls: Any) -> Any:
    numpy = imported("numpy")
    is_float = _kind_of(values) == "f"
    return numpy.isnan(values) & ~nulls if is_float else numpy.zeros(len(values), bool)


def _taken(values: Any, places: Any) -> Any:
    if hasattr(values, "dtype"):
        return values[places]
    return values.take(imported("pyarrow").array(places))
