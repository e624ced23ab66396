"""A value as a file of another kind, and what is lost on the way."""

from __future__ import annotations

import io
import json
import math
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

__all__ = [
    "CONVERSIONS",
    "Conversion",
    "UnfitError",
    "arrow_table",
    "doubled",
    "with_named_index",
]

_FRAMES = ("pandas", "polars", "pyarrow")
# What NumPy makes of a list again, and what JSON has of Arrow's types.
_OF_LISTS = ("bool", "int64", "float64")
_OF_JSON = ("bool", "int64", "double", "string", "large_string", "string_view")
_TOLD_AS_TEXT = ("builtins", "datetime", "decimal", "uuid", "pandas")
_MOST_DIMENSIONS = 2
_HALF = 2

_UNNAMED = "__index_level_"


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
        self._root = type(value).__module__.partition(".")[0]

    @property
    def is_frame(self) -> bool:
        """Whether it is a frame or a series."""
        return self._root in _FRAMES and hasattr(self.value, "__len__")

    @property
    def is_picture(self) -> bool:
        """Whether it is a picture."""
        return self._root == "PIL"

    @property
    def is_array(self) -> bool:
        """Whether it is an array or a tensor."""
        return self._root in ("numpy", "torch", "jax", "jaxlib")

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
        if self._root == "pandas" and (name := doubled(_columns_of(self.value))):
            self.fail(f"{what}: two of its columns are called {name}")
        return arrow_table(self.value)

    def as_array(self, what: str) -> Any:
        """Return an array or a tensor as a NumPy array."""
        if not self.is_array:
            self.fail(what)
        import numpy

        value = self.value
        if self._root == "torch":
            value = value.detach()
            if value.dtype.is_floating_point and value.dtype.itemsize <= _HALF:
                self.lost.append(f"its dtype {value.dtype}")
                value = value.float()
        if isinstance(value, numpy.ma.MaskedArray):
            self.lost.append("its mask")
            value = value.data
        array = numpy.asarray(value)
        if array.dtype.hasobject:
            self.fail(f"{what}: it holds Python objects")
        return array


def _a(value: object) -> str:
    name = type(value).__name__
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def _columns_of(value: Any) -> Sequence[object]:
    return list(value.columns) if hasattr(value, "columns") else ()


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
    if name := doubled(table.column_names):
        it.fail(f"JSON: two of its columns are called {name}")
    for field in table.schema:
        if str(field.type) not in _OF_JSON:
            it.lost.append(f"that column {field.name} is of {field.type}")
    if _is_pandas_with_nan(it.value):
        it.lost.append("that nan is a number")
    records: list[dict[str, Any]] = table.to_pylist()
    return records


def _is_pandas_with_nan(value: Any) -> bool:
    """Tell whether a frame of pandas has a NaN, which is a null to Arrow already."""
    if type(value).__module__.partition(".")[0] != "pandas":
        return False
    columns = [it for _, it in value.items()] if hasattr(value, "columns") else [value]
    levels = map(value.index.get_level_values, range(value.index.nlevels))
    # Where a null is none of NumPy's numbers, it is no NaN either.
    return any(
        getattr(it.dtype, "char", "") in tuple("efdg") and it.isna().any()
        for it in (*columns, *levels)
    )


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
    if type(value).__module__.partition(".")[0] not in _TOLD_AS_TEXT:
        it.fail(f"JSON: it holds {_a(value)}")
    lost[f"that it holds {_a(value)}"] = None
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


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
    if not it.is_picture:
        it.fail("PNG: it is no picture")
    file = io.BytesIO()
    it.value.save(file, "PNG")
    return file.getvalue()


CONVERSIONS: Mapping[str, Callable[[Conversion], bytes]] = {
    ".csv": _to_csv,
    ".parquet": _to_parquet,
    ".npy": _to_npy,
    ".json": _to_json,
    ".txt": _to_txt,
    ".bin": _to_bin,
    ".png": _to_png,
}


def arrow_table(value: Any) -> Any:
    """
    Return a frame, a series, or an array of Arrow as an Arrow table.

    Raises:
        TypeError, ValueError, pyarrow.ArrowException: If Arrow cannot hold it.
    """
    import pyarrow

    if isinstance(value, (pyarrow.Array, pyarrow.ChunkedArray)):
        return pyarrow.table({"value": value})
    if isinstance(value, pyarrow.RecordBatch):
        return pyarrow.Table.from_batches([value])
    frame = value.to_frame() if hasattr(value, "to_frame") else value
    if type(frame).__module__.partition(".")[0] != "pandas":
        return pyarrow.table(frame)
    with warnings.catch_warnings():
        # Of names of columns that are texts and numbers: all of them become texts.
        warnings.simplefilter("ignore", UserWarning)
        # Left to Arrow, an index that is a range is told to pandas alone.
        is_data = not _only_counts(frame.index)
        return pyarrow.Table.from_pandas(frame, preserve_index=is_data)


def _only_counts(index: Any) -> bool:
    """Tell whether an index of pandas holds nothing but the numbers of the rows."""
    if type(index).__name__ != "RangeIndex" or index.name is not None:
        return False
    return range(index.start, index.stop, index.step) == range(len(index))


def with_named_index(table: Any) -> Any:
    """Return a table in which an index without a name is called as `concat` does."""
    names = table.column_names
    unnamed = [name for name in names if name.startswith(_UNNAMED)]
    if len(unnamed) != 1 or "index" in names:
        return table
    return table.rename_columns(["index" if it in unnamed else it for it in names])


def doubled(names: Sequence[object]) -> str:
    """Return a name that is there twice as a text; an empty text if none is."""
    counts = Counter(map(str, names))
    return next((name for name, count in counts.items() if count > 1), "")
