"""A number of seconds that somebody gave, checked."""

from __future__ import annotations

from typing import Any

from checkpoints.errors import ConfigError

__all__ = ["checked_seconds"]


def checked_seconds(value: Any, option: str = "timeout") -> float:
    """Return a number of seconds; `ConfigError` if it cannot be one."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not value >= 0:
        message = f"{option}={value!r} has to be a number of seconds from 0 on"
        raise ConfigError(message)
    return float(value)
