"""Two values as short texts that show in what they differ."""

from __future__ import annotations

import datetime
import numbers
from typing import Any

from checkpoints._text import printable, shown

__all__ = ["Excerpt", "excerpts", "first_difference"]

_LONGEST = 60
_BEFORE = 20
_TIMES = (datetime.datetime, datetime.date, datetime.time, datetime.timedelta)


class Excerpt(str):
    """A text about a value, which is shown as it is."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def excerpts(one: Any, other: Any) -> tuple[str, str]:
    """
    Return short texts of two values; where both are long, from where they differ.

    >>> excerpts(0.1, 0.1 + 2**-56)
    ('0.1', '0.10000000000000002')
    >>> excerpts("a" * 100 + "b", "a" * 100 + "c")
    ("...'aaaaaaaaaaaaaaaaaaaab'", "...'aaaaaaaaaaaaaaaaaaaac'")
    """
    if type(one) is type(other) and type(one) in (str, bytes):
        # Before they become texts, because they may be of any length.
        start = _start(one, other)
        return _quoted(one, start), _quoted(other, start)
    texts = _text(one), _text(other)
    if max(map(len, texts)) <= _LONGEST:
        return texts
    start = _start(*texts)
    return _cut(texts[0], start), _cut(texts[1], start)


def _start(one: Any, other: Any) -> int:
    if max(len(one), len(other)) <= _LONGEST:
        return 0
    return max(0, first_difference(one, other) - _BEFORE)


def first_difference(one: Any, other: Any) -> int:
    """
    Return the first place where two texts, or bytes, differ.

    >>> first_difference("abc", "abd"), first_difference("ab", "abc")
    (2, 2)
    """
    low, high = 0, min(len(one), len(other))
    # By halves, because comparing slices is fast.
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _quoted(text: Any, start: int) -> str:
    end = start + _LONGEST
    part = printable(repr(text[start:end]))
    return f"{'...' * (start > 0)}{part}{'...' * (end < len(text))}"


def _cut(text: str, start: int) -> str:
    end = start + _LONGEST
    return f"{'...' * (start > 0)}{text[start:end]}{'...' * (end < len(text))}"


def _text(value: Any) -> str:
    """Return the text of a value: numbers in full, so that two of them differ."""
    if isinstance(value, Excerpt):
        return printable(str(value))
    try:
        if isinstance(value, float):
            return float.__repr__(value)
        if getattr(value, "shape", None) == () and value.dtype.kind in "fciubmM":
            # NumPy's longest floats have no equal in Python.
            return printable(str(value))
        if isinstance(value, (numbers.Number, *_TIMES)):
            return printable(repr(value))
    except Exception:  # noqa: BLE001 - the value's own code may raise anything
        return printable(shown(value))
    return printable(shown(value))
