"""The columns of any library's tables: their names and short statistics."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, TypeAlias

from checkpoints._text import text_of

__all__ = ["Statistics", "columns_of", "plain", "reason", "short"]

Statistics: TypeAlias = dict[str, Any]

# The maximum length of a text, such as a column's name or an error's message.
_MAX_LENGTH = 120


def short(value: object) -> str:
    """Return a value as text, truncated."""
    return str(value)[:_MAX_LENGTH]


def reason(error: Exception) -> str:
    """Return a short text of an error, as the reason for a missing statistic."""
    return short(f"{type(error).__name__}: {text_of(error)}")


def columns_of(
    columns: Iterable[tuple[Any, Any]],
    count: int,
    max_columns: int,
    describe: Callable[[Any], Statistics],
) -> Statistics:
    """
    Describe the columns of a table.

    Args:
        columns: The names and the columns.
        count: The number of columns.
        max_columns: How many to describe; `more` is the number of the others.
        describe: Returns the statistics of a column.
    """
    found = []
    for name, column in islice(columns, max_columns):
        statistics: Statistics = {"name": short(name)}
        try:
            statistics["dtype"] = short(getattr(column, "dtype", None) or column.type)
            statistics.update(describe(column))
        except Exception as error:  # noqa: BLE001 - other columns can be described
            statistics["why"] = reason(error)
        found.append(statistics)
    more = {"more": count - len(found)} if count > len(found) else {}
    return {"columns": found, **more}


def plain(value: Any) -> Any:
    """Return a library's scalar as a plain number, or as text if it has none."""
    if value is None or type(value) in (bool, int, float):
        return value
    # `item` of a NumPy time in nanoseconds is a mere number.
    is_time = getattr(getattr(value, "dtype", None), "kind", "") in ("m", "M")
    item = value.item() if hasattr(value, "item") and not is_time else value
    return item if type(item) in (bool, int, float) else short(value)
