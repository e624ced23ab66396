"""One side of a comparison: the entries of a run, in the order of the program."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping
from functools import cached_property
from itertools import compress, groupby
from typing import Any, NamedTuple

from checkpoints._compare.attempts import completed
from checkpoints._compare.call_tags import CallTags, Texts
from checkpoints._compare.damage import located
from checkpoints._compare.record import (
    NO_KEY,
    NO_PROCESS,
    Process,
    Record,
    Saved,
    damaged,
)
from checkpoints._compare.sources import Subject, Tags
from checkpoints._index.entry import Entry
from checkpoints._index.headers import ReadOnce
from checkpoints._index.index import listing_of
from checkpoints._keys.tag_value import tag_text
from checkpoints._process.origin import run_id

__all__ = ["Side", "SideOptions", "unlisted_text"]


class SideOptions(NamedTuple):
    """
    How the keys of entries are made.

    Args:
        ignored: Names of tags that do not count; of those that have a new name, this.
        renamed: New names for the names of checkpoints, with all names below them, and
            for the names of tags. Of several that fit, the longest name counts.
    """

    ignored: Collection[str] = ()
    renamed: Mapping[str, str] = {}

    def translated(self, name: str, tags: Tags) -> tuple[str, Tags]:
        """Return a name and tags as the other run calls them: by the new names."""
        renamed = self.renamed
        old = self.old_name(name)
        if old is not None:
            name = renamed[old] + name.removeprefix(old)
        return name, [(renamed.get(tag, tag), value) for tag, value in tags]

    def old_name(self, name: str) -> str | None:
        """Return which of the names to be renamed a name is, or is below."""
        fitting = (it for it in self.renamed if name == it or name.startswith(f"{it}."))
        return max(fitting, key=len, default=None)

    def old_tags(self, tag: str) -> list[str]:
        """Return the names of the tags that have this name in the end."""
        kept = [] if tag in self.renamed else [tag]
        return kept + [old for old, new in self.renamed.items() if new == tag]


class Side:
    """
    The entries of a run, in the order in which the program saved them.

    The number of a save gives its place in its process, and a forked process comes
    after the save that its parent made last before the fork. Between processes, the
    clock decides what is left.

    Args:
        subject: The entries, and the run that saved them.
        options: How the keys are made.
        calls: The tags of recorded calls, of all sides. Keys are made without them when
            they are first asked for, so all sides must have been read by then.
        files: Reads the files.
        shared: One object for all that are equal, so that many entries take little
            memory; the same dict for both sides.
        step: Called after each entry that was read.
    """

    def __init__(
        self,
        subject: Subject,
        options: SideOptions,
        calls: CallTags,
        files: ReadOnce[Saved],
        shared: dict[Hashable, Any] | None = None,
        step: Callable[[], None] = lambda: None,
    ) -> None:
        self.subject = subject
        self.index = subject.entries
        self.run = subject.run
        self.options = options
        self._runs: Counter[str] = Counter()
        self._versions: dict[str, set[str]] = {}
        self._step = step
        self._calls = calls
        self._files = files
        # How many saves are of attempts at a task that were repeated.
        self.repeated = 0
        self._shared = {} if shared is None else shared
        self._unkeyed = list(self._read())
        if subject.unfiltered is not None:
            whole = subject.unfiltered
            calls.add_hidden(
                (tags for _, tags, _ in self._unkeyed),
                ((self._texts(entry.tags.items()), entry) for entry in whole),
            )

    @cached_property
    def records(self) -> list[Record]:
        """All entries, in the order of the program."""
        unkeyed, self._unkeyed = self._unkeyed, []
        keyed = located([self._keyed(*it) for it in unkeyed], self.entry)
        counting = completed((_task_of(it), it.attempt) for it in keyed)
        kept = [*compress(keyed, counting)]
        self.repeated = len(keyed) - len(kept)
        return _in_program_order(kept)

    def entry(self, record: Record) -> Entry:
        """Return the entry of a record."""
        return self.index[record.position]

    @property
    def runs(self) -> list[str]:
        """The ids of the runs that saved the entries."""
        return [*self._runs]

    @property
    def versions(self) -> dict[str, str]:
        """The versions of Python and of the libraries, as far as they are known."""
        known = self.run.versions if self.run else {}
        return {**known} | {
            library: ", ".join(sorted(found))
            for library, found in sorted(self._versions.items())
        }

    @property
    def has_stopped(self) -> bool:
        """Whether the run is known to have ended too early."""
        # This very process is unfinished as well, but goes on.
        if self.run is None or self.run.id == run_id():
            return False
        return self.run.state in ("failed", "unfinished")

    def counted(self, record: Record) -> Mapping[str, int]:
        """Return what a rule had counted of a name when its process ended, if known."""
        run, host, pid = record.process
        if self.run is None or self.run.id != run:
            return {}
        name = self.entry(record).name
        if record.part not in ("", "arguments"):
            name = name.removesuffix(f".{record.part}")
        return self.run.counted.get((host, str(pid)), {}).get(name, {})

    def by_process(self) -> dict[Process, list[Record]]:
        """Return the records of each known process, in the order of first saves."""
        found: dict[Process, list[Record]] = {}
        for record in self.records:
            if record.process != NO_PROCESS:
                found.setdefault(record.process, []).append(record)
        return found

    def unfiltered(self, names: Collection[str]) -> Side:
        """Return all entries of some names, if a filter may have left out any."""
        whole = self.subject.unfiltered
        if whole is None:
            return self
        translated = self.options.translated
        is_meant = [translated(entry.name, ())[0] in names for entry in whole]
        subject = Subject(whole[is_meant], self.run)
        return Side(subject, self.options, self._calls, self._files)

    def _read(self) -> Iterator[tuple[str, Texts, Record]]:
        for position, found in enumerate(self._files.extracts(listing_of(self.index))):
            self._step()
            if isinstance(found, Exception):
                entry = self.index[position]
                tags = self._texts(entry.tags.items())
                yield entry.name, tags, damaged(position)
                continue
            name, tags, versions, process, thread, part, sampling, *rest = found
            for library, version in versions:
                self._versions.setdefault(library, set()).add(version)
            self._runs[process[0]] += 1
            tags = self._shared_one(self._texts(tags))
            if part:
                self._calls.add(tags)
            process, thread, sampling = map(
                self._shared_one, (process, thread, sampling)
            )
            own = tags if part else ()
            fields = (position, NO_KEY, process, thread, part, sampling, *rest, own)
            yield name, tags, Record._make(fields)

    def _shared_one(self, value: Any) -> Any:
        return self._shared.setdefault(value, value)

    def _texts(self, tags: Tags) -> Texts:
        """Return tags as texts, as the other run calls them."""
        named = self.options.translated("", tags)[1]
        return tuple((tag, tag_text(value)) for tag, value in named)

    def _keyed(self, name: str, tags: Texts, record: Record) -> Record:
        ignored = self.options.ignored
        counting = [it for it in self._calls.without(tags) if it[0] not in ignored]
        # The order in which tags were nested is no difference.
        key = self.options.translated(name, ())[0], tuple(sorted(counting))
        return record._replace(key=self._shared_one(key))


def unlisted_text(error: OSError) -> str:
    """Return which folder of a side could not be listed, and why."""
    reason = error.strerror or type(error).__name__
    return f"{error.filename}, which cannot be listed: {reason}"


def _task_of(record: Record) -> Hashable:
    return record.process[0], record.attempt[:1], record.key, record.part


def _in_program_order(records: list[Record]) -> list[Record]:
    records.sort(key=lambda record: (record.process, record.sequence))
    processes = {
        process: list(own)
        for process, own in groupby(records, key=lambda record: record.process)
    }
    moments: dict[tuple[Process, int] | None, float] = {}
    timed = []
    for process in _parents_first(processes):
        latest = 0.0
        for record in processes[process]:
            # Clocks may be set back; the number of a save never is.
            latest = max(latest, record.time, moments.get(record.parent, 0.0))
            moments[process, record.sequence] = latest
            timed.append((latest, record))
    # A stable sort: at the same moment, a parent is before its children.
    timed.sort(key=lambda pair: pair[0])
    return [record for _, record in timed]


def _parents_first(processes: Mapping[Process, list[Record]]) -> list[Process]:
    """Return the processes, each after the one that its first save comes from."""
    ordered: dict[Process, None] = {}
    for process in processes:
        line: list[Process] = []
        parent = process
        while parent in processes and parent not in ordered and parent not in line:
            line.append(parent)
            known = processes[parent][0].parent
            parent = known[0] if known else NO_PROCESS
        ordered.update(dict.fromkeys(reversed(line)))
    return [*ordered]
