"""A member of named values: a value, or an attribute of one, such as `self.coef_`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["AFTER", "NOT_THERE", "member_of", "members_like"]

NOT_THERE: Any = object()
# What the name of an argument ends with, as it is after its call. With spaces, so that
# no parameter can have such a name.
AFTER = " after the call"


def member_of(values: Mapping[str, Any], path: str) -> Any:
    """
    Return a value, or an attribute of one; `NOT_THERE` if there is none.

    Args:
        values: The values by name.
        path: The name of a value, possibly followed by names of attributes.
    """
    if path in values:
        return values[path]
    name, dot, rest = path.partition(".")
    if not dot or name not in values:
        return NOT_THERE
    found = values[name]
    for attribute in rest.split("."):
        try:
            found = getattr(found, attribute)
        except Exception:  # noqa: BLE001 - a property may raise anything
            return NOT_THERE
    return found


def members_like(values: Mapping[str, Any], path: str) -> dict[str, Any]:
    """
    Return the attributes that a path names, by their paths.

    Args:
        values: The values by name.
        path: As for `member_of`; a `*` at its end stands for the attributes that an
            object holds itself, without those that begin with an underscore.
    """
    found = _members(values, path)
    later = {
        name.removesuffix(AFTER): value
        for name, value in values.items()
        if name.endswith(AFTER)
    }
    return found | {
        f"{name}{AFTER}": value for name, value in _members(later, path).items()
    }


def _members(values: Mapping[str, Any], path: str) -> dict[str, Any]:
    if not path.endswith(".*"):
        found = member_of(values, path)
        return {} if found is NOT_THERE else {path: found}
    start = path.removesuffix(".*")
    held = getattr(member_of(values, start), "__dict__", {})
    names = [name for name in held if isinstance(name, str) and name[:1] != "_"]
    return {f"{start}.{name}": held[name] for name in names}
