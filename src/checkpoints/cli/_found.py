"""What a program that was run has saved: what its processes say, what lies there."""

from __future__ import annotations

import contextlib
import glob
import json
import os
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import checkpoints

__all__ = ["Found"]

_MOST_NAMES = 20
_THOUSAND = 1000
_FAILURES = {
    "failed": "failed",
    "unknown": "may have failed",
    "dropped": "found no room and were dropped",
}


class Found:
    """
    What there is once a program has ended.

    Args:
        roots: Where it was to save to, with all but `{pid}` and `{time}` filled in.
        reports: The folder of what its processes reported.
        written: Where each rule was written, by where the program found it.
        since: When it was started; what is older is not its own.
        records: Whether saves were kept in memory until something goes wrong.
    """

    def __init__(
        self,
        roots: Iterable[str],
        reports: str,
        written: Mapping[str, str],
        since: float,
        *,
        records: bool,
    ) -> None:
        self._records = records
        self._written = written
        self.files: Counter[str] = Counter()
        self.roots: dict[str, None] = {}
        self.bytes = 0
        for root, name, size in _files(roots, since):
            self.roots[root] = None
            self.files[name] += 1
            self.bytes += size
        self._reports = list(_read(reports))

    @property
    def outcomes(self) -> dict[str, int]:
        """What became of the saves, as the processes counted them."""
        totals: Counter[str] = Counter()
        for report in self._reports:
            for outcomes in report["saves"].values():
                totals.update(outcomes)
        return dict(totals)

    @property
    def idle(self) -> dict[str, str]:
        """The rules that no process had a use for, each with what is known of it."""
        idle: dict[str, str] = {}
        sources = [source for report in self._reports for source in report["rules"]]
        for source in dict.fromkeys(sources):
            told = [report["idle"].get(source, "") for report in self._reports]
            if all(told):
                # The process that knows of something like it knows most.
                told.sort(key=lambda each: "none like it" in each)
                idle[self._written.get(source, source)] = told[0]
        return idle

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return {
            "files": sum(self.files.values()),
            "bytes": self.bytes,
            "names": dict(sorted(self.files.items())),
            "roots": list(self.roots),
            "outcomes": self.outcomes,
            "idle_rules": self.idle,
            "processes": len(self._reports),
        }

    def lines(self) -> Iterator[str]:
        """Yield what there is to say, line by line."""
        yield from self._saved() if self.files else self._nothing()
        outcomes = self.outcomes
        for outcome, words in _FAILURES.items():
            if count := outcomes.get(outcome):
                yield f"  {_count(count, 'save')} {words}; the log above says why"
        if self.files or not self._reports:
            for source, why in self.idle.items():
                yield f"  {source} {why}"
        for root in self.roots:
            yield f"Next: checkpoints ls {shlex.quote(os.path.relpath(root))}"

    def _saved(self) -> Iterator[str]:
        total = sum(self.files.values())
        where = ", ".join(os.path.relpath(root) for root in self.roots)
        yield f"saved {_count(total, 'file')}, {_size(self.bytes)}, under {where}"
        width = max(map(len, self.files))
        for name, count in sorted(self.files.items())[:_MOST_NAMES]:
            yield f"  {name:{width}}  {count}"
        if len(self.files) > _MOST_NAMES:
            yield f"  and {_count(len(self.files) - _MOST_NAMES, 'more name')}"

    def _nothing(self) -> Iterator[str]:
        if not self._reports:
            yield (
                "saved nothing: the program imported no checkpoints, or was ended "
                "before it could tell"
            )
            return
        yield "saved nothing"
        for source, why in self.idle.items():
            yield f"  {source} {why}"
        if self.idle:
            yield "  `checkpoints available PACKAGE` lists the names of a package"
        elif self._records:
            yield "  nothing went wrong, so what the recorder kept was not written"
        elif not any(map(self.outcomes.get, _FAILURES)):
            yield "  the names are known, and no call of them was one to be saved"


def _files(roots: Iterable[str], since: float) -> Iterator[tuple[str, str, int]]:
    for root in dict.fromkeys(each for pattern in roots for each in glob.glob(pattern)):
        if not os.path.isdir(root):
            continue
        for entry in checkpoints.index(root):
            with contextlib.suppress(OSError):
                status = os.stat(entry.path)
                if status.st_mtime >= since:
                    yield root, entry.fullname, status.st_size


def _read(folder: str) -> Iterator[Mapping[str, Any]]:
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        # One that a kill has cut short tells nothing.
        with contextlib.suppress(ValueError, OSError), open(path, "rb") as file:
            yield json.load(file)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("s" if number != 1 else "")


def _size(size: float) -> str:
    unit, units = "", ["TB", "GB", "MB", "kB"]
    while size >= _THOUSAND and units:
        size /= _THOUSAND
        unit = units.pop()
    return f"{size:.3g} {unit}" if unit else _count(int(size), "byte")
