"""Which sort of value it is, whatever its class."""

from __future__ import annotations

import datetime
import decimal
import fractions
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from checkpoints._kinds.families import families_of
from checkpoints._kinds.records import Record, form_of

__all__ = [
    "NUMBERS",
    "TIMES",
    "are_nested",
    "fields_of",
    "is_scalar",
    "is_summary",
]

NUMBERS = (int, float, complex, decimal.Decimal, fractions.Fraction)
TIMES = (datetime.datetime, datetime.date, datetime.time, datetime.timedelta)
_HASH = "blake2b:"


def is_scalar(value: Any) -> bool:
    """Tell whether a value is a single plain one, and not one of NumPy."""
    is_plain = value is None or isinstance(value, (*NUMBERS, *TIMES))
    return is_plain and not hasattr(value, "dtype")


def are_nested(one: Any, other: Any) -> bool:
    """Tell whether two values are containers or records that can be compared."""
    if any(map(is_summary, (one, other))) or _is_of_library(one):
        return False
    return any(
        isinstance(one, sort) and isinstance(other, sort)
        for sort in (Mapping, (list, tuple), AbstractSet)
    ) or (fields_of(one) is not None and fields_of(other) is not None)


def _is_of_library(value: Any) -> bool:
    """Tell whether a data library knows more about a value than its items."""
    return next(families_of(type(value)), None) is not None


def fields_of(value: Any) -> tuple[str, dict[str, Any]] | None:
    """Return the type and the fields of a record, None for another value."""
    if isinstance(value, Record):
        return value.type, {name: value[name] for name in value.keys()}  # noqa: SIM118 - a record is not iterable
    form = form_of(value)
    return None if form is None else (".".join(form.name), form.fields)


def is_summary(value: Any) -> bool:
    """Tell whether a value is the summary of another one."""
    if type(value) is not dict or not isinstance(value.get("kind"), str):
        return False
    digest = value.get("hash", "")
    hashed = isinstance(digest, str) and digest.startswith(_HASH)
    return hashed or (digest is None and isinstance(value.get("why"), str))
