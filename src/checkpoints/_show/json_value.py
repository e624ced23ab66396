"""A value as JSON for other tools, and what is lost by that."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from checkpoints._kinds.families import family_of
from checkpoints._kinds.records import form_of
from checkpoints._process.budget import ask

__all__ = ["CELL", "NotJsonError", "a_type", "json_value", "written_as_null"]

_MODULES_WRITTEN_AS_TEXT = ("builtins", "datetime", "decimal", "pathlib", "uuid")
# What is taken, in bytes, by a cell in an object for JSON or as text.
CELL = 100
# What takes little meanwhile is not asked for.
_LONG = 100_000


class NotJsonError(Exception):
    """A value contains something that JSON has no form for."""


def json_value(value: Any, lost: dict[str, None]) -> Any:
    """
    Return a value as JSON can represent it.

    Args:
        value: The value.
        lost: What is lost by that; more is noted as keys.

    Raises:
        NotJsonError: If it contains something that JSON has no form for.
        TooLargeError: If it takes more memory than allowed.

    >>> json_value({"a": (1, 2)}, found := {}), list(found)
    ({'a': [1, 2]}, ['the type of a tuple (written as a list)'])
    """
    if isinstance(value, str) and len(value) > _LONG:
        # As JSON, and encoded, until it is written.
        slices = (value[at : at + _LONG] for at in range(0, len(value), _LONG))
        ask(2 * sum(len(json.dumps(each)) for each in slices))
    if value is None or type(value) in (bool, int, str):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            lost[written_as_null(value)] = None
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return _object(value, lost)
    if isinstance(value, (list, tuple, set, frozenset)):
        ask(CELL * (1 + len(value)))
        if not isinstance(value, list):
            lost[f"the type of {a_type(value)} (written as a list)"] = None
        return [json_value(element, lost) for element in value]
    return _of_other(value, lost)


def _of_other(value: Any, lost: dict[str, None]) -> Any:
    """Return a record as an object of its fields, and any other value as text."""
    text = _as_text(value)
    if text is not None:
        lost[f"the type of {a_type(value)} (written as text)"] = None
        return text
    form = form_of(value)
    if form is None:
        raise NotJsonError(f"it contains {a_type(value)}")
    lost[f"the type of {a_type(value)} (written as a dict of its fields)"] = None
    return _object(form.fields, lost)


def _as_text(value: Any) -> str | None:
    """Return the text for a value that JSON has no type for; None if it has none."""
    family = family_of(type(value))
    if family is not None and family.as_text is not None:
        return family.as_text(value)
    if type(value).__module__.partition(".")[0] not in _MODULES_WRITTEN_AS_TEXT:
        return None
    return str(value.isoformat() if hasattr(value, "isoformat") else value)


def _object(value: Mapping[Any, Any], lost: dict[str, None]) -> dict[str, Any]:
    ask(CELL * (1 + len(value)))
    if not all(isinstance(key, str) for key in value):
        lost["the types of its keys (written as text)"] = None
    if len({str(key) for key in value}) < len(value):
        raise NotJsonError("two of its keys have the same text")
    return {str(key): json_value(item, lost) for key, item in value.items()}


def written_as_null(number: float) -> str:
    """Return a number that JSON does not have as something lost, in words."""
    return f"{number} (written as null)"


def a_type(value: object) -> str:
    """
    Return the name of the type of a value with its article.

    >>> a_type(1), a_type("")
    ('an int', 'a str')
    """
    name = type(value).__name__
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"
