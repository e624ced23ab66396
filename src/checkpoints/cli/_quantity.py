"""Sizes and ages, as people type them."""

from __future__ import annotations

import datetime
import re

import click

from checkpoints._text import parse_size
from checkpoints.errors import ConfigError

__all__ = ["as_age", "as_size"]

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


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
    try:
        return parse_size("size", text)
    except ConfigError as error:
        message = f"{text!r} is no size: give one such as 500MB"
        raise click.BadParameter(message) from error
