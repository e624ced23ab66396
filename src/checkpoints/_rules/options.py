"""The options of a rule: their names, their types and their choices."""

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
    "Where",
    "known_options",
]

OnError: TypeAlias = Literal["warn", "raise", "ignore"]
Where: TypeAlias = Mapping[str, object] | Callable[[TagPairs], object]


class _Conditions(TypedDict, total=False):
    """Those that say which calls are saved, and what a failure is."""

    where: Where | None
    every: int
    limit: int | None
    on_error: OnError


class Narrowed(TypedDict, total=False):
    """Those that make less of the data, in the order of their turn."""

    values: str | Iterable[str] | None
    transform: str | Callable[[dict[str, Any]], dict[str, Any]] | None
    summary: bool
    max_bytes: int | str | None
    max_total_bytes: int | str | None


class RuleOptions(_Conditions, Narrowed, total=False):
    """What every rule takes, whatever its target."""


class PathOptions(RuleOptions, FileOptions, total=False):
    """What a rule takes whose target is a path."""


def known_options() -> tuple[str, ...]:
    """Return the names of all options that a rule with a path can have."""
    return tuple(PathOptions.__annotations__)
