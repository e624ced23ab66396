"""The tags of a key as JSON, and back."""

from __future__ import annotations

import numbers
from collections.abc import Iterable, Sequence
from typing import Any

from checkpoints._tags import tag_text
from checkpoints.formats._plain import NOT_PLAIN, from_json, scalar_to_json

__all__ = ["tags_from_json", "tags_to_json"]


def tags_to_json(pairs: Iterable[tuple[str, object]]) -> list[list[Any]]:
    """Turn tags into JSON: plain values with their types, anything else as its text."""
    return [[name, _tag_to_json(value)] for name, value in pairs]


def _tag_to_json(value: object) -> Any:
    data = scalar_to_json(value)
    if data is not NOT_PLAIN:
        return data
    if isinstance(value, numbers.Integral):  # NumPy's, for one
        return scalar_to_json(int(value))
    return {"$text": tag_text(value)}


def tags_from_json(data: Iterable[Sequence[Any]]) -> tuple[tuple[str, Any], ...]:
    """Turn the tags of a header back into pairs."""
    return tuple(
        (name, from_json(value, lambda mark, given: given[mark]))
        for name, value in data
    )
