"""The preview of a loaded value."""

from __future__ import annotations

import datetime
import reprlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from checkpoints._kinds.families import family_of
from checkpoints._kinds.kind import Family
from checkpoints._kinds.tables import with_named_index
from checkpoints._process.libraries import imported
from checkpoints._process.memory import most_memory
from checkpoints._show.conversion import frame_as_table, spread_size
from checkpoints._show.numbers import histogram, sparkline, statistics_of
from checkpoints._text import printable

__all__ = ["Preview", "preview_of"]

_LONGEST = 4_000
_MOST_COLUMNS = 50
_LONGEST_NUMBER = 8
_MOST_ACROSS = 6

_repr = reprlib.Repr()
_repr.maxstring = _repr.maxother = _repr.maxlong = 200
_repr.maxlist = _repr.maxtuple = _repr.maxdict = _repr.maxset = 20
_repr.maxlevel = 8


@dataclass
class Preview:
    """
    The preview of a value.

    Args:
        facts: Facts about the whole value.
        bars: A one-line chart of its numbers, and its caption.
        heading: The names of its columns.
        rows: Its first rows.
        columns: Facts about each column.
        lines: The first lines of its text.
    """

    facts: dict[str, Any] = field(default_factory=dict)
    bars: tuple[str, str] = ("", "")
    heading: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    columns: list[dict[str, Any]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)


def preview_of(value: object, rows: int, max_bytes: int | None = None) -> Preview:
    """
    Return the preview of a value.

    Args:
        value: The value.
        rows: The most rows to show.
        max_bytes: The limit of the memory for it; by default that of this process.
    """
    if isinstance(value, str):
        return _of_text(value, rows)
    if isinstance(value, (bytes, bytearray)):
        start = bytes(value[:32]).hex(" ")
        return Preview(facts={"bytes": len(value)}, lines=[start])
    limit = most_memory() if max_bytes is None else max_bytes
    family = family_of(type(value)) if spread_size(value) <= limit else None
    found = _by_family(family, value, rows) if family is not None else None
    return found or Preview(lines=_beginning(_repr.repr(value), rows))


def _by_family(family: Family, value: object, rows: int) -> Preview | None:
    """Return the preview of a family's value; None if only its repr can be shown."""
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
    """Return the first lines of a text, safe to print."""
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
            found.bars = sparkline(array), "in order"
        elif array.dtype.kind != "b":
            found.bars = histogram(array), "frequency, from min to max"
    found.lines = _beginning(_start_of(array, rows), rows + 1)
    return found


def _start_of(array: Any, rows: int) -> str:
    import numpy

    # Cut first, so that only the elements shown are formatted.
    sizes = [rows, *[_MOST_ACROSS] * (array.ndim - 1)]
    small = array[tuple(map(slice, sizes[: array.ndim]))]
    with numpy.printoptions(threshold=small.size + 1, linewidth=_LONGEST, precision=4):
        text = str(small)
    if small.size == array.size:
        return text
    return f"{text}\n... of {' x '.join(map(str, array.shape))}"


def _as_table(value: Any) -> Any:
    """Return a frame or series as an Arrow table; None if Arrow cannot represent it."""
    try:
        table = frame_as_table(value)
        return None if table is None else with_named_index(table)
    except Exception:  # noqa: BLE001 - a frame of odd objects is shown as text
        return None


def _of_table(table: Any, rows: int) -> Preview:
    shown = table.select(range(min(table.num_columns, _MOST_COLUMNS)))
    found = Preview()
    if table.num_columns > _MOST_COLUMNS:
        found.facts["columns not shown"] = table.num_columns - _MOST_COLUMNS
    found.heading = [printable(name) for name in shown.column_names]
    start = shown.slice(0, rows)
    cells = [[_cell(scalar) for scalar in column] for column in start.columns]
    found.rows = [list(row) for row in zip(*cells, strict=True)]
    found.columns = list(_of_columns(shown))
    return found


def _cell(scalar: Any) -> str:
    value = scalar.as_py() if hasattr(scalar, "as_py") else scalar
    if value is None:
        return "null"
    text = str(value) if isinstance(value, (str, float, int)) else _cell_repr(value)
    if isinstance(value, float) and len(text) > _LONGEST_NUMBER:
        return f"{value:.6g}"
    return printable(text[:200])


def _cell_repr(value: object) -> str:
    is_time = isinstance(value, (datetime.date, datetime.time, datetime.timedelta))
    return str(value) if is_time else _repr.repr(value)


def _of_columns(table: Any) -> Iterator[dict[str, Any]]:
    types = imported("pyarrow.types")
    for name, column in zip(table.column_names, table.columns, strict=True):
        found = {"column": name, "dtype": str(column.type), "nulls": column.null_count}
        if types.is_temporal(column.type):
            found |= _range_of(column)
        array = _numbers_in(column)
        if array is not None and array.size:
            found |= statistics_of(array)
            if array.dtype.kind in "iuf":
                found["histogram"] = histogram(array)
        yield found


def _range_of(column: Any) -> dict[str, str]:
    """Return the first and the last time of a column, formatted as in its rows."""
    pyarrow, compute = imported("pyarrow"), imported("pyarrow.compute")
    kind = column.type
    if len(column) == column.null_count:
        return {}
    try:
        # Arrow cannot compare durations, but the numbers in them.
        is_duration = pyarrow.types.is_duration(kind)
        ordered = column.cast("int64") if is_duration else column
        ends = compute.call_function("min_max", [ordered])
    except pyarrow.ArrowNotImplementedError:  # intervals have no order
        return {}
    return {name: _cell(ends[name].cast(kind)) for name in ("min", "max")}


def _numbers_in(column: Any) -> Any:
    """Return the numbers of a column without nulls; None if it has another type."""
    types = imported("pyarrow.types")
    are_numbers = (types.is_integer, types.is_floating, types.is_boolean)
    if not any(is_type(column.type) for is_type in are_numbers):
        return None
    return column.drop_null().to_numpy()
