"""How much a run differs from repeats of itself."""

from __future__ import annotations

import math
from collections.abc import Iterable

from checkpoints._compare.difference import Difference
from checkpoints._compare.pair import Pair

__all__ = ["Noise"]

# A change of a model is told from chance at five times the spread of an ensemble in
# the tests of the ICON weather model (probtest).
_FACTOR = 5


class Noise:
    """
    The differences between a baseline and its repeats, by name and value.

    Args:
        repeats: The pairs of the baseline and each repeat.
    """

    def __init__(self, repeats: Iterable[Iterable[Pair]]) -> None:
        self.count = 0
        self._floors: dict[tuple[str, str], Difference] = {}
        for pairs in repeats:
            self.count += 1
            for pair in pairs:
                for value, found in pair.values.items():
                    self._add((pair.name, value), found)

    def _add(self, about: tuple[str, str], found: Difference) -> None:
        known = self._floors.get(about)
        if known is None or _size_of(found) > _size_of(known):
            self._floors[about] = found

    def floor(self, name: str, value: str) -> float | None:
        """
        Return the largest difference of a value between the baseline and a repeat.

        None if the noise is unknown, because there is no repeat.
        """
        if not self.count:
            return None
        found = self._floors.get((name, value))
        return 0.0 if found is None else found.max_abs

    def apply(self, pair: Pair) -> None:
        """Change the verdict of a pair that differs as much as repeats do."""
        if pair.verdict != "different" or not self.count:
            return
        if all(
            _is_explained(found, self._floors.get((pair.name, value)))
            for value, found in pair.values.items()
        ):
            pair.verdict = "noise"


def _size_of(found: Difference) -> float:
    """Return the largest absolute difference; of what is no number, the cells."""
    return float(found.beyond) if found.max_abs is None else found.max_abs


def _is_explained(found: Difference, floor: Difference | None) -> bool:
    """Tell whether a value, and each part of it, differs no more than in repeats."""
    if found.verdict in ("equal", "close"):
        return True
    if found.verdict == "unknown" or floor is None or found.more_parts:
        return False
    if floor.shape != found.shape or floor.dtype != found.dtype:
        return False
    if found.parts:
        floors = {part.name: part for part in floor.parts}
        return all(_is_explained(it, floors.get(it.name)) for it in found.parts)
    return _is_alike(found, floor) and _size_of(found) <= _FACTOR * _size_of(floor)


def _is_alike(found: Difference, floor: Difference) -> bool:
    """Tell whether both differ in numbers, all of them finite, or neither does."""
    if (found.max_abs is None) != (floor.max_abs is None):
        return False
    # A float is infinitely far off only where one of the two numbers is not finite.
    has_limits = found.rtol > 0 or found.atol > 0
    return not (found.max_abs is not None and has_limits and math.isinf(found.excess))
