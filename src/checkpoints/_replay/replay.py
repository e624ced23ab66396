"""`replay`: a saved call, called again, and what differs from what it did then."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NoReturn, TypeAlias

from checkpoints._compare.difference import Difference
from checkpoints._compare.document import pair_document
from checkpoints._compare.noise import Noise
from checkpoints._compare.pair import Pair
from checkpoints._compare.tolerances import Tolerances
from checkpoints._index.entry import Entry, entry_at
from checkpoints._keys.tags import tags
from checkpoints._kinds.plain import IMMUTABLE
from checkpoints._process.random_state import (
    ENVIRONMENT,
    VARIABLES,
    restored,
    variables,
)
from checkpoints._replay.call import SavedCall
from checkpoints._replay.execution import Execution, execute
from checkpoints._replay.function import Arguments, Function, function_for
from checkpoints._replay.outcome import Comparison, error_text
from checkpoints._replay.repro import Emitted, Reproduction
from checkpoints._show.replay import replay_document, replay_report
from checkpoints._text import hint, shown
from checkpoints.errors import ConfigError, UntrustedError

__all__ = ["Replay", "replay"]

ReplayVerdict: TypeAlias = Literal["equal", "close", "noise", "different", "unknown"]

# What is saved inside the replayed call has this tag, and replaces nothing.
_TAG = ("replay", 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """What was asked for."""

    function: Function
    changes: Mapping[str, Any]
    without: tuple[str, ...]
    trusted: bool
    tolerances: Tolerances


class Replay:
    """
    What became of a saved call when it was called again.

    It comes from `replay`. Printed, it is the report of the command line.

    Args:
        call: The saved call.
        request: What was asked for.
        execution: The first execution of the call.
        pairs: What differs: between the saved outcome and the first execution, then
            between this and each other one.
        notes: What there is to say about its arguments.
    """

    def __init__(
        self,
        call: SavedCall,
        request: _Request,
        execution: Execution,
        pairs: Sequence[Pair],
        notes: Sequence[str],
    ) -> None:
        self._call, self._request = call, request
        self._execution = execution
        self._notes = list(dict.fromkeys(notes))
        self._pair, *repeats = pairs
        self._own = {name: it for pair in repeats for name, it in pair.values.items()}
        self._noise = Noise([repeat] for repeat in repeats)
        self._noise.apply(self._pair)

    def __repr__(self) -> str:
        return f"<Replay of {self._call.name}: {self.verdict}>"

    def __str__(self) -> str:
        return "\n".join(
            line.label + line.text for line in replay_report(self.as_json(), 100)
        )

    def __bool__(self) -> NoReturn:
        raise TypeError("a Replay is neither true nor false: ask for .verdict")

    @property
    def entry(self) -> Entry:
        """The entry of the saved arguments."""
        return self._call.entry

    @property
    def verdict(self) -> ReplayVerdict:
        """
        Whether the call does what it did.

        `"equal"` if it returned or raised the same, `"close"` if it did so within the
        tolerance, `"noise"` if it differs as much from itself, `"different"`, or
        `"unknown"` if its outcome was not saved or cannot be compared.
        """
        found = self._pair.verdict
        return "unknown" if found == "unpaired" else found

    @property
    def exit_code(self) -> int:
        """0 if equal, close or noise; 1 if different; 2 if unknown."""
        return {"different": 1, "unknown": 2}.get(self.verdict, 0)

    @property
    def differences(self) -> dict[str, Difference]:
        """What differs, by the name of the value: `"result"`, `"type"`, `"message"`."""
        return dict(self._pair.values)

    @property
    def result(self) -> Any:
        """What the call returned now; None if it raised an error."""
        return self._execution.result

    @property
    def error(self) -> BaseException | None:
        """What the call raised now; None if it returned."""
        return self._execution.error

    def emit(self, folder: str | os.PathLike[str]) -> Emitted:
        """
        Write a script that makes this call, and run it once in a fresh process.

        The folder then has `repro.py`, the data that it needs, and `environment.json`.
        It needs this library only where the data does: not for plain values and arrays
        of NumPy.

        Args:
            folder: A folder that is empty or does not exist.

        Returns:
            The `verdict` of that process, `"reproduced"`, `"differs otherwise"`,
            `"did not reproduce"` or `"unknown"`; the path of the `script`; and its
            `output`.

        Raises:
            ConfigError: If the folder is not empty, the function has no name by which
                a script finds it, or a value that was set, or a tolerance, cannot be
                written into a script.
            ReplayError: If it belongs to the main file of a program.
            OSError: If a file cannot be written.
        """
        request = self._request
        reproduction = Reproduction(
            self._call,
            request.function,
            _arguments(self._call, request),
            changes=request.changes,
            without=request.without,
            trusted=request.trusted,
            tolerances=request.tolerances,
        )
        return reproduction.emit(os.fspath(folder))

    def as_json(self) -> dict[str, Any]:
        """Return all that was found, in JSON types; `"schema"` has the version."""
        return replay_document([self._as_call()])

    def _as_call(self) -> dict[str, Any]:
        function, execution = self._request.function, self._execution
        error, outcome = execution.error, self._call.outcome
        return {
            **pair_document(self._pair, self._noise),
            "name": self._call.name,
            "paths": [self.entry.path, outcome and outcome.path],
            "function": function.name,
            "place": function.place,
            "saved": self._call.how_it_ended,
            "raised": "" if error is None else error_text(error),
            "seconds": round(execution.seconds, 6),
            "repeats": self._noise.count,
            "noise": [
                {"value": name, "max_abs": it.max_abs, "differing": it.bits}
                for name, it in self._own.items()
            ],
            "changed": {name: shown(it) for name, it in self._request.changes.items()},
            "versions": _changed_versions(self._call.meta),
            "notes": [*self._notes, *self._further_notes()],
        }

    def _further_notes(self) -> Iterator[str]:
        state = self._call.random_state()
        if state:
            yield "with the random state of the run"
        if self.verdict == "different":
            yield from _about_chance(state)
        items = self._execution.items
        if items is not None:
            yield f"it yielded {len(items)} items, which are not saved in a run"
        elif self._may_change_more():
            yield "it returns None; only a rule with after=True saves what it changes"

    def _may_change_more(self) -> bool:
        """Tell whether all that it does may be to change arguments, unseen."""
        made = self._execution
        is_none = made.error is None and made.result is None
        can_change = any(type(it) not in IMMUTABLE for it in made.given.values())
        return (
            self._call.how_it_ended == "result"
            and is_none
            and can_change
            and not self._call.kept_after
        )


def _about_chance(state: Mapping[str, Any]) -> Iterator[str]:
    """Yield what may differ by chance, because it is not as it was in the run."""
    if not state:
        yield "random numbers are those of now: only a rule with random=True saves them"
        return
    saved: Any = state.get(ENVIRONMENT)
    here = variables()
    for name in VARIABLES if isinstance(saved, dict) else ():
        then, now = saved.get(name, "not set"), here.get(name, "not set")
        if then != now:
            yield f"{name} was {then} in the run, and is {now} here"


def _changed_versions(meta: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the versions that the save names, and that are others here."""
    packages = meta.get("packages")
    saved = dict(packages) if isinstance(packages, dict) else {}
    saved.pop("checkpoints", None)
    here = {"python": platform.python_version()}
    for package in saved:
        try:
            here[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            here[package] = "-"
    saved = {"python": str(meta.get("python")), **saved}
    return [
        {
            "library": library,
            "baseline": str(version),
            "candidate": here[library],
        }
        for library, version in saved.items()
        if str(version) != here[library]
    ]


def replay(
    entry: Entry | str | os.PathLike[str],
    /,
    *,
    function: Callable[..., Any] | str | None = None,
    set: Mapping[str, Any] | None = None,  # noqa: A002 - what the command line calls it
    without: Sequence[str] = (),
    times: int = 1,
    pdb: bool = False,
    tolerances: Tolerances | Mapping[str, Any] | str | os.PathLike[str] | None = None,
    trusted: bool = False,
) -> Replay:
    """
    Call a function again with saved arguments, and compare what it does.

    One call is executed, under its tags, and nothing that came after it. What it needs
    besides its arguments, such as a file, a connection or the time, is as it is now.
    Checkpoints inside the call that are on have the tag `replay` too.

    Args:
        entry: A call of a probed function: the entry of its arguments or its outcome,
            or the path of one.
        function: The function, or where it is, such as `"pkg.mod:Class.method"` or
            `"file.py:function"`; by default the one that the entry names.
        set: Other values for some of the arguments.
        without: Saved arguments that are left out, because the function has no such
            parameter any more.
        times: How often to call it: the differences of the later calls to the first
            are its own noise.
        pdb: Whether to stop in a debugger, at the first line of the function and at an
            exception in it.
        tolerances: As for `diff`.
        trusted: Whether to call the function that the file names, and to load pickles.
            Both can run any code, so use it only for files from people you trust.

    Returns:
        What became of it.

    Raises:
        ReplayError: If it cannot be called again.
        UntrustedError: If only the file names the function, or an argument is a
            pickle, and `trusted` is false.
        ConfigError: If an argument of this function is invalid.
        CheckpointError, OSError: If the file cannot be read.

    >>> import tempfile, textwrap
    >>> from checkpoints import config, index, probe
    >>> root = tempfile.mkdtemp()
    >>> with probe("textwrap:indent"), config("textwrap", root):
    ...     quoted = textwrap.indent("Hello", "> ")
    >>> entry = index(root).where("textwrap.indent")[0]
    >>> again = replay(entry, function=textwrap.indent)
    >>> again.verdict, again.result
    ('equal', '> Hello')
    """
    if type(times) is not int or times < 1:
        raise ConfigError(f"invalid times={shown(times)}: expected a number from 1 up")
    call = SavedCall(entry if isinstance(entry, Entry) else entry_at(entry))
    if function is None and not trusted:
        raise UntrustedError(
            f"{call.entry.path} names the function to call, {call.function}: give it "
            "with function=, or pass trusted=True if you trust who wrote the file"
        )
    _check_changes(call, set or {}, without)
    request = _Request(
        function=function_for(function, call.function),
        changes=dict(set or {}),
        without=tuple(without),
        trusted=trusted,
        tolerances=Tolerances.of(tolerances),
    )
    comparison = Comparison(call, request.tolerances, trusted=trusted)
    first: Execution | None = None
    pairs: list[Pair] = []
    notes: list[str] = []
    for number in range(times):
        with request.function.in_place():
            # Each time with arguments of its own, as the call may change them.
            arguments = _arguments(call, request)
            with tags(_TAG, *call.tags), restored(call.random_state()) as reasons:
                execution = execute(request.function, arguments, debugs=pdb)
                # Before the state of the global generators is another one: a result
                # may refer to them.
                pairs.append(comparison.of(execution, first))
        notes += (*arguments.notes, *reasons)
        if number == 0 and times > 1:
            execution, why = execution.frozen()
            notes += filter(None, [why])
        first = first or execution
    assert first is not None  # noqa: S101 - it was called once at least
    return Replay(call, request, first, pairs, notes)


def _check_changes(call: SavedCall, changes: Any, without: Any) -> None:
    """Raise `ConfigError` if arguments cannot be set or left out as was asked for."""
    if not isinstance(changes, Mapping):
        expected = "expected a dict of values, by the names of arguments"
        raise ConfigError(f"invalid set={shown(changes)}: {expected}")
    if isinstance(without, str) or not all(isinstance(it, str) for it in without):
        expected = "expected a list of names of arguments"
        raise ConfigError(f"invalid without={shown(without)}: {expected}")
    for name in without:
        if name in changes:
            raise ConfigError(f"{name!r} is both set and left out; do one of them")
        if name not in call.saved_names:
            raise ConfigError(
                f"{call.entry.path}: no argument {name!r} was saved, which could be "
                f"left out; {hint(name, call.saved_names)}"
            )


def _arguments(call: SavedCall, request: _Request) -> Arguments:
    left_out = {*request.changes, *request.without}
    values = call.arguments(without=left_out, trusted=request.trusted)
    return request.function.bind(values, request.changes, trusted=request.trusted)
