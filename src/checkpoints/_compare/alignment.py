"""
Alignment of two sequences that are nearly the same: which item is which.

Items that occur once in both sequences are anchors (as in a patience diff); between
them, the shortest edit script decides (Myers 1986, "An O(ND) Difference Algorithm").
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import NamedTuple

__all__ = ["Alignment", "align", "anchored", "crossing"]

# The edits after which a gap between anchors is matched in order instead.
_MAX_EDITS = 1_000
# The same for items that are equal in more than their keys.
_MAX_EXACT_EDITS = 100


class Alignment(NamedTuple):
    """
    The matched positions of two sequences, in order.

    Args:
        matches: Pairs of a position in the one and a position in the other.
        is_certain: Whether no part differed so much that it was matched in order.
    """

    matches: list[tuple[int, int]]
    is_certain: bool


def align(
    one: Sequence[Hashable],
    other: Sequence[Hashable],
    anchors: Iterable[tuple[int, int]] = (),
) -> Alignment:
    """
    Align two sequences.

    Args:
        one: The keys of the items of one sequence.
        other: The keys of the other. Only items with equal keys are matched.
        anchors: Matches that are known already, in order.

    >>> align("abcabc", "ababc").matches
    [(0, 0), (1, 1), (3, 2), (4, 3), (5, 4)]
    """
    matches: list[tuple[int, int]] = []
    is_certain = True
    for gap in _gaps(anchors, one, other):
        found = _shortest(*gap.items)
        if found is None:
            is_certain = False
            found = _in_order(*gap.items)
        matches += gap.shifted(found) + gap.end
    return Alignment(matches, is_certain)


def anchored(
    keys: tuple[Sequence[Hashable], Sequence[Hashable]],
    exact: tuple[Sequence[Hashable], Sequence[Hashable]],
    anchors: Iterable[tuple[int, int]] = (),
) -> list[tuple[int, int]]:
    """
    Match what is equal in more than its key: the anchors of an alignment.

    Items that occur once in both sequences are matched, and others where the keys alone
    do not fit, so that the item that was dropped from a loop is found.

    Args:
        keys: The keys of the items of both sequences.
        exact: For each item something more specific than its key, such as its key and
            its checksum.
        anchors: Matches that are known already, in order, which are kept.

    >>> anchored(("aaa", "aa"), ("xyz", "xz"))
    [(0, 0), (2, 1)]
    """
    known = list(anchors)
    unique = _increasing(_within(_unique(*exact), known))
    matches: list[tuple[int, int]] = []
    for gap in _gaps(sorted([*known, *unique]), *keys):
        matches += gap.shifted(_repeated(gap, *exact)) + gap.end
    return matches


def crossing(
    aligned: Iterable[tuple[int, int]], others: Iterable[tuple[int, int]]
) -> set[tuple[int, int]]:
    """
    Return the fewest pairs that have to go until both positions increase in all others.

    Args:
        aligned: The pairs that stay, if they do not cross each other.
        others: Those that go first.

    >>> crossing([(1, 0), (2, 2)], [(0, 1)])
    {(0, 1)}
    """
    aligned, others = {*aligned}, {*others}
    kept = _increasing(aligned)
    kept += _increasing(_within(others, kept))
    return (aligned | others).difference(kept)


class _Gap(NamedTuple):
    """What is between two anchors: its place, its items, and the anchor after it."""

    start: tuple[int, int]
    items: tuple[Sequence[Hashable], Sequence[Hashable]]
    end: list[tuple[int, int]]

    def shifted(self, matches: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
        """Return matches in the gap as matches in the whole sequences."""
        return [(self.start[0] + one, self.start[1] + two) for one, two in matches]


def _gaps(
    anchors: Iterable[tuple[int, int]],
    one: Sequence[Hashable],
    other: Sequence[Hashable],
) -> Iterator[_Gap]:
    start = (0, 0)
    for anchor in anchors:
        items = one[start[0] : anchor[0]], other[start[1] : anchor[1]]
        yield _Gap(start, items, [anchor])
        start = (anchor[0] + 1, anchor[1] + 1)
    yield _Gap(start, (one[start[0] :], other[start[1] :]), [])


def _repeated(
    gap: _Gap, one: Sequence[Hashable], other: Sequence[Hashable]
) -> list[tuple[int, int]]:
    """Match items with repeated values in a gap whose keys alone do not fit."""
    if gap.items[0] == gap.items[1]:
        return []
    parts = [
        side[start : start + len(items)]
        for side, start, items in zip((one, other), gap.start, gap.items, strict=True)
    ]
    common = {*parts[0]} & {*parts[1]}
    places = [[at for at, it in enumerate(part) if it in common] for part in parts]
    items = [[part[at] for at in own] for part, own in zip(parts, places, strict=True)]
    found = _shortest(items[0], items[1], _MAX_EXACT_EDITS) or []
    return [(places[0][left], places[1][right]) for left, right in found]


def _unique(
    one: Sequence[Hashable], other: Sequence[Hashable]
) -> Iterator[tuple[int, int]]:
    """Yield the positions of the items that occur once in both."""
    once = _positions_of_unique(one)
    for item, position in _positions_of_unique(other).items():
        if item in once:
            yield once[item], position


def _within(
    pairs: Iterable[tuple[int, int]], known: Sequence[tuple[int, int]]
) -> list[tuple[int, int]]:
    """Return the pairs that cross none of the known matches, which are in order."""
    starts, ends = [left for left, _ in known], [right for _, right in known]
    taken = {*starts}
    return [
        pair
        for pair in pairs
        if pair[0] not in taken
        and bisect_left(starts, pair[0]) == bisect_left(ends, pair[1])
    ]


def _increasing(pairs: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the longest run of pairs in which both positions increase."""
    pairs = sorted(pairs)
    # By patience sorting.
    tops: list[int] = []
    piles: list[int] = []
    below: list[int] = []
    for number, (_, position) in enumerate(pairs):
        pile = bisect_left(tops, position)
        tops[pile : pile + 1] = [position]
        piles[pile : pile + 1] = [number]
        below.append(piles[pile - 1] if pile else -1)
    chain = []
    number = piles[-1] if piles else -1
    while number >= 0:
        chain.append(pairs[number])
        number = below[number]
    return chain[::-1]


