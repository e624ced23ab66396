"""The baseline of one test: capture its save points, compare them, rewrite them."""

from __future__ import annotations

import itertools
import os
import re
import shlex
import shutil
import tempfile
import threading
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import checkpoints
from checkpoints.pytest_plugin._state import FOLDER, OBTAINED, State

__all__ = ["LIMITS", "NAME", "OPTIONS", "Baseline", "folder_of", "relative"]

NAME = "checkpoint_baseline"
LIMITS = ("rtol", "atol", "ulp", "share", "nan", "dtype", "order")
OPTIONS = ("tolerances", "keys", "ignore_tags", "trusted", "memory")
_UNSAFE = re.compile(r"[^A-Za-z0-9_.,=+\[\]-]")
_LONGEST = 120
_MOST_NAMED = 4


class _Taken(NamedTuple):
    """How the save points of a test are compared, as its marker says."""

    names: tuple[Any, ...]
    tolerances: Any
    options: dict[str, Any]


def _marked(item: pytest.Item) -> tuple[list[Any], dict[str, Any]]:
    """
    Return names and options of the markers nearest to a test.

    Raises:
        ConfigError: If there are several, with different options.
    """
    found = list(item.iter_markers_with_node(NAME))
    markers = [marker for node, marker in found if node is found[0][0]]
    names: list[Any] = []
    options: list[dict[str, Any]] = []
    # Python applies the lowest decorator first.
    for marker in markers[::-1]:
        given = dict(marker.kwargs)
        own = [*marker.args, *([given.pop("names")] if "names" in given else [])]
        names += own or ["*"]
        options.append(given)
    if any(given != options[0] for given in options):
        raise checkpoints.ConfigError(
            "several markers with different options, which apply to all names: give "
            "all the same options, or write limits by name into a file for tolerances="
        )
    return names or ["*"], options[0] if options else {}


def _taken(item: pytest.Item) -> _Taken:
    """Read the markers of a test; `ConfigError` if an argument is invalid."""
    names, given = _marked(item)
    for option in given:
        if option not in (*LIMITS, *OPTIONS):
            known = ", ".join((*LIMITS, *OPTIONS))
            raise checkpoints.ConfigError(f"unknown option {option!r}; use {known}")
    limits = {option: given.pop(option) for option in LIMITS if option in given}
    file = given.pop("tolerances", None)
    if limits and file is not None:
        raise checkpoints.ConfigError(
            f"{', '.join(limits)} cannot be combined with tolerances={file!r}: write "
            "them into that file"
        )
    # Not relative to where pytest was started, so that it passes from everywhere.
    return _Taken(
        tuple(names), limits or (file and str(item.path.parent / file)), given
    )


class _PlainOrigin(checkpoints.Handler):
    """Saves without what tells where and when a test ran, which is nobody's concern."""

    def __init__(self, folder: str, item: pytest.Item) -> None:
        self.files = checkpoints.FileHandler(folder, if_exists="keep")
        self.tag = ("test", item.nodeid)
        self.top = os.path.join(item.config.rootpath, "")
        self.numbers = itertools.count(1)
        self.threads = {threading.current_thread().name: ""}
        self.calls: dict[str, dict[int, int]] = {}

    def __repr__(self) -> str:
        return f"<the baseline of {self.tag[1]}>"

    def commit(self, key: checkpoints.Key, staged: Any) -> Any:
        """Save to a file."""
        origin = key.origin
        if origin is not None:
            file = origin.file
            own = file.startswith(self.top)
            origin = origin._replace(
                run="",
                # Entries that are rewritten alone must keep their place among others.
                sequence=next(self.numbers),
                host="",
                pid=0,
                # What several threads saved has no order; their names differ each time.
                thread=self.threads.setdefault(origin.thread, str(len(self.threads))),
                file=file.removeprefix(self.top) if own else os.path.basename(file),
                call=0,
                parent=(),
                within=self._numbered(*origin.within) if origin.within else (),
            )
        tags = tuple(self._plain(*pair) for pair in key.tags if pair != self.tag)
        return self.files.commit(checkpoints.Key(key.name, tags, origin), staged)

    def _plain(self, tag: str, value: Any) -> tuple[str, Any]:
        # The number of a recorded call has the name of what was called.
        name = getattr(value, "name", None)
        if tag == "call" and name and isinstance(value, int):
            return tag, self._numbered(name, value)[1]
        return tag, value

    def _numbered(self, name: str, number: int) -> tuple[str, int]:
        """Count the calls of a function in this test, whatever ran before it."""
        known = self.calls.setdefault(name, {})
        return name, known.setdefault(int(number), len(known) + 1)


