"""The options of a rule: their names, types and choices."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, TypeAlias, TypedDict

from checkpoints._handlers.options import FileOptions
from checkpoints._keys.tags import TagPairs

__all__ = [
    "Narrowed",
    "OnError",
    "PathOptions",
    "RuleOptions",
    "When",
    "Where",
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
