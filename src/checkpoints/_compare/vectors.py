"""Two vectors of cells compared in chunks, however long they are."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

from checkpoints._compare.distance import bits_differ, coarser, distances, widened
from checkpoints._compare.dtypes import dtype_name, kind_of
from checkpoints._compare.measure import CHUNK, Measure, Scope
from checkpoints._compare.nulls import compare_nulls
from checkpoints._compare.tally import Tally, Where
from checkpoints._compare.tolerance import Bounds
from checkpoints._process.libraries import imported

__all__ = ["ArrayVector", "Others", "Vector", "compare_vectors"]

_NUMBERS = "fciu"
_WORTH = 1 << 13

# Compares cells that are neither numbers nor times, given their places.
Others: TypeAlias = Callable[[Any, Any, Any, Tally, Where], None]


class Vector(Protocol):
    """Cells in a row, which can be read a chunk at a time."""

    dtype: str
    length: int

    def chunk(self, start: int, stop: int) -> tuple[Any, Any]:
        """Return an array of cells, and a mask or the sorts of its nulls, or None."""
        ...


class ArrayVector:
    """
    The cells of an array, in the order of its indexes.

    Args:
        array: An array of NumPy, masked perhaps.
        dtype: The name of its dtype, if it is not the array's own.
    """

    def __init__(self, array: Any, dtype: str = "") -> None:
        numpy = imported("numpy")
        self.dtype = dtype or dtype_name(str(array.dtype))
        self.length = array.size
        self._mask = None
        if isinstance(array, numpy.ma.MaskedArray):
            self._mask = _flat(numpy.ma.getmaskarray(array))
            array = array.data
        self._flat = _flat(array)

    def chunk(self, start: int, stop: int) -> tuple[Any, Any]:
        """Return an array of cells, and a mask of its nulls or None."""
        cells = imported("numpy").ascontiguousarray(self._flat[start:stop])
        if not cells.dtype.isnative:
            cells = cells.astype(cells.dtype.newbyteorder("="))
        if hasattr(cells.dtype, "na_object"):
            # Texts beside something that is none cannot be compared as texts.
            cells = cells.astype(object)
        return cells, None if self._mask is None else self._mask[start:stop]


def _flat(array: Any) -> Any:
    """Return what can be cut into chunks without a copy of the whole."""
    array = imported("numpy").asarray(array)
    return array.reshape(-1) if array.flags.c_contiguous else array.flat


def compare_vectors(
    baseline: Vector, candidate: Vector, tally: Tally, where: Where, others: Others
) -> None:
    """
    Compare two vectors of one length.

    Args:
        baseline: A vector.
        candidate: Another one.
        tally: Where the result goes.
        where: Returns a place.
        others: Compares arrays of cells that are neither numbers nor times.
    """
    dtypes = baseline.dtype, candidate.dtype
    bounds = tally.tolerance.bounds(coarser(*dtypes))
    if bounds.of_largest:
        known = tally.largest
        bounds = bounds.scaled(_largest_in(baseline) if known is None else known)
    cells = _Cells(dtypes, bounds, tally, where)
    tally.cells += baseline.length
    for start in range(0, baseline.length, CHUNK):
        stop = min(start + CHUNK, baseline.length)
        one, other = baseline.chunk(start, stop), candidate.chunk(start, stop)
        values, found, places = one[0], other[0], start
        if one[1] is not None or other[1] is not None:
            present = compare_nulls(one, other, start, tally, where)
            values, found = _taken(values, present), _taken(found, present)
            places = present + start
        if not len(values):
            continue
        kinds = {kind_of(values), kind_of(found)}
        is_number = kinds <= {*_NUMBERS, "b"} and kinds != {"b"}
        if is_number or kinds in ({"m"}, {"M"}):
            cells.compare(values, found, places)
        else:
            others(values, found, places, tally, where)
    cells.finish()


def _largest_in(baseline: Vector) -> float:
    """Return the largest absolute value of the finite numbers in a vector."""
    numpy = imported("numpy")
    largest = 0.0
    for start in range(0, baseline.length, CHUNK):
        values, nulls = baseline.chunk(start, min(start + CHUNK, baseline.length))
        if kind_of(values) not in _NUMBERS:
            break
        wide = values.astype("complex128" if kind_of(values) == "c" else "float64")
        known = numpy.isfinite(wide) & (True if nulls is None else nulls == 0)
        largest = max(largest, float(abs(wide[known]).max(initial=0.0)))
    return largest


def _taken(values: Any, places: Any) -> Any:
    if hasattr(values, "dtype"):
        return values[places]
    return values.take(imported("pyarrow").array(places))


class _Cells:
    """
    Compares chunks of two vectors.

    Args:
        dtypes: The dtypes of both vectors.
        bounds: How far their cells may be apart.
        tally: Where the result goes.
        where: Returns a place.
    """

    def __init__(
        self, dtypes: tuple[str, str], bounds: Bounds, tally: Tally, where: Where
    ) -> None:
        self._numpy = imported("numpy")
        self._scope = Scope(coarser(*dtypes), bounds, tally, where)
        self._waiting: list[tuple[Any, Any, Any]] = []
        self._number = 0

    def compare(self, one: Any, other: Any, places: Any) -> None:
        """Compare two chunks; `places` are theirs, or the place of the first cell."""
        if one.dtype != other.dtype or one.dtype.kind == "V":
            one, other = widened(one, other)
        mask = self._differing(one, other)
        count = int(self._numpy.count_nonzero(mask))
        if not count:
            return
        if 2 * count > len(one):
            self.finish()
            if self._all(one, other, places, count):
                return
        at = self._numpy.flatnonzero(mask)
        places = at + places if isinstance(places, int) else places[at]
        self._wait(one[at], other[at], places)

    def _wait(self, one: Any, other: Any, places: Any) -> None:
        """Keep cells that differ until there are enough to be worth the calls."""
        if self._waiting and self._waiting[0][0].dtype != one.dtype:
            self.finish()
        self._waiting.append((one, other, places))
        self._number += len(one)
        if self._number >= _WORTH:
            self.finish()

    def finish(self) -> None:
        """Compare the cells that have been kept."""
        if self._waiting:
            waiting, self._waiting, self._number = self._waiting, [], 0
            if len(waiting) == 1:
                self._some(*waiting[0])
                return
            self._some(*map(self._numpy.concatenate, zip(*waiting, strict=True)))

    def _differing(self, one: Any, other: Any) -> Any:
        if one.dtype.kind == "O":
            return one != other
        mask = bits_differ(one, other, self._scope.buffers.of(0, one, "bool"))
        if one.dtype.kind in "fcmM" and not self._scope.bounds.nan_equal:
            mask = mask | (_missing(one) & _missing(other))
        return mask

    def _all(self, one: Any, other: Any, places: Any, count: int) -> bool:
        """Compare whole chunks of floats; False if NaN or infinity is among them."""
        if one.dtype.kind != "f":
            return False
        wide = widened(one, other)
        with self._numpy.errstate(all="ignore"):
            distance = distances(*wide, self._scope.buffers.of(1, wide[0]))
            largest = distance.max()
            if not math.isfinite(largest):
                return False
            found = Measure(self._scope, (one, other), wide[0], distance, places)
            found.tell(count, largest)
        self._scope.tally.draw(places, distance)
        return True

    def _some(self, one: Any, other: Any, places: Any) -> None:
        """Compare cells all of which differ."""
        with self._numpy.errstate(all="ignore"):
            plain = one, other
            if one.dtype.kind == "c" and self._scope.bounds.nan_equal:
                plain = _without_shared_nan(one, other)
            known = _known(plain[0]) & _known(plain[1])
            if not known.all():
                self._odd(one[~known], other[~known], places[~known])
                one, other, places = one[known], other[known], places[known]
                plain = plain[0][known], plain[1][known]
            if len(one):
                wide = widened(*plain)
                distance = distances(*wide)
                found = Measure(self._scope, (one, other), wide[0], distance, places)
                found.tell(len(one))
                self._scope.tally.draw(places, distance)

    def _odd(self, one: Any, other: Any, places: Any) -> None:
        """Count the cells where NaN or infinity is on one side, or on both."""
        both = _missing(one) & _missing(other)
        if one.dtype.kind == "c":
            # Beside a part that is NaN, the other one may be anything.
            both &= _has_equal_parts(one, other)
        if both.any() and one.dtype.kind in "fc":
            nan_equal = self._scope.bounds.nan_equal
            what = "NaN with other bits" if nan_equal else "NaN on both sides"
            self._scope.tally.note_cells(what, int(both.sum()))
        if self._scope.bounds.nan_equal:
            # What calculates a NaN sets its sign and payload as it likes.
            one, other, places = one[~both], other[~both], places[~both]
        for what, mask in _oddities(one, other).items():
            if mask.any():
                self._scope.tally.note_cells(what, int(mask.sum()))
        self._scope.tally.differ_all(
            len(one),
            lambda at: self._scope.found(one[at], other[at], int(places[at])),
            places,
        )


def _without_shared_nan(one: Any, other: Any) -> tuple[Any, Any]:
    """Return complex numbers with 0 for what is NaN in both, where the rest differs."""
    alike = _has_equal_parts(one, other)
    one, other = one.copy(), other.copy()
    for first, second in ((one.real, other.real), (one.imag, other.imag)):
        shared = _missing(first) & _missing(second) & ~alike
        first[shared] = second[shared] = 0
    return one, other


def _has_equal_parts(one: Any, other: Any) -> Any:
    """Return where both parts of complex numbers are equal; NaN equals NaN."""
    real, imag = (
        (first == second) | (_missing(first) & _missing(second))
        for first, second in ((one.real, other.real), (one.imag, other.imag))
    )
    return real & imag


def _missing(array: Any) -> Any:
    numpy = imported("numpy")
    kind = array.dtype.kind
    if kind in "mM":
        return numpy.isnat(array)
    return numpy.isnan(array) if kind in "fc" else numpy.zeros(len(array), bool)


def _known(array: Any) -> Any:
    """Return a mask of what can be subtracted."""
    numpy = imported("numpy")
    return numpy.isfinite(array) if array.dtype.kind in "fc" else ~_missing(array)


def _oddities(one: Any, other: Any) -> dict[str, Any]:
    """Return where NaN or infinity is on one side, or on both."""
    missing = _missing(one), _missing(other)
    nan = "NaT" if one.dtype.kind in "mM" else "NaN"
    found = {
        f"{nan} in the baseline only": missing[0] & ~missing[1],
        f"{nan} in the candidate only": missing[1] & ~missing[0],
    }
    if one.dtype.kind in "fc":
        numpy = imported("numpy")
        infinite = numpy.isinf(one), numpy.isinf(other)
        neither = ~(missing[0] | missing[1])
        found |= {
            "Inf in the baseline only": infinite[0] & ~infinite[1] & neither,
            "Inf in the candidate only": infinite[1] & ~infinite[0] & neither,
            "Inf on both sides": infinite[0] & infinite[1] & neither,
        }
    return found