class Baseline:
    """
    The save points of one test, beside its file.

    Args:
        item: The test.
        state: The session.
    """

    def __init__(self, item: pytest.Item, state: State) -> None:
        self._item = item
        self._state = state
        self.folder = folder_of(item)
        self.obtained = self.folder.with_name(self.folder.name + OBTAINED)
        self._taken = _taken(item)
        state.used.add(str(self.folder))

    @contextmanager
    def captured(self) -> Iterator[str]:
        """Save what the test saves into a temporary folder."""
        folder = tempfile.mkdtemp(prefix="checkpoints-")
        targets: list[Any] = [_PlainOrigin(folder, self._item)]
        if self._state.recording:
            targets.append(self._state.recording.recorder)
        try:
            with ExitStack() as stack:
                for names in self._taken.names:
                    stack.enter_context(checkpoints.capture(names, to=targets))
                yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def check(self, captured: str) -> None:
        """
        Compare what was captured with the baseline, or make it the baseline.

        Raises:
            pytest.fail.Exception: If they differ, or there is no baseline.
        """
        if not len(checkpoints.index(captured)):
            names = " or ".join(map(repr, self._taken.names))
            pytest.fail(
                f"the test passed no save point that {names} covers, so there is "
                "nothing to compare: correct the names, or remove the marker",
                pytrace=False,
            )
        # Also where there is no baseline yet: invalid options must not write one.
        nothing = checkpoints.index(captured)[:0]
        self._diff(nothing, nothing)
        found = self._compared(captured)
        if self._is_accepted(found):
            changes = self._rewrite(found, captured)
            if changes:
                self._state.written.append(f"{relative(self.folder)}  {changes}")
            found = self._compared(captured)
        shutil.rmtree(self.obtained, ignore_errors=True)
        if found is None or found.exit_code:
            self._fail(found, captured)

    def _compared(self, candidate: str) -> checkpoints.Diff | None:
        """Compare with the baseline; None if there is none."""
        if not (self.folder.is_dir() and len(checkpoints.index(self.folder))):
            return None
        # Not the roots, in which it would look for runs, file by file.
        return self._diff(checkpoints.index(self.folder), checkpoints.index(candidate))

    def _diff(
        self, one: checkpoints.Index, other: checkpoints.Index
    ) -> checkpoints.Diff:
        options, limits = self._taken.options, self._taken.tolerances
        return checkpoints.diff(one, other, tolerances=limits, **options)

    def _is_accepted(self, found: checkpoints.Diff | None) -> bool:
        if found is None or self._state.mode == "all":
            return self._state.mode is not None
        return bool(self._state.mode and found.exit_code)

    def _rewrite(self, found: checkpoints.Diff | None, captured: str) -> str:
        """Put what was captured into the baseline; return in words what changed."""
        if found is None or self._state.mode == "all":
            shutil.rmtree(self.folder, ignore_errors=True)
            entries = checkpoints.index(captured)
            for entry in entries:
                self._copy(entry.path, self._place(entry.path, captured))
            return f"{len(entries)} written"
        groups: dict[Any, list[Any]] = {}
        for pair in found:
            # The arguments of a call and its outcome stay together.
            name = pair.name.removesuffix(f".{pair.part}")
            groups.setdefault((name, pair.tags), []).append(pair)
        counts = [self._rewrite_key(pairs, captured) for pairs in groups.values()]
        new, changed, removed = (sum(it) for it in zip(*counts, strict=True))
        words = (f"{new} new", f"{changed} rewritten", f"{removed} removed")
        return ", ".join(it for it in words if not it.startswith("0 "))

    def _rewrite_key(self, pairs: Sequence[Any], captured: str) -> tuple[int, int, int]:
        """Rewrite the entries of a key; return how many are new, changed, removed."""
        old = [pair for pair in pairs if pair.baseline]
        if old and self._state.mode == "new":
            return 0, 0, 0
        both = [pair for pair in old if pair.candidate]
        if len(both) == len(pairs) and not any(pair.moved for pair in pairs):
            beyond = [it for it in pairs if it.verdict in ("different", "unknown")]
            goals = {it.baseline.path: self._goal(it, captured) for it in beyond}
            kept = {it.baseline.path for it in pairs} - goals.keys()
            if kept.isdisjoint(goals.values()):
                for path in goals:
                    self._remove(path)
                for pair in beyond:
                    self._copy(pair.candidate.path, goals[pair.baseline.path])
                return 0, len(beyond), 0
        # Repeated keys have numbered files, so they are renewed together.
        for pair in old:
            self._remove(pair.baseline.path)
        for pair in pairs:
            if pair.candidate:
                path = pair.candidate.path
                self._copy(path, self._place(path, captured))
        return len(pairs) - len(old), len(both), len(old) - len(both)

    def _goal(self, pair: Any, captured: str) -> str:
        """Return where the candidate of a pair belongs; its path has its tags."""
        if pair.baseline.tags == pair.candidate.tags:
            path: str = pair.baseline.path
            return path
        return self._place(pair.candidate.path, captured)

    def _place(self, path: str, root: str) -> str:
        return os.path.join(self.folder, os.path.relpath(path, root))

    def _copy(self, path: str, place: str) -> None:
        os.makedirs(os.path.dirname(place), exist_ok=True)
        shutil.copyfile(path, place)

    def _remove(self, path: str) -> None:
        os.remove(path)
        with suppress(OSError):
            os.removedirs(os.path.dirname(path))

    def _fail(self, found: checkpoints.Diff | None, captured: str) -> None:
        entries = checkpoints.index(captured)
        for entry in entries:
            place = os.path.join(self.obtained, os.path.relpath(entry.path, captured))
            self._copy(entry.path, place)
        (self.obtained / ".gitignore").write_text("*\n", encoding="utf-8")
        where = relative(self.obtained)
        if found is None:
            listed = ", ".join(entries.names()[:_MOST_NAMED])
            more = len(entries.names()) - _MOST_NAMED
            listed += f" and {more} more" if more > 0 else ""
            text = f"the test has no baseline in {relative(self.folder)}\n"
            text += f"\n  saved      {listed}"
        else:
            # Once more, so that it names the files that are kept.
            text = str(self._compared(str(self.obtained)))
        words = ["python", "-m", "pytest", self._typed(), "--checkpoints-update"]
        text += f"\n  obtained   {where}\n  accept     {shlex.join(words)}"
        pytest.fail(text, pytrace=False)

    def _typed(self) -> str:
        """Return the id of the test as seen from where pytest was started."""
        started_in = self._item.config.invocation_params.dir
        _, separator, name = self._item.nodeid.partition("::")
        return os.path.relpath(self._item.path, started_in) + separator + name


def folder_of(item: pytest.Item) -> Path:
    """Return where the baseline of a test is kept."""
    nodes = itertools.dropwhile(
        lambda node: not isinstance(node, pytest.File), item.listchain()
    )
    names = [_UNSAFE.sub(_encoded, node.name) for node in [*nodes][1:]]
    name = ".".join(names)
    if len(name) > _LONGEST:
        name = f"{name[:_LONGEST]}~{zlib.crc32(name.encode()):08x}"
    return item.path.parent / FOLDER / item.path.stem / name


def _encoded(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "surrogatepass"))


def relative(path: Path) -> str:
    here = os.path.join(os.getcwd(), "")
    return str(path).removeprefix(here)
