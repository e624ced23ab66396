"""A value as a file of another kind, and what is lost on the way."""

from __future__ import annotations

import io
import json
import math
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from checkpoints._kinds.families import family_of
from checkpoints._kinds.tables import as_table, with_named_index

__all__ = [
    "CONVERSIONS",
    "Conversion",
    "UnfitError",
    "frame_as_table",
]

# What NumPy makes of a list again, and what JSON has of Arrow's types.
_OF_LISTS = ("bool", "int64", "float64")
_OF_JSON = ("bool", "int64", "double", "string", "large_string", "string_view")
_TOLD_AS_TEXT = ("builtins", "datetime", "decimal", "uuid")
_MOST_DIMENSIONS = 2


class UnfitError(Exception):
    """A value cannot be such a file, whatever is given up."""


class Conversion:
    """
    A value on its way to a file.

    Args:
        value: The value.

    Attributes:
        lost: What the file does not tell any more.
    """

    def __init__(self, value: Any) -> None:
        self.value = value
        self.lost: list[str] = []
        self._family = family_of(type(value))

    @property
    def is_frame(self) -> bool:
        """Whether it is a frame or a series."""
        family = self._family
        has_rows = family is not None and family.as_table is not None
        return has_rows and not self.is_array and hasattr(self.value, "__len__")

    @property
    def is_picture(self) -> bool:
        """Whether it is a picture."""
        return self._family is not None and self._family.as_png is not None

    @property
    def is_array(self) -> bool:
        """Whether it is an array or a tensor."""
        return self._family is not None and self._family.as_array is not None

    @property
    def suffixes(self) -> Sequence[str]:
        """The suffixes of files that take values of its kind, the best first."""
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
        Give up.

        Raises:
            UnfitError: Always.
        """
        raise UnfitError(f"{_a(self.value)} cannot be {what}")

    def as_table(self, what: str) -> Any:
        """Return a frame, a series, or an array of one or two dimensions for Arrow."""
        import pyarrow

        try:
            if self.is_frame:
                return self._frame_as_table(what)
            array = self.as_array(what)
            if not 1 <= array.ndim <= _MOST_DIMENSIONS or array.dtype.names:
                self.fail(f"{what}: it is no array of rows and columns")
            columns = array.reshape(len(array), -1).T if array.size else []
            named = {str(number): column for number, column in enumerate(columns)}
            return pyarrow.table(named)
        except (pyarrow.ArrowException, TypeError, ValueError) as error:
            self.fail(f"{what}: Arrow cannot hold it ({error})")

    def _frame_as_table(self, what: str) -> Any:
        if getattr(self.value, "attrs", None):
            self.lost.append("its attrs")
        if name := _doubled(_labels_of(self.value)):
            self.fail(f"{what}: two of its columns are called {name}")
        table = frame_as_table(self.value)
        if table is None:
            self.fail(f"{what}: it has no rows and columns")
        return table

    def as_array(self, what: str) -> Any:
        """Return an array or a tensor as a NumPy array."""
        if self._family is None or self._family.as_array is None:
            self.fail(what)
        import numpy

        array, lost = self._family.as_array(self.value)
        self.lost += lost
        if isinstance(array, numpy.ma.MaskedArray):
            self.lost.append("its mask")
            array = array.data
        array = numpy.asarray(array)
        if array.dtype.hasobject:
            self.fail(f"{what}: it holds Python objects")
        return array

    def has_nan_as_null(self) -> bool:
        """Tell whether its table has a null where it has a NaN."""
        asked = self._family.nan_as_null if self._family is not None else None
        return asked is not None and asked(self.value)

    def as_png(self, what: str) -> bytes:
        """Return a picture as PNG."""
        if self._family is None or self._family.as_png is None:
            self.fail(what)
        return self._family.as_png(self.value)


def _a(value: object) -> str:
    name = type(value).__name__
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def _labels_of(value: Any) -> Sequence[object]:
    # A table with a schema keeps columns of one name apart, in most kinds of files.
    has_labels = hasattr(value, "columns") and not hasattr(value, "schema")
    return list(value.columns) if has_labels else ()


def _doubled(names: Sequence[object]) -> str:
    """Return a name that is there twice as a text; an empty text if none is."""
    counts = Counter(map(str, names))
    return next((name for name, count in counts.items() if count > 1), "")


def _to_csv(it: Conversion) -> bytes:
    import pyarrow
    import pyarrow.csv

    table = with_named_index(it.as_table("CSV"))
    for number, name in enumerate(table.column_names):
        try:
            pyarrow.csv.write_csv(table.select([number]).slice(0, 1), io.BytesIO())
        except pyarrow.ArrowException:
            column = table.column(number)
            if pyarrow.types.is_nested(column.type) or _holds_bytes(column.type):
                it.lost.append(f"that column {name} is of {column.type}")
            texts = [None if each is None else str(each) for each in column.to_pylist()]
            table = table.set_column(
                number, name, pyarrow.array(texts, pyarrow.string())
            )
    if table.num_columns == 1 and table.column(0).null_count:
        it.lost.append("the nulls of its only column, as empty lines are no rows")
    file = io.BytesIO()
    pyarrow.csv.write_csv(table, file)
    return file.getvalue()


def _holds_bytes(kind: Any) -> bool:
    # Of which there are five types, and a view among them since late.
    return "binary" in str(kind)


def _to_parquet(it: Conversion) -> bytes:
    import pyarrow
    import pyarrow.parquet

    table = it.as_table("Parquet")
    file = io.BytesIO()
    try:
        pyarrow.parquet.write_table(table, file)
    except pyarrow.ArrowException as error:
        it.fail(f"Parquet: {error}")
    return file.getvalue()


def _to_npy(it: Conversion) -> bytes:
    import numpy

    if it.is_frame:
        it.lost.append("its columns' names and types")
        columns = it.as_table("NPY").columns
        arrays = [column.to_numpy() for column in columns]
        try:
            array = numpy.column_stack(arrays) if arrays else numpy.empty((0, 0))
        except TypeError:  # numbers and dates
            array = numpy.empty((0, 0), object)
        if array.dtype.hasobject:
            it.fail("NPY: its columns are of no common type but objects")
    else:
        array = it.as_array("NPY: it is no array")
    file = io.BytesIO()
    numpy.save(file, array, allow_pickle=False)
    return file.getvalue()


def _to_json(it: Conversion) -> bytes:
    if it.is_frame:
        value = _records(it)
    elif it.is_array:
        array = it.as_array("JSON")
        if str(array.dtype) not in _OF_LISTS:
            it.lost.append(f"its dtype {array.dtype}")
        if array.dtype.kind not in "biufUmM":
            it.fail(f"JSON: it is of {array.dtype}")
        value = array.tolist()
    else:
        value = it.value
    lost: dict[str, None] = {}
    plain = _plain(it, value, lost)
    it.lost += lost
    return (json.dumps(plain, indent=2) + "\n").encode()


def _records(it: Conversion) -> list[dict[str, Any]]:
    table = with_named_index(it.as_table("JSON"))
    if name := _doubled(table.column_names):
        it.fail(f"JSON: two of its columns are called {name}")
    for field in table.schema:
        if str(field.type) not in _OF_JSON:
            it.lost.append(f"that column {field.name} is of {field.type}")
    if it.has_nan_as_null():
        it.lost.append("that nan is a number")
    records: list[dict[str, Any]] = table.to_pylist()
    return records


def _plain(it: Conversion, value: Any, lost: dict[str, None]) -> Any:
    """Return a value as JSON has it; note what it has not."""
    if value is None or type(value) in (bool, int, str):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            lost[f"that {value} is a number"] = None
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return _plain_keys(it, value, lost)
    if isinstance(value, (list, tuple, set, frozenset)):
        if not isinstance(value, list):
            lost[f"that it holds {_a(value)}"] = None
        return [_plain(it, each, lost) for each in value]
    text = _as_text(value)
    if text is None:
        it.fail(f"JSON: it holds {_a(value)}")
    lost[f"that it holds {_a(value)}"] = None
    return text


def _as_text(value: Any) -> str | None:
    """Return the text that JSON has for what it has no word for."""
    family = family_of(type(value))
    if family is not None and family.as_text is not None:
        return family.as_text(value)
    if type(value).__module__.partition(".")[0] not in _TOLD_AS_TEXT:
        return None
    return str(value.isoformat() if hasattr(value, "isoformat") else value)


def _plain_keys(
    it: Conversion, value: Mapping[Any, Any], lost: dict[str, None]
) -> dict[str, Any]:
    if not all(isinstance(name, str) for name in value):
        lost["that keys are no texts"] = None
    if len({str(name) for name in value}) < len(value):
        it.fail("JSON: two of its keys are the same as text")
    return {str(name): _plain(it, each, lost) for name, each in value.items()}


def _to_txt(it: Conversion) -> bytes:
    if not isinstance(it.value, str):
        if it.is_frame or it.is_array or it.is_picture:
            it.fail("text: what is printed of it is not all of it")
        it.lost.append(f"that it is {_a(it.value)}")
    try:
        return str(it.value).encode()
    except UnicodeEncodeError:
        it.lost.append("its lone surrogates")
        return str(it.value).encode(errors="replace")


def _to_bin(it: Conversion) -> bytes:
    if not isinstance(it.value, (bytes, bytearray)):
        it.fail("raw bytes")
    return bytes(it.value)


def _to_png(it: Conversion) -> bytes:
    return it.as_png("PNG: it is no picture")


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
    Return a frame, a series, or an array of Arrow as an Arrow table.

    Raises:
        Exception: If Arrow cannot hold it.
    """
    with warnings.catch_warnings():
        # Of names of columns that are texts and numbers: all of them become texts.
        warnings.simplefilter("ignore", UserWarning)
        return as_table(value)
