"""What is compared, as people name it: roots, runs, indexes, single files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from checkpoints._files.run_record import DEFAULT_ROOT
from checkpoints._index.entry import CONTAINERS, Entry, entry_at, path_of
from checkpoints._index.filter import EntryFilter
from checkpoints._index.index import Index, index_of, is_filtered
from checkpoints._index.lost import maybe_lost, without_files
from checkpoints._index.place import chosen_run, several_named, split_run
from checkpoints._index.run import Run
from checkpoints._index.runs import SharedFolders
from checkpoints._keys.condition import Wanted
from checkpoints._text import shown
from checkpoints.errors import ConfigError
from checkpoints.storage._stores import split_path

__all__ = ["Source", "Sources", "Subject", "Tags"]

Source: TypeAlias = "str | os.PathLike[str] | Index | Entry | Run"
Tags: TypeAlias = "Sequence[tuple[str, Any]]"
Translation: TypeAlias = "Callable[[str, Tags], tuple[str, Tags]]"


class Subject(NamedTuple):
    """
    One of the things to compare.

    Args:
        entries: The entries.
        run: The run that saved them; None if it is not known.
        is_entry: Whether it is a single file, whose name does not count.
        unfiltered: The entries before a filter left out some; None without a filter.
        note: What is to be known of how it was chosen, and of files that it lacks.
    """

    entries: Index
    run: Run | None = None
    is_entry: bool = False
    unfiltered: Index | None = None
    note: str = ""

    @property
    def is_part(self) -> bool:
        """Whether it may lack entries of its run, which were not asked for."""
        if self.unfiltered is not None:
            return len(self.entries) < len(self.unfiltered)
        return self.is_entry or is_filtered(self.entries)


class Sources:
    """
    Finds the entries to compare.

    Args:
        folders: Reads the files of runs.
        names: Only entries with these names, as in `Index.where`.
        where: Only entries with these tags.
    """

    def __init__(
        self,
        folders: SharedFolders,
        names: str | Iterable[str] | None = None,
        where: Mapping[str, Wanted] | None = None,
    ) -> None:
        self._names, self._where = names, where
        # A root is read once, however often it is named.
        self._runs: dict[str, list[Run]] = {}
        self._folders = folders

    def two(
        self, baseline: Source | None, candidate: Source | None
    ) -> tuple[Source, Source]:
        """
        Return the two things to compare.

        Without a candidate these are the last two runs under a root, or a run and the
        last one under its root; without both, the last two runs under `.checkpoints`.

        Raises:
            ConfigError: If there are no two of them.
            FileNotFoundError: If there is no such root.
        """
        if candidate is None:
            return self._and_last(DEFAULT_ROOT if baseline is None else baseline)
        if baseline is None:
            raise ConfigError(
                "a candidate was given without a baseline; give the baseline first, "
                f"as in diff({f'{DEFAULT_ROOT}@last~1'!r}, {shown(candidate)})"
            )
        return baseline, candidate

    def subject(self, source: Source, translated: Translation | None = None) -> Subject:
        """
        Return what a source stands for; of a root with several runs, the last run.

        Args:
            source: What was named.
            translated: Returns a name and tags of its entries as the filters call them.

        Raises:
            ConfigError: If there is no such run, or it is no checkpoint file.
            FileNotFoundError: If there is no such root or file.
        """
        if isinstance(source, Entry):
            return Subject(index_of(source), is_entry=True)
        if isinstance(source, Run):
            found = self._wanted(self._entries_of(source), translated, source)
            if source.is_alone:
                return found
            known = self._runs_under(source.root or source.path, source.store_options)
            return found._replace(note=maybe_lost(source, known, self._folders))
        if isinstance(source, Index):
            return self._wanted(source, translated)
        place = path_of(source)
        if place.endswith(CONTAINERS):
            return self.subject(_entry_of(place))
        return self._at(place, translated)

    def _at(self, place: str, translated: Translation | None) -> Subject:
        root, wanted = split_run(place)
        known = self._runs_under(root)
        if wanted is not None:
            chosen = self.subject(chosen_run(known, wanted, root), translated)
            note = several_named(known, wanted)
            return chosen._replace(note=_joined(note, chosen.note))
        if len(known) > 1:
            last = self.subject(known[-1], translated)
            note = f"{root} has {len(known):,} runs: the last one is compared"
            return last._replace(note=_joined(note, last.note))
        files = self._folders.files(root)
        return self._wanted(files, translated, next(iter(known), None))

    def _entries_of(self, run: Run) -> Index:
        """Return the entries of a run, which others must not have replaced."""
        found = self._folders.entries(run)
        if not run.is_alone and not len(found):
            known = self._runs_under(run.root or run.path, run.store_options)
            raise ConfigError(without_files(run, known, self._folders))
        return found

    def check_filter(self, found: Index) -> None:
        """Raise an error that says why nothing is left, if filters were given."""
        if self._is_narrow():
            raise ConfigError(f"nothing to compare: {found.why_empty()}")

    def _is_narrow(self) -> bool:
        return self._names is not None or bool(self._where)

    def _and_last(self, source: Source) -> tuple[Run, Run]:
        """Return a run and the last one under its root, or the last two under one."""
        wanted: str | None
        if isinstance(source, Run):
            root, wanted = source.root or source.path, source.id
        elif isinstance(source, (Index, Entry)) or path_of(source).endswith(CONTAINERS):
            raise ConfigError(
                f"{shown(source)} alone has nothing to be compared with; give a "
                "candidate too"
            )
        else:
            root, wanted = split_run(path_of(source))
        options = source.store_options if isinstance(source, Run) else None
        known = self._runs_under(root, options)
        if not known:
            raise ConfigError(f"no run under {root!r}; nothing was saved there")
        if len(known) == 1:
            way = "run the program again, or name the other one too"
            raise ConfigError(f"only one run under {root!r}; {way}")
        if wanted is None:
            return known[-2], known[-1]
        chosen = chosen_run(known, wanted, root)
        if chosen.id == known[-1].id:
            raise ConfigError(
                f"{chosen.id} is the last run under {root!r}; name the other one too, "
                f"as in {f'{root}@last~1'!r} {f'{root}@last'!r}"
            )
        return chosen, known[-1]

    def _runs_under(
        self, root: str, options: Mapping[str, Any] | None = None
    ) -> list[Run]:
        if root not in self._runs:
            try:
                self._runs[root] = self._folders.runs(root, options)
            except NotADirectoryError as error:
                suffixes = " or ".join(CONTAINERS)
                raise ConfigError(
                    f"{root!r} is a file, but no checkpoint file: its name does not "
                    f"end in {suffixes}; give one, a root, or ROOT@RUN"
                ) from error
        return self._runs[root]

    def _wanted(
        self, found: Index, translated: Translation | None, run: Run | None = None
    ) -> Subject:
        if not self._is_narrow():
            return Subject(found, run)
        return Subject(self._narrowed(found, translated), run, unfiltered=found)

    def _narrowed(self, found: Index, translated: Translation | None) -> Index:
        if translated is None:
            return found.where(self._names, self._where)
        wanted = EntryFilter(self._names, self._where)
        keys = (translated(entry.name, entry.tags.items()) for entry in found)
        return found[
            [wanted.covers(name) and wanted.accepts(tuple(tags)) for name, tags in keys]
        ]


def _joined(*notes: str) -> str:
    return "; ".join(filter(None, notes))


def _entry_of(path: str) -> Entry:
    store, file = split_path(path)
    if store.status(file) is None:
        way = "`checkpoints ls ROOT` lists the entries of a root"
        raise FileNotFoundError(f"file {path!r} does not exist; {way}")
    return entry_at(path)
