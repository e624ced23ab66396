"""A value converted to a file of another format, and what is lost by that."""

from __future__ import annotations

import io
import itertools
import json
import math
import operator
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from checkpoints._kinds.arrow_memory import COLUMN, memory_of
from checkpoints._kinds.families import family_of
from checkpoints._kinds.spread import ask_for_cells, ask_for_objects
from checkpoints._kinds.tables import with_named_index
from checkpoints._process.budget import ask
from checkpoints._process.libraries import imported, needed
from checkpoints._show.frame import frame_as_table, table_with_nan
from checkpoints._show.json_value import (
    CELL,
    NotJsonError,
    a_type,
    json_value,
    written_as_null,
)
from checkpoints._show.memory_file import MemoryFile

__all__ = [
    "CONVERSIONS",
    "Conversion",
    "UnfitError",
]

# The dtypes that NumPy gives an array made of a list, and Arrow's types that JSON has.
_DTYPES_OF_LISTS = ("bool", "int64", "float64")
_JSON_TYPES = ("bool", "int64", "double", "string", "large_string", "string_view")
# The kinds of dtypes that JSON has a form for; those of other libraries say none.
_KINDS_OF_JSON = ("", *"biufUmM")
_TABLES = (".csv", ".parquet", ".json")
_MOST_DIMENSIONS = 2
# What is taken, in bytes, as measured: by a number or a list in a list, by the dict of
# a row, by a column of Parquet while it is written, and by a period or an interval with
# its text.
_NUMBER, _ROW, _WRITTEN, _SPAN = 72, 300, 4500, 256


class UnfitError(Exception):
    """A value cannot be converted to a format at all."""


class Conversion:
    """
    The conversion of a value to a file.

    Args:
        value: The value.

    Attributes:
        lost: What the file will not contain, in words.
    """

    def __init__(self, value: Any) -> None:
        self.value = value
        self.lost: list[str] = []
        self._family = family_of(type(value))
        self._has_table = True

    @property
    def is_frame(self) -> bool:
        """Whether the value is a frame or a series."""
        family = self._family
        has_rows = family is not None and family.as_table is not None
        return has_rows and not self.is_array and hasattr(self.value, "__len__")

    @property
    def is_picture(self) -> bool:
        """Whether the value is a picture."""
        return self._family is not None and self._family.as_png is not None

    @property
    def is_array(self) -> bool:
        """Whether the value is an array or a tensor."""
        return self._family is not None and self._family.as_array is not None

    @property
    def suffixes(self) -> Sequence[str]:
        """
        The suffixes of files that can hold the value, the best one first.

        As far as that can be told without making one, or was found out by trying.
        """
        if self.is_frame:
            is_unfit = not self._has_table or _duplicate(_labels_of(self.value))
            return () if is_unfit else _TABLES
        if self.is_array:
            return self._suffixes_of_array()
        if self.is_picture:
            return (".png",)
        if isinstance(self.value, (bytes, bytearray)):
            return (".bin",)
        if isinstance(self.value, str):
            return (".txt", ".json")
        return (".json", ".txt") if self._is_json() else (".txt",)

    def _suffixes_of_array(self) -> Sequence[str]:
        dtype = getattr(self.value, "dtype", None)
        if getattr(dtype, "hasobject", False):
            return ()
        kind, dimensions = getattr(dtype, "kind", ""), getattr(self.value, "ndim", 0)
        if kind not in _KINDS_OF_JSON or "complex" in str(dtype):
            return (".npy",)
        is_table = self._has_table and 1 <= dimensions <= _MOST_DIMENSIONS
        return (".npy", *_TABLES) if is_table else (".npy", ".json")

    def _is_json(self) -> bool:
        try:
            json_value(self.value, {})
        except Exception:  # noqa: BLE001 - whatever it is, JSON would not be written
            return False
        return True

    def fail(self, what: str) -> NoReturn:
        """
        Give up the conversion.

        Args:
            what: The format, and why it is impossible.

        Raises:
            UnfitError: Always.
        """
        raise UnfitError(f"cannot write {a_type(self.value)} as {what}")

    def as_table(self, what: str) -> Any:
        """Return a frame, a series, or a one- or two-dimensional array for Arrow."""
        ask_for_cells(self.value)
        # Unless it turns out to have one, other formats of tables need not be tried.
        self._has_table = False
        pyarrow = needed("pyarrow", what)
        try:
            table = self._table(what, pyarrow)
        except (pyarrow.ArrowException, TypeError, ValueError, OverflowError) as error:
            self.fail(f"{what}: Arrow cannot represent it ({error})")
        self._has_table = True
        return table

    def _table(self, what: str, pyarrow: Any) -> Any:
        if self.is_frame:
            return self._frame_as_table(what)
        array = self.as_array(what)
        if not 1 <= array.ndim <= _MOST_DIMENSIONS or array.dtype.names:
            self.fail(f"{what}: it has no rows and columns")
        columns = array.reshape(len(array), -1).T if array.size else []
        ask(COLUMN * len(columns))
        return pyarrow.table({str(at): column for at, column in enumerate(columns)})

    def _frame_as_table(self, what: str) -> Any:
        if getattr(self.value, "attrs", None):
            self.lost.append("its attrs")
        if name := _duplicate(_labels_of(self.value)):
            self.fail(f"{what}: two of its columns are called {name}")
        table, texts = frame_as_table(self.value)
        if table is None:
            self.fail(f"{what}: it has no rows and columns")
        self.lost += [
            f"{_type_of_column(name, dtype)}, written as text"
            for name, dtype in texts.items()
        ]
        return table

    def as_array(self, what: str) -> Any:
        """Return an array or a tensor as a NumPy array."""
        if self._family is None or self._family.as_array is None:
            self.fail(what)
        ask_for_cells(self.value, with_rows=False)
        numpy = needed("numpy", "an array")
        array, lost = self._family.as_array(self.value)
        self.lost += lost
        if isinstance(array, numpy.ma.MaskedArray):
            self.lost.append("its mask")
            array = array.data
        array = numpy.asarray(array)
        if array.dtype.hasobject:
            self.fail(f"{what}: it contains Python objects")
        return array

    def has_nan_as_null(self, table: Any) -> bool:
        """Tell whether NaN in the value has become null in its table."""
        again = table_with_nan(self.value, table)
        return _count_of_nulls(again) < _count_of_nulls(table)

    def as_png(self, what: str) -> bytes:
        """Return a picture as PNG."""
        if self._family is None or self._family.as_png is None:
            self.fail(what)
        return self._family.as_png(self.value)


