"""What the files of a pair hold, compared, here or on a worker elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeAlias

from checkpoints._compare.contents import Contents, contents_of, digest_of
from checkpoints._compare.difference import Difference, Verdict, unlike, worse
from checkpoints._compare.pair import Pair, has_arguments
from checkpoints._compare.side import SideOptions
from checkpoints._compare.sources import Tags
from checkpoints._compare.tolerances import Tolerances
from checkpoints._compare.values import compare
from checkpoints._index.entry import Entry
from checkpoints._keys.pattern import NamePattern
from checkpoints._kinds.left_out import NOT_SAVED
from checkpoints._process.random_state import ENVIRONMENT, RANDOM_STATE, VARIABLES
from checkpoints._text import text_of
from checkpoints.errors import CheckpointError, MissingDependencyError, TooLargeError

__all__ = ["Judge", "Options", "Task"]

Step: TypeAlias = Literal["values", "bytes", "not saved"]

# The fields of a pair that are found out from its files.
_FOUND = ("verdict", "by", "values", "why", "random_state", "not_saved")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """
    How entries are compared.

    Args:
        tolerances: How far values may be apart.
        keys: The columns that identify the rows of tables, by pattern of names.
        exact: Whether to compare the bytes of files with equal checksums too.
        trusted: Whether to load pickles.
        memory: The memory that the values of a pair may take, in bytes.
        with_grids: Whether to make small pictures of where arrays differ.
    """

    tolerances: Tolerances = field(default_factory=Tolerances)
    keys: Mapping[str, Sequence[str]] = field(default_factory=dict)
    exact: bool = False
    trusted: bool = False
    memory: int = 512 * 1024 * 1024
    with_grids: bool = False

    @property
    def memory_of_one(self) -> int:
        """The memory that the values of one entry of a pair may take, in bytes."""
        return self.memory // 2


class Task(NamedTuple):
    """A pair, and what is to be found out about it."""

    pair: Pair
    steps: tuple[Step, ...]


class Judge:
    """
    Finds out about pairs from what their files hold.

    It can be pickled, so that a worker elsewhere does the same.

    Args:
        options: How values are compared.
        of_baseline: How the keys of the baseline are made.
    """

    def __init__(self, options: Options, of_baseline: SideOptions) -> None:
        self._options = options
        self._of_baseline = of_baseline
        self._patterns = [
            (NamePattern(pattern), tuple(columns))
            for pattern, columns in options.keys.items()
        ]

    def do(self, task: Task) -> None:
        """Find out about a pair, and put it into its fields."""
        steps = {
            "values": self.compare_values,
            "bytes": self.confirm,
            "not saved": self._look_for_not_saved,
        }
        for step in task.steps:
            steps[step](task.pair)

    def found(self, tasks: Sequence[Task]) -> Any:
        """Find out about pairs of another process; return what `take` takes there."""
        for task in tasks:
            self.do(task)
        fields = [[getattr(it.pair, name) for name in _FOUND] for it in tasks]
        return fields, self._options.tolerances.seen

    def take(self, tasks: Sequence[Task], found: Any) -> None:
        """Put what another process has found into the fields of pairs."""
        fields, seen = found
        for task, values in zip(tasks, fields, strict=True):
            for name, value in zip(_FOUND, values, strict=True):
                setattr(task.pair, name, value)
        self._options.tolerances.add_seen(*seen)

    def _look_for_not_saved(self, pair: Pair) -> None:
        names: dict[str, None] = {}
        for entry in filter(None, (pair.baseline, pair.candidate)):
            try:
                with self._contents(entry) as contents:
                    reasons = contents.load(NOT_SAVED)
            except (CheckpointError, OSError, ImportError, KeyError):
                continue
            names |= dict.fromkeys(reasons if isinstance(reasons, dict) else ())
        pair.not_saved = tuple(map(str, names))

    def confirm(self, pair: Pair) -> None:
        """
        Compare the bytes of a pair that is equal by its checksums.

        Values are compared only where bytes differ: not every value equals its copy.
        """
        if pair.baseline is None or pair.candidate is None:
            return
        pair.by = "bytes"
        try:
            digests = [
                digest_of(entry, memory=self._options.memory_of_one)
                for entry in (pair.baseline, pair.candidate)
            ]
        except (CheckpointError, OSError, ImportError) as error:
            pair.verdict, pair.why = "unknown", _why_unknown(error)
            return
        if digests[0] != digests[1]:
            self.compare_values(pair)

    def compare_values(self, pair: Pair) -> None:
        """Compare the values of both entries of a pair."""
        if pair.baseline is None or pair.candidate is None:
            return
        pair.by = "values"
        try:
            with (
                self._contents(pair.baseline) as one,
                self._contents(pair.candidate) as other,
            ):
                self._compare_contents(pair, one, other)
        except (CheckpointError, OSError, ImportError) as error:
            pair.verdict, pair.why = "unknown", _why_unknown(error)

    def _contents(self, entry: Entry) -> AbstractContextManager[Contents]:
        options = self._options
        memory = options.memory_of_one
        return contents_of(entry, trusted=options.trusted, memory=memory)

    def _compare_contents(self, pair: Pair, one: Contents, other: Contents) -> None:
        verdict = self.on_order(pair)
        for name in dict.fromkeys([*one.names, *other.names]):
            if name == RANDOM_STATE:
                # It differs in every run that sets no seed, and is no argument.
                pair.random_state = _other_states(one, other)
                continue
            if name in one.names and name in other.names:
                found = self._compared(pair, one, other, name)
            else:
                side = "baseline" if name in one.names else "candidate"
                found = _on_one_side(side, is_argument=has_arguments(pair))
            verdict = worse(verdict, found.verdict)
            if found.verdict != "equal" or found.bits:
                pair.values[name] = found
        pair.verdict = verdict
        worst = pair.worst
        if verdict == "unknown" and worst is not None:
            pair.why = worst[1].why

    def _compared(
        self, pair: Pair, one: Contents, other: Contents, name: str
    ) -> Difference:
        try:
            loaded = one.load(name), other.load(name)
        except (CheckpointError, OSError, ImportError) as error:
            return Difference(verdict="unknown", why=_why_unknown(error))
        except Exception as error:  # noqa: BLE001 - a pickle's own code may raise anything
            why = f"{name}: {type(error).__name__}: {text_of(error)}"
            return Difference(verdict="unknown", why=why)
        tags = self.tags_of(pair.entry)
        allowed = self._options.tolerances
        return compare(
            loaded[0],
            loaded[1],
            allowed.for_(pair.name, tags, name),
            of_column=lambda column: allowed.for_(pair.name, tags, name, column),
            keys=self._keys_for(pair.name),
            with_grid=self._options.with_grids,
        )

    def on_order(self, pair: Pair) -> Verdict:
        """Return the verdict over the order in which both runs saved a pair."""
        if pair.moved is None:
            return "equal"
        allowed = self._options.tolerances.for_(pair.name, self.tags_of(pair.entry))
        return "close" if allowed.order == "any" else "different"

    def tags_of(self, entry: Entry) -> Tags:
        """Return the tags of an entry of the baseline as the candidate calls them."""
        return self._of_baseline.translated("", entry.tags.items())[1]

    def _keys_for(self, name: str) -> tuple[str, ...]:
        found: tuple[str, ...] = ()
        for pattern, columns in self._patterns:
            if pattern.covers(name):
                found = columns
        return found


def _why_unknown(error: Exception) -> str:
    if isinstance(error, MissingDependencyError):
        return _what_is_needed(error)
    if not isinstance(error, TooLargeError):
        return text_of(error)
    # Its advice is for a load, which has other options than a comparison.
    problem = text_of(error).partition(". Load ")[0]
    return (
        f"too large for the memory; {problem}. One of a pair may take half of the "
        "memory: allow more by --memory, or memory= in Python"
    )


def _what_is_needed(error: BaseException) -> str:
    """Return which library is missing, alike for all files that need it."""
    # A file adds its path, and advice for a load.
    while isinstance(error.__cause__, MissingDependencyError):
        error = error.__cause__
    text = text_of(error)
    needs = text[max(text.find("needs "), 0) :]
    return needs.replace(": pip install", "; pip install", 1)


def _other_states(one: Contents, other: Contents) -> tuple[str, ...]:
    """Return which generators and variables had another state before a call."""
    try:
        states = [_state_of(it.load(RANDOM_STATE)) for it in (one, other)]
    except (CheckpointError, OSError, ImportError, KeyError):
        return ()
    # A generator that only one run has loaded is no difference in what it draws.
    names = states[0].keys() & states[1].keys()
    return tuple(
        sorted(
            str(it)
            for it in names
            if compare(states[0][it], states[1][it]).verdict != "equal"
        )
    )


def _state_of(saved: Any) -> dict[str, Any]:
    """Return the state of each generator, and of each variable that a run may set."""
    if not isinstance(saved, dict):
        return {}
    variables = saved.get(ENVIRONMENT)
    found = dict.fromkeys(VARIABLES)
    found |= variables if isinstance(variables, dict) else {}
    return found | {name: it for name, it in saved.items() if name != ENVIRONMENT}


def _on_one_side(side: str, *, is_argument: bool) -> Difference:
    note = f"only in the {side}"
    if is_argument:
        # Versions of a function differ in their parameters; its outcome decides.
        return Difference(verdict="close", notes=(note,), cells=1, bits=1)
    return unlike(note)
