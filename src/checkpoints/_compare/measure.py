"""How far the numbers of one chunk are apart, beside what is allowed."""

from __future__ import annotations

import math
import threading
from functools import partial
from typing import Any, NamedTuple

from checkpoints._compare.distance import seconds_per_unit, ulps, ulps_of
from checkpoints._compare.tally import Found, Tally, Where
from checkpoints._compare.tolerance import Bounds
from checkpoints._process.libraries import imported

__all__ = ["CHUNK", "Buffers", "Measure", "Scope"]

# The buffers of one chunk fit into the cache of a processor.
CHUNK = 1 << 16
# Rounding cannot turn a quotient below the one into a difference beyond the limit;
# nor what is needed according to the other into too little.
_SURELY, _ENOUGH = 1 - 1e-12, 1 + 1e-12
# Among so many cells there are often enough samples.
_LOOKED_AT_FIRST = 1024


class Buffers(threading.local):
    """
    Memory for the steps of a calculation, one for each thread.

    It is used again for each chunk and each comparison, because the system takes longer
    to hand out new memory than most steps take.
    """

    def __init__(self) -> None:
        self._buffers: dict[int, Any] = {}

    def of(self, number: int, like: Any, dtype: str = "float64") -> Any:
        """Return a buffer as long as an array; None for an array of another dtype."""
        # Asking for the name of a dtype takes longer than some of the steps.
        if dtype != "bool" and like.dtype.char != "d":
            return None
        if number not in self._buffers:
            self._buffers[number] = imported("numpy").empty(CHUNK, dtype)
        return self._buffers[number][: len(like)]


_BUFFERS = Buffers()


class Scope(NamedTuple):
    """
    What holds for all chunks of two vectors.

    Args:
        dtype: The coarser one of their dtypes.
        bounds: How far their cells may be apart.
        tally: Where the result goes.
        where: Returns a place.
        buffers: Memory for calculations.
    """

    dtype: str
    bounds: Bounds
    tally: Tally
    where: Where
    buffers: Buffers = _BUFFERS

    def found(self, one: Any, other: Any, place: int, **more: Any) -> Found:
        """Return a cell that differs."""
        where, bounds = self.where, self.bounds
        return Found(partial(where, place), (one, other), bounds=bounds, **more)


