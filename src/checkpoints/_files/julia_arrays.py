"""Arrays, numbers and tables of Python's libraries as values of Julia."""

from __future__ import annotations

from typing import Any

from checkpoints._files.julia_encoder import JuliaArray, JuliaStruct
from checkpoints._files.julia_types import NUMBERS, PERIODS, JuliaType, named
from checkpoints._kinds.families import family_of
from checkpoints._kinds.pickled import type_name
from checkpoints._process.libraries import needed
from checkpoints.errors import FormatError

__all__ = ["JuliaValues"]

_KINDS = {code[1:]: named(name) for name, code in NUMBERS.items()}
_KINDS |= {"b1": named("Bool"), "U": named("String")}
_KINDS |= {f"c{2 * n}": named("Complex", named(f"Float{8 * n}")) for n in (4, 8)}
_UNITS = {unit: named(name) for name, unit in PERIODS.items()}
_NATIVE = ("Int64", "Float64", "Bool")
# What 1970-01-01 counts, as Julia counts from its first day.
_FIRSTS = {
    "D": (named("Dates.Date"), 719_163),
    "ms": (named("Dates.DateTime"), 719_163 * 86_400_000),
}
_MISSING = JuliaStruct(named("Missing"), [])
_WAY_OUT = "save what it holds as dicts, lists and arrays, or use format='zip'"


class JuliaValues:
    """
    Turns values of libraries into those that Julia has.

    Attributes:
        changed: The types of tables that it took apart.
    """

    def __init__(self) -> None:
        self.changed: set[str] = set()

    def __call__(self, value: Any) -> Any:
        """
        Return a value of a library, such as an array, as one that Julia has.

        Raises:
            FormatError: If Julia has no word for it.
        """
        if type(value) is bytearray:
            return bytes(value)
        family = family_of(type(value))
        if family is not None and "numpy" in family.packages:
            return _of_numpy(value)
        if family is not None and family.as_array is not None:
            array, lost = family.as_array(value)
            if not lost:
                return _array(array)
        if family is not None and family.as_table is not None:
            self.changed.add(type_name(value))
            try:
                table = family.as_table(value, None)
            except (TypeError, ValueError) as error:  # those of Arrow are such
                raise FormatError(
                    f"the columns of this {type_name(value)} are not those of an Arrow "
                    f"table ({error}): {_WAY_OUT}"
                ) from error
            return _columns(table, value)
        raise FormatError(f"Julia has no word for a {type_name(value)}: {_WAY_OUT}")


def _of_numpy(value: Any) -> Any:
    numpy = needed("numpy", "an array")
    if type(value) in (numpy.ndarray, numpy.memmap):
        return _array(value)
    if not isinstance(value, numpy.generic):
        raise FormatError(f"Julia has no word for a {type_name(value)}: {_WAY_OUT}")
    array = _array(numpy.asarray(value))
    if array.kind.name in _NATIVE:
        return value.item()
    if isinstance(array.data, list):
        return array.data[0]
    return _scalar(array.kind, bytes(array.data))


def _scalar(kind: JuliaType, data: bytes) -> Any:
    """Return the only element of an array by itself."""
    if kind.name in NUMBERS:
        return JuliaStruct(kind, data)
    if kind.name == "Complex":
        (of,), half = kind.params, len(data) // 2
        return JuliaStruct(kind, [_part(of, data[:half]), _part(of, data[half:])])
    count = int.from_bytes(data, "little", signed=True)
    if kind.name in PERIODS:
        return JuliaStruct(kind, [count])
    unit = named("Dates.Day" if kind.name == "Dates.Date" else "Dates.Millisecond")
    instant = named("Dates.UTInstant", unit)
    return JuliaStruct(kind, [JuliaStruct(instant, [JuliaStruct(unit, [count])])])


def _part(kind: JuliaType, data: bytes) -> Any:
    numpy = needed("numpy", "a number")
    if kind.name in _NATIVE:
        return numpy.frombuffer(data, NUMBERS[kind.name])[0].item()
    return JuliaStruct(kind, data)


