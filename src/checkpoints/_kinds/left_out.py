"""Values that cannot be saved: left out, so that the others are, and told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from checkpoints._kinds.pickled import type_name
from checkpoints.errors import FormatError

__all__ = ["NOT_SAVED", "with_left_out"]

# With a space, so that no parameter can have this name.
NOT_SAVED = "not saved"

R = TypeVar("R")


def with_left_out(
    values: Mapping[str, Any], attempt: Callable[[Mapping[str, Any]], R]
) -> R:
    """
    Save named values, without those that cannot be saved.

    Args:
        values: The values.
        attempt: Saves values, or does what must be done to save them. It is called
            again if it fails, with the reasons as one more value, `not saved`.

    Returns:
        What `attempt` returned.

    Raises:
        FormatError: If that fails although each value can be saved by itself.
    """
    try:
        return attempt(values)
    except FormatError:
        reasons = {
            name: why
            for name, value in values.items()
            if (why := _why_not(name, value, attempt))
        }
        if not reasons:
            raise
    kept = {name: value for name, value in values.items() if name not in reasons}
    known = kept.get(NOT_SAVED)
    told = {**known, **reasons} if isinstance(known, dict) else reasons
    return attempt({**kept, NOT_SAVED: told})


def _why_not(
    name: str, value: Any, attempt: Callable[[Mapping[str, Any]], object]
) -> str:
    """Return why a value cannot be saved; an empty text if it can."""
    try:
        attempt({name: value})
    except FormatError as error:
        cause = error.__cause__ or error
        return f"{type_name(value)}: {type(cause).__name__}: {cause}"
    return ""
