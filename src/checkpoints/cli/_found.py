"""What a program that was run has saved: what its processes say, what lies there."""

from __future__ import annotations

import contextlib
import glob
import json
import os
import shlex
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import checkpoints
from checkpoints._text import count_text, size_text
from checkpoints.cli._process import is_running

__all__ = ["Found", "LastWord", "last_word"]

_MOST_NAMES = 20
_PROBE = "--probe "
_NO_FUNCTION = "is in no function's place; the log says why"
# Reasons, as processes number them: no name was matched.
_UNMATCHED = (0, 1)
_FAILURES = {
    "failed": "failed",
    "unknown": "may have failed",
    "dropped": "found no room and were dropped",
}

# Seconds.
_PATIENCE = 0.5


class Found:
    """
    What there is once a program has ended.

    Args:
        roots: Where it was to save to, with all but `{pid}` and `{time}` filled in.
        reports: The folder of what its processes reported.
        written: Where each rule was written, by where the program found it.
        since: When it was started; what is older is not its own.
        asks: Whether there was any rule at all.
        records: Whether saves were kept in memory until something goes wrong.
    """

    def __init__(
        self,
        roots: Iterable[str],
        reports: str,
        written: Mapping[str, str],
        since: float,
        *,
        asks: bool,
        records: bool,
    ) -> None:
        self._asks = asks
        self._records = records
        self._written = written
        self.files: Counter[str] = Counter()
        self.roots: dict[str, None] = {}
        self.bytes = 0
        self._patterns = list(roots)
        for root, name, size in _files(self._patterns, since):
            self.roots[root] = None
            self.files[name] += 1
            self.bytes += size
        word = last_word(reports)
        self._reports, self._used = word.reports, word.used
        self.untold, self._running = len(word.ended), len(word.running)

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
        idle = {}
        for source, (reason, text, by) in self._idle.items():
            written = self._written.get(source, source)
            is_lost = written.startswith(_PROBE) and reason in _UNMATCHED
            why = text + self._written.get(by, by)
            idle[written] = _NO_FUNCTION if is_lost else why
        return idle

    @property
    def _idle(self) -> dict[str, tuple[int, str, str]]:
        idle: dict[str, tuple[int, str, str]] = {}
        for source in self._rules:
            told = [report["idle"].get(source) for report in self._reports]
            if all(told) and source not in self._used:
                # The later reason is of the process that knows more.
                idle[source] = max(map(tuple, told))
        return idle

    @property
    def _rules(self) -> list[str]:
        sources = [source for report in self._reports for source in report["rules"]]
        return list(dict.fromkeys(sources))

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
            "untold": self.untold,
        }

    def lines(self) -> Iterator[str]:
        """Yield what there is to say, line by line."""
        if not self._asks:
            yield (
                "no rule was given, so nothing was switched on; one stands before the "
                "--, as in `checkpoints run mypkg.fit -- PROGRAM`"
            )
            return
        yield from self._saved() if self.files else self._nothing()
        outcomes = self.outcomes
        for outcome, words in _FAILURES.items():
            if count := outcomes.get(outcome):
                yield f"  {count_text(count, 'save')} {words}; the log says why"
        yield from self._about_processes()
        yield from self._about_rules()
        for root in self.roots:
            yield f"Next: checkpoints ls {shlex.quote(os.path.relpath(root))}"

    def _about_processes(self) -> Iterator[str]:
        if self._running:
            verb = "runs" if self._running == 1 else "run"
            yield f"  {_processes(self._running)} of it still {verb}, and may save more"
        if self.untold:
            was, it, its = (
                ("was", "it", "its") if self.untold == 1 else ("were", "they", "their")
            )
            others = "; the others say:" if self._idle else ""
            yield (
                f"  {_processes(self.untold)} {was} ended before {it} could tell what "
                f"became of {its} saves{others}"
            )

    def _saved(self) -> Iterator[str]:
        total = sum(self.files.values())
        where = ", ".join(os.path.relpath(root) for root in self.roots)
        told = f"{count_text(total, 'file')}, {size_text(self.bytes)}"
        yield f"saved {told}, under {where}"
        width = max(map(len, self.files))
        for name, count in sorted(self.files.items())[:_MOST_NAMES]:
            yield f"  {name:{width}}  {count}"
        if len(self.files) > _MOST_NAMES:
            yield f"  and {count_text(len(self.files) - _MOST_NAMES, 'more name')}"

    def _nothing(self) -> Iterator[str]:
        if self._reports or self.untold:
            yield "saved nothing"
        elif self._running:
            yield "saved nothing so far"
        else:
            yield "saved nothing: the program imported no checkpoints"
            yield (
                "  --probe MODULE:FUNCTION saves the calls of code that has none; what "
                "runs in another environment, as by sudo, is not reached"
            )

    def _about_rules(self) -> Iterator[str]:
        idle = self.idle
        for source, why in idle.items():
            yield f"  {source} {why}"
        if any("matched no checkpoint" in why for why in idle.values()):
            yield "  `checkpoints available PACKAGE` lists the names of a package"
        if not self.files and len(idle) < len(self._rules):
            yield from self._unsaved(idle)

    def _unsaved(self, idle: Mapping[str, str]) -> Iterator[str]:
        """Tell what became of the calls where rules did something, and no file is."""
        outcomes = self.outcomes
        has_failed = any(map(outcomes.get, _FAILURES))
        if self._records and self.untold:
            yield "  what the recorder kept is lost where a process was ended"
        elif self._records and not has_failed:
            yield "  nothing went wrong, so what the recorder kept was not written"
        elif not self._patterns:
            yield "  every rule switches off"
        elif outcomes.get("saved"):
            count = count_text(outcomes["saved"], "save")
            yield f"  {count} went well, and no file of them is there any more"
        elif outcomes.get("skipped"):
            count = count_text(outcomes["skipped"], "save")
            yield (
                f"  {count} skipped: the file was there already, or `values` or "
                "`transform` left nothing"
            )
        elif not (idle or self.untold or has_failed):
            yield "  no call came to its end, as a session that is never committed"