def _ask_for_objects(*columns: Any) -> None:
    """Ask for the memory of columns of Arrow as objects of Python."""
    ask(sum(memory_of(each, objects=True, least=CELL) for each in columns))


def _labels_of(value: Any) -> Sequence[object]:
    # In most formats, a table with a schema can have columns of the same name.
    has_labels = hasattr(value, "columns") and not hasattr(value, "schema")
    return list(value.columns) if has_labels else ()


def _duplicate(names: Sequence[object]) -> str:
    """Return a name that occurs more than once, as text; empty if there is none."""
    counts = Counter(map(str, names))
    return next((name for name, count in counts.items() if count > 1), "")


def _to_csv(conversion: Conversion) -> bytes:
    table = _with_texts(with_named_index(conversion.as_table("CSV")))
    pyarrow, csv = imported("pyarrow"), imported("pyarrow.csv")
    for number, name in enumerate(table.column_names):
        if not _is_of_csv(table.select([number])):
            column = table.column(number)
            kind = getattr(column.type, "storage_type", column.type)
            if pyarrow.types.is_nested(kind) or _has_bytes(column.type):
                conversion.lost.append(_type_of_column(name, column.type))
            _ask_for_objects(column)
            cells = column.to_pylist()
            texts = [None if cell is None else str(cell) for cell in cells]
            table = table.set_column(
                number, name, pyarrow.array(texts, pyarrow.string())
            )
    if table.num_columns == 1 and table.column(0).null_count:
        conversion.lost.append("the nulls of its only column (written as empty lines)")
    # It writes many rows at once.
    ask(sum(memory_of(column, objects=False) for column in table.columns))
    file = MemoryFile()
    csv.write_csv(table, file)
    return file.getvalue()


def _is_of_csv(column: Any) -> bool:
    """Tell whether Arrow writes the only column of a table as CSV, and all it says."""
    pyarrow = imported("pyarrow")
    try:
        imported("pyarrow.csv").write_csv(column.slice(0, 1), io.BytesIO())
    except pyarrow.ArrowException:
        return False
    # Of spans it writes the numbers, without their unit.
    return not pyarrow.types.is_duration(column.schema.types[0])


def _with_texts(table: Any) -> Any:
    """Return the table with periods and intervals of pandas as their texts."""
    pyarrow = imported("pyarrow")
    for number, field in enumerate(table.schema):
        # To Arrow, their cells are the numbers that they are stored as.
        if getattr(field.type, "extension_name", "").startswith("pandas."):
            column = table.column(number)
            ask(_SPAN * len(column))
            cells = zip(column.to_pandas(), column.is_valid().to_pylist(), strict=True)
            texts = [str(cell) if is_valid else None for cell, is_valid in cells]
            array = pyarrow.array(texts, pyarrow.string())
            table = table.set_column(number, field.name, array)
    return table


