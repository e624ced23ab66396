"""What a rule refuses, known at once: verdicts on tags and values that come again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from checkpoints._keys.condition import tags_match
from checkpoints._keys.pattern import NamePattern
from checkpoints._keys.tag_value import PLAIN
from checkpoints._keys.tags import TagPairs
from checkpoints._process.origin import calling_module

__all__ = ["Refusal"]

# How many values are remembered; programs may have any number of them.
_MOST = 1024


class Refusal:
    """
    The verdicts of a rule's conditions, each found once.

    Args:
        where: The conditions on tags.
        given: The conditions on values.
        caller: The modules whose calls are wanted.
    """

    def __init__(
        self,
        where: Mapping[str, object] | Callable[..., object] | None,
        given: Mapping[str, object] | None,
        caller: NamePattern | None = None,
    ) -> None:
        # The tags of a call that are its own are not known in time.
        is_known = isinstance(where, Mapping) and not {"call", "process"} & set(where)
        self._where = _fixed(where) if is_known else {}
        self._given = _fixed(given or {})
        self._caller = caller
        self.is_possible = bool(self._where or self._given or caller)
        self._last: tuple[TagPairs, bool] = ((), bool(self._where))
        self._verdicts: dict[tuple[str, type, object], bool] = {}

    def of_tags(self, pairs: TagPairs) -> bool:
        """Tell whether a call with these tags, and those of its own, is refused."""
        last = self._last
        # Tags are the same object from one call to the next.
        if last[0] is pairs:
            return last[1]
        told = [value for name, value in pairs if name in self._where]
        if any(type(value) not in PLAIN for value in told):
            return False
        refused = bool(self._where) and _misses(pairs, self._where)
        self._last = pairs, refused
        return refused

    def of_caller(self) -> bool:
        """Tell whether a call of the module that makes it is refused."""
        return self._caller is not None and not self._caller.covers(calling_module())

    def of_values(self, names: Sequence[str], values: Sequence[Any]) -> bool:
        """Tell whether a call with these values is refused."""
        return any(
            wanted in names and self._is_refused(wanted, values[names.index(wanted)])
            for wanted in self._given
        )

    def _is_refused(self, name: str, value: Any) -> bool:
        kind = type(value)
        # A zero may be negative, which equals one that is not.
        if kind not in PLAIN or (kind is float and not value):
            return False
        verdict = self._verdicts.get((name, kind, value))
        if verdict is None:
            verdict = _misses(((name, value),), {name: self._given[name]})
            if len(self._verdicts) < _MOST:
                self._verdicts[name, kind, value] = verdict
        return verdict


def _fixed(conditions: Any) -> dict[str, Any]:
    """Return the conditions that always say the same; functions may not."""
    return {name: it for name, it in conditions.items() if not _calls(it)}


def _calls(wanted: object) -> bool:
    if isinstance(wanted, (list, tuple, set, frozenset)):
        return any(map(_calls, wanted))
    return callable(wanted)


def _misses(pairs: TagPairs, conditions: Mapping[str, object]) -> bool:
    try:
        return not tags_match(pairs, conditions)
    except Exception:  # noqa: BLE001 - the call itself will handle it
        return False
