"""What differs between two values, in one form for every kind of value."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, NamedTuple, TypeAlias

from checkpoints._compare.grid import Grid
from checkpoints._compare.tolerance import EXACT_BY_DTYPE, FORMULA, Tolerance
from checkpoints._text import printable

__all__ = ["Cell", "Comparer", "Difference", "Verdict", "plain", "unlike", "worse"]

Verdict: TypeAlias = Literal["equal", "close", "different", "unknown"]
Pair: TypeAlias = tuple[str, str]

_ORDER: tuple[Verdict, ...] = ("equal", "close", "unknown", "different")


def worse(one: Verdict, other: Verdict) -> Verdict:
    """Return the verdict over two parts: a difference outweighs what is unknown."""
    return one if _ORDER.index(one) >= _ORDER.index(other) else other


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
        column: The name of the column of a table that it is about, as it is.
        kind: The kinds of both values.
        dtype: Their dtypes.
        shape: Their shapes.
        cells: How many cells were compared.
        bits: How many of them differ in some bit. 0.0 and -0.0 do.
        beyond: How many are beyond the tolerance.
        measured: How many of these are a finite distance apart. The others differ in
            kind, such as a null and a number, or are on one side only.
        max_abs: The largest absolute difference of two finite numbers; of times, in
            seconds. None if there are none.
        max_rel: The largest difference divided by the baseline, where that is not zero.
        max_ulp: The distance of the worst cell in units of the last place.
        excess: How many times the tolerance the worst cell is off; infinite where the
            tolerance is zero, or the difference is not one of numbers.
        where: The place that differs most, such as `[17, 203]`.
        index: The same place in numbers from 0: the index in the array that it is in,
            the row of a table, line and column of a text, the number of a byte. Empty
            where it is a path alone.
        texts: Both values there, as short texts.
        rtol: The relative tolerance that was applied to the worst cell.
        atol: The absolute one.
        tolerance: What is allowed in the value as a whole.
        applied: The tolerance that both come from, if it is that of a part.
        rtol_needed: The least `rtol` that would pass, with the `atol` applied; None if
            none would.
        atol_needed: The least `atol` that would pass, with the `rtol` applied.
        needs_dtype: Whether it would pass only with `dtype="any"`.
        hopeless: Whether it differs in what no tolerance is about, such as a shape.
        rtol_most: The largest relative tolerance that was applied to a cell.
        atol_most: The largest absolute one.
        notes: Differences of kind, and what else is to be known.
        parts: All parts that differ or are unknown, such as columns.
        more_parts: How many more of them there are.
        samples: Some of the cells that differ.
        grid: A small picture of where an array differs, if it was asked for.
        lines: The first lines of a unified diff of two texts.
        why: Why it is unknown.
    """

    verdict: Verdict
    name: str = ""
    column: str = ""
    kind: Pair = ("", "")
    dtype: Pair = ("", "")
    shape: Pair = ("", "")
    cells: int = 0
    bits: int = 0
    beyond: int = 0
    measured: int = 0
    max_abs: float | None = None
    max_rel: float | None = None
    max_ulp: int | None = None
    excess: float = 0.0
    where: str = ""
    index: tuple[int, ...] = ()
    texts: Pair = ("", "")
    rtol: float = 0.0
    atol: float = 0.0
    tolerance: Tolerance = field(default=EXACT_BY_DTYPE, repr=False)
    applied: Tolerance | None = field(default=None, repr=False)
    rtol_needed: float | None = None
    atol_needed: float | None = None
    needs_dtype: bool = False
    hopeless: bool = False
    rtol_most: float = 0.0
    atol_most: float = 0.0
    notes: tuple[str, ...] = ()
    parts: tuple[Difference, ...] = ()
    more_parts: int = 0
    samples: tuple[Cell, ...] = ()
    grid: Grid | None = None
    lines: tuple[str, ...] = ()
    why: str = ""

    def __post_init__(self) -> None:
        # Names, dtypes and errors may come from files that nobody trusts.
        for name in ("name", "where", "why"):
            object.__setattr__(self, name, printable(getattr(self, name)))
        for name in ("kind", "dtype", "shape", "texts", "notes"):
            texts = tuple(map(printable, getattr(self, name)))
            object.__setattr__(self, name, texts)

    @property
    def share(self) -> float:
        """The share of the cells that differ in some bit."""
        return self.bits / self.cells if self.cells else 0.0

    @property
    def is_measured(self) -> bool:
        """Whether all that is beyond the tolerance is a finite distance."""
        of_kind = self.hopeless or self.needs_dtype
        return not of_kind and self.beyond == self.measured

    def as_json(self) -> dict[str, Any]:
        """
        Return it as JSON types; as texts, what JSON has no number for.

        >>> Difference(verdict="different", excess=math.inf).as_json()["excess"]
        'inf'
        """
        found = {
            each.name: plain(getattr(self, each.name))
            for each in fields(self)
            if each.name != "applied"
        }
        return found | {
            "column": printable(self.column),
            "tolerance": printable(str(self.applied or self.tolerance)),
            "formula": FORMULA,
            "parts": [part.as_json() for part in self.parts],
        }


# Larger integers are no numbers to most readers of JSON.
_LARGEST = 1 << 63


def plain(value: Any) -> Any:
    """
    Return a value as JSON types: as texts, what JSON has no number for.

    >>> plain((1.5, math.inf, 2**64))
    [1.5, 'inf', '18446744073709551616']
    """
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
        return str(value)
    fields = getattr(value, "_asdict", None)
    if fields is not None:
        return {name: plain(item) for name, item in fields().items()}
    return [plain(item) for item in value] if isinstance(value, tuple) else value


def unlike(*notes: str, texts: Pair = ("", "")) -> Difference:
    """Return the difference of two values as wholes, which no tolerance allows."""
    return Difference(
        verdict="different",
        cells=1,
        bits=1,
        beyond=1,
        excess=math.inf,
        texts=texts,
        notes=notes,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparer:
    """
    Compares values, and the values in them.

    Args:
        tolerance: What is allowed.
        of_column: Returns what is allowed in a column, instead.
        keys: The columns whose values identify a row.
        with_grid: Whether to fill in the `grid` of a difference.
        depth: How deep this value is nested in others.
        dispatch: Compares two values of any kind.
    """

    tolerance: Tolerance
    of_column: Callable[[str], Tolerance] | None = None
    keys: tuple[str, ...] = ()
    with_grid: bool = False
    depth: int = 0
    dispatch: Callable[[Comparer, Any, Any], Difference] = field(repr=False)

    def compare(self, baseline: Any, candidate: Any) -> Difference:
        """Compare two values that are parts of others."""
        inner = replace(self, depth=self.depth + 1)
        return self.dispatch(inner, baseline, candidate)

    def for_column(self, name: str) -> Tolerance:
        """Return what is allowed in a column."""
        if self.of_column is None:
            return self.tolerance
        return self.of_column(name).in_force()
