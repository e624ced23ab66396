"""What differs between two values, in one form for every kind of value."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeAlias

from checkpoints._compare.tolerance import EXACT_BY_DTYPE, FORMULA, Tolerance

__all__ = ["Cell", "Difference", "Verdict", "worse"]

Verdict: TypeAlias = Literal["equal", "close", "different", "unknown"]
Pair: TypeAlias = tuple[str, str]

_ORDER: tuple[Verdict, ...] = ("equal", "close", "unknown", "different")


def worse(one: Verdict, other: Verdict) -> Verdict:
    """Return the verdict over two parts: a difference outweighs what is unknown."""
    return max(one, other, key=_ORDER.index)


class Cell(NamedTuple):
    """A place that differs, and the short texts of both values there."""

    where: str
    baseline: str
    candidate: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """
    What differs between a baseline and a candidate.

    Args:
        verdict: `"equal"`: same type, and same content to the bit, where NaN equals
            NaN. `"close"`: something differs, all of it within the tolerance.
            `"different"`, and `"unknown"` if it could not be told.
        name: Which part of a value it is about, such as `column 'px'` or `["a"][3]`;
            empty for the whole.
        kind: The kinds of both values.
        dtype: Their dtypes.
        shape: Their shapes.
        cells: How many cells were compared.
        bits: How many of them differ in some bit. 0.0 and -0.0 do.
        beyond: How many are beyond the tolerance.
        max_abs: The largest absolute difference of two finite numbers; of times, in
            seconds. None if there are none.
        max_rel: The largest difference divided by the baseline, where that is not zero.
        max_ulp: The distance of the worst cell in units of the last place.
        excess: How many times the tolerance the worst cell is off; infinite where the
            tolerance is zero, or the difference is not one of numbers.
        where: The place that differs most, such as `[17, 203]`.
        texts: Both values there, as short texts.
        rtol: The relative tolerance that was applied to the worst cell.
        atol: The absolute one.
        tolerance: The tolerance that both come from.
        rtol_needed: The least `rtol` that would pass, with the `atol` applied; None if
            none would.
        atol_needed: The least `atol` that would pass, with the `rtol` applied.
        notes: Differences of kind, and what else is to be known.
        parts: All parts that differ or are unknown, such as columns.
        more_parts: How many more of them there are.
        samples: Some of the cells that differ.
        why: Why it is unknown.
    """

    verdict: Verdict
    name: str = ""
    kind: Pair = ("", "")
    dtype: Pair = ("", "")
    shape: Pair = ("", "")
    cells: int = 0
    bits: int = 0
    beyond: int = 0
    max_abs: float | None = None
    max_rel: float | None = None
    max_ulp: int | None = None
    excess: float = 0.0
    where: str = ""
    texts: Pair = ("", "")
    rtol: float = 0.0
    atol: float = 0.0
    tolerance: Tolerance = field(default=EXACT_BY_DTYPE, repr=False)
    rtol_needed: float | None = None
    atol_needed: float | None = None
    notes: tuple[str, ...] = ()
    parts: tuple[Difference, ...] = ()
    more_parts: int = 0
    samples: tuple[Cell, ...] = ()
    why: str = ""

    @property
    def share(self) -> float:
        """The share of the cells that differ in some bit."""
        return self.bits / self.cells if self.cells else 0.0

    def as_json(self) -> dict[str, Any]:
        """
        Return it as JSON types; infinity and NaN as texts.

        >>> Difference(verdict="equal", cells=3).as_json()["cells"]
        3
        """
        names = [name for name in self.__slots__ if name not in _OWN_FORM]
        return {name: _plain(getattr(self, name)) for name in names} | {
            "tolerance": str(self.tolerance),
            "formula": FORMULA,
            "parts": [part.as_json() for part in self.parts],
            "samples": [cell._asdict() for cell in self.samples],
        }


_OWN_FORM = {"tolerance", "parts", "samples"}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
