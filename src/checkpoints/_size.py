"""A number of bytes, as people write it."""

from __future__ import annotations

import re
from decimal import Decimal

from checkpoints._shown import shown
from checkpoints.errors import ConfigError

__all__ = ["parse_size"]

_SIZE = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([kmgt]?)(i?)b?\s*", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def parse_size(option: str, size: object) -> int:
    """
    Return a number of bytes.

    Args:
        option: Whose number it is, for the message.
        size: A whole number, or a text such as `"64MB"`, `"1.5 GiB"` or `"2048"`;
            kB, MB, GB and TB are powers of 1000, KiB, MiB, GiB and TiB of 1024.

    Raises:
        ConfigError: If it is neither, or not at least one byte.

    >>> parse_size("max_bytes", "64MB"), parse_size("max_bytes", "1 KiB")
    (64000000, 1024)
    """
    found: int | None = None
    if isinstance(size, int) and not isinstance(size, bool):
        found = size
    elif isinstance(size, str) and (match := _SIZE.fullmatch(size)):
        digits, prefix, binary = match.groups()
        # "1iB" would be no unit.
        if prefix or not binary:
            unit = (1024 if binary else 1000) ** _POWERS[prefix.lower()]
            found = int(Decimal(digits) * unit)
    if found is None or found < 1:
        message = (
            f"{option}={shown(size)} has to be a number of bytes from 1 on, such as "
            "64_000_000 or '64MB'"
        )
        raise ConfigError(message)
    return found
