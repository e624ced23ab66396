"""Which entry of the one run is which of the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from checkpoints._compare.matching import Found, How, Matching
from checkpoints._compare.processes import matched_processes
from checkpoints._compare.record import NO_PROCESS, PairKey, Process, Record
from checkpoints._compare.side import Side

__all__ = ["How", "Pairing", "Partners", "one_pair", "paired"]


_NO_PARTNER: tuple[None, How] = (None, "key")


class Partners(NamedTuple):
    """
    An entry and its counterpart in the other run; None on the side that lacks one.

    Args:
        baseline: The entry of the baseline.
        candidate: The entry of the candidate.
        how: How they were found: by a `key` that occurs once, by the `sequence` of the
            saves with repeated keys, or by the mere `order` of a key's saves, where
            the sequences differ too much, or other threads or processes saved them.
        moved: Which of the saves of its key it is, from 1, in the baseline and in the
            candidate, if a thread saved it in another order there.
    """

    baseline: Record | None
    candidate: Record | None
    how: How
    moved: tuple[int, int] | None = None

    @property
    def known(self) -> Record:
        """The one whose header could be read, that of the baseline if both could."""
        found = [it for it in (self.baseline, self.candidate) if it is not None]
        return next((it for it in found if it.content is not None), found[0])


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


def paired(baseline: Side, candidate: Side) -> Pairing:
    """
    Pair the entries of two runs.

    Keys that occur once on each side are paired by key. Those that repeat, as in a
    loop, are paired by what they have in common, most first, as `Matching` does it.
    """
    sides = baseline.records, candidate.records
    counts = [Counter(record.key for record in records) for records in sides]
    repeated = {
        key: (counts[0][key], counts[1][key])
        for key in dict.fromkeys([*counts[0], *counts[1]])
        if max(counts[0][key], counts[1][key]) > 1
    }
    one, other = baseline.by_process(), candidate.by_process()
    processes = matched_processes(one, other)
    matching = Matching(sides, repeated)
    matching.add_single()
    if repeated:
        loops = [(one[it], other[its]) for it, its in processes[0].items()]
        matching.add_repeated(loops)
    matching.add_rest()
    found = matching.found
    partners = _in_order(*sides, found, matching.moved() if repeated else {})
    return Pairing(partners, repeated, processes)


def one_pair(baseline: Side, candidate: Side) -> Pairing:
    """Pair two single entries, whatever their names and tags."""
    return Pairing([Partners(baseline.records[0], candidate.records[0], "key")], {})


def _in_order(
    baseline: Sequence[Record],
    candidate: Sequence[Record],
    found: Found,
    moved: Mapping[int, tuple[int, int]],
) -> list[Partners]:
    partners = []
    # Where what has no place in the baseline belongs: after its predecessor in the
    # candidate. It is not in the baseline, or damaged there.
    placed: dict[int, Partners] = {}
    following: dict[int, list[Partners]] = {}
    for record in baseline:
        other, how = found.get(record.position, _NO_PARTNER)
        pair = Partners(record, other, how, moved.get(record.position))
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