def _array(array: Any) -> JuliaArray:
    """Return an array of NumPy; its memory is shared if Julia's would be the same."""
    numpy = needed("numpy", "an array")
    dtype = array.dtype
    if dtype.hasobject:
        kind: JuliaType | None = named("Any")
    elif dtype.kind in "mM":
        array, kind = _times(array)
    elif dtype.kind == "U":
        kind = _KINDS["U"]
    else:
        kind = _KINDS.get(f"{dtype.kind}{dtype.itemsize}")
    if kind is None:
        raise FormatError(f"Julia has no type like the dtype {dtype}: {_WAY_OUT}")
    if kind.name in ("Any", "String"):
        # In the order of Julia's memory, in which the first dimension comes first.
        return JuliaArray(kind, array.shape, array.ravel(order="F").tolist())
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    memory = little.ravel(order="F")
    if not memory.flags.c_contiguous:
        memory = memory.copy()
    return JuliaArray(kind, array.shape, memory.view(numpy.uint8).data)


def _times(array: Any) -> tuple[Any, JuliaType]:
    """Return dates, times or spans as the integers that Julia counts them with."""
    numpy = needed("numpy", "an array")
    unit, step = numpy.datetime_data(array.dtype)
    if numpy.isnat(array).any():
        raise FormatError(
            "NaT has no like among the times of Julia: save value.astype(object)"
        )
    if array.dtype.kind == "m":
        if step != 1 or unit not in _UNITS:
            raise FormatError(f"Julia has no spans like the dtype {array.dtype}")
        return array.astype("<i8"), _UNITS[unit]
    wanted = "D" if unit == "D" and step == 1 else "ms"
    found = array.astype(f"M8[{wanted}]")
    if (found.astype(array.dtype) != array).any() or unit == "generic":
        raise FormatError(
            "the DateTime of Julia has milliseconds, and these times have parts of "
            "them: round them with value.astype('M8[ms]')"
        )
    kind, first = _FIRSTS[wanted]
    counts = found.astype("<i8") + first
    if (counts < found.astype("<i8")).any():
        raise FormatError(f"its times are later than those of Julia: {_WAY_OUT}")
    return counts, kind


def _columns(table: Any, value: Any) -> Any:
    """Return a table as a dict of its columns; a series as its only one."""
    if table is None:
        raise FormatError(f"Julia has no word for a {type_name(value)}: {_WAY_OUT}")
    if len(set(table.column_names)) != table.num_columns:
        raise FormatError("its columns share a name, and those of a dict cannot")
    columns = list(map(_column, table.columns))
    # Those of Arrow have no shape.
    is_series = len(getattr(value, "shape", (0,))) == 1 and len(columns) == 1
    if is_series:
        return columns[0]
    return dict(zip(table.column_names, columns, strict=True))


def _column(column: Any) -> Any:
    types, kind = needed("pyarrow", "a table").types, column.type
    if getattr(kind, "tz", None):
        raise FormatError(
            "the DateTime of Julia has no time zone: convert the column to UTC, and "
            "drop its zone"
        )
    is_number = types.is_integer(kind) or types.is_floating(kind)
    is_time = types.is_date32(kind) or types.is_timestamp(kind)
    is_time = is_time or types.is_duration(kind)
    if not column.null_count and (is_number or is_time or types.is_boolean(kind)):
        return column.to_numpy()
    column = _in_microseconds(column)
    items = [_MISSING if it is None else it for it in column.to_pylist()]
    is_text = types.is_string(kind) or types.is_large_string(kind)
    if is_text and not column.null_count:
        return JuliaArray(named("String"), (len(items),), items)
    return items


def _in_microseconds(column: Any) -> Any:
    """Return a column of times as those that Python has; of others, itself."""
    pyarrow = needed("pyarrow", "a table")
    name, _, unit = str(column.type).partition("[")
    if name not in ("timestamp", "duration", "time64") or unit != "ns]":
        return column
    try:
        return column.cast(getattr(pyarrow, name)("us"))
    except pyarrow.ArrowInvalid as error:
        raise FormatError(
            f"a column of times has parts of microseconds ({error}): round it"
        ) from error
