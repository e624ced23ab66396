"""The preview of a loaded value."""

from __future__ import annotations

import datetime
import reprlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from checkpoints._kinds.families import family_of
from checkpoints._kinds.kind import Family
from checkpoints._kinds.spread import ask_for_cells, ask_for_objects
from checkpoints._kinds.tables import with_named_index
from checkpoints._process.budget import ask
from checkpoints._process.libraries import imported
from checkpoints._show.frame import frame_as_table, table_with_nan
from checkpoints._show.numbers import histogram, sparkline, statistics_of
from checkpoints._text import printable, shown
from checkpoints.errors import TooLargeError

__all__ = ["Preview", "preview_of", "short_repr"]

_LONGEST = 4_000
_MOST_COLUMNS = 50
_LONGEST_NUMBER = 8
_LONGEST_CELL = 200
_MOST_ACROSS = 6
_MOST_OBJECTS = 10_000

_COPIES, _NUMBER = 2, 8
_LINE_ENDS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"


class _Repr(reprlib.Repr):
    """Shortened reprs, also of what is the same object in many places."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = self.maxlong = _LONGEST_CELL
        self.maxlist = self.maxtuple = self.maxdict = self.maxset = 20
        self.maxlevel = 8
        self._left = _MOST_OBJECTS

    def repr1(self, x: Any, level: int) -> str:
        self._left -= 1
        return super().repr1(x, level) if self._left >= 0 else "..."

    def repr_instance(self, x: Any, level: int) -> str:
        # Those of libraries shorten their values by themselves.
        if family_of(type(x)) is None:
            try:
                ask_for_objects(x)
            except TooLargeError:
                return f"<{type(x).__name__} object>"
        try:
            text = repr(x)
        except Exception:  # noqa: BLE001 - an object's own code may raise anything
            return super().repr_instance(x, level)
        if "\n" not in text:
            return _cut(text, self.maxother)
        # Lines may be rows: inside of another value none may run on into its text.
        is_whole = level == self.maxlevel
        return text if is_whole else f"\n{_cut(text, self.maxother)}\n"


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


def preview_of(value: object, rows: int) -> Preview:
    """
    Return the preview of a value.

    Args:
        value: The value.
        rows: The most rows to show.
    """
    if isinstance(value, str):
        return _of_text(value, rows)
    if isinstance(value, (bytes, bytearray)):
        start = bytes(value[:32]).hex(" ")
        return Preview(facts={"bytes": len(value)}, lines=[start])
    family, found = family_of(type(value)), None
    # What takes too much memory as a whole is shown by its repr.
    with suppress(TooLargeError):
        found = _by_family(family, value, rows) if family is not None else None
    return found or Preview(lines=_beginning(_Repr().repr(value), rows))


def short_repr(value: object) -> str:
    """Return the beginning of the repr of a value, in whole lines."""
    try:
        return _cut(_Repr().repr(value), _LONGEST_CELL)
    except Exception:  # noqa: BLE001 - such as of an integer of thousands of digits
        return shown(value)


def _cut(text: str, longest: int) -> str:
    r"""
    Return the beginning of a text, without the line that would be cut.

    >>> _cut("a 1\nb 234", 8), _cut("abcdef", 3)
    ('a 1\n...', 'abc...')
    """
    if len(text) <= longest:
        return text
    whole, end, _ = text[: longest + 1].rpartition("\n")
    return f"{whole}\n..." if end else f"{text[:longest]}..."


def _by_family(family: Family, value: object, rows: int) -> Preview | None:
    """Return the preview of a family's value; None if only its repr can be shown."""
    if family.as_png is not None and family.describe is not None:
        return _of_picture(family.describe(value, 0))
    if family.as_array is not None:
        ask_for_cells(value, with_rows=False)
        array, _ = family.as_array(value)
        return _of_array(array, rows)
    if family.stored is not None:
        stored = family.stored(value)
        return None if stored is None else _of_array(stored, rows)
    table = _as_table(value)
    return None if table is None else _of_table(*table, rows)


