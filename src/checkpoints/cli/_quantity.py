"""Sizes and ages on the command line."""

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
    Parse an age, such as `14d`.

    Raises:
        click.BadParameter: If it is not an age.
    """
    match = re.fullmatch(r"(\d{1,9})([smhdw])", text.strip(), re.ASCII)
    if match is None:
        raise click.BadParameter(
            f"{text!r} is not an age; use a number and s, m, h, d or w, such as 14d"
        )
    try:
        return datetime.timedelta(seconds=int(match[1]) * _SECONDS[match[2]])
    except OverflowError:
        raise click.BadParameter(f"{text!r} is too large") from None


def as_size(text: str) -> int:
    """
    Parse a number of bytes, such as `500MB`.

    Raises:
        click.BadParameter: If it is not a size.
    """
    try:
        return parse_size("size", text)
    except ConfigError as error:
        message = f"{text!r} is not a size; use a number and a unit, such as 500MB"
        raise click.BadParameter(message) from error
