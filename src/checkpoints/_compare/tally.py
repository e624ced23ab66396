"""The tally of a comparison: what was found to differ so far."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Literal, NamedTuple, TypeAlias

from checkpoints._compare.difference import Cell, Difference, Verdict, worse
from checkpoints._compare.excerpts import Excerpt, excerpts
from checkpoints._compare.grid import Squares
from checkpoints._compare.tolerance import Bounds, Tolerance
from checkpoints._text import count_text

__all__ = ["MOST_PARTS", "Found", "Place", "Tally", "Where", "joined"]


class Place(NamedTuple):
    """Where a cell is: in words, and in numbers if it has some."""

    text: str = ""
    at: tuple[int, ...] = ()


Where: TypeAlias = Callable[[int], Place]
Level: TypeAlias = Literal["told", "close", "different"]

MOST_PARTS = 1000
_MOST_SAMPLES = 20
_MOST_OF_PART = 3
# Grids and diffs of so many parts are kept.
_MOST_PICTURES = 20
_MOST_NOTES = 50
_LONGEST_WHY = 200
# What paths in nested values, and the indexes of arrays, begin with.
_PATH = ("[", ".", "{")


class Found(NamedTuple):
    """
    A cell that differs.

    Args:
        where: Returns its place.
        values: Both values.
        excess: How many times the tolerance it is off.
        distance: The absolute difference; 0 if it is not one of numbers.
        ulp: The distance in units of the last place.
        bounds: What was applied.
        tolerance: Where that comes from, if not from the tolerance of the whole.
    """

    where: Callable[[], Place]
    values: tuple[Any, Any]
    excess: float = math.inf
    distance: float = 0.0
    ulp: int | None = None
    bounds: Bounds = Bounds()
    tolerance: Tolerance | None = None


class Tally:
    """
    Counts what differs, cell by cell and part by part.

    Args:
        tolerance: What is allowed; its share and its source are used here.
    """

    def __init__(self, tolerance: Tolerance) -> None:
        self.tolerance = tolerance
        # What `max` is, if that is not known from the values themselves.
        self.largest: float | None = None
        self.kind: tuple[str, str] = ("", "")
        self.dtype: tuple[str, str] = ("", "")
        self.shape: tuple[str, str] = ("", "")
        self.cells = self.bits = self.beyond = self.measured = 0
        self.max_abs: float | None = None
        self.max_rel: float | None = None
        # Needed by the cells beyond the tolerance; infinite where nothing helps.
        self.rtol_needed = self.atol_needed = 0.0
        self.rtol_most = self.atol_most = 0.0
        self.needs_dtype = self.hopeless = False
        self.worst: Found | None = None
        self.squares: Squares | None = None
        self.lines: tuple[str, ...] = ()
        self._samples: tuple[list[Found], list[Found]] = ([], [])
        self._notes: dict[str, int | None] = {}
        self._verdict: Verdict = "equal"
        self._own_beyond = 0
        self._parts: list[Difference] = []
        self._more_parts = 0
        self._unknown: list[str] = []

    @property
    def excess(self) -> float:
        """How many times the tolerance the worst cell is off so far."""
        return self.worst.excess if self.worst else -1.0

    def is_wanted(self, excess: float, distance: float) -> bool:
        """Tell whether a cell would be the worst."""
        worst = self.worst
        return worst is None or (excess, distance) > (worst.excess, worst.distance)

    def note(self, text: str, level: Level = "told") -> None:
        """Note a difference of kind, which may be one of the value too."""
        if len(self._notes) < _MOST_NOTES:
            self._notes.setdefault(text, None)
        if level != "told":
            self._verdict = worse(self._verdict, level)
        if level == "different":
            self.hopeless = True
            self.needs(math.inf, math.inf)

    def note_dtype(self, text: str) -> None:
        """Note that the dtypes differ, which a tolerance may allow."""
        self.note(text)
        self.needs_dtype = True
        self._verdict = worse(self._verdict, "different")

    def note_cells(self, what: str, count: int) -> None:
        """Note something about a number of cells, to be counted until the end."""
        self._notes[what] = (self._notes.get(what) or 0) + count

    def saw(self, distance: float | None, relative: float | None) -> None:
        """Take the largest differences of some cells into account."""
        if distance is not None:
            self.max_abs = max(distance, self.max_abs or 0)
        if relative is not None:
            self.max_rel = max(relative, self.max_rel or 0.0)

    def needs(self, rtol: float, atol: float) -> None:
        """Take the tolerances into account that some cells would need."""
        self.rtol_needed = max(self.rtol_needed, rtol)
        self.atol_needed = max(self.atol_needed, atol)

    def count(self, bits: int, beyond: int, *, is_measured: bool = True) -> None:
        """
        Count cells that differ.

        Args:
            bits: How many.
            beyond: How many of them are beyond the tolerance.
            is_measured: Whether these are a finite distance apart.
        """
        self.bits += bits
        self.beyond += beyond
        self.measured += beyond if is_measured else 0
        self._own_beyond += beyond

    def sample(self, cell: Found, *, beyond: bool) -> None:
        """Keep a cell as a sample, if there are few."""
        kept = self._samples[not beyond]
        if len(kept) < _MOST_SAMPLES:
            kept.append(cell)

    def wants_samples(self, *, beyond: bool) -> int:
        """Return how many samples may be added."""
        return _MOST_SAMPLES - len(self._samples[not beyond])

    def found(self, cell: Found) -> None:
        """Take a cell into account that may be the worst."""
        self._applied(cell.bounds.rtol, cell.bounds.atol)
        if self.is_wanted(cell.excess, cell.distance):
            self.worst = cell

    def _applied(self, rtol: float, atol: float) -> None:
        self.rtol_most = max(self.rtol_most, rtol)
        self.atol_most = max(self.atol_most, atol)

    def differ(self, cell: Found) -> None:
        """Count a cell whose values are no numbers, and differ."""
        self.differ_all(1, lambda _: cell)

    def differ_all(
        self, number: int, cell: Callable[[int], Found], places: Any = None
    ) -> None:
        """
        Count cells whose values differ in kind.

        Args:
            number: How many.
            cell: Returns one of them.
            places: Their places, if there are such.
        """
        if not number:
            return
        self.lose(number)
        if places is not None:
            self.draw(places, math.inf)
        for at in range(min(number, self.wants_samples(beyond=True))):
            self.sample(cell(at), beyond=True)
        self.found(cell(0))

    def lose(self, number: int) -> None:
        """Count cells that have no counterpart."""
        self.count(number, number, is_measured=False)
        self.needs(math.inf, math.inf)

    def draw(self, places: Any, distances: Any) -> None:
        """Draw how far cells are apart, if that was asked for."""
        if self.squares is not None:
            self.squares.add(places, distances)

    def cannot_tell(self, why: str) -> None:
        """Note why something could not be compared."""
        self._verdict = worse(self._verdict, "unknown")
        self._unknown.append(why)

    def include(
        self, part: Difference, *, keep: bool = True, by_cells: bool = False
    ) -> None:
        """
        Take the difference of a part into account.

        Args:
            part: The difference.
            keep: Whether to keep it, if it differs.
            by_cells: Whether its cells are among those of which a share may be beyond
                the tolerance; otherwise its own verdict counts.
        """
        self.cells += part.cells
        self.bits += part.bits
        self.beyond += part.beyond
        self.measured += part.measured
        self._verdict = worse(self._verdict, _apart(part) if by_cells else part.verdict)
        self._own_beyond += part.beyond if by_cells else 0
        self.saw(part.max_abs, part.max_rel)
        self._applied(part.rtol_most, part.atol_most)
        self.needs_dtype |= part.needs_dtype
        self.hopeless |= part.hopeless
        if part.beyond:
            self.needs(
                math.inf if part.rtol_needed is None else part.rtol_needed,
                math.inf if part.atol_needed is None else part.atol_needed,
            )
        if part.why:
            is_named = bool(part.name) and len(part.why) < _LONGEST_WHY
            self._unknown.append(f"{part.name}: {part.why}" if is_named else part.why)
        if part.where or part.texts != ("", ""):
            self.found(_worst_of(part))
        for cell in part.samples:
            texts = Excerpt(cell.baseline), Excerpt(cell.candidate)
            place = Place(joined(part.name, cell.where))
            self.sample(Found(partial(Place, *place), texts), beyond=part.beyond > 0)
        for note in part.notes:
            self.note(f"{part.name}: {note}" if part.name else note)
        if keep and part.verdict != "equal":
            self.keep(part)

    @property
    def room(self) -> int:
        """How many more parts would be kept."""
        return MOST_PARTS - len(self._parts)

    def leave_out(self, number: int) -> None:
        """Count parts that were not kept."""
        self._more_parts += number

    def keep(self, part: Difference) -> None:
        """Keep a part that differs, or count it if there are many."""
        if self.room:
            # Their own parts would take too much room, and their cells are counted.
            part = replace(part, parts=(), samples=part.samples[:_MOST_OF_PART])
            if len(self._parts) >= _MOST_PICTURES:
                part = replace(part, grid=None, lines=())
            self._parts.append(part)
        else:
            self._more_parts += 1

    def result(self, name: str = "") -> Difference:
        """Return the difference between the values as a whole."""
        # What is on one side only is infinitely far off, though no cell shows it.
        excess = math.inf if self.beyond else 0.0
        worst = self.worst or Found(Place, (Excerpt(""), Excerpt("")), excess)
        place = worst.where()
        samples = (self._samples[0] or self._samples[1])[:_MOST_SAMPLES]
        verdict = self._verdict_over_all()
        return Difference(
            verdict=verdict,
            name=name,
            kind=self.kind,
            dtype=self.dtype,
            shape=self.shape,
            cells=self.cells,
            bits=self.bits,
            beyond=self.beyond,
            measured=self.measured,
            max_abs=self.max_abs,
            max_rel=self.max_rel,
            max_ulp=worst.ulp,
            excess=worst.excess,
            where=place.text,
            index=place.at,
            texts=excerpts(*worst.values),
            rtol=worst.bounds.rtol,
            atol=worst.bounds.atol,
            tolerance=self.tolerance,
            applied=worst.tolerance,
            rtol_needed=_needed(self.beyond, self.rtol_needed),
            atol_needed=_needed(self.beyond, self.atol_needed),
            needs_dtype=self.needs_dtype,
            hopeless=self.hopeless,
            rtol_most=self.rtol_most,
            atol_most=self.atol_most,
            notes=tuple(_counted(*note) for note in self._notes.items()),
            parts=tuple(
                self._parts if verdict == "different" else map(_within, self._parts)
            ),
            more_parts=self._more_parts,
            samples=tuple(
                Cell(cell.where().text, *excerpts(*cell.values)) for cell in samples
            ),
            grid=self.squares.grid() if self.squares and self.bits else None,
            lines=self.lines,
            why="; ".join(self._unknown[:3]),
        )

    def _verdict_over_all(self) -> Verdict:
        # Rounding must not make one cell too many of just enough.
        allowed = self.tolerance.share * self.cells * (1 + 1e-12)
        verdict = worse(self._verdict, "close" if self.bits else "equal")
        return "different" if self._own_beyond > allowed else verdict


def _apart(part: Difference) -> Verdict:
    """Return the verdict over a part, whatever its cells are that can be counted."""
    of_kind = part.hopeless or part.needs_dtype or not part.beyond
    if part.verdict != "different" or of_kind:
        return part.verdict
    return "unknown" if part.why else "close"


def _within(part: Difference) -> Difference:
    """Return a part of a value of which enough cells are within the tolerance."""
    return replace(part, verdict=_apart(part))


def _worst_of(part: Difference) -> Found:
    place = Place(joined(part.name, part.where), part.index)
    texts = Excerpt(part.texts[0]), Excerpt(part.texts[1])
    bounds = Bounds(part.rtol, part.atol)
    distance = part.max_abs or 0.0
    where = partial(Place, *place)
    applied = part.applied or part.tolerance
    return Found(where, texts, part.excess, distance, part.max_ulp, bounds, applied)


def joined(name: str, where: str) -> str:
    """
    Return a place in a part as a place in the whole.

    >>> joined("column 'a'", "row 3"), joined('["a"]', "[3]"), joined("", "[3]")
    ("column 'a', row 3", '["a"][3]', '[3]')
    """
    if name.startswith(_PATH) and where.startswith(_PATH):
        return f"{name}{where}"
    return ", ".join(filter(None, (name, where)))


def _needed(beyond: int, needed: float) -> float | None:
    return needed if beyond and math.isfinite(needed) else None


def _counted(text: str, count: int | None) -> str:
    return text if count is None else f"{text} in {count_text(count, 'cell')}"
