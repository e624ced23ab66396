"""A value converted to a file of another format, and what is lost by that."""

from __future__ import annotations

import io
import itertools
import json
import math
import operator
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from checkpoints._kinds.arrow_memory import memory_of
from checkpoints._kinds.families import family_of
from checkpoints._kinds.spread import ask_for_cells, ask_for_objects
from checkpoints._kinds.tables import as_table, with_named_index
from checkpoints._process.budget import ask
from checkpoints._process.libraries import imported, needed
from checkpoints._show.memory_file import MemoryFile

__all__ = [
    "CONVERSIONS",
    "Conversion",
    "UnfitError",
    "frame_as_table",
]

# The dtypes that NumPy gives an array made of a list, and Arrow's types that JSON has.
_DTYPES_OF_LISTS = ("bool", "int64", "float64")
_JSON_TYPES = ("bool", "int64", "double", "string", "large_string", "string_view")
_MODULES_WRITTEN_AS_TEXT = ("builtins", "datetime", "decimal", "uuid")
_MOST_DIMENSIONS = 2
# What is taken, in bytes, as measured: by a number or a list in a list, by a cell in
# an object for JSON or as text, by the dict of a row, and by a column of Arrow.
_NUMBER, _CELL, _ROW, _COLUMN = 72, 100, 300, 2000
# What takes little meanwhile is not asked for.
_LONG = 100_000


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
        """The suffixes of files for values of this kind, the best one first."""
        if self.is_frame:
            return ".csv", ".parquet", ".json", ".npy"
        if self.is_array:
            return ".npy", ".csv", ".parquet", ".json"
        if self.is_picture:
            return (".png",)
        if isinstance(self.value, (bytes, bytearray)):
            return (".bin",)
        return (".txt", ".json") if isinstance(self.value, str) else (".json", ".txt")

    def fail(self, what: str) -> NoReturn:
        """
        Give up the conversion.

        Args:
            what: The format, and why it is impossible.

        Raises:
            UnfitError: Always.
        """
        raise UnfitError(f"cannot write {_a(self.value)} as {what}")

    def as_table(self, what: str) -> Any:
        """Return a frame, a series, or a one- or two-dimensional array for Arrow."""
        ask_for_cells(self.value)
        pyarrow = needed("pyarrow", what)
        try:
            if self.is_frame:
                return self._frame_as_table(what)
            array = self.as_array(what)
            if not 1 <= array.ndim <= _MOST_DIMENSIONS or array.dtype.names:
                self.fail(f"{what}: it has no rows and columns")
            columns = array.reshape(len(array), -1).T if array.size else []
            ask(_COLUMN * len(columns))
            named = {str(number): column for number, column in enumerate(columns)}
            return pyarrow.table(named)
        except (pyarrow.ArrowException, TypeError, ValueError) as error:
            self.fail(f"{what}: Arrow cannot represent it ({error})")

    def _frame_as_table(self, what: str) -> Any:
        if getattr(self.value, "attrs", None):
            self.lost.append("its attrs")
        if name := _duplicate(_labels_of(self.value)):
            self.fail(f"{what}: two of its columns are called {name}")
        table = frame_as_table(self.value)
        if table is None:
            self.fail(f"{what}: it has no rows and columns")
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

    def has_nan_as_null(self) -> bool:
        """Tell whether NaN in the value becomes null in its table."""
        nan_as_null = self._family.nan_as_null if self._family is not None else None
        return nan_as_null is not None and nan_as_null(self.value)

    def as_png(self, what: str) -> bytes:
        """Return a picture as PNG."""
        if self._family is None or self._family.as_png is None:
            self.fail(what)
        return self._family.as_png(self.value)


def _ask_for_objects(*columns: Any) -> None:
    """Ask for the memory of columns of Arrow as objects of Python."""
    ask(sum(memory_of(each, objects=True, least=_CELL) for each in columns))


def _a(value: object) -> str:
    name = type(value).__name__
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


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
        try:
            csv.write_csv(table.select([number]).slice(0, 1), io.BytesIO())
        except pyarrow.ArrowException:
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


def _with_texts(table: Any) -> Any:
    """Return the table with periods and intervals of pandas as their texts."""
    pyarrow = imported("pyarrow")
    for number, field in enumerate(table.schema):
        # To Arrow, their cells are the numbers that they are stored as.
        if getattr(field.type, "extension_name", "").startswith("pandas."):
            column = table.column(number)
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
    ask(sum(memory_of(column, objects=False) for column in table.columns))
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
    plain = _plain(conversion, value, lost)
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
    if conversion.has_nan_as_null():
        conversion.lost.append(_written_as_null(math.nan))
    ask(_ROW * table.num_rows)
    _ask_for_objects(*table.columns)
    records: list[dict[str, Any]] = _with_texts(table).to_pylist()
    return records


def _written_as_null(number: float) -> str:
    return f"{number} (written as null)"


def _plain(conversion: Conversion, value: Any, lost: dict[str, None]) -> Any:
    """Return a value as JSON can represent it; note what is lost by that."""
    if isinstance(value, str) and len(value) > _LONG:
        # As JSON, and encoded, until it is written.
        slices = (value[at : at + _LONG] for at in range(0, len(value), _LONG))
        ask(2 * sum(len(json.dumps(each)) for each in slices))
    if value is None or type(value) in (bool, int, str):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            lost[_written_as_null(value)] = None
        return value if math.isfinite(value) else None
    if isinstance(value, (Mapping, list, tuple, set, frozenset)):
        ask(_CELL * (1 + len(value)))
    if isinstance(value, Mapping):
        return _plain_keys(conversion, value, lost)
    if isinstance(value, (list, tuple, set, frozenset)):
        if not isinstance(value, list):
            lost[f"the type of {_a(value)} (written as a list)"] = None
        return [_plain(conversion, element, lost) for element in value]
    text = _as_text(value)
    if text is None:
        conversion.fail(f"JSON: it contains {_a(value)}")
    lost[f"the type of {_a(value)} (written as text)"] = None
    return text


def _as_text(value: Any) -> str | None:
    """Return the text for a value that JSON has no type for; None if it has none."""
    family = family_of(type(value))
    if family is not None and family.as_text is not None:
        return family.as_text(value)
    if type(value).__module__.partition(".")[0] not in _MODULES_WRITTEN_AS_TEXT:
        return None
    return str(value.isoformat() if hasattr(value, "isoformat") else value)


def _plain_keys(
    conversion: Conversion, value: Mapping[Any, Any], lost: dict[str, None]
) -> dict[str, Any]:
    if not all(isinstance(key, str) for key in value):
        lost["the types of its keys (written as text)"] = None
    if len({str(key) for key in value}) < len(value):
        conversion.fail("JSON: two of its keys have the same text")
    return {str(key): _plain(conversion, item, lost) for key, item in value.items()}


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


def frame_as_table(value: object) -> Any:
    """
    Return a frame, a series, or an Arrow array as an Arrow table.

    Raises:
        Exception: If Arrow cannot represent it.
    """
    with warnings.catch_warnings():
        # About column names that are partly numbers: all of them become texts.
        warnings.simplefilter("ignore", UserWarning)
        return as_table(value)
