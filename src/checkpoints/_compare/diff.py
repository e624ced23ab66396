"""The comparison of two runs: the first divergence, and all others."""

from __future__ import annotations

import ast
import os
import re
import time
from collections import Counter
from collections.abc import (
    Callable,
    Collection,
    Hashable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from typing import Any, Literal, NamedTuple, NoReturn, TypeAlias

from checkpoints._compare.comparison import Comparison, Options
from checkpoints._compare.difference import Difference
from checkpoints._compare.document import Answer, document_of
from checkpoints._compare.noise import Noise
from checkpoints._compare.pair import Pair
from checkpoints._compare.pairing import one_pair, paired
from checkpoints._compare.roles import Roles, inputs_of
from checkpoints._compare.side import Side, SideOptions
from checkpoints._compare.tolerances import Need, Tolerances, suggested
from checkpoints._index.entry import CONTAINERS, Entry, entry_at
from checkpoints._index.index import Index, index, index_of
from checkpoints._keys.condition import Wanted
from checkpoints._process.libraries import needed
from checkpoints._show.page import page_of
from checkpoints._show.report import report_of
from checkpoints._text import parse_size, shown
from checkpoints.errors import ConfigError

__all__ = ["Diff", "DiffVerdict", "diff"]

DiffVerdict: TypeAlias = Literal["equal", "close", "noise", "different", "unknown"]
Source: TypeAlias = "str | os.PathLike[str] | Index | Entry"

# They tell where and when a run took place, not what it did.
_IGNORED_TAGS = ("run", "host", "pid", "process", "call")
_COLUMN = re.compile(r"column ('.*'|\".*\")")
_EXITS = {"equal": 0, "close": 0, "noise": 0, "different": 1, "unknown": 2}


class _Sides(NamedTuple):
    baseline: Side
    candidate: Side


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
    """

    def __init__(
        self,
        sides: tuple[Side, Side],
        pairs: Sequence[Pair],
        noise: Noise,
        tolerances: Tolerances,
        seconds: float,
    ) -> None:
        self._sides = _Sides(*sides)
        self._pairs = pairs
        self._noise = noise
        self._tolerances = tolerances
        self.seconds = seconds

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
        none either.
        """
        found = (pair for pair in self._pairs if pair.verdict == "different")
        return next(found, None) or next(iter(self.unpaired), None)

    @property
    def first_bit(self) -> Pair | None:
        """The first pair in which a bit differs, within the tolerance or not."""
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
        return suggested(
            Need.of(part, pair.name, value, column)
            for pair in self._pairs
            for value, found in pair.values.items()
            for column, part in _columns_of(found)
            if part.verdict == "different"
        )

    @property
    def pairs(self) -> Any:
        """
        All pairs as a `pyarrow.Table`, a row each, in the order of the program.

        Raises:
            MissingDependencyError: If pyarrow is not installed.
        """
        pyarrow = needed("pyarrow", "a table of the pairs")
        return pyarrow.Table.from_pylist([_row(pair) for pair in self._pairs])

    def __iter__(self) -> Iterator[Pair]:
        return iter(self._pairs)

    def __len__(self) -> int:
        return len(self._pairs)

    def as_json(self) -> dict[str, Any]:
        """Return all that was found, in JSON types; `"schema"` has the version."""
        answer = Answer(
            self.verdict, self.exit_code, self.first, self.first_bit, self.seconds
        )
        return document_of(
            answer, self._pairs, self._sides, self._noise, self._tolerances
        )


def _columns_of(found: Difference) -> Sequence[tuple[str, Difference]]:
    """Return the columns of a table that differ, or else the value as a whole."""
    columns = [
        (str(ast.literal_eval(match[1])), part)
        for part in found.parts
        if (match := _COLUMN.fullmatch(part.name))
    ]
    return columns or [("", found)]


def _row(pair: Pair) -> dict[str, Any]:
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
        "max_abs": found.max_abs if found else None,
        "max_rel": found.max_rel if found else None,
        "times_tolerance": found.excess if found else None,
    }


