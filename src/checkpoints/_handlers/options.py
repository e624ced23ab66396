"""The options of a file handler: their names, types and choices."""

from __future__ import annotations

from typing import Literal, TypeAlias, TypedDict

from checkpoints._text import shown
from checkpoints.errors import ConfigError

__all__ = [
    "Compression",
    "FileOptions",
    "Format",
    "IfExists",
    "OnFull",
    "check_choice",
    "checked_switch",
]

Format: TypeAlias = Literal["zip", "parquet"]
Compression: TypeAlias = Literal["zstd", "gzip"]
IfExists: TypeAlias = Literal["replace", "keep", "skip", "error"]
OnFull: TypeAlias = Literal["block", "drop"]


class FileOptions(TypedDict, total=False):
    """The options of `FileHandler`, and of `config` for a path."""

    format: Format
    compression: Compression | None
    if_exists: IfExists
    durable: bool
    background: bool
    max_pending: int | str
    on_full: OnFull
    max_wait: float


def check_choice(option: str, value: object, choices: tuple[str, ...]) -> None:
    """Raise `ConfigError` if a value is not one of the choices of an option."""
    if value not in choices:
        known = ", ".join(map(repr, choices))
        raise ConfigError(f"invalid {option}={shown(value)}: expected one of {known}")


def checked_switch(option: str, value: object) -> bool:
    """Return the value of an option; `ConfigError` if it is not a bool."""
    if not isinstance(value, bool):
        raise ConfigError(f"invalid {option}={shown(value)}: expected True or False")
    return value
