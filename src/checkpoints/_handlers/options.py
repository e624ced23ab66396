"""The options of a file handler: their names, types and choices."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias, TypedDict

from checkpoints._text import shown
from checkpoints.errors import ConfigError

__all__ = [
    "Compression",
    "FileOptions",
    "Format",
    "IfExists",
    "OnFull",
    "check_choice",
    "check_needs_no_background",
    "check_together",
    "checked_mode",
    "checked_switch",
    "option_text",
]

Format: TypeAlias = Literal["zip", "parquet", "jlso"]
Compression: TypeAlias = Literal["none", "zstd", "gzip"]
IfExists: TypeAlias = Literal["replace", "keep", "skip", "error"]
OnFull: TypeAlias = Literal["block", "drop"]

_ALL, _OWNER = 0o777, 0o600


class FileOptions(TypedDict, total=False):
    """The options of `FileHandler`, and of `config` for a path."""

    format: Format
    compression: Compression | None
    if_exists: IfExists | None
    store_options: Mapping[str, Any] | None
    spill: str | os.PathLike[str] | None
    mode: int
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


def check_needs_no_background(changed: Mapping[str, object]) -> None:
    """Raise `ConfigError` if an option that differs from its default needs it."""
    unused = changed.keys() & {"max_pending", "on_full", "max_wait"}
    if unused:
        message = (
            f"{' and '.join(sorted(unused))}: for background saves only. Add "
            "background=True, or leave it out"
        )
        raise ConfigError(message)


def check_together(format: str, compression: str | None, if_exists: str | None) -> None:
    """Raise `ConfigError` if a format does not know another option."""
    if format == "jlso" and compression == "zstd":
        raise ConfigError("format='jlso' has no zstd: use compression='gzip' or 'none'")
    if format == "jlso" and if_exists == "keep":
        raise ConfigError(
            "format='jlso' has no numbered files, whose number would be part of the "
            "name in Julia: use another if_exists, or a tag that distinguishes them"
        )


def checked_switch(option: str, value: object) -> bool:
    """Return the value of an option; `ConfigError` if it is not a bool."""
    if not isinstance(value, bool):
        raise ConfigError(f"invalid {option}={shown(value)}: expected True or False")
    return value


def checked_mode(mode: object) -> int:
    """Return permissions; `ConfigError` unless the owner may read and write."""
    given = oct(mode) if type(mode) is int else shown(mode)
    if type(mode) is int and 0 <= mode <= _ALL and mode & _OWNER == _OWNER:
        return mode
    raise ConfigError(
        f"invalid mode={given}: expected permissions such as 0o600, with which the "
        "owner may read and write"
    )


def option_text(option: str, value: object) -> str:
    """Return the value of an option for people to read, without secrets."""
    if option == "mode" and isinstance(value, int):
        return oct(value)
    if option == "store_options" and isinstance(value, Mapping):
        return "{" + ", ".join(f"{name!r}: ..." for name in value) + "}"
    return repr(value)
