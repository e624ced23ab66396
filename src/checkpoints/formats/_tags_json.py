"""The tags of a key as JSON, and back."""

from __future__ import annotations

import numbers
from collections.abc import Iterable, Sequence
from typing import Any

from checkpoints._tags import tag_text
from checkpoints.errors import MissingDependencyError
from checkpoints.formats._plain import NOT_PLAIN, from_json, scalar_to_json

__all__ = ["tags_from_json", "tags_to_json"]


def tags_to_json(pairs: Iterable[tuple[str, object]]) -> list[list[Any]]:
    """Turn tags into JSON: plain values with their types, anything else as its text."""
    return [[name, _tag_to_json(value)] for name, value in pairs]


def _tag_to_json(value: object) -> Any:
    data = scalar_to_json(value)
    if data is not NOT_PLAIN:
        return data
    text = tag_text(value)
    # NumPy's numbers, for one; a member of an enumeration has a text of its own.
    if isinstance(value, numbers.Integral) and text == str(int(value)):
        return scalar_to_json(int(value))
    return {"$text": text}


def tags_from_json(data: Iterable[Sequence[Any]]) -> tuple[tuple[str, Any], ...]:
    """Turn the tags of a header back into pairs; a zone not known here stays a text."""
    return tuple((name, _tag_from_json(value)) for name, value in data)


def _tag_from_json(data: Any) -> Any:
    if isinstance(data, str):
        return data
    try:
        value = from_json(data, lambda mark, given: given[mark])
    except MissingDependencyError:
        # Of a tag alone: a file is to be read where its time zone is not installed.
        ((text, zone, _),) = data.values()
        return f"{text}[{zone}]"
    if isinstance(data, dict):
        tag_text(value)  # what has no text, a number of 5000 digits for one, is no tag
    return value