class Measure:
    """
    Finite numbers of one chunk, or times.

    Args:
        scope: What holds for all chunks.
        cells: Both arrays as they are.
        baseline: The baseline in the wide dtype of the calculation.
        distance: |candidate - baseline|.
        places: The place of each cell, or that of the first one.
    """

    def __init__(
        self,
        scope: Scope,
        cells: tuple[Any, Any],
        baseline: Any,
        distance: Any,
        places: Any,
    ) -> None:
        self._numpy = imported("numpy")
        self._scope = scope
        self._cells = cells
        self._distance = distance
        is_object = distance.dtype.kind == "O"
        self._floats = distance.astype("float64") if is_object else distance
        self._places = places
        self._rtol, self._atol = scope.bounds.rtol, scope.bounds.atol
        self._unit = 1.0
        self._size: Any = None
        if baseline.dtype.kind in "mM":
            self._unit = seconds_per_unit(baseline.dtype) or math.inf
            self._rtol, self._atol = 0.0, self._atol / self._unit
        else:
            self._size = self._absolute(baseline)

    def tell(self, count: int, largest: Any = None) -> None:
        """Tell the tally, given how many cells differ in some bit."""
        tally = self._scope.tally
        largest = _number(self._distance.max() if largest is None else largest)
        relative, is_sure = self._largest_relative()
        self._saw(largest, relative)
        zeros = count - int(self._numpy.count_nonzero(self._distance))
        if zeros:
            tally.note_cells("-0.0 against 0.0", zeros)
        # Both are at least the excess of each cell, and spare looking for the worst.
        at_most = [_quotient(largest, self._atol)]
        if is_sure and relative is not None:
            at_most.append(_quotient(relative, self._rtol))
        within = min(at_most) <= _SURELY
        if within and min(at_most) <= tally.excess:
            tally.count(count, 0)
            return
        limit = self._limit()
        number, steps = 0, None
        if not within:
            number, steps = self._count_beyond(limit)
        is_measured = math.isfinite(largest) and math.isfinite(self._unit)
        tally.count(count, number, is_measured=is_measured)
        self._find_worst(limit, steps)
        self._keep_samples(limit, steps, is_beyond=number > 0)

    def _saw(self, largest: float, relative: float | None) -> None:
        if self._size is not None:
            self._scope.tally.saw(largest, relative)
        elif math.isfinite(self._unit):
            self._scope.tally.saw(largest * self._unit, None)

    def _absolute(self, baseline: Any) -> Any:
        if baseline.dtype.kind == "f":
            return self._numpy.abs(baseline, out=self._scope.buffers.of(2, baseline))
        if baseline.dtype.kind in "iu":
            # The least integer has no positive counterpart of its own type.
            return self._numpy.abs(baseline.astype("float64"))
        found = abs(baseline)
        return found.astype("float64") if found.dtype.kind == "O" else found

    def _largest_relative(self) -> tuple[float | None, bool]:
        """Return the largest |c-b| / |b|, and whether it is that of all cells."""
        if self._size is None:
            return None, False
        out = self._scope.buffers.of(3, self._floats)
        found = self._numpy.divide(self._floats, self._size, out=out)
        largest = float(found.max())
        if math.isfinite(largest):
            return largest, True
        known = self._size != 0
        return (float(found[known].max()) if known.any() else None), False

    def _limit(self) -> Any:
        if not self._rtol or self._size is None:
            return self._atol
        out = self._scope.buffers.of(3, self._size)
        limit = self._numpy.multiply(self._size, self._rtol, out=out)
        limit += self._atol
        return limit

    def _count_beyond(self, limit: Any) -> tuple[int, Any]:
        """Count the cells beyond the limit; return their steps too if these matter."""
        numpy, ulp = self._numpy, self._scope.bounds.ulp
        out = self._scope.buffers.of(4, self._floats)
        over = numpy.subtract(self._floats, limit, out=out)
        beyond, steps = over > 0, None
        if ulp:
            steps = ulps(*self._cells, self._scope.dtype)
            beyond &= steps > ulp
            over = numpy.where(beyond, over, 0)
        number = int(numpy.count_nonzero(beyond))
        if number:
            self._need(over)
        return number, steps

    def _need(self, over: Any) -> None:
        """Tell the tally which tolerances would do, given by how much it is too low."""
        atol = (self._atol + float(over.max())) * self._unit
        rtol = math.inf
        if self._size is not None:
            out = self._scope.buffers.of(5, over)
            more = self._numpy.divide(over, self._size, out=out)
            largest = float(more.max())
            if math.isnan(largest):
                # A zero within the tolerance needs nothing.
                largest = float(self._numpy.fmax.reduce(more))
            rtol = self._rtol + largest
        self._scope.tally.needs(rtol * _ENOUGH, atol * _ENOUGH)

    def _excess(self, limit: Any, steps: Any, first: int | None = None) -> Any:
        """Return how many times the tolerance each cell is off, or the first ones."""
        distance = self._floats[:first]
        if getattr(limit, "shape", None):
            limit = limit[:first]
        out = self._scope.buffers.of(5, distance)
        excess = self._numpy.divide(distance, limit, out=out)
        if not self._atol:
            excess[distance == 0] = 0
        if steps is None:
            return excess
        return self._numpy.minimum(excess, steps[:first] / self._scope.bounds.ulp)

    def _find_worst(self, limit: Any, steps: Any) -> None:
        """Tell the tally the cell that is most times its limit off."""
        excess = self._excess(limit, steps)
        at = int(excess.argmax())
        top = float(excess[at])
        if top == math.inf:
            at = int(self._numpy.where(excess == top, self._floats, 0).argmax())
        distance = _number(self._distance[at])
        if self._scope.tally.is_wanted(top, distance):
            cell = self._found(at, excess=top, distance=distance, ulp=self._steps(at))
            self._scope.tally.found(cell)

    def _found(self, at: int, **more: Any) -> Found:
        places = self._places
        place = places + at if isinstance(places, int) else int(places[at])
        return self._scope.found(self._cells[0][at], self._cells[1][at], place, **more)

    def _steps(self, at: int) -> int | None:
        one, other = self._cells[0][at], self._cells[1][at]
        if self._distance.dtype.kind != "f" or one.dtype.kind not in "fiu":
            return None
        return ulps_of(float(one), float(other), self._scope.dtype) or None

    def _keep_samples(self, limit: Any, steps: Any, *, is_beyond: bool) -> None:
        tally = self._scope.tally
        wanted = tally.wants_samples(beyond=is_beyond)
        if not wanted:
            return
        for first in (_LOOKED_AT_FIRST, None):
            if is_beyond:
                mask = self._excess(limit, steps, first) > 1
            else:
                mask = self._distance[:first] != 0
            at = self._numpy.flatnonzero(mask)
            if len(at) >= wanted:
                break
        for place in at[:wanted]:
            tally.sample(self._found(int(place)), beyond=is_beyond)


def _number(value: Any) -> Any:
    """Return a number of NumPy as one of Python, whole ones exactly."""
    kind = getattr(getattr(value, "dtype", None), "kind", "O")
    return float(value) if kind == "f" else int(value)


def _quotient(number: float, limit: float) -> float:
    return number / limit if limit else (math.inf if number else 0.0)
