"""The summary of a run: its files, and what its processes reported."""

from __future__ import annotations

import contextlib
import glob
import os
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import checkpoints
from checkpoints import Entry
from checkpoints._text import count_text, files_text, is_remote
from checkpoints.cli._place import shown_root, with_status
from checkpoints.cli._reports import ends_of_processes, read_reports
from checkpoints.cli._selection import quiet_log
from checkpoints.storage import open_store

__all__ = ["EarlierFiles", "RunSummary"]

_MOST_NAMES = 20
_MOST_LETTERS = 400
_PROBE = "--probe "
_NO_FUNCTION = "probed no function"
# The reasons, as processes number them, of a rule that matched no name.
_UNMATCHED = (0, 1)
_FAILURES = {
    "failed": "failed",
    "unknown": "may have failed",
    "dropped": "dropped",
}

# Seconds.
_CLOCKS = 2.0


class RunSummary:
    """
    What a program has saved, and what its rules did.

    Args:
        roots: Globs of the roots that it saves to.
        reports: The folder of its processes' reports.
        sources: Where each rule was written, by the source that the program sees.
        since: When it was started; older files are not counted.
        earlier: The files that were there when it was started.
        has_rules: Whether there was any rule.
        has_recorder: Whether saves were kept in memory until something goes wrong.
    """

    def __init__(
        self,
        roots: Iterable[str],
        reports: str,
        sources: Mapping[str, str],
        since: float,
        earlier: EarlierFiles,
        *,
        has_rules: bool,
        has_recorder: bool,
    ) -> None:
        self._has_rules = has_rules
        self._has_recorder = has_recorder
        self._sources = sources
        self.files: Counter[str] = Counter()
        self.roots: dict[str, None] = {}
        self.bytes = 0
        self._patterns = list(roots)
        # Roots in which files of earlier runs were replaced, and how many.
        self.replaced: Counter[str] = Counter()
        for root, entry, size in _files(self._patterns, since):
            self.roots[root] = None
            self.files[entry.name] += 1
            self.bytes += size
            if entry in earlier:
                self.replaced[root] += 1
        found = read_reports(reports)
        self._reports, self._used = found.reports, found.used
        # Folders that rules of the program saved to, with the mode of their files.
        self.own_roots = found.roots_beside(self._patterns)
        here = {(it.get("host"), it["pid"]) for it in found.reports}
        ends = {(it["host"], it["pid"]): it for it in ends_of_processes(self.roots)}
        self._elsewhere = [it for place, it in ends.items() if place not in here]
        self.untold, self._running = len(found.ended), len(found.running)
        is_missing = self.outcomes.get("saved") and not self.files
        self._hidden = [*_hidden(self._patterns)] if is_missing else []

    @property
    def workers(self) -> list[dict[str, Any]]:
        """Host and id of each process, and the outcomes of its saves."""
        found = []
        for report in self._reports:
            saves: Counter[str] = Counter()
            for outcomes in report["saves"].values():
                saves.update(outcomes)
            place = {"host": report.get("host", ""), "pid": report["pid"]}
            found.append({**place, "saves": dict(saves)})
        return found + self._elsewhere

    @property
    def outcomes(self) -> dict[str, int]:
        """The outcomes of the saves, as the processes counted them."""
        totals: Counter[str] = Counter()
        for worker in self.workers:
            totals.update(worker["saves"])
        return dict(totals)

    @property
    def reasons(self) -> dict[str, dict[str, str]]:
        """For each name, the first reason that a process gave for each failure."""
        reasons: dict[str, dict[str, str]] = {}
        for report in self._reports:
            place = f"process {report['pid']} on {report.get('host', '')}: "
            told = place if len(self._reports) > 1 else ""
            for name, why in report["reasons"].items():
                texts = {outcome: f"{told}{text}" for outcome, text in why.items()}
                reasons[name] = {**texts, **reasons.get(name, {})}
        return dict(sorted(reasons.items()))

    @property
    def idle(self) -> dict[str, str]:
        """The rules without effect in any process, each with the reason."""
        idle = {}
        for source, (reason, text, by) in self._idle.items():
            written = self._sources.get(source, source)
            is_lost = written.startswith(_PROBE) and reason in _UNMATCHED
            why = text + self._sources.get(by, by)
            is_told = text.startswith(_NO_FUNCTION)
            unknown = f"{_NO_FUNCTION}; the log says why"
            idle[written] = unknown if is_lost and not is_told else why
        return idle

    @property
    def _idle(self) -> dict[str, tuple[int, str, str]]:
        idle: dict[str, tuple[int, str, str]] = {}
        for source in self._rules:
            reasons = [report["idle"].get(source) for report in self._reports]
            if all(reasons) and source not in self._used:
                # A process that knows more gives a reason with a higher number.
                idle[source] = max(map(tuple, reasons))
        return idle

    @property
    def _rules(self) -> list[str]:
        sources = [source for report in self._reports for source in report["rules"]]
        return list(dict.fromkeys(sources))

    def as_dict(self) -> dict[str, Any]:
        """Return the summary as an object for JSON."""
        return {
            "files": sum(self.files.values()),
            "bytes": self.bytes,
            "names": dict(sorted(self.files.items())),
            "roots": list(self.roots),
            "own_roots": list(self.own_roots),
            "replaced": sum(self.replaced.values()),
            "outcomes": self.outcomes,
            "reasons": self.reasons,
            "idle_rules": self.idle,
            "probes": self.probes,
            "processes": len(self._reports),
            "workers": self.workers,
            "untold": self.untold,
        }

    def lines(self) -> Iterator[str]:
        """Yield the lines of the summary."""
        if not self._has_rules:
            return  # told before the program started
        yield from self._about_files() if self.files else self._about_no_files()
        if self.own_roots:
            places = ", ".join(map(shown_root, self.own_roots))
            yield f"  rules of the program itself saved under {places}"
        outcomes = self.outcomes
        for outcome, words in _FAILURES.items():
            if count := outcomes.get(outcome):
                yield from self._about_failures(outcome, count, words)
        yield from self._about_overwritten()
        yield from self._about_replaced()
        yield from self._about_processes()
        yield from self._about_probes()
        yield from self._about_rules()
        for root in self.roots:
            yield f"Next: checkpoints ls {shlex.quote(shown_root(root))}"

    def _about_failures(self, outcome: str, count: int, words: str) -> Iterator[str]:
        reasons = [text for why in self.reasons.values() if (text := why.get(outcome))]
        if not reasons:
            yield f"  {count_text(count, 'save')} {words}; the log says why"
            return
        yield f"  {count_text(count, 'save')} {words}:"
        for text in reasons[:_MOST_NAMES]:
            yield f"    {' '.join(text.split())[:_MOST_LETTERS]}"
        if len(reasons) > _MOST_NAMES:
            yield f"    and {count_text(len(reasons) - _MOST_NAMES, 'more name')}"

    def _about_overwritten(self) -> Iterator[str]:
        """Yield which names of this run have overwritten saves of their own."""
        names = [name for name, why in self.reasons.items() if "replaced" in why]
        if names:
            listed = ", ".join(names[:_MOST_NAMES])
            more = len(names) - _MOST_NAMES
            others = f" and {count_text(more, 'more name')}" if more > 0 else ""
            yield (
                f"  only the last save is kept of each tag of {listed}{others}: add a "
                "tag that distinguishes them, or use if_exists=keep"
            )

    def _about_processes(self) -> Iterator[str]:
        if self._elsewhere:
            saves = sum(it["saves"].get("saved", 0) for it in self._elsewhere)
            who = _processes(len(self._elsewhere))
            yield (
                f"  {count_text(saves, 'save')} by {who} not started by this program, "
                "as in a cluster"
            )
        if self._running:
            still = "is still" if self._running == 1 else "are still"
            yield f"  {_processes(self._running)} {still} running and may save more"
        if self.untold:
            their = "its" if self.untold == 1 else "their"
            others = "; the others report:" if self._idle else ""
            yield (
                f"  {_processes(self.untold)} ended without reporting the outcome of "
                f"{their} saves{others}"
            )

    def _about_files(self) -> Iterator[str]:
        total = files_text(sum(self.files.values()), self.bytes)
        roots = ", ".join(shown_root(root) for root in self.roots)
        yield f"saved {total}, under {roots}"
        width = max(map(len, self.files))
        for name, count in sorted(self.files.items())[:_MOST_NAMES]:
            yield f"  {name:{width}}  {count}"
        if len(self.files) > _MOST_NAMES:
            yield f"  and {count_text(len(self.files) - _MOST_NAMES, 'more name')}"

    def _about_replaced(self) -> Iterator[str]:
        for root, count in self.replaced.items():
            number = count_text(count, "file")
            place = shown_root(root)
            yield f"  {number} of an earlier run replaced, under {place}"
        if self.replaced:
            yield "  a target with run={run}, or none, keeps the files of each run"

    def _about_no_files(self) -> Iterator[str]:
        if self._hidden:
            saved = count_text(self.outcomes["saved"], "save")
            yield f"{saved} succeeded, which cannot be listed"
            yield from (f"  {why}" for why in self._hidden)
        elif self._reports or self.untold:
            yield "saved nothing"
        elif self._running:
            yield "saved nothing so far"
        else:
            yield "saved nothing: the program did not import checkpoints"
            yield "  --probe MODULE:FUNCTION saves the calls of other code"
            yield (
                "  not reached: what runs under sudo; and, by --probe and --record, a "
                "Python with -I, -E or -S"
            )

    @property
    def probes(self) -> dict[str, dict[str, Any]]:
        """What each probe found in the process that knows most, by its names."""
        probes: dict[str, dict[str, Any]] = {}
        for report in self._reports:
            for names, facts in report.get("probes", {}).items():
                known = probes.setdefault(names, facts)
                if facts["found"] > known["found"]:
                    probes[names] = facts
        return probes

    def _about_probes(self) -> Iterator[str]:
        for names, facts in self.probes.items():
            if facts["found"] < 2 and not facts["refused"]:  # noqa: PLR2004 - not many
                continue
            yield f"  probed {count_text(facts['found'], 'function')} of {names}"
            if facts["left_out"]:
                yield f"    and left out {facts['left_out']} more: narrow the pattern"
            if facts["refused"]:
                count = count_text(facts["refused"], "other")
                yield f"    {count} cannot be probed: {facts['why'][:_MOST_LETTERS]}"

    def _about_rules(self) -> Iterator[str]:
        idle = self.idle
        for source, why in idle.items():
            yield f"  {source} {why}"
        if self._has_unmatched_names():
            yield "  `checkpoints available PACKAGE` lists the names of a package"
        if not (self.files or self._hidden) and len(idle) < len(self._rules):
            yield from self._about_calls(idle)

    def _has_unmatched_names(self) -> bool:
        """Return whether a rule other than that of a probe matched no name."""
        return any(
            reason in _UNMATCHED
            and not self._sources.get(source, source).startswith(_PROBE)
            for source, (reason, *_) in self._idle.items()
        )

    def _about_calls(self, idle: Mapping[str, str]) -> Iterator[str]:
        """Yield why there is no file although rules had an effect."""
        outcomes = self.outcomes
        has_failed = any(map(outcomes.get, _FAILURES))
        if self._has_recorder and self.untold:
            yield "  saves that the recorder kept in memory ended with the process"
        elif self._has_recorder and not has_failed:
            yield "  nothing went wrong, so the recorder wrote nothing"
        elif not self._patterns:
            yield "  all rules switch names off"
        elif outcomes.get("saved"):
            count = count_text(outcomes["saved"], "save")
            yield f"  {count} succeeded, but the files no longer exist"
        elif outcomes.get("skipped"):
            count = count_text(outcomes["skipped"], "save")
            yield (
                f"  {count} skipped: the file existed already, or `values` or "
                "`transform` left nothing"
            )
        elif not (idle or self.untold or has_failed):
            yield "  no call was completed, as in a session that is never committed"


