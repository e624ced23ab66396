"""Two values as short texts that show in what they differ."""

from __future__ import annotations

from typing import Any

from checkpoints._text import printable, shown

__all__ = ["texts_apart"]

_LONGEST = 60
_BEFORE = 20
# Longer texts are not built only to show a part of them.
_MOST_ITEMS = 1000


def texts_apart(one: Any, other: Any) -> tuple[str, str]:
    """
    Return short texts of two values; where both are long, from where they differ.

    >>> texts_apart(0.1, 0.1 + 2**-56)
    ('0.1', '0.10000000000000002')
    >>> texts_apart("a" * 100 + "b", "a" * 100 + "c")
    ("...'aaaaaaaaaaaaaaaaaaaab'", "...'aaaaaaaaaaaaaaaaaaaac'")
    """
    if type(one) is str and type(other) is str:
        return _of_texts(one, other)
    texts = _text(one), _text(other)
    if max(map(len, texts)) <= _LONGEST:
        return texts
    start = max(0, _first_difference(*texts) - _BEFORE)
    return _cut(texts[0], start), _cut(texts[1], start)


def _of_texts(one: str, other: str) -> tuple[str, str]:
    if max(len(one), len(other)) <= _LONGEST:
        return _text(one), _text(other)
    start = max(0, _first_difference(one, other) - _BEFORE)
    return _part(one, start), _part(other, start)


def _part(text: str, start: int) -> str:
    end = start + _LONGEST
    part = printable(repr(text[start:end]))
    return f"{'...' * (start > 0)}{part}{'...' * (end < len(text))}"


def _cut(text: str, start: int) -> str:
    end = start + _LONGEST
    return f"{'...' * (start > 0)}{text[start:end]}{'...' * (end < len(text))}"


def _text(value: Any) -> str:
    """Return the text of a value: numbers in full, so that two of them differ."""
    if isinstance(value, float):
        return float.__repr__(value)
    item = getattr(value, "item", None)
    if item is not None and getattr(value, "shape", None) == ():
        # NumPy's longest floats have no equal in Python.
        return printable(str(value) if _is_scalar(value) else shown(value))
    try:
        is_large = len(value) > _MOST_ITEMS
    except Exception:  # noqa: BLE001 - the value's own code may raise anything
        is_large = False
    if is_large:
        return printable(shown(value))
    try:
        return printable(repr(value))
    except Exception:  # noqa: BLE001 - the value's own code may raise anything
        return shown(value)


def _is_scalar(value: Any) -> bool:
    return getattr(getattr(value, "dtype", None), "kind", "O") in "fciubmMSU"


def _first_difference(one: Any, other: Any) -> int:
    length = min(len(one), len(other))
    low, high = 0, length
    # By halves, because comparing slices is fast.
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
