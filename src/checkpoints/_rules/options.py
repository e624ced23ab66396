"""The options of a rule: their names, types and choices, and checks of these."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, TypeAlias, TypedDict, get_args

from checkpoints._handlers.options import FileOptions
from checkpoints._keys.tags import TagPairs
from checkpoints._text import shown
from checkpoints.errors import ConfigError

__all__ = [
    "Narrowed",
    "OnError",
    "PathOptions",
    "RuleOptions",
    "When",
    "Where",
    "checked_choice",
    "checked_count",
    "checked_flag",
    "known_in_text",
    "known_options",
]

OnError: TypeAlias = Literal["warn", "raise", "ignore"]
When: TypeAlias = Literal["always", "exception"]
Where: TypeAlias = Mapping[str, object] | Callable[[TagPairs], object]


class _Conditions(TypedDict, total=False):
    """Options for which calls are saved and with what, and for failures."""

    where: Where | None
    given: Mapping[str, object] | None
    caller: str | Iterable[str] | None
    every: int
    limit: int | None
    run_limit: int | None
    when: When
    min_seconds: float | None
    items: int | None
    random: bool
    after: bool
    on_error: OnError


class Narrowed(TypedDict, total=False):
    """Options that narrow the data, in the order in which they apply."""

    values: str | Iterable[str] | None
    transform: str | Callable[[dict[str, Any]], dict[str, Any]] | None
    summary: bool
    max_bytes: int | str | None
    max_total_bytes: int | str | None


class RuleOptions(_Conditions, Narrowed, total=False):
    """The options of every rule, whatever its target."""


class PathOptions(RuleOptions, FileOptions, total=False):
    """The options of a rule with a path as its target."""


def known_options() -> tuple[str, ...]:
    """Return the names of all options of a rule with a path."""
    return tuple(PathOptions.__annotations__)


def known_in_text() -> tuple[str, ...]:
    """Return those that rules in text may have: secrets are not for these."""
    return tuple(name for name in known_options() if name != "store_options")


def checked_flag(option: str, given: Any) -> bool:
    """Return an option if it is a bool; raise `ConfigError` otherwise."""
    if not isinstance(given, bool):
        message = f"invalid {option}={shown(given)}: expected True or False"
        raise ConfigError(message)
    return given


def checked_choice(option: str, kind: Any, given: Any) -> Any:
    """Return an option if it is one of the choices; raise `ConfigError` otherwise."""
    known = get_args(kind)
    if any(given == choice for choice in known):
        return given
    listed = ", ".join(map(repr, known))
    raise ConfigError(f"invalid {option}={shown(given)}: expected one of {listed}")


def checked_count(option: str, value: Any) -> int:
    """Return an option if it is a number from 1 up; raise `ConfigError` otherwise."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        message = (
            f"invalid {option}={shown(value)}: expected a whole number from 1 up; to "
            "switch names off, use the target None, or off outside of a program"
        )
        raise ConfigError(message)
    return value