class EarlierFiles:
    """
    The files that are under some roots now.

    Args:
        roots: Globs of the roots.
    """

    def __init__(self, roots: Iterable[str]) -> None:
        self._indexes = []
        for root in _existing(roots):
            with quiet_log(), contextlib.suppress(OSError):
                self._indexes.append(index := checkpoints.index(root))
                len(index)  # walks the folders now
        self._paths: set[str] | None = None

    def __contains__(self, entry: Entry) -> bool:
        """Tell whether a file was there."""
        if self._paths is None:
            self._paths = {it.path for each in self._indexes for it in each}
        return entry.path in self._paths


def _files(roots: Iterable[str], since: float) -> Iterator[tuple[str, Entry, int]]:
    known: set[str] = set()
    # If one root is inside another, the inner one comes first and counts its files.
    for root in sorted(_existing(roots), key=len, reverse=True):
        # Servers have clocks of their own, and tell whole seconds.
        start = since - _CLOCKS if is_remote(root) else since
        for entry, status in with_status(checkpoints.index(root)):
            path = entry.path if is_remote(root) else os.path.realpath(entry.path)
            if status.time >= start * 10**9 and path not in known:
                known.add(path)
                yield root, entry, status.size


def _existing(patterns: Iterable[str]) -> set[str]:
    """Return the roots that match; of a URL what is before the first wildcard."""
    found: set[str] = set()
    for pattern in patterns:
        if not is_remote(pattern):
            found.update(filter(os.path.isdir, glob.glob(pattern)))
            continue
        root = _root_of(pattern)
        with contextlib.suppress(OSError):
            open_store(root).check_root()
            found.add(root)
    return found


def _root_of(pattern: str) -> str:
    root = pattern.partition("*")[0]
    return root if root == pattern else root.rpartition("/")[0]


def _hidden(patterns: Iterable[str]) -> Iterator[str]:
    """Yield which roots in object stores cannot be listed, each with the reason."""
    for root in {_root_of(it): None for it in patterns if is_remote(it)}:
        try:
            open_store(root).check_root()
        except FileNotFoundError:
            continue
        except OSError as error:
            yield f"{shown_root(root)}: {error.strerror}"


def _processes(number: int) -> str:
    return "1 process" if number == 1 else f"{number} processes"
