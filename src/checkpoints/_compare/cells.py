"""Chunks of numbers and times, compared cell by cell."""

from __future__ import annotations

import math
from typing import Any

from checkpoints._compare.bits import bits_differ
from checkpoints._compare.distance import coarser, distances, widened
from checkpoints._compare.measure import Measure, Scope
from checkpoints._compare.tally import Tally, Where
from checkpoints._compare.tolerance import Bounds
from checkpoints._process.libraries import imported

__all__ = ["Cells"]


class Cells:
    """
    Compares chunks of two vectors.

    Args:
        dtypes: The dtypes of both vectors.
        bounds: How far their cells may be apart.
        tally: Where the result goes.
        where: Returns the text of a place.
    """

    def __init__(
        self, dtypes: tuple[str, str], bounds: Bounds, tally: Tally, where: Where
    ) -> None:
        self._numpy = imported("numpy")
        self._scope = Scope(coarser(*dtypes), bounds, tally, where)

    def compare(self, one: Any, other: Any, places: Any) -> None:
        """Compare two chunks; `places` are theirs, or the place of the first cell."""
        if one.dtype != other.dtype or one.dtype.kind == "V":
            one, other = widened(one, other)
        mask = self._differing(one, other)
        count = int(self._numpy.count_nonzero(mask))
        if not count or (2 * count > len(one) and self._all(one, other, places, count)):
            return
        at = self._numpy.flatnonzero(mask)
        places = at + places if isinstance(places, int) else places[at]
        self._some(one[at], other[at], places)

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
        return True

    def _some(self, one: Any, other: Any, places: Any) -> None:
        """Compare cells all of which differ."""
        with self._numpy.errstate(all="ignore"):
            known = _known(one) & _known(other)
            if not known.all():
                self._odd(one[~known], other[~known], places[~known])
                one, other, places = one[known], other[known], places[known]
            if len(one):
                wide = widened(one, other)
                found = Measure(
                    self._scope, (one, other), wide[0], distances(*wide), places
                )
                found.tell(len(one))

    def _odd(self, one: Any, other: Any, places: Any) -> None:
        """Count the cells where NaN or infinity is on one side, or on both."""
        both = _missing(one) & _missing(other)
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
            len(one), lambda at: self._scope.found(one[at], other[at], int(places[at]))
        )


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
