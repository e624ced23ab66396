"""How much a run differs from repeats of itself."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal, TypeAlias

from checkpoints._compare.difference import Difference
from checkpoints._compare.pair import Pair
from checkpoints._compare.record import PairKey

__all__ = ["Noise"]

# A change of a model is told from chance at five times the spread of an ensemble in
# the tests of the ICON weather model (probtest).
_FACTOR = 5

_Verdict: TypeAlias = Literal["equal", "close", "noise", "unknown", "different"]
_ORDER: tuple[_Verdict, ...] = ("equal", "close", "noise", "unknown", "different")
# The key of an entry, and the name of a value in it.
_About: TypeAlias = tuple[PairKey, str]
_Place: TypeAlias = tuple[_About, str, str]


class Noise:
    """
    The differences between a baseline and its repeats, by key and value.

    A key whose saves have another order in a repeat has no order that means anything.

    Args:
        repeats: The pairs of the baseline and each repeat.
    """

    def __init__(self, repeats: Iterable[Iterable[Pair]]) -> None:
        self.count = 0
        # The largest distance in each value, and in each of its parts.
        self._floors: dict[_Place, float | None] = {}
        # The keys whose saves have another order in a repeat.
        self._moved: set[PairKey] = set()
        for pairs in repeats:
            self.count += 1
            for pair in pairs:
                if pair.moved is not None:
                    self._moved.add(pair.key)
                for value, found in pair.values.items():
                    for part in (found, *found.parts):
                        self._add(_place((pair.key, value), part), part)

    def _add(self, place: _Place, found: Difference) -> None:
        known = self._floors.setdefault(place, None)
        largest = found.max_abs
        if largest is not None and math.isfinite(largest):
            self._floors[place] = max(largest, known or 0.0)

    def floor(self, key: PairKey, value: str) -> float | None:
        """
        Return the largest difference of a value between the baseline and a repeat.

        None if the noise is unknown, because there is no repeat.
        """
        if not self.count:
            return None
        return self._floors.get(((key, value), "", ""), 0.0)

    def apply(self, pair: Pair) -> None:
        """Change the verdict of a pair that differs as much as repeats do."""
        if pair.verdict != "different" or not self.count:
            return
        verdicts: list[_Verdict] = [
            self._verdict((pair.key, value), found)
            for value, found in pair.values.items()
        ]
        if pair.moved is not None:
            verdicts.append("noise" if pair.key in self._moved else "different")
        pair.verdict = _worst(verdicts)
        if pair.verdict == "unknown":
            reasons = (found.why for found in pair.values.values() if found.why)
            pair.why = next(reasons, "")

    def _verdict(self, about: _About, found: Difference) -> _Verdict:
        """
        Return the verdict over a value where the noise is known.

        Only a finite distance is noise, and in a value with parts, that of each part.
        """
        if found.verdict != "different":
            return found.verdict
        if found.more_parts or not found.is_measured:
            return "different"
        if found.parts:
            own: _Verdict = "unknown" if found.why else "noise"
            return _worst([own, *(self._verdict(about, it) for it in found.parts)])
        floor = self._floors.get(_place(about, found))
        if floor is None or found.max_abs is None:
            return "different"
        return "noise" if found.max_abs <= _FACTOR * floor else "different"


def _place(about: _About, part: Difference) -> _Place:
    """Return what a part is called; its own name may be a shortened one."""
    return about, part.name, part.column


def _worst(verdicts: Iterable[_Verdict]) -> _Verdict:
    return max(verdicts, key=_ORDER.index)
