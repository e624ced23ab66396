"""What is compared, as people name it: roots, runs, indexes, single files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeAlias

from checkpoints._files.run_record import DEFAULT_ROOT
from checkpoints._index.entry import CONTAINERS, Entry, entry_at, path_of
from checkpoints._index.index import Index, index_of
from checkpoints._index.run import Run
from checkpoints._index.runs import run_in, runs, split_run
from checkpoints._keys.condition import Wanted

__all__ = ["Source", "Sources", "Subject", "two_sources"]

Source: TypeAlias = "str | os.PathLike[str] | Index | Entry | Run"


class Subject(NamedTuple):
    """
    One of the things to compare.

    Args:
        entries: The entries.
        run: The run that saved them; None if it is not known.
        is_entry: Whether it is a single file, whose name does not count.
    """

    entries: Index
    run: Run | None = None
    is_entry: bool = False


class Sources:
    """
    Finds the entries to compare.

    Args:
        names: Only entries with these names, as in `Index.where`.
        where: Only entries with these tags.
    """

    def __init__(
        self,
        names: str | Iterable[str] | None = None,
        where: Mapping[str, Wanted] | None = None,
    ) -> None:
        self._names, self._where = names, where

    def subject(self, source: Source) -> Subject:
        """
        Return what a source stands for; of a root with several runs, the last run.

        Raises:
            ConfigError: If there is no such run.
            FileNotFoundError: If there is no such root.
        """
        if isinstance(source, Entry):
            return Subject(index_of(source), is_entry=True)
        if isinstance(source, Run):
            return Subject(self._wanted(source.entries()), source)
        if isinstance(source, Index):
            return Subject(self._wanted(source))
        place = path_of(source)
        if place.endswith(CONTAINERS):
            return self.subject(entry_at(place))
        found, run = run_in(place)
        known = [] if run else runs(place)
        if len(known) > 1:
            return self.subject(known[-1])
        return Subject(self._wanted(found), run or next(iter(known), None))

    def _wanted(self, found: Index) -> Index:
        if self._names is None and not self._where:
            return found
        return found.where(self._names, self._where)


def two_sources(
    baseline: Source | None, candidate: Source | None
) -> tuple[Source, Source]:
    """
    Return the two things to compare.

    Without a candidate these are the last two runs under a root, or a run and the last
    one under its root; without both, the last two runs under `.checkpoints`.
    """
    if candidate is not None and baseline is not None:
        return baseline, candidate
    if not (baseline is None or isinstance(baseline, (str, os.PathLike))):
        return baseline, DEFAULT_ROOT
    place = DEFAULT_ROOT if baseline is None else path_of(baseline)
    root, wanted = split_run(place)
    return (place if wanted else f"{root}@last~1"), f"{root}@last"
