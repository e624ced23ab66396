"""Which entry of the one run is which of the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple, TypeAlias

from checkpoints._compare.alignment import align
from checkpoints._compare.side import PairKey, Record, Side

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
            the sequences differ too much.
    """

    baseline: Record | None
    candidate: Record | None
    how: How


class Pairing(NamedTuple):
    """
    All entries of two runs, in pairs.

    Args:
        partners: In the order of the baseline. An entry that only the candidate has
            comes after the pair that precedes it there.
        repeated: How often each key that occurs several times occurs on each side.
    """

    partners: list[Partners]
    repeated: dict[PairKey, tuple[int, int]]


def paired(baseline: Side, candidate: Side) -> Pairing:
    """
    Pair the entries of two runs.

    Keys that occur once on each side are paired by key. Keys that repeat, as in a
    loop, are paired by aligning the sequences of the saves, process by process.
    """
    sides = baseline.records, candidate.records
    counts = [Counter(record.key for record in records) for records in sides]
    repeated = {
        key: (counts[0][key], counts[1][key])
        for key in dict.fromkeys([*counts[0], *counts[1]])
        if max(counts[0][key], counts[1][key]) > 1
    }
    single = {record.key: record for record in sides[1] if record.key not in repeated}
    found: dict[int, tuple[Record, How]] = {
        record.position: (single[record.key], "key")
        for record in sides[0]
        if record.key in single and record.key not in repeated
    }
    if repeated:
        for one, other in _matched_processes(baseline, candidate):
            found.update(_aligned(one, other, repeated))
    return Pairing(_in_order(*sides, found), repeated)


def one_pair(baseline: Side, candidate: Side) -> Pairing:
    """Pair two single entries, whatever their names and tags."""
    return Pairing([Partners(baseline.records[0], candidate.records[0], "key")], {})


def _matched_processes(
    baseline: Side, candidate: Side
) -> Iterable[tuple[list[Record], list[Record]]]:
    """Match the processes of two runs by their order among those with equal keys."""
    waiting: dict[frozenset[PairKey], list[list[Record]]] = {}
    left = []
    for records in candidate.by_process().values():
        waiting.setdefault(_keys_of(records), []).append(records)
    for records in baseline.by_process().values():
        same = waiting.get(_keys_of(records))
        if same:
            yield records, same.pop(0)
        else:
            left.append(records)
    others = [records for group in waiting.values() for records in group]
    # Workers share out their work differently in each run.
    for records in left:
        if not others:
            return
        keys = _keys_of(records)
        best = max(others, key=lambda other: len(keys & _keys_of(other)))
        others.remove(best)
        yield records, best


def _keys_of(records: Iterable[Record]) -> frozenset[PairKey]:
    return frozenset(record.key for record in records)


def _aligned(
    one: Sequence[Record],
    other: Sequence[Record],
    repeated: dict[PairKey, tuple[int, int]],
) -> dict[int, tuple[Record, How]]:
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


def _in_order(
    baseline: Sequence[Record],
    candidate: Sequence[Record],
    found: dict[int, tuple[Record, How]],
) -> list[Partners]:
    partners = [
        Partners(record, *found[record.position])
        if record.position in found
        else Partners(record, None, "key")
        for record in baseline
    ]
    taken = {other.position for other, _ in found.values()}
    # Where each record that only the candidate has belongs: after its predecessor.
    following: dict[int, list[Partners]] = {}
    previous = -1
    for record in candidate:
        if record.position in taken:
            previous = record.position
        else:
            following.setdefault(previous, []).append(Partners(None, record, "key"))
    ordered = following.get(-1, [])
    for pair in partners:
        ordered.append(pair)
        if pair.candidate is not None:
            ordered += following.get(pair.candidate.position, [])
    return ordered
