"""A run: one execution of a program, with what its record says."""

from __future__ import annotations

import datetime
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from checkpoints._index.index import Index
from checkpoints._process.pickling import public
from checkpoints._text import count_text, printable
from checkpoints.storage._stores import open_store

__all__ = ["Run"]


@dataclass(frozen=True, repr=False)
class Run:
    """
    One execution of a program that saved, with all its processes.

    Runs come from `runs`. What is not known is empty or None, as all but the first
    three is for files of a version that kept no records.

    Args:
        id: Its id, as in the header of each file.
        path: The folder that contains its files.
        started: When its first process began, or else its first save; None if neither
            is known.
        is_alone: Whether the folder has no files of other runs.
        name: The name that it was given.
        ended: When the process that began it ended, which is `checkpoints run`, or else
            the first one that set up a rule or saved, even if only processes that it
            started saved; None if it is running, or was killed.
        error: The exception that ended one of its processes, or the exit code that
            `checkpoints run` saw.
        saves: The number of its saves by outcome, as in `Stats`, of all its processes
            that saved and ended; empty if there are none.
        program: The command.
        versions: The versions of the libraries that it had loaded.
        git: The revision of the program's folder.
        is_dirty: Whether files differed from that revision.
        record: All fields of its record.
        counted: What rules that leave calls out have counted in each of its processes
            that ended, by host and number: of each name the calls, and the rule, its
            turns and how many of these it left out by budgets.
        root: The root under which it was found.
        store_options: The options with which it was found.
    """

    id: str
    path: str
    started: datetime.datetime | None = None
    is_alone: bool = False
    name: str = ""
    ended: datetime.datetime | None = None
    error: str = ""
    saves: Mapping[str, int] = field(default_factory=dict)
    program: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    git: str = ""
    is_dirty: bool | None = None
    record: Mapping[str, Any] = field(default_factory=dict)
    counted: Mapping[tuple[str, str], Mapping[str, Mapping[str, int]]] = field(
        default_factory=dict
    )
    root: str = field(default="", compare=False)
    store_options: Mapping[str, Any] | None = field(default=None, compare=False)

    @classmethod
    def of(
        cls,
        path: str,
        start: Mapping[str, Any],
        ends: Iterable[Mapping[str, Any]],
        *,
        is_alone: bool,
    ) -> Run:
        """
        Return the run of a record, whose fields may be anything.

        Args:
            path: The folder that contains its files.
            start: The record of its beginning.
            ends: Those of the ends of its processes.
            is_alone: Whether the folder has no files of other runs.
        """
        # A process that saves under several roots tells each of them.
        by_process = {_process_of(it): it for it in ends}
        began_by = start.get("began_by")
        beginner = began_by if isinstance(began_by, dict) else start
        first = by_process.get(_process_of(beginner), {})
        # The runner's comes last, which knows less than what the program said itself.
        in_order = sorted(by_process.values(), key=lambda it: _text(it, "ended"))
        saves: Counter[str] = Counter()
        for end in by_process.values():
            counts = _counts(end.get("saves"))
            # One that saved nothing says nothing of those that were killed.
            saves.update(counts if any(counts.values()) else {})
        git = start.get("git")
        git = git if isinstance(git, dict) else {}
        dirty = git.get("dirty")
        words = start.get("command")
        return cls(
            id=_text(start, "run"),
            path=path,
            started=_moment(start, "started"),
            is_alone=is_alone,
            name=_text(start, "name"),
            ended=_moment(first, "ended"),
            error=next(filter(None, (_text(it, "error") for it in in_order)), ""),
            saves=dict(saves),
            program=shlex.join(map(str, words)) if isinstance(words, list) else "",
            versions={**_texts(start, "versions"), **_texts(first, "versions")},
            git=_text(git, "commit"),
            is_dirty=dirty if isinstance(dirty, bool) else None,
            record=start,
            counted={it: _by_name(end) for it, end in by_process.items()},
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return public(type(self)), tuple(vars(self).values())

    def __repr__(self) -> str:
        name = f" {self.name!r}" if self.name else ""
        saved = self.saves.get("saved")
        count = "" if saved is None else f", {count_text(saved, 'save')}"
        return printable(f"<Run {self.id}{name}{count}, {self.state}>")

    @property
    def state(self) -> str:
        """What became of it: `"ended"`, `"failed"`, `"unfinished"` or `"unknown"`."""
        if not self.record:
            return "unknown"
        if self.error:
            return "failed"
        return "ended" if self.ended else "unfinished"

    def entries(self) -> Index:
        """
        Return its entries.

        Reads the headers of all files in a folder that it shares with other runs.
        """
        found = Index(open_store(self.path, self.store_options))
        return found if self.is_alone else found.runs().get(self.id, found[:0])


def _process_of(fields: Mapping[str, Any]) -> tuple[str, str]:
    return _text(fields, "host"), str(fields.get("pid"))


def _text(fields: Mapping[str, Any], name: str) -> str:
    found = fields.get(name)
    return found if isinstance(found, str) else ""


def _texts(fields: Mapping[str, Any], name: str) -> dict[str, str]:
    found = fields.get(name)
    pairs = found.items() if isinstance(found, dict) else ()
    return {key: text for key, text in pairs if isinstance(text, str)}


def _counts(found: object) -> dict[str, int]:
    pairs = found.items() if isinstance(found, dict) else ()
    return {key: count for key, count in pairs if type(count) is int and count >= 0}


def _by_name(end: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    found = end.get("counted")
    pairs = found.items() if isinstance(found, dict) else ()
    return {name: _counts(counts) for name, counts in pairs}


def _moment(fields: Mapping[str, Any], name: str) -> datetime.datetime | None:
    try:
        found = datetime.datetime.fromisoformat(_text(fields, name))
        return found.astimezone(datetime.UTC)
    except (ValueError, OverflowError):
        return None
