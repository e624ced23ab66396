"""The columns of a table of any library: their names, and their statistics in short."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, TypeAlias

from checkpoints._text import text_of

__all__ = ["Statistics", "columns_of", "plain", "reason", "short"]

Statistics: TypeAlias = dict[str, Any]

# What is shown of a text, such as the name of a column or the message of an error.
_LONGEST = 120


def short(value: object) -> str:
    """Return the beginning of what is printed of a value."""
    return str(value)[:_LONGEST]


def reason(error: Exception) -> str:
    """Return in short why something could not be said."""
    return short(f"{type(error).__name__}: {text_of(error)}")


def columns_of(
    columns: Iterable[tuple[Any, Any]],
    count: int,
    most: int,
    described: Callable[[Any], Statistics],
) -> Statistics:
    """
    Describe the columns of a table.

    Args:
        columns: Their names, and the columns themselves.
        count: How many there are.
        most: How many are described; `more` has the number of those that are left.
        described: Returns the statistics of a column.
    """
    found = []
    for name, column in islice(columns, most):
        one: Statistics = {"name": short(name)}
        try:
            one["dtype"] = short(getattr(column, "dtype", None) or column.type)
            one.update(described(column))
        except Exception as error:  # noqa: BLE001 - the other columns can be described
            one["why"] = reason(error)
        found.append(one)
    more = {"more": count - len(found)} if count > len(found) else {}
    return {"columns": found, **more}


def plain(value: Any) -> Any:
    """Return a number or a text that stands for what a library calls an extreme."""
    if value is None or type(value) in (bool, int, float):
        return value
    # What NumPy makes of a moment in nanoseconds is a plain number.
    is_moment = getattr(getattr(value, "dtype", None), "kind", "") in ("m", "M")
    item = value.item() if hasattr(value, "item") and not is_moment else value
    return item if type(item) in (bool, int, float) else short(value)