def _of_text(text: str, rows: int) -> Preview:
    facts = {"characters": len(text), "lines": _count_of_lines(text)}
    return Preview(facts=facts, lines=_beginning(text, rows))


def _count_of_lines(text: str) -> int:
    """Return how many lines `splitlines` returns, which would take far more memory."""
    ends = sum(map(text.count, _LINE_ENDS)) - text.count("\r\n")
    return ends + (text != "" and text[-1] not in _LINE_ENDS)


def _beginning(text: str, rows: int) -> list[str]:
    """Return the first lines of a text, safe to print."""
    lines = _cut(text, _LONGEST).splitlines()
    found = [printable(line) for line in lines[:rows]]
    return found + ["..."] * (len(lines) > rows)


def _of_picture(described: dict[str, Any] | None) -> Preview | None:
    if described is None:
        return None
    width, height = described["size"]
    facts = {"width": width, "height": height, "mode": described["mode"]}
    return Preview(facts=facts)


def _of_array(array: Any, rows: int) -> Preview:
    found = Preview(lines=_beginning(_start_of(array, rows), rows + 1))
    with suppress(TooLargeError):
        found.facts = _facts_of(array)
        found.bars = _bars_of(array)
    return found


def _facts_of(array: Any) -> dict[str, Any]:
    # To leave some elements out, or to put them in a row, a copy is made.
    if not array.flags.c_contiguous or array.dtype.kind in "mM":
        ask(_COPIES * array.nbytes)
    if hasattr(array, "compressed"):
        ask(array.nbytes)
        masked = {"masked": array.size - array.count()}
        return masked | statistics_of(array.compressed())
    return statistics_of(array) if array.size > 1 else {}


def _bars_of(array: Any) -> tuple[str, str]:
    is_number = array.dtype.kind in "iufb" and array.size > 1
    if not is_number or hasattr(array, "compressed"):
        return "", ""
    if array.ndim == 1:
        return sparkline(array), "in order"
    if array.dtype.kind == "b":
        return "", ""
    return histogram(array), "frequency, from min to max"


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


def _as_table(value: Any) -> tuple[Any, Mapping[str, str]] | None:
    """
    Return a frame or series as an Arrow table, and the dtypes of what became texts.

    None if Arrow cannot represent it.
    """
    try:
        table, texts = frame_as_table(value)
        if table is None:
            return None
        return with_named_index(table_with_nan(value, table)), texts
    except Exception:  # noqa: BLE001 - a frame of odd objects is shown as text
        return None


def _of_table(table: Any, texts: Mapping[str, str], rows: int) -> Preview:
    shown = table.select(range(min(table.num_columns, _MOST_COLUMNS)))
    found = Preview()
    if table.num_columns > _MOST_COLUMNS:
        found.facts["columns not shown"] = table.num_columns - _MOST_COLUMNS
    found.heading = [printable(name) for name in shown.column_names]
    start = shown.slice(0, rows)
    cells = [[_cell(scalar) for scalar in column] for column in start.columns]
    found.rows = [list(row) for row in zip(*cells, strict=True)]
    # One column after the other, as numbers.
    ask(_COPIES * _NUMBER * shown.num_rows)
    found.columns = list(_of_columns(shown))
    for column in found.columns:
        column["dtype"] = texts.get(column["column"], column["dtype"])
    return found


def _cell(scalar: Any) -> str:
    value = scalar.as_py() if hasattr(scalar, "as_py") else scalar
    if value is None:
        return "null"
    text = str(value) if isinstance(value, (str, float, int)) else _cell_repr(value)
    if isinstance(value, float) and len(text) > _LONGEST_NUMBER:
        return f"{value:.6g}"
    return printable(_cut(text, _LONGEST_CELL))


def _cell_repr(value: object) -> str:
    is_time = isinstance(value, (datetime.date, datetime.time, datetime.timedelta))
    return str(value) if is_time else _Repr().repr(value)


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
