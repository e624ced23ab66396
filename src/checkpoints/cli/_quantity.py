"""Sizes, times and ages, as people write them."""

from __future__ import annotations

import datetime
import re

import click

__all__ = ["as_age", "as_size", "count_text", "files_text", "moment_text", "size_text"]

_THOUSAND = 1000
_ROUNDED_UP = 0.05
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_PREFIXES = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def size_text(size: float) -> str:
    """
    Return a number of bytes, short.

    >>> size_text(12), size_text(12_345), size_text(999_999)
    ('12 B', '12.3 kB', '1.0 MB')
    """
    units = ["TB", "GB", "MB", "kB"]
    unit = "B"
    # What would be rounded up to a thousand is one of the next unit.
    while units and size >= _THOUSAND - (0 if unit == "B" else _ROUNDED_UP):
        size /= _THOUSAND
        unit = units.pop()
    return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"


def count_text(number: int, what: str) -> str:
    """
    Return how many there are of something.

    >>> count_text(1, "file"), count_text(1200, "entry")
    ('1 file', '1,200 entries')
    """
    if number == 1:
        return f"1 {what}"
    return f"{number:,} {what[:-1] + 'ie' if what.endswith('y') else what}s"


def files_text(number: int, size: float) -> str:
    """Return how many files there are, and how large they are together."""
    return f"{count_text(number, 'file')}, {size_text(size)}"


def moment_text(seconds: float) -> str:
    """Return a time, in UTC, to the second."""
    try:
        moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    except (ValueError, OverflowError, OSError):  # a file can have any time
        return "?"
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def as_age(text: str) -> datetime.timedelta:
    """
    Read an age, such as `14d`.

    Raises:
        click.BadParameter: If it is none.
    """
    found = re.fullmatch(r"(\d{1,9})([smhdw])", text.strip(), re.ASCII)
    if found is None:
        raise click.BadParameter(
            f"{text!r} is no age: give a number and s, m, h, d or w, such as 14d"
        )
    try:
        return datetime.timedelta(seconds=int(found[1]) * _SECONDS[found[2]])
    except OverflowError:
        raise click.BadParameter(f"{text!r} is longer than a calendar goes") from None


def as_size(text: str) -> int:
    """
    Read a number of bytes, such as `500MB`.

    Raises:
        click.BadParameter: If it is none.
    """
    pattern = r"(\d+(?:\.\d+)?) ?([kmgt]?)(i?)b?"
    found = re.fullmatch(pattern, text.strip().lower(), re.ASCII)
    if found is None:
        raise click.BadParameter(f"{text!r} is no size: give one such as 500MB")
    step = 1024 if found[3] else _THOUSAND
    return int(float(found[1]) * step ** _PREFIXES[found[2]])
