"""What is shown of a value that was loaded."""

from __future__ import annotations

import datetime
import reprlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from checkpoints._kinds.families import family_of
from checkpoints._kinds.kind import Family
from checkpoints._kinds.tables import with_named_index
from checkpoints._show.conversion import frame_as_table
from checkpoints._show.numbers import histogram, sparkline, statistics_of
from checkpoints._text import printable

__all__ = ["Preview", "preview_of"]

_LONGEST = 4_000
_MOST_COLUMNS = 50
_MOST_ACROSS = 6

_repr = reprlib.Repr()
_repr.maxstring = _repr.maxother = _repr.maxlong = 200
_repr.maxlist = _repr.maxtuple = _repr.maxdict = _repr.maxset = 20
_repr.maxlevel = 8


@dataclass
class Preview:
    """
    What is shown of a value.

    Args:
        facts: What is said of all of it.
        bars: A picture of its numbers, and what it shows.
        heading: The names of columns.
        rows: Its first rows.
        columns: What is said of each column.
        lines: Its beginning, as text.
    """

    facts: dict[str, Any] = field(default_factory=dict)
    bars: tuple[str, str] = ("", "")
    heading: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    columns: list[dict[str, Any]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)


def preview_of(value: object, rows: int) -> Preview:
    """Return what is shown of a value, with so many of its rows."""
    if isinstance(value, str):
        return _of_text(value, rows)
    if isinstance(value, (bytes, bytearray)):
        start = bytes(value[:32]).hex(" ")
        return Preview(facts={"bytes": len(value)}, lines=[start])
    family = family_of(type(value))
    found = _by_family(family, value, rows) if family is not None else None
    return found or Preview(lines=_beginning(_repr.repr(value), rows))


def _by_family(family: Family, value: object, rows: int) -> Preview | None:
    """Return what a family can show of its value; None if that is its text alone."""
    if family.as_png is not None and family.describe is not None:
        return _of_picture(family.describe(value, 0))
    if family.as_array is not None:
        array, _ = family.as_array(value)
        return _of_array(array, rows)
    if family.stored is not None:
        stored = family.stored(value)
        return None if stored is None else _of_array(stored, rows)
    table = _as_table(value)
    return None if table is None else _of_table(table, rows)


def _of_text(text: str, rows: int) -> Preview:
    facts = {"characters": len(text), "lines": len(text.splitlines())}
    return Preview(facts=facts, lines=_beginning(text, rows))


def _beginning(text: str, rows: int) -> list[str]:
    """Return the first lines of a text, harmless."""
    lines = text[:_LONGEST].splitlines()
    found = [printable(line) for line in lines[:rows]]
    is_cut = len(lines) > rows or len(text) > _LONGEST
    return found + ["..."] * is_cut


def _of_picture(described: dict[str, Any] | None) -> Preview | None:
    if described is None:
        return None
    width, height = described["size"]
    facts = {"width": width, "height": height, "mode": described["mode"]}
    return Preview(facts=facts)


def _of_array(array: Any, rows: int) -> Preview:
    found = Preview()
    if hasattr(array, "compressed"):
        found.lines = _beginning(_start_of(array, rows), rows + 1)
        found.facts = {"masked": array.size - array.count()}
        found.facts |= statistics_of(array.compressed())
        return found
    if array.size > 1:
        found.facts = statistics_of(array)
    if array.dtype.kind in "iufb" and array.size > 1:
        if array.ndim == 1:
            found.bars = sparkline(array), "in their order"
        elif array.dtype.kind != "b":
            found.bars = histogram(array), "how often, from min to max"
    found.lines = _beginning(_start_of(array, rows), rows + 1)
    return found


def _start_of(array: Any, rows: int) -> str:
    import numpy

    # Nothing beyond what is shown is turned into text.
    sizes = [rows, *[_MOST_ACROSS] * (array.ndim - 1)]
    small = array[tuple(map(slice, sizes[: array.ndim]))]
    with numpy.printoptions(threshold=small.size + 1, linewidth=_LONGEST, precision=4):
        text = str(small)
    if small.size == array.size:
        return text
    return f"{text}\n... of {' x '.join(map(str, array.shape))}"


def _as_table(value: Any) -> Any:
    """Return a frame or a series as an Arrow table; None if Arrow cannot hold it."""
    try:
        table = frame_as_table(value)
        return None if table is None else with_named_index(table)
    except Exception:  # noqa: BLE001 - a frame of any objects is shown as text then
        return None


def _of_table(table: Any, rows: int) -> Preview:
    shown = table.select(range(min(table.num_columns, _MOST_COLUMNS)))
    found = Preview()
    if table.num_columns > _MOST_COLUMNS:
        found.facts["columns not shown"] = table.num_columns - _MOST_COLUMNS
    found.heading = [printable(name) for name in shown.column_names]
    start = shown.slice(0, rows)
    cells = [[_cell(it) for it in column] for column in start.columns]
    found.rows = [list(row) for row in zip(*cells, strict=True)]
    found.columns = list(_of_columns(shown))
    return found


def _cell(scalar: Any) -> str:
    value = scalar.as_py() if hasattr(scalar, "as_py") else scalar
    if value is None:
        return "null"
    text = str(value) if isinstance(value, (str, float, int)) else _cell_repr(value)
    return printable(text[:200])


def _cell_repr(value: object) -> str:
    is_time = isinstance(value, (datetime.date, datetime.time, datetime.timedelta))
    return str(value) if is_time else _repr.repr(value)


def _of_columns(table: Any) -> Iterator[dict[str, Any]]:
    import pyarrow.types as of_type

    for name, column in zip(table.column_names, table.columns, strict=True):
        found = {"column": name, "dtype": str(column.type), "nulls": column.null_count}
        if of_type.is_temporal(column.type):
            found |= _ends_of(column)
        array = _numbers_in(column)
        if array is not None and array.size:
            found |= statistics_of(array)
            if array.dtype.kind in "iuf":
                found["histogram"] = histogram(array)
        yield found


def _ends_of(column: Any) -> dict[str, str]:
    """Return the first and the last of times, written as its rows are."""
    import pyarrow.compute

    kind = column.type
    if len(column) == column.null_count:
        return {}
    try:
        # Durations have no order there, but their numbers have.
        is_long = pyarrow.types.is_duration(kind)
        ordered = column.cast("int64") if is_long else column
        ends = pyarrow.compute.call_function("min_max", [ordered])
    except pyarrow.ArrowNotImplementedError:  # an interval is longer or not
        return {}
    return {name: _cell(ends[name].cast(kind)) for name in ("min", "max")}


def _numbers_in(column: Any) -> Any:
    """Return what is not null of a column as a NumPy array, where it is of numbers."""
    import pyarrow.types as of_type

    takes = (of_type.is_integer, of_type.is_floating, of_type.is_boolean)
    if not any(it(column.type) for it in takes):
        return None
    return column.drop_null().to_numpy()
