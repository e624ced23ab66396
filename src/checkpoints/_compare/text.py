"""Texts line by line, and bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any

from checkpoints._compare.difference import Difference
from checkpoints._compare.excerpts import first_difference
from checkpoints._compare.tally import Found, Place, Tally
from checkpoints._compare.tolerance import Tolerance
from checkpoints._process.libraries import imported
from checkpoints._text import printable

__all__ = ["compare_bytes", "compare_texts"]

# What is beyond them is compared line by line: to align lines takes more than linear
# time, and much more if many of them are equal.
_MOST_LINES = 2000
_MOST_EQUAL = 20_000
_CONTEXT = 3
_MOST_SHOWN = 40
_LONGEST = 200
_BYTES_SHOWN = 8
_BLOCK = 1 << 16


def compare_texts(one: str, other: str, tolerance: Tolerance) -> Difference:
    r"""
    Compare two texts by their lines.

    >>> found = compare_texts("a\nbc", "a\nbd", Tolerance())
    >>> found.where, found.texts, found.cells, found.beyond
    ('line 2, column 2', ("'bc'", "'bd'"), 2, 1)
    >>> found.lines
    ('@@ -1,2 +1,2 @@', ' a', '-bc', '+bd')
    """
    tally = Tally(tolerance)
    lines, found = one.splitlines(keepends=True), other.splitlines(keepends=True)
    tally.shape = f"{len(lines)} lines", f"{len(found)} lines"
    tally.cells = max(len(lines), len(found), 1)
    if one == other:
        return tally.result()
    number = _first(lines, found)
    pair = _line(lines, number), _line(found, number)
    column = first_difference(*pair)
    text = f"column {column + 1}"
    text = f"line {number + 1}, {text}" if tally.cells > 1 else text
    place = partial(Place, text, (number, column))
    edits = _Edits(lines, found, number)
    tally.differ_all(edits.count(), lambda _: Found(place, pair))
    tally.lines = edits.shown()
    if [line.rstrip("\r\n") for line in lines] == [it.rstrip("\r\n") for it in found]:
        tally.note("only the ends of lines differ")
    return tally.result()


def _line(lines: Sequence[str], number: int) -> str:
    return lines[number] if number < len(lines) else ""


def _first(one: Sequence[object], other: Sequence[object]) -> int:
    pairs = zip(one, other, strict=False)
    unequal = (at for at, (a, b) in enumerate(pairs) if a != b)
    return next(unequal, min(len(one), len(other)))


class _Edits:
    """
    What turns the lines of one text into those of another.

    Args:
        one: The lines of the baseline.
        other: Those of the candidate.
        number: The first one that differs.
    """

    def __init__(self, one: list[str], other: list[str], number: int) -> None:
        self._start = max(0, number - _CONTEXT)
        one, other = one[self._start :], other[self._start :]
        same = 0
        for line, found in zip(reversed(one), reversed(other), strict=False):
            if line != found:
                break
            same += 1
        # A part of what is equal at the end is shown too.
        left = max(0, same - _CONTEXT)
        self._one, self._other = one[: len(one) - left], other[: len(other) - left]
        self._matcher: Any = None
        if _is_aligned(self._one, self._other):
            self._matcher = imported("difflib").SequenceMatcher(
                None, self._one, self._other, autojunk=False
            )

    def count(self) -> int:
        """Return how many lines were changed, inserted or deleted."""
        if self._matcher is None:
            pairs = zip(self._one, self._other, strict=False)
            changed = sum(line != found for line, found in pairs)
            return changed + abs(len(self._one) - len(self._other))
        return sum(
            max(stop - start, end - begin)
            for what, start, stop, begin, end in self._matcher.get_opcodes()
            if what != "equal"
        )

    def shown(self) -> tuple[str, ...]:
        """Return the first lines of a unified diff."""
        groups = [self._all()]
        if self._matcher is not None:
            groups = self._matcher.get_grouped_opcodes(_CONTEXT)
        lines: list[str] = []
        for group in groups:
            lines += self._hunk(group)
            if len(lines) > _MOST_SHOWN:
                return (*lines[:_MOST_SHOWN], "...")
        return tuple(lines)

    def _all(self) -> list[tuple[str, int, int, int, int]]:
        """Return the first lines that differ, as if all had been replaced."""
        first, most = _first(self._one, self._other), _MOST_SHOWN // 2
        return [
            ("equal", 0, first, 0, first),
            (
                "replace",
                first,
                min(first + most, len(self._one)),
                first,
                min(first + most, len(self._other)),
            ),
        ]

    def _hunk(self, group: list[tuple[str, int, int, int, int]]) -> list[str]:
        (_, start, _, begin, _), (_, _, stop, _, end) = group[0], group[-1]
        ranges = [
            f"{self._start + first + 1},{last - first}"
            for first, last in ((start, stop), (begin, end))
        ]
        lines = [f"@@ -{ranges[0]} +{ranges[1]} @@"]
        for what, start, stop, begin, end in group:
            if what == "equal":
                lines += map(partial(_marked, " "), self._one[start:stop])
                continue
            lines += map(partial(_marked, "-"), self._one[start:stop])
            lines += map(partial(_marked, "+"), self._other[begin:end])
        return lines


def _is_aligned(one: list[str], other: list[str]) -> bool:
    """Tell whether lines are few enough, and differ enough, to be aligned."""
    if max(len(one), len(other)) > _MOST_LINES:
        return False
    counts = Counter(other)
    return sum(counts[line] for line in one) <= _MOST_EQUAL


def _marked(mark: str, line: str) -> str:
    text = printable(line.rstrip("\r\n")[: _LONGEST + 1])
    return f"{mark}{text[:_LONGEST]}{'...' * (len(text) > _LONGEST)}"


def compare_bytes(
    one: bytes | bytearray, other: bytes | bytearray, tolerance: Tolerance
) -> Difference:
    """Compare two values of bytes, byte by byte."""
    tally = Tally(tolerance)
    tally.shape = f"{len(one)} bytes", f"{len(other)} bytes"
    tally.cells = max(len(one), len(other))
    number, changed = -1, abs(len(one) - len(other))
    for start in range(0, min(len(one), len(other)), _BLOCK):
        pair = one[start : start + _BLOCK], other[start : start + _BLOCK]
        if pair[0] != pair[1]:
            number = start + first_difference(*pair) if number < 0 else number
            changed += sum(map(int.__ne__, *pair))
    if not changed:
        return tally.result()
    number = min(len(one), len(other)) if number < 0 else number
    values = bytes(one[number:][:_BYTES_SHOWN]), bytes(other[number:][:_BYTES_SHOWN])
    place = partial(Place, f"byte {number}", (number,))
    tally.differ_all(changed, lambda _: Found(place, values))
    return tally.result()
