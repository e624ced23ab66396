"""How a value is shown in a message: short, and whatever its own repr does."""

from __future__ import annotations

import reprlib

__all__ = ["shown"]

_LONGEST = 200

_repr = reprlib.Repr()
_repr.maxstring = _repr.maxother = _repr.maxlong = _LONGEST


def shown(value: object) -> str:
    """Return the repr of a value, cut in the middle where it is long."""
    try:
        return _repr.repr(value)
    except BaseException:  # noqa: BLE001 - a message must not fail for its subject
        return f"<a {type(value).__name__} that cannot be shown>"
