"""Entries of two runs that belong together, found step by step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from typing import Literal, TypeAlias

from checkpoints._compare.alignment import align, anchored, crossing
from checkpoints._compare.calls import Calls, keys_of_arguments
from checkpoints._compare.record import PairKey, Record

__all__ = ["Found", "How", "Matching", "keys_of_several"]

How: TypeAlias = Literal["key", "sequence", "order"]
# The partner of each entry of the baseline, by its position in the index.
Found: TypeAlias = "dict[int, tuple[Record, How]]"

_Sides: TypeAlias = "tuple[Sequence[Record], Sequence[Record]]"
_Items: TypeAlias = "tuple[Sequence[Hashable], Sequence[Hashable]]"
# Positions in the index, by the numbers of a save in the baseline and the candidate.
_Places: TypeAlias = "dict[tuple[int, int], int]"


class Matching:
    """
    The entries of two runs that belong together, as far as they were found.

    A recorded call is one unit: its arguments find their partner, and what came out of
    it goes with them. So a result is never compared with that of another call.

    Args:
        sides: All entries of the baseline and of the candidate.
        repeated: The keys that occur several times on a side.
    """

    def __init__(self, sides: _Sides, repeated: Collection[PairKey]) -> None:
        self.found: Found = {}
        self._taken: set[int] = set()
        self._repeated = repeated
        known = [keys_of_arguments(records) for records in sides]
        self._calls = Calls(sides[0], known[1]), Calls(sides[1], known[0])
        self._has_calls = all(known)
        self._all = sides
        self._units: _Sides = (
            [it for it in sides[0] if self._calls[0].arguments_of(it) is None],
            [it for it in sides[1] if self._calls[1].arguments_of(it) is None],
        )
        # What several threads or processes saved has no order of its own.
        self._beside = keys_of_several(sides[0]) | keys_of_several(sides[1])
        self._sampled = _sampled_keys([*sides[0], *sides[1]])

    def add_single(self) -> None:
        """Pair the keys that occur once on each side."""
        once = {it.key: it for it in self._units[1] if it.key not in self._repeated}
        for record in self._units[0]:
            if record.key in once:
                self._add(record, once[record.key])

    def add_repeated(self, processes: Iterable[_Sides]) -> None:
        """
        Pair the keys that repeat.

        What is equal in all comes first, then calls with equal arguments: each in the
        sequence of the saves of matched processes, then wherever it is. Only then the
        keys alone decide, in the sequences between.
        """
        loops = [
            _Loop(self._units_of(0, one), self._units_of(1, other), self._sampled)
            for one, other in processes
        ]
        wholes, arguments = self._wholes, self._arguments
        for contents in (wholes, arguments) if self._has_calls else (wholes,):
            for loop in loops:
                loop.leave(self._is_left)
                items = contents(0, loop.sides[0]), contents(1, loop.sides[1])
                for pair in loop.anchor(items):
                    self._add(*pair, "sequence")
            self._add_elsewhere(contents)
        for loop in loops:
            loop.leave(self._is_left)
            how, pairs = loop.aligned()
            for pair in pairs:
                self._add(*pair, how)

    def add_rest(self) -> None:
        """
        Pair what is left, whatever process saved it: equal values first, then in order.

        So a damaged entry, whose process is not known, gets what lacks a partner, and
        before others, which it may be equal to; but two outcomes whose arguments are
        known belong to different calls.
        """
        one, other = self._units
        self._add_in_order(one, self._all[1], _own_contents)
        self._add_in_order(self._all[0], other, _own_contents)
        self._add_in_order(_damaged(one), self._all[1], _keys)
        self._add_in_order(self._all[0], _damaged(other), _keys)
        self._add_in_order(one, self._all[1], _keys)
        self._add_in_order(self._all[0], other, _keys)

    def moved(self) -> dict[int, tuple[int, int]]:
        """
        Return what a thread saved in another order than before, under one key.

        Returns:
            By the position of the entry of the baseline: which of the saves of its key
            it is, from 1, in the baseline and in the candidate.
        """
        numbers = self._numbers(0), self._numbers(1)
        threads: dict[Hashable, tuple[_Places, _Places]] = {}
        for one in self._units[0]:
            other, how = self.found.get(one.position, (None, "key"))
            if other and one.position in numbers[0] and other.position in numbers[1]:
                thread = one.key, _task(one), _task(other)
                places = threads.setdefault(thread, ({}, {}))[how != "sequence"]
                pair = numbers[0][one.position], numbers[1][other.position]
                places[pair] = one.position
        return {
            (aligned | others)[pair]: pair
            for aligned, others in threads.values()
            for pair in crossing(aligned, others)
        }

    def _numbers(self, side: int) -> dict[int, int]:
        """Return which of the saves of its key an entry is, by its position."""
        counts: Counter[PairKey] = Counter()
        numbers = {}
        for record in self._units[side]:
            counts[record.key] += 1
            # Nobody knows what a damaged one was.
            if record.key in self._repeated and record.content is not None:
                numbers[record.position] = counts[record.key]
        return numbers

    def _add(self, one: Record, other: Record, how: How = "key") -> None:
        if one.position in self.found or other.position in self._taken:
            return
        self.found[one.position] = other, how
        self._taken.add(other.position)
        outcomes = {it.key: it for it in self._calls[1].outcomes_of(other)}
        for outcome in self._calls[0].outcomes_of(one):
            if outcome.key in outcomes:
                self._add(outcome, outcomes[outcome.key], how)

    def _units_of(self, side: int, records: Sequence[Record]) -> list[Record]:
        calls = self._calls[side]
        return [it for it in records if calls.arguments_of(it) is None]

    def _is_left(self, side: int, record: Record) -> bool:
        # Single keys tell what is between them, though they have their partners.
        taken = self._taken if side else self.found
        return record.position not in taken or record.key not in self._repeated

    def _wholes(self, side: int, records: Sequence[Record]) -> list[Hashable]:
        """Return keys and contents, those of the outcomes of calls included."""
        if not self._has_calls:
            return _own_contents(records)
        outcomes_of = self._calls[side].outcomes_of
        return [(_own(it), tuple(map(_own, outcomes_of(it)))) for it in records]

    def _arguments(self, side: int, records: Sequence[Record]) -> list[Hashable]:  # noqa: ARG002 - as `_wholes`
        """Return keys and contents of arguments; nothing that fits for others."""
        return [_own(it) if it.part == "arguments" else object() for it in records]

    def _add_elsewhere(
        self, contents: Callable[[int, Sequence[Record]], Sequence[Hashable]]
    ) -> None:
        """Pair equal contents that occur once, or had no order to begin with."""
        if all(it.position in self.found for it in self._units[0]):
            return
        items = contents(0, self._units[0]), contents(1, self._units[1])
        counts = Counter(items[0]), Counter(items[1])
        waiting: dict[Hashable, list[Record]] = {}
        for record, item in zip(self._units[1], items[1], strict=True):
            if record.position not in self._taken:
                waiting.setdefault(item, []).append(record)
        for same in waiting.values():
            same.reverse()
        for record, item in zip(self._units[0], items[0], strict=True):
            is_free = record.key in self._beside or (
                counts[0][item] == counts[1][item] == 1
            )
            if is_free and record.position not in self.found and waiting.get(item):
                self._add(record, waiting[item].pop(), "order")

    def _add_in_order(
        self,
        one: Sequence[Record],
        other: Sequence[Record],
        items: Callable[[Iterable[Record]], Sequence[Hashable]],
    ) -> None:
        left = [it for it in other if it.position not in self._taken]
        waiting: dict[Hashable, list[Record]] = {}
        for record, item in zip(reversed(left), items(reversed(left)), strict=True):
            waiting.setdefault(item, []).append(record)
        lacking = [it for it in one if it.position not in self.found]
        for record, item in zip(lacking, items(lacking), strict=True):
            same = waiting.get(item)
            if same and self._may_be_same(record, same[-1]):
                how: How = "order" if record.key in self._repeated else "key"
                self._add(record, same.pop(), how)

    def _may_be_same(self, one: Record, other: Record) -> bool:
        """Tell whether two saves of a key can be of one call, whatever their order."""
        is_sampled = one.key in self._sampled and one.key not in self._beside
        is_damaged = None in (one.content, other.content)
        return not is_sampled or is_damaged or one.content == other.content


class _Loop:
    """
    The saves of two matched processes, with those that are known to be the same.

    Args:
        one: Those of the baseline.
        other: Those of the candidate.
        sampled: The keys of which rules saved every so many calls.
    """

    def __init__(
        self,
        one: Sequence[Record],
        other: Sequence[Record],
        sampled: Collection[PairKey],
    ) -> None:
        self.sides: _Sides = one, other
        self._sampled = sampled
        self._anchors: list[tuple[int, int]] = []

    def leave(self, is_left: Callable[[int, Record], bool]) -> None:
        """Drop what found its partner elsewhere."""
        places: list[dict[int, int]] = []
        sides = []
        for side, records in enumerate(self.sides):
            known = {pair[side] for pair in self._anchors}
            kept = [
                at for at, it in enumerate(records) if at in known or is_left(side, it)
            ]
            places.append({old: new for new, old in enumerate(kept)})
            sides.append([records[at] for at in kept])
        self.sides = sides[0], sides[1]
        self._anchors = [(places[0][it], places[1][its]) for it, its in self._anchors]

    def anchor(self, items: _Items) -> list[tuple[Record, Record]]:
        """Return what has equal items, in sequence, and keep it in mind."""
        self._anchors = anchored(self._keys, items, self._anchors)
        return self._at(self._anchors)

    def aligned(self) -> tuple[How, list[tuple[Record, Record]]]:
        """Return what has equal keys, in sequence, and how it was found."""
        found = align(self._calls(0), self._calls(1), self._anchors)
        return ("sequence" if found.is_certain else "order"), self._at(found.matches)

    @property
    def _keys(self) -> _Items:
        return _keys(self.sides[0]), _keys(self.sides[1])

    def _calls(self, side: int) -> list[Hashable]:
        """
        Return the keys, those that are sampled with the number of the call.

        It is counted from the save of the name before it that is known to be the same:
        if every second and every third call were saved, the ones between are others.
        """
        known = {pair[side] for pair in self._anchors}
        last: dict[str, int] = {}
        items: list[Hashable] = []
        for at, record in enumerate(self.sides[side]):
            name = record.key[0]
            if at in known:
                last[name] = record.call
            is_sampled = record.key in self._sampled
            number = record.call - last.get(name, 0) if is_sampled else 0
            items.append((record.key, number))
        return items

    def _at(self, matches: Iterable[tuple[int, int]]) -> list[tuple[Record, Record]]:
        one, other = self.sides
        return [(one[left], other[right]) for left, right in matches]


def keys_of_several(records: Iterable[Record]) -> set[PairKey]:
    """Return the keys that more than one thread or process saved."""
    tasks = {(it.key, _task(it)) for it in records}
    counts = Counter(key for key, _ in tasks)
    return {key for key, count in counts.items() if count > 1}


def _sampled_keys(records: Sequence[Record]) -> set[PairKey]:
    """Return the keys of which rules saved every so many calls, known by number."""
    sampled = {it.key for it in records if dict(it.sampling).get("every", 1) > 1}
    threads: dict[Hashable, str] = {}
    for record in records if sampled else ():
        # Which calls of two threads are saved differs from run to run.
        first = threads.setdefault((record.key, record.process), record.thread)
        if record.content is not None and not (record.call and first == record.thread):
            sampled.discard(record.key)
    return sampled


def _task(record: Record) -> Hashable:
    return record.process, record.thread


def _own(record: Record) -> Hashable:
    # Nothing equals a damaged entry, not even another one.
    content = object() if record.content is None else record.content
    return record.key, content


def _damaged(records: Iterable[Record]) -> list[Record]:
    return [record for record in records if record.content is None]


def _own_contents(records: Iterable[Record]) -> list[Hashable]:
    return [_own(record) for record in records]


def _keys(records: Iterable[Record]) -> list[Hashable]:
    return [record.key for record in records]
