"""Patterns of names: an exact name, a dotted prefix, a glob, or a list of names."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable
from typing import Any

from checkpoints._keys.key import checked_name
from checkpoints._text import shown
from checkpoints.errors import ConfigError

__all__ = ["NamePattern"]

_SPECIAL = re.compile(r"[*?\[]")


class NamePattern:
    """
    The names that a rule covers.

    Args:
        names: A name, which covers all names below it as well; a glob, whose `*`
            crosses dots; or any number of exact names.

    Raises:
        ConfigError: If it is none of these.

    >>> NamePattern("mypkg").covers("mypkg.fit")
    True
    """

    def __init__(self, names: str | Iterable[str]) -> None:
        self.names: str | tuple[str, ...]
        self.names = names if isinstance(names, str) else _listed(names)
        self.covers: Callable[[str], bool] = _matcher(self.names)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.names,)

    def may_cover_below(self, prefix: str) -> bool:
        """Tell whether names that begin with a prefix and a dot may be covered."""
        start = f"{prefix}."
        if not isinstance(self.names, str):
            return any(name.startswith(start) for name in self.names)
        if special := _SPECIAL.search(self.names):
            fixed = self.names[: special.start()]
        else:
            fixed = f"{self.names}."
        return start.startswith(fixed) or fixed.startswith(start)


def _matcher(names: str | tuple[str, ...]) -> Callable[[str], bool]:
    """Return a function that tells whether a pattern or list covers a name."""
    if not isinstance(names, str):
        exact = frozenset(checked_name(name) for name in names)
        return exact.__contains__
    if _SPECIAL.search(names):
        matches = re.compile(fnmatch.translate(names)).match
        return lambda name: matches(name) is not None
    below = f"{checked_name(names)}."
    return lambda name: name == names or name.startswith(below)


def _listed(names: Iterable[str]) -> tuple[str, ...]:
    try:
        return tuple(names)
    except TypeError as error:
        message = (
            f"invalid checkpoint names {shown(names)}: give a pattern, such as "
            "'mypkg.*', or a list of names"
        )
        raise ConfigError(message) from error
