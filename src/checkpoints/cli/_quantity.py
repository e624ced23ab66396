"""Sizes, times and ages, as people write them."""

from __future__ import annotations

import datetime
import re
from typing import Any

import click

__all__ = ["AGE", "SIZE", "moment_text", "size_text"]

_THOUSAND = 1000
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
    while units and size >= _THOUSAND - (0 if unit == "B" else 0.05):
        size /= _THOUSAND
        unit = units.pop()
    return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"


def moment_text(seconds: float) -> str:
    """Return a time, in UTC, to the second."""
    try:
        moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    except (ValueError, OverflowError, OSError):  # a file can have any time
        return "?"
    return f"{moment:%Y-%m-%d %H:%M:%S}"


class _Age(click.ParamType[datetime.timedelta]):
    name = "age"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime.timedelta:
        found = re.fullmatch(r"(\d{1,9})([smhdw])", str(value).strip())
        if found is None:
            self.fail(
                f"{value!r} is no age: give a number and s, m, h, d or w, such as 14d",
                param,
                ctx,
            )
        try:
            return datetime.timedelta(seconds=int(found[1]) * _SECONDS[found[2]])
        except OverflowError:
            self.fail(f"{value!r} is longer than a calendar goes", param, ctx)


class _Size(click.ParamType[int]):
    name = "size"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        text = str(value).strip().lower()
        found = re.fullmatch(r"(\d+(?:\.\d+)?) ?([kmgt]?)(i?)b?", text)
        if found is None:
            self.fail(f"{value!r} is no size: give one such as 500MB", param, ctx)
        step = 1024 if found[3] else _THOUSAND
        return int(float(found[1]) * step ** _PREFIXES[found[2]])


AGE = _Age()
SIZE = _Size()
