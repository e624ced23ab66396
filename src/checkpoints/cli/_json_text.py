"""JSON for other programs, which a terminal cannot mistake for orders."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

__all__ = ["json_text", "plain"]


def json_text(value: object, indent: int | None = 2) -> str:
    """Return a value as JSON; what JSON has no word for becomes a text."""
    text = json.dumps(plain(value), indent=indent)
    # The one control character that JSON leaves as it is.
    return text.replace("\x7f", "\\u007f")


def plain(value: object) -> Any:
    """Return a value as JSON has it: times and the like as text."""
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return str(value)
