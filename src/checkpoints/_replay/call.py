"""A saved call: the entry of its arguments, and that of its outcome."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeAlias, get_args

from checkpoints._index.entry import Entry, options_at
from checkpoints._index.index import Index, index_under
from checkpoints._keys.key import Key
from checkpoints._kinds.summary import is_summary
from checkpoints._process.random_state import RANDOM_STATE
from checkpoints.errors import FormatError, ReplayError
from checkpoints.storage._stores import split_path

__all__ = ["AFTER", "NOT_SAVED", "SavedCall", "part_of"]

Part: TypeAlias = Literal["", "arguments", "result", "exception"]

_PARTS = get_args(Part)

# What probes add to the name of a function for what its call returned or raised.
_OUTCOMES = (".result", ".exception")
# With spaces, so that no parameter can have these names; probes write them.
NOT_SAVED = "not saved"
AFTER = " after the call"
ITEMS = "yielded items"
_ONE_OBJECT = "one object"
# What the entries of one call have in common, beside their tags.
_SHARED = ("run", "host", "pid", "call")


class SavedCall:
    """
    A call whose arguments were saved.

    Args:
        entry: The entry of its arguments, or that of its result or exception.

    Raises:
        ReplayError: If the entry is that of no call.
        CheckpointError, OSError: If it cannot be read.
    """

    def __init__(self, entry: Entry) -> None:
        try:
            meta = entry.meta
        except IsADirectoryError as error:
            raise ReplayError(
                f"{entry.path} is a folder: give the file of one call, or an entry of "
                f"index({entry.path!r})"
            ) from error
        if not part_of(meta):
            raise ReplayError(
                f"{entry.path} is no call, but a checkpoint: only the calls of probed "
                "functions are saved with their arguments; see `probe` and `probed`"
            )
        self.entry, self.meta = _arguments_of(entry, meta)
        self.name: str = self.meta["name"]
        self.tags: tuple[tuple[str, Any], ...] = tuple(self.meta["tags"])
        found = _outcome_of(self.entry, self.meta)
        self.outcome: Entry | None = found[0] if found else None
        self._outcome_meta: dict[str, Any] = found[1] if found else {"values": {}}

    @property
    def how_it_ended(self) -> Part:
        """The part of the call that its outcome is; empty if none was saved."""
        return part_of(self._outcome_meta)

    @property
    def function(self) -> str:
        """Where its function is, as for `function_for`: by default as it is named."""
        return str(self.meta.get("called") or self.name)

    @property
    def kept_after(self) -> tuple[str, ...]:
        """The arguments that were saved after the call too."""
        saved = self._outcome_meta["values"]
        return tuple(it.removesuffix(AFTER) for it in saved if it.endswith(AFTER))

    @property
    def shared(self) -> list[list[str]]:
        """The arguments that were one object, in groups of names."""
        if _ONE_OBJECT not in self.meta["values"]:
            return []
        found: list[list[str]] = self.entry.load(_ONE_OBJECT)[_ONE_OBJECT]
        return found

    @property
    def lost(self) -> dict[str, str]:
        """What could not be saved of its outcome, and why."""
        if self.outcome is None or NOT_SAVED not in self._outcome_meta["values"]:
            return {}
        found: dict[str, str] = self.outcome.load(NOT_SAVED)[NOT_SAVED]
        # They are no outcome where the rule did not ask for them.
        found.pop(ITEMS, None)
        return found

    @property
    def saved_names(self) -> tuple[str, ...]:
        """The arguments of the call, also those that could not be saved."""
        saved = self.meta["values"]
        refused = self.entry.load(NOT_SAVED)[NOT_SAVED] if NOT_SAVED in saved else ()
        return (*filter(_is_parameter, saved), *filter(_is_parameter, refused))

    def arguments(self, *, without: Collection[str], trusted: bool) -> dict[str, Any]:
        """
        Load the arguments, by the names of their parameters.

        Args:
            without: Arguments that are not needed.
            trusted: Whether to load pickles.

        Raises:
            ReplayError: If one of them was not saved, or only as a summary, or its
                pickle fails.
            CheckpointError, OSError: As for `checkpoints.load`.
        """
        saved: Mapping[str, Any] = self.meta["values"]
        names = [it for it in saved if _is_parameter(it) and it not in without]
        self._check_saved(without)
        found = self._loaded(names, trusted=trusted)
        for name, value in found.items():
            if is_summary(value):
                raise ReplayError(
                    f"{self.entry.path}: of {name!r} only a summary was saved. Save "
                    f"the call without summary=True, or set {name!r} to a value"
                )
        for group in self.shared:
            first, *others = [it for it in group if it in found] or [""]
            found.update((other, found[first]) for other in others)
        return found

    def random_state(self) -> dict[str, Any]:
        """Load the random state just before the call; empty if it was not saved."""
        if RANDOM_STATE not in self.meta["values"]:
            return {}
        found = self.entry.load(RANDOM_STATE)[RANDOM_STATE]
        return found if isinstance(found, dict) else {}

    def expected(self, *, trusted: bool) -> dict[str, Any]:
        """Load what the call returned or raised; nothing if that was not saved."""
        if self.outcome is None:
            return {}
        found = self.outcome.load(trusted=trusted)
        found.pop(NOT_SAVED, None)
        found.pop("traceback", None)
        found.pop(ITEMS, None)
        return found

    def _check_saved(self, without: Collection[str]) -> None:
        if NOT_SAVED not in self.meta["values"]:
            return
        for name, reason in self.entry.load(NOT_SAVED)[NOT_SAVED].items():
            if name not in without:
                raise ReplayError(
                    f"{self.entry.path}: the argument {name!r} could not be saved "
                    f"({reason}). Set {name!r} to a value"
                )

    def _loaded(self, names: Sequence[str], *, trusted: bool) -> dict[str, Any]:
        try:
            # No names would mean all of them.
            return self.entry.load(*names, trusted=trusted) if names else {}
        except FormatError as error:
            if len(names) == 1:
                raise ReplayError(
                    f"{error}. Replay where its class is as it was, or set "
                    f"{names[0]!r} to a value"
                ) from error
        # One after the other, to say which it is.
        found: dict[str, Any] = {}
        for name in names:
            found |= self._loaded([name], trusted=trusted)
        return found


def _is_parameter(name: str) -> bool:
    """Tell whether a value is an argument: others have a space, attributes a dot."""
    return " " not in name and "." not in name


def part_of(meta: Mapping[str, Any]) -> Part:
    """Return which part of a call a header belongs to; empty if to none."""
    found: Part = meta.get("part", "")
    return found if found in _PARTS else ""


def _arguments_of(entry: Entry, meta: dict[str, Any]) -> tuple[Entry, dict[str, Any]]:
    """Return the entry of the arguments, given that of any part of a call."""
    part = part_of(meta)
    if part == "arguments":
        return entry, meta
    path = Key(meta["name"].removesuffix(f".{part}"), meta["tags"]).path
    folder = _parent(_parent(entry.path))
    for found in _below(entry, folder, posixpath.basename(path)):
        other = found.meta
        if _is_of(meta, other):
            return found, other
    # A function may itself be called `result`.
    return entry, meta


def _outcome_of(
    entry: Entry, meta: dict[str, Any]
) -> tuple[Entry, dict[str, Any]] | None:
    path = Key(f"{meta['name']}{_OUTCOMES[0]}", meta["tags"]).path
    folder = _parent(entry.path) + posixpath.basename(posixpath.dirname(path))
    for outcome in _OUTCOMES:
        for found in _below(entry, folder, outcome[1:]):
            other = found.meta
            if _is_of(meta, other):
                return found, other
    return None


def _parent(path: str) -> str:
    """Return the folder of a file, with a separator at its end."""
    path = path.rstrip("/\\")
    return path.removesuffix(split_path(path)[1])


def _below(entry: Entry, folder: str, name: str) -> Iterator[Entry]:
    """Yield the entries of a name directly in a folder of the store of an entry."""
    try:
        found: Index = index_under(folder, options_at(entry))
    except OSError:
        return
    yield from (it for it in found.where(name) if it.name == name and not it.tags)


def _is_of(meta: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(meta.get(field) == other.get(field) for field in _SHARED)
