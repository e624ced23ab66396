"""What differs between two runs: the first divergence, and all others."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Literal, NoReturn, TypeAlias

from checkpoints._compare.difference import Difference
from checkpoints._compare.document import Answer, document_of
from checkpoints._compare.noise import Noise
from checkpoints._compare.pair import Pair
from checkpoints._compare.side import Side
from checkpoints._compare.suggestions import Need, suggested
from checkpoints._compare.tolerances import Tolerances
from checkpoints._compare.unused import Unused
from checkpoints._process.libraries import needed
from checkpoints._show.page import page_of
from checkpoints._show.report import report_of

__all__ = ["Diff", "DiffVerdict"]

DiffVerdict: TypeAlias = Literal["equal", "close", "noise", "different", "unknown"]

_COLUMNS = (
    *("number", "name", "tags", "baseline", "candidate", "paired_by", "verdict"),
    *("compared_by", "role", "why", "value", "where", "cells", "differing", "beyond"),
    *("max_abs", "max_rel", "times_tolerance"),
)
_MOST_BITS = 64
_EXITS = {"equal": 0, "close": 0, "noise": 0, "different": 1, "unknown": 2}


class Diff:
    """
    What differs between two runs.

    It comes from `diff`. Printed, it is the report of the command line.

    Args:
        sides: The entries of both runs.
        pairs: All pairs, in the order of the program.
        noise: How much the baseline differs from its repeats.
        tolerances: How far values were allowed to be apart.
        seconds: How long it took.
        unused: What was asked for, and has had no effect.
        not_compared: How many pairs were left, because of a difference before.
    """

    def __init__(
        self,
        sides: tuple[Side, Side],
        pairs: Sequence[Pair],
        noise: Noise,
        tolerances: Tolerances,
        seconds: float,
        *,
        unused: Unused = Unused(),  # noqa: B008 - it is not changed
        not_compared: int = 0,
    ) -> None:
        self._sides = sides
        self._pairs = pairs
        self._noise = noise
        self._tolerances = tolerances
        self.seconds = seconds
        self._unused = unused
        self.not_compared = not_compared

    def __repr__(self) -> str:
        first = self.first
        where = f", first at {first.entry!r}" if first else ""
        return f"<Diff of {len(self._pairs)} pairs: {self.verdict}{where}>"

    def __str__(self) -> str:
        return "\n".join(report_of(self.as_json()))

    def _repr_html_(self) -> str:
        return page_of(self.as_json(), is_embedded=True)

    def __bool__(self) -> NoReturn:
        raise TypeError(
            "a Diff is neither true nor false: ask for .verdict, or whether .first is "
            "None"
        )

    @property
    def verdict(self) -> DiffVerdict:
        """
        The verdict over all pairs.

        `"different"` if a value differs beyond its tolerance, or an entry has no
        counterpart; `"unknown"` if a value could not be compared, or the runs have no
        entry in common; `"noise"`, `"close"` or `"equal"` otherwise.
        """
        found = Counter(pair.verdict for pair in self._pairs)
        if found["unpaired"] == len(self._pairs):
            return "unknown"
        if found["different"] or self.unpaired:
            return "different"
        if found["unknown"]:
            return "unknown"
        return "noise" if found["noise"] else "close" if found["close"] else "equal"

    @property
    def exit_code(self) -> int:
        """0 if equal, close or noise; 1 if different; 2 if unknown."""
        return _EXITS[self.verdict]

    @property
    def first(self) -> Pair | None:
        """
        The first pair that differs beyond its tolerance, in the order of the baseline.

        The first entry without a counterpart where no value differs; None if there is
        none either. `first_unpaired` may be before it.
        """
        found = (pair for pair in self._pairs if pair.verdict == "different")
        return next(found, None) or self.first_unpaired

    @property
    def first_unpaired(self) -> Pair | None:
        """The first entry without a counterpart that should have one."""
        return next(iter(self.unpaired), None)

    @property
    def first_bit(self) -> Pair | None:
        """The first pair in which a bit, or the form, differs, allowed or not."""
        return next((pair for pair in self._pairs if pair.has_other_bits), None)

    @property
    def origins(self) -> list[Pair]:
        """The pairs at which a difference began, as far as the saved inputs tell."""
        return [pair for pair in self._pairs if pair.role == "origin"]

    @property
    def unpaired(self) -> list[Pair]:
        """The entries without a counterpart that should have one."""
        return [
            pair
            for pair in self._pairs
            if pair.verdict == "unpaired" and pair.why != "not sampled"
        ]

    @property
    def unknown(self) -> list[Pair]:
        """The pairs that could not be compared; `.why` says why."""
        return [pair for pair in self._pairs if pair.verdict == "unknown"]

    def suggested_tolerances(self) -> str:
        """Return a TOML file of the tolerances with which this would just pass."""
        moved = (pair.name for pair in self._pairs if pair.moved is not None)
        return suggested([*map(Need.of_order, moved), *self._needs()])

    def _needs(self) -> Iterator[Need]:
        for pair in self._pairs:
            for value, found in pair.values.items():
                for column, part in _columns_of(found):
                    yield Need.of(part, pair.name, value, column)

    @property
    def pairs(self) -> Any:
        """
        All pairs as a `pyarrow.Table`, a row each, in the order of the program.

        Raises:
            MissingDependencyError: If pyarrow is not installed.
        """
        pyarrow = needed("pyarrow", "a table of the pairs")
        rows = [_row(pair) for pair in self._pairs]
        return pyarrow.Table.from_pylist(rows, _schema(pyarrow))

    def __iter__(self) -> Iterator[Pair]:
        return iter(self._pairs)

    def __len__(self) -> int:
        return len(self._pairs)

    def as_json(self) -> dict[str, Any]:
        """Return all that was found, in JSON types; `"schema"` has the version."""
        answer = Answer(
            self.verdict,
            self.exit_code,
            self.first,
            self.first_unpaired,
            self.first_bit,
            self.seconds,
            self._unused,
            self.not_compared,
        )
        return document_of(
            answer, self._pairs, self._sides, self._noise, self._tolerances
        )


def _columns_of(found: Difference) -> Sequence[tuple[str, Difference]]:
    """Return the columns of a table that differ, or else the value as a whole."""
    columns = [(part.column, part) for part in found.parts]
    if not all(column for column, _ in columns):
        return [("", found)]
    own = found.hopeless and not any(part.hopeless for _, part in columns)
    is_whole = not columns or found.more_parts or own
    return [("", found)] if is_whole else columns


def _schema(pyarrow: Any) -> Any:
    text = pyarrow.string()
    tag = pyarrow.struct([("name", text), ("value", text)])
    numbers = dict.fromkeys(("number", "cells", "differing", "beyond"), pyarrow.int64())
    numbers |= dict.fromkeys(
        ("max_abs", "max_rel", "times_tolerance"), pyarrow.float64()
    )
    types = {"tags": pyarrow.list_(tag), **numbers}
    return pyarrow.schema([(name, types.get(name, text)) for name in _COLUMNS])


def _fitting(value: Any) -> Any:
    """Return a cell as Arrow can hold it; None for a count that is too large."""
    if isinstance(value, str):
        return value.encode(errors="backslashreplace").decode()
    if isinstance(value, list):
        return [{key: _fitting(text) for key, text in it.items()} for it in value]
    is_large = isinstance(value, int) and value.bit_length() >= _MOST_BITS
    return None if is_large else value


def _as_float(number: float | None) -> float | None:
    try:
        return None if number is None else float(number)
    except OverflowError:
        return math.inf


def _row(pair: Pair) -> dict[str, Any]:
    return {name: _fitting(cell) for name, cell in _cells(pair).items()}


def _cells(pair: Pair) -> dict[str, Any]:
    worst = pair.worst
    value, found = worst or ("", None)
    return {
        "number": pair.number,
        "name": pair.name,
        "tags": [{"name": tag, "value": text} for tag, text in pair.tags],
        "baseline": pair.baseline and pair.baseline.path,
        "candidate": pair.candidate and pair.candidate.path,
        "paired_by": pair.how,
        "verdict": pair.verdict,
        "compared_by": pair.by,
        "role": pair.role,
        "why": pair.why,
        "value": value,
        "where": found.where if found else "",
        "cells": found.cells if found else None,
        "differing": found.bits if found else None,
        "beyond": found.beyond if found else None,
        "max_abs": _as_float(found.max_abs) if found else None,
        "max_rel": _as_float(found.max_rel) if found else None,
        "times_tolerance": _as_float(found.excess) if found else None,
    }
