"""Texts line by line, and bytes."""

from __future__ import annotations

from collections.abc import Sequence

from checkpoints._compare.difference import Difference
from checkpoints._compare.tally import Found, Tally
from checkpoints._compare.tolerance import Tolerance
from checkpoints._process.libraries import imported

__all__ = ["compare_bytes", "compare_texts", "unified"]

# Aligning lines takes more than linear time.
_MOST_LINES = 2000
_BYTES_SHOWN = 8


def compare_texts(one: str, other: str, tolerance: Tolerance) -> Difference:
    r"""
    Compare two texts by their lines.

    >>> found = compare_texts("a\nbc", "a\nbd", Tolerance())
    >>> found.where, found.texts, found.cells, found.beyond
    ('line 2, column 2', ("'bc'", "'bd'"), 2, 1)
    """
    tally = Tally(tolerance)
    lines, found = one.splitlines(keepends=True), other.splitlines(keepends=True)
    tally.shape = f"{len(lines)} lines", f"{len(found)} lines"
    tally.cells = max(len(lines), len(found), 1)
    if one == other:
        return tally.result()
    number = _first(lines, found)
    pair = _line(lines, number), _line(found, number)
    column = _first(*pair) + 1
    place = (
        f"line {number + 1}, column {column}" if tally.cells > 1 else f"column {column}"
    )
    differing = _number_differing(lines[number:], found[number:])
    tally.differ_all(differing, lambda _: Found(lambda: place, pair))
    if [line.rstrip("\r\n") for line in lines] == [it.rstrip("\r\n") for it in found]:
        tally.note("only the ends of lines differ")
    return tally.result()


def _line(lines: Sequence[str], number: int) -> str:
    return lines[number] if number < len(lines) else ""


def _first(one: Sequence[object], other: Sequence[object]) -> int:
    pairs = zip(one, other, strict=False)
    unequal = (at for at, (a, b) in enumerate(pairs) if a != b)
    return next(unequal, min(len(one), len(other)))


def _number_differing(one: Sequence[str], other: Sequence[str]) -> int:
    """Return how many lines were changed, inserted or deleted."""
    while one and other and one[-1] == other[-1]:
        one, other = one[:-1], other[:-1]
    if max(len(one), len(other)) > _MOST_LINES:
        changed = sum(a != b for a, b in zip(one, other, strict=False))
        return changed + abs(len(one) - len(other))
    matcher = imported("difflib").SequenceMatcher(None, one, other, autojunk=False)
    return sum(
        max(stop - start, stop2 - start2)
        for what, start, stop, start2, stop2 in matcher.get_opcodes()
        if what != "equal"
    )


def unified(one: str, other: str, lines: int = 40) -> list[str]:
    r"""
    Return the lines of a unified diff, the first of them.

    >>> unified("a\nb", "a\nc")
    ['--- baseline', '+++ candidate', '@@ -1,2 +1,2 @@', ' a', '-b', '+c']
    """
    first, second = one.splitlines(), other.splitlines()
    start = max(0, _first(first, second) - 3)
    first, second = first[start:][:_MOST_LINES], second[start:][:_MOST_LINES]
    diff = imported("difflib").unified_diff(
        first, second, "baseline", "candidate", lineterm=""
    )
    return [line for line, _ in zip(diff, range(lines), strict=False)]


def compare_bytes(one: bytes, other: bytes, tolerance: Tolerance) -> Difference:
    """Compare two values of bytes, byte by byte."""
    tally = Tally(tolerance)
    tally.shape = f"{len(one)} bytes", f"{len(other)} bytes"
    tally.cells = max(len(one), len(other))
    if one == other:
        return tally.result()
    number = _first_byte(one, other)
    pair = one[number:][:_BYTES_SHOWN], other[number:][:_BYTES_SHOWN]
    changed = sum(map(int.__ne__, one, other)) + abs(len(one) - len(other))
    tally.differ_all(changed, lambda _: Found(lambda: f"byte {number}", pair))
    return tally.result()


def _first_byte(one: bytes, other: bytes) -> int:
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