def _has_bytes(kind: Any) -> bool:
    # By its text, as there are five such types, one of them not in older versions.
    return "binary" in str(kind)


def _type_of_column(name: str, kind: object) -> str:
    return f"the type of column {name} ({kind})"


def _to_parquet(conversion: Conversion) -> bytes:
    table = conversion.as_table("Parquet")
    sizes = (memory_of(column, objects=False) for column in table.columns)
    ask(sum(sizes) + _WRITTEN * table.num_columns)
    file = MemoryFile()
    try:
        imported("pyarrow.parquet").write_table(table, file)
    except imported("pyarrow").ArrowException as error:
        conversion.fail(f"Parquet: {error}")
    return file.getvalue()


def _to_npy(conversion: Conversion) -> bytes:
    numpy = needed("numpy", "NPY")
    if conversion.is_frame:
        conversion.lost.append("the names and types of its columns")
        columns = conversion.as_table("NPY").columns
        _ask_for_objects(*columns)
        arrays = [column.to_numpy() for column in columns]
        try:
            array = numpy.column_stack(arrays) if arrays else numpy.empty((0, 0))
        except TypeError:  # numbers and dates
            array = numpy.empty((0, 0), object)
        if array.dtype.hasobject:
            conversion.fail("NPY: its columns have no common type")
    else:
        array = conversion.as_array("NPY: not an array")
    file = MemoryFile()
    numpy.save(file, array, allow_pickle=False)
    return file.getvalue()


def _to_json(conversion: Conversion) -> bytes:
    if conversion.is_frame:
        value = _records(conversion)
    elif conversion.is_array:
        array = conversion.as_array("JSON")
        if str(array.dtype) not in _DTYPES_OF_LISTS:
            conversion.lost.append(f"its dtype {array.dtype}")
        if array.dtype.kind not in "biufUmM":
            conversion.fail(f"JSON: its dtype is {array.dtype}")
        # A list for each row, too, where there are some without cells.
        lengths = itertools.takewhile(bool, array.shape)
        ask(_NUMBER * sum(itertools.accumulate(lengths, operator.mul)))
        value = array.tolist()
    else:
        value = conversion.value
    lost: dict[str, None] = {}
    try:
        plain = json_value(value, lost)
    except NotJsonError as error:
        conversion.fail(f"JSON: {error}")
    conversion.lost += lost
    file = MemoryFile()
    for part in json.JSONEncoder(indent=2).iterencode(plain):
        file.write(part.encode())
    file.write(b"\n")
    return file.getvalue()


def _records(conversion: Conversion) -> list[dict[str, Any]]:
    table = with_named_index(conversion.as_table("JSON"))
    if name := _duplicate(table.column_names):
        conversion.fail(f"JSON: two of its columns are called {name}")
    for field in table.schema:
        if str(field.type) not in _JSON_TYPES:
            conversion.lost.append(_type_of_column(field.name, field.type))
    if conversion.has_nan_as_null(table):
        conversion.lost.append(written_as_null(math.nan))
    ask(_ROW * table.num_rows)
    _ask_for_objects(*table.columns)
    records: list[dict[str, Any]] = _with_texts(table).to_pylist()
    return records


def _to_txt(conversion: Conversion) -> bytes:
    value = conversion.value
    ask_for_objects(value)
    if not isinstance(value, str):
        if conversion.is_frame or conversion.is_array or conversion.is_picture:
            conversion.fail("text: its text does not contain all of it")
        conversion.lost.append(f"its type ({type(value).__name__})")
    try:
        return str(value).encode()
    except UnicodeEncodeError:
        conversion.lost.append("its lone surrogates")
        return str(value).encode(errors="replace")


def _to_bin(conversion: Conversion) -> bytes:
    if not isinstance(conversion.value, (bytes, bytearray)):
        conversion.fail("raw bytes")
    ask(len(conversion.value))
    return bytes(conversion.value)


def _to_png(conversion: Conversion) -> bytes:
    return conversion.as_png("PNG: not a picture")


CONVERSIONS: Mapping[str, Callable[[Conversion], bytes]] = {
    ".csv": _to_csv,
    ".parquet": _to_parquet,
    ".npy": _to_npy,
    ".json": _to_json,
    ".txt": _to_txt,
    ".bin": _to_bin,
    ".png": _to_png,
}


def _count_of_nulls(table: Any) -> int:
    return sum(column.null_count for column in table.columns)