def _files(roots: Iterable[str], since: float) -> Iterator[tuple[str, str, int]]:
    found = {each for pattern in roots for each in glob.glob(pattern)}
    known: set[str] = set()
    # Where one lies in another, a file is of the inner one, and is counted once.
    for root in sorted(filter(os.path.isdir, found), key=len, reverse=True):
        for entry in checkpoints.index(root):
            with contextlib.suppress(OSError):
                status = os.stat(entry.path)
                place = os.path.realpath(entry.path)
                if status.st_mtime >= since and place not in known:
                    known.add(place)
                    yield root, entry.name, status.st_size


def _processes(number: int) -> str:
    return "1 process" if number == 1 else f"{number} processes"


class LastWord:
    """What the processes left, and the numbers of those that left no last word."""

    def __init__(self, folder: str) -> None:
        self.reports: list[dict[str, Any]] = []
        self.used: set[str] = set()
        told: set[int] = set()
        silent: set[int] = set()
        for name in sorted(os.listdir(folder)):
            if name.startswith("."):
                continue  # it was not finished
            with open(os.path.join(folder, name), "rb") as file:
                lines = list(_parsed(file))
            pid = int(name.partition("-")[0])
            # A rule can be used after that, by what else is done at the end.
            last = [line for line in lines if isinstance(line, dict)][-1:]
            self.reports += last
            self.used.update(it for it in lines if it and isinstance(it, str))
            (told if last else silent).add(pid)
        # A process can become another program, and tell as that.
        self.running = set(filter(is_running, silent - told))
        self.ended = silent - told - self.running


def _parsed(lines: Iterable[bytes]) -> Iterator[Any]:
    for line in lines:
        # The last one is cut short where a kill comes in between.
        with contextlib.suppress(ValueError):
            yield json.loads(line)


def last_word(folder: str) -> LastWord:
    """Read what processes left; those that are just ending get a moment to do so."""
    end = time.monotonic() + _PATIENCE
    while (word := LastWord(folder)).running and time.monotonic() < end:
        time.sleep(_PATIENCE / 50)
    return word