def _positions_of_unique(items: Sequence[Hashable]) -> dict[Hashable, int]:
    counts = Counter(items)
    return {item: position for position, item in enumerate(items) if counts[item] == 1}


def _shortest(
    one: Sequence[Hashable], other: Sequence[Hashable], most: int | None = None
) -> list[tuple[int, int]] | None:
    """Return the matches of the shortest edit script; None if it is too long."""
    start = 0
    shorter = min(len(one), len(other))
    while start < shorter and one[start] == other[start]:
        start += 1
    end = 0
    while end < shorter - start and one[-1 - end] == other[-1 - end]:
        end += 1
    lengths = len(one) - end, len(other) - end
    most = _MAX_EDITS if most is None else most
    middle = _edited(one[start : lengths[0]], other[start : lengths[1]], most)
    if middle is None:
        return None
    return [
        *((at, at) for at in range(start)),
        *((start + left, start + right) for left, right in middle),
        *((lengths[0] + at, lengths[1] + at) for at in range(end)),
    ]


def _edited(
    one: Sequence[Hashable], other: Sequence[Hashable], most: int
) -> list[tuple[int, int]] | None:
    """Return the matches of two sequences without a common start or end."""
    if not one or not other:
        return []
    # The furthest position in `one` on each diagonal, before each edit.
    furthest = {1: 0}
    history = []
    for edits in range(min(len(one) + len(other), most) + 1):
        history.append(dict(furthest))
        for diagonal in range(-edits, edits + 1, 2):
            left = _after_edit(furthest, diagonal, edits)
            right = left - diagonal
            while left < len(one) and right < len(other) and one[left] == other[right]:
                left, right = left + 1, right + 1
            furthest[diagonal] = left
            if left >= len(one) and right >= len(other):
                return list(_walked_back(history, len(one), len(other)))[::-1]
    return None


def _after_edit(furthest: dict[int, int], diagonal: int, edits: int) -> int:
    goes_down = diagonal == -edits or (
        diagonal != edits and furthest[diagonal - 1] < furthest[diagonal + 1]
    )
    return furthest[diagonal + 1] if goes_down else furthest[diagonal - 1] + 1


def _walked_back(
    history: list[dict[int, int]], left: int, right: int
) -> Iterator[tuple[int, int]]:
    """Yield the matches on the path to the end, last first."""
    for edits in range(len(history) - 1, -1, -1):
        furthest = history[edits]
        start = _after_edit(furthest, left - right, edits)
        while left > start:
            left, right = left - 1, right - 1
            yield left, right
        if not edits:
            return
        goes_down = start == furthest.get(left - right + 1, -1) and (
            left - right == -edits
            or (
                left - right != edits
                and furthest[left - right - 1] < furthest[left - right + 1]
            )
        )
        left, right = (left, right - 1) if goes_down else (left - 1, right)


def _in_order(
    one: Sequence[Hashable], other: Sequence[Hashable]
) -> list[tuple[int, int]]:
    """Match the first occurrence of each key with the first, and so on."""
    positions: dict[Hashable, list[int]] = {}
    for position, item in reversed(list(enumerate(other))):
        positions.setdefault(item, []).append(position)
    return [
        (position, positions[item].pop())
        for position, item in enumerate(one)
        if positions.get(item)
    ]
