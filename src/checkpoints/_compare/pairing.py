"""Which entry of the one run is which of the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias

from checkpoints._compare.alignment import align
from checkpoints._compare.processes import matched_processes
from checkpoints._compare.side import NO_PROCESS, PairKey, Process, Record, Side

__all__ = ["How", "Pairing", "Partners", "one_pair", "paired"]

How: TypeAlias = Literal["key", "sequence", "order"]


class Partners(NamedTuple):
    """
    An entry and its counterpart in the other run; None on the side that lacks one.

    Args:
        baseline: The entry of the baseline.
        candidate: The entry of the candidate.
        how: How they were found: by a `key` that occurs once, by the `sequence` of the
            saves with repeated keys, or by the mere `order` of a key's saves, where
            the sequences differ too much, or other processes saved them.
    """

    baseline: Record | None
    candidate: Record | None
    how: How

    @property
    def known(self) -> Record:
        """The one whose header could be read, that of the baseline if both could."""
        found = [it for it in (self.baseline, self.candidate) if it is not None]
        return next((it for it in found if it.process != NO_PROCESS), found[0])


class Pairing(NamedTuple):
    """
    All entries of two runs, in pairs.

    Args:
        partners: In the order of the baseline. An entry that only the candidate has
            comes after the pair that precedes it there.
        repeated: How often each key that occurs several times occurs on each side.
        processes: The process of the candidate for each of the baseline that has one,
            and the other way round.
    """

    partners: list[Partners]
    repeated: dict[PairKey, tuple[int, int]]
    processes: tuple[Mapping[Process, Process], Mapping[Process, Process]] = ({}, {})


_Found: TypeAlias = "dict[int, tuple[Record, How]]"


def paired(baseline: Side, candidate: Side) -> Pairing:
    """
    Pair the entries of two runs.

    Keys that occur once on each side are paired by key. Keys that repeat, as in a
    loop, are paired by aligning the sequences of the saves, process by process. What
    is left of them is paired whatever process saved it: equal values first, then in
    order. So a damaged entry, whose process is not known, gets what lacks a partner.
    """
    sides = baseline.records, candidate.records
    counts = [Counter(record.key for record in records) for records in sides]
    repeated = {
        key: (counts[0][key], counts[1][key])
        for key in dict.fromkeys([*counts[0], *counts[1]])
        if max(counts[0][key], counts[1][key]) > 1
    }
    single = {record.key: record for record in sides[1] if record.key not in repeated}
    found: _Found = {
        record.position: (single[record.key], "key")
        for record in sides[0]
        if record.key in single and record.key not in repeated
    }
    one, other = (_known_processes(side) for side in (baseline, candidate))
    processes = matched_processes(one, other)
    if repeated:
        for process, its in processes.items():
            found.update(_aligned(one[process], other[its], repeated))
        _pair_rest(sides, repeated, found)
    both_ways = processes, {its: process for process, its in processes.items()}
    return Pairing(_in_order(*sides, found), repeated, both_ways)


def one_pair(baseline: Side, candidate: Side) -> Pairing:
    """Pair two single entries, whatever their names and tags."""
    return Pairing([Partners(baseline.records[0], candidate.records[0], "key")], {})


def _known_processes(side: Side) -> dict[Process, list[Record]]:
    found = side.by_process()
    found.pop(NO_PROCESS, None)
    return found


def _aligned(
    one: Sequence[Record],
    other: Sequence[Record],
    repeated: Collection[PairKey],
) -> _Found:
    keys = [record.key for record in one], [record.key for record in other]
    contents = (
        [(record.key, record.content) for record in one],
        [(record.key, record.content) for record in other],
    )
    alignment = align(*keys, exact=contents)
    how: How = "sequence" if alignment.is_certain else "order"
    return {
        one[left].position: (other[right], how)
        for left, right in alignment.matches
        if one[left].key in repeated
    }


def _pair_rest(
    sides: tuple[Sequence[Record], Sequence[Record]],
    repeated: Collection[PairKey],
    found: _Found,
) -> None:
    """Pair what is left of repeated keys: equal values first, then in order."""
    for item in (_key_and_content, _key_of):
        taken = {other.position for other, _ in found.values()}
        waiting: dict[Hashable, list[Record]] = {}
        for record in reversed(sides[1]):
            if record.key in repeated and record.position not in taken:
                waiting.setdefault(item(record), []).append(record)
        for record in sides[0] if waiting else ():
            is_left = record.key in repeated and record.position not in found
            if is_left and (same := waiting.get(item(record))):
                found[record.position] = same.pop(), "order"


def _key_and_content(record: Record) -> Hashable:
    # Nothing equals a damaged entry, not even another one.
    content = object() if record.content is None else record.content
    return record.key, content


def _key_of(record: Record) -> Hashable:
    return record.key


def _in_order(
    baseline: Sequence[Record], candidate: Sequence[Record], found: _Found
) -> list[Partners]:
    partners = []
    # Where what has no place in the baseline belongs: after its predecessor in the
    # candidate. It is not in the baseline, or damaged there.
    placed: dict[int, Partners] = {}
    following: dict[int, list[Partners]] = {}
    for record in baseline:
        pair = Partners(record, *found.get(record.position, (None, "key")))
        if pair.candidate is not None and record.process == NO_PROCESS:
            placed[pair.candidate.position] = pair
        else:
            partners.append(pair)
    previous = -1
    taken = {pair.candidate.position for pair in partners if pair.candidate}
    for record in candidate:
        if record.position in taken:
            previous = record.position
        else:
            pair = placed.get(record.position) or Partners(None, record, "key")
            following.setdefault(previous, []).append(pair)
    ordered = following.get(-1, [])
    for pair in partners:
        ordered.append(pair)
        if pair.candidate is not None:
            ordered += following.get(pair.candidate.position, [])
    return ordered
