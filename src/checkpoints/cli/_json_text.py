"""JSON for other programs, which a terminal cannot mistake for orders."""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Mapping
from typing import Any

__all__ = ["json_text", "plain"]


def json_text(value: object, indent: int | None = 2) -> str:
    """Return a value as JSON; what JSON has no word for becomes a text."""
    # In ASCII, so that it holds nothing that a terminal would obey.
    return json.dumps(plain(value), indent=indent, ensure_ascii=True)


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
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    return str(value)