def diff(  # noqa: PLR0913 - a parameter for each choice, all but two by name
    baseline: Source,
    candidate: Source,
    /,
    *,
    tolerances: Tolerances | str | None = None,
    names: str | Iterable[str] | None = None,
    where: Mapping[str, Wanted] | None = None,
    noise: Iterable[Source] = (),
    ignore_tags: Collection[str] = (),
    rename: Mapping[str, str] | None = None,
    keys: Mapping[str, Sequence[str]] | None = None,
    first_only: bool = False,
    exact: bool = False,
    trusted: bool = False,
    memory: int | str = "512MB",
    with_grids: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Diff:
    """
    Compare two runs, and find the first divergence.

    Args:
        baseline: The run that is taken as right: a root, an index or an entry.
        candidate: The other one.
        tolerances: The path of a TOML file; by default the dtype of a value decides
            how far it may be off, and everything that is no float is exact.
        names: Only entries with these names, as in `Index.where`.
        where: Only entries with these tags, as in `Index.where`.
        noise: Repeats of the baseline: a difference within five times their own is
            noise.
        ignore_tags: The tags that do not count when entries are paired, besides `run`,
            `host`, `pid`, `process` and `call`.
        rename: New names for names and tags of the baseline, as they are in the
            candidate. A name stands for all names below it.
        keys: For patterns of names, the columns that identify the rows of tables.
        first_only: Whether to stop at the first difference beyond tolerance.
        exact: Whether to compare the bytes of files with equal checksums too.
        trusted: Whether to load pickles, which can run any code.
        memory: What the values of one pair may take, in bytes, or as `"512MB"`.
        with_grids: Whether to keep small pictures of where arrays differ, for a page.
        progress: Called with the numbers of pairs compared and of all.

    Returns:
        The differences.

    Raises:
        ConfigError: If an argument is invalid.
        FileNotFoundError: If a root is not there.

    >>> import tempfile
    >>> from checkpoints import FileHandler
    >>> roots = [tempfile.mkdtemp(), tempfile.mkdtemp()]
    >>> for root, number in zip(roots, (1.0, 1.5)):
    ...     FileHandler(root).checkpoint("shop.total", price=number)
    >>> found = diff(*roots)
    >>> found.verdict, found.first.name
    ('different', 'shop.total')
    """
    started = time.monotonic()
    if not isinstance(tolerances, Tolerances):
        tolerances = Tolerances.in_file(tolerances) if tolerances else Tolerances()
    options = Options(
        tolerances=tolerances,
        keys=keys or {},
        exact=exact,
        trusted=trusted,
        memory=parse_size("memory", memory),
        with_grids=with_grids,
    )
    ignored = (*_IGNORED_TAGS, *ignore_tags)
    wanted = _Wanted(names, where)
    sources = [_resolved(source) for source in (baseline, candidate)]
    shared: dict[Hashable, Any] = {}
    first = Side(wanted.of(sources[0]), SideOptions(ignored, rename or {}), shared)
    second = Side(wanted.of(sources[1]), SideOptions(ignored), shared)
    if isinstance(noise, (str, Index, Entry)):
        raise ConfigError(f"noise={shown(noise)}: expected a list of runs")
    floor = Noise(_repeats(first, map(wanted.of, map(_resolved, noise)), options))
    if all(isinstance(source, Entry) for source in sources):
        pairing = one_pair(first, second)  # whatever they are called
    else:
        pairing = paired(first, second)
    comparison = Comparison((first, second), pairing, options)
    pairs = list(_compared(comparison, floor, first_only=first_only, told=progress))
    _confirm(comparison, pairs, floor)
    return Diff((first, second), pairs, floor, tolerances, time.monotonic() - started)


def _resolved(source: Source) -> Index | Entry:
    if isinstance(source, (Index, Entry)):
        return source
    if os.fspath(source).endswith(CONTAINERS):
        return entry_at(source)
    return index(source)


class _Wanted(NamedTuple):
    """Which entries of the runs are compared."""

    names: str | Iterable[str] | None
    where: Mapping[str, Wanted] | None

    def of(self, source: Index | Entry) -> Index:
        if isinstance(source, Entry):
            return index_of(source)
        if self.names is None and not self.where:
            return source
        return source.where(self.names, self.where)


def _repeats(
    first: Side, repeats: Iterable[Index], options: Options
) -> Iterator[Comparison]:
    for repeat in repeats:
        # Tags count in a repeat as in the candidate.
        side = Side(repeat, first.options)
        yield Comparison((first, side), paired(first, side), options)


def _compared(
    comparison: Comparison,
    noise: Noise,
    *,
    first_only: bool,
    told: Callable[[int, int], None] | None,
) -> Iterator[Pair]:
    for pair in comparison:
        noise.apply(pair)
        yield pair
        if told is not None:
            told(pair.number, len(comparison))
        if first_only and pair.verdict == "different":
            return


def _confirm(comparison: Comparison, pairs: Sequence[Pair], noise: Noise) -> None:
    """
    Assign the roles, and compare by value what the first divergence rests on.

    Equal checksums are equal values but once in four billion. The inputs of the first
    divergence and the save before it are compared to the byte.
    """
    inputs = inputs_of(pairs)
    while True:
        Roles(pairs, inputs).assign()
        first = next((pair for pair in pairs if pair.verdict == "different"), None)
        if first is None:
            return
        before = pairs[first.number - 2] if first.number > 1 else None
        resting = [
            pair
            for pair in (inputs.get(first.number), before)
            if pair is not None and pair.by == "checksum"
        ]
        for pair in resting:
            comparison.compare_values(pair)
            noise.apply(pair)
        if not any(pair.verdict == "different" for pair in resting):
            Roles(pairs, inputs).assign()
            return
