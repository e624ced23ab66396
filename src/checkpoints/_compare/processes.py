"""Which process of the one run is which of the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from itertools import product
from typing import TypeAlias

from checkpoints._compare.record import Process, Record

__all__ = ["matched_processes"]

_Saves: TypeAlias = "Mapping[Process, Sequence[Record]]"
_Items: TypeAlias = "dict[Process, Counter[Hashable]]"

# What more processes than this have in common does not tell them apart, and would take
# long to count for each two of them.
_MOST_SHARED = 8


def matched_processes(
    one: _Saves, other: _Saves
) -> tuple[dict[Process, Process], dict[Process, Process]]:
    """
    Match the processes of two runs, each with one of the other run or with none.

    Those with equal saves come first, then those that share the most saves, then the
    most keys; where that tells nothing, their order decides.

    Returns:
        The process of the other run for each that has one, and the other way round.
    """
    matching = _Matching()
    saves = _saves_of(one), _saves_of(other)
    keys = _keys_of(one), _keys_of(other)
    matching.add_equal(*saves)
    matching.add_alike(saves, keys)
    matching.add_equal(*keys)
    matching.add_in_order(*keys)
    return matching.found, {its: it for it, its in matching.found.items()}


def _saves_of(saves: _Saves) -> _Items:
    return {
        process: Counter((record.key, record.content) for record in own)
        for process, own in saves.items()
    }


def _keys_of(saves: _Saves) -> _Items:
    return {
        process: Counter(record.key for record in own) for process, own in saves.items()
    }


class _Matching:
    """The processes that were matched so far."""

    def __init__(self) -> None:
        self.found: dict[Process, Process] = {}
        self._taken: set[Process] = set()

    def _add(self, one: Process, other: Process) -> None:
        if one not in self.found and other not in self._taken:
            self.found[one] = other
            self._taken.add(other)

    def _left(self, one: _Items, other: _Items) -> tuple[_Items, _Items]:
        return (
            {it: items for it, items in one.items() if it not in self.found},
            {it: items for it, items in other.items() if it not in self._taken},
        )

    def add_equal(self, one: _Items, other: _Items) -> None:
        """Match processes with equal items, in order."""
        one, other = self._left(one, other)
        waiting: dict[frozenset[object], list[Process]] = {}
        for process, items in reversed(other.items()):
            waiting.setdefault(frozenset(items.items()), []).append(process)
        for process, items in one.items():
            if same := waiting.get(frozenset(items.items())):
                self._add(process, same.pop())

    def add_alike(
        self, saves: tuple[_Items, _Items], keys: tuple[_Items, _Items]
    ) -> None:
        """Match processes that share the most saves, then the most keys."""
        one, other = self._left(*saves)
        shared = _shared(one, other), _shared(*self._left(*keys))
        places = [{it: at for at, it in enumerate(side)} for side in (one, other)]
        ranked = sorted(
            {**shared[0], **shared[1]},
            key=lambda two: (
                -shared[0].get(two, 0),
                -shared[1].get(two, 0),
                places[0][two[0]],
                places[1][two[1]],
            ),
        )
        for two in ranked:
            self._add(*two)

    def add_in_order(self, one: _Items, other: _Items) -> None:
        """Match what is left in order, where there is any key in common."""
        one, other = self._left(one, other)
        for process, items in one.items():
            for it, its in other.items():
                if it not in self._taken and not items.keys().isdisjoint(its):
                    self._add(process, it)
                    break


def _shared(one: _Items, other: _Items) -> Counter[tuple[Process, Process]]:
    """Count what each two processes share, but for what most of them share."""
    found: Counter[tuple[Process, Process]] = Counter()
    having = _having(other)
    for item, these in _having(one).items():
        those = having.get(item, [])
        if max(len(these), len(those)) <= _MOST_SHARED:
            for two in product(these, those):
                found[two] += min(one[two[0]][item], other[two[1]][item])
    return found


def _having(processes: _Items) -> dict[Hashable, list[Process]]:
    having: dict[Hashable, list[Process]] = {}
    for process, items in processes.items():
        for item in items:
            having.setdefault(item, []).append(process)
    return having
