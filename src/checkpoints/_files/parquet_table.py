"""
The table in a Parquet file: written, and read back exactly.

Parquet has fewer types than Arrow. The types that a table had are in the file, as all
readers of Arrow know it, and are restored from there. What would still be different is
found when the table is saved.
"""

from __future__ import annotations

import base64
import itertools
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from checkpoints._files.parquet_pages import Claims, claims_of
from checkpoints._kinds.arrow_equality import is_identical, is_same_schema
from checkpoints._kinds.arrow_table import with_chunks_of
from checkpoints._kinds.arrow_types import is_fixed, width_of
from checkpoints._process.budget import Budget
from checkpoints._process.libraries import imported, needed
from checkpoints.errors import FormatError

__all__ = ["import_parquet", "read_table", "write_table"]

_WAY_OUT = "use format='zip', which accepts any value"
# Parquet's compliant names for the elements of lists are not the given ones.
_EXACT = {"use_compliant_nested_type": False}
# The batch size of pyarrow itself, so that the chunks are the same.
_ROWS = 1 << 17
# For types of variable size, where a few rows can take a lot of memory.
_FEW_ROWS = 1 << 10
# Of the memory that is left, what a batch of rows may take before it is counted.
_SHARE = 16
# Arrow makes room for up to twice the text that it reads.
_ROOM = 2


def write_table(
    table: Any, metadata: Mapping[bytes, bytes], compression: str | None
) -> Any:
    """
    Write a table as a Parquet file, from which `read_table` gets it back exactly.

    Args:
        table: A `pyarrow.Table`.
        metadata: For the file, in addition to the table's own.
        compression: None, `"zstd"` or `"gzip"`.

    Returns:
        The bytes of the file, a `pyarrow.Buffer`.

    Raises:
        FormatError: If Parquet cannot store the table exactly.
    """
    try:
        # A table that loading would reject is rejected now.
        table.validate(full=True)
        written = _written(table, metadata, compression)
        changed = _changed_column(table, written)
    except MemoryError:
        raise
    except Exception as error:
        column = _unfit_column(table)
        raise FormatError(
            f"Parquet cannot store {column} ({error}): {_WAY_OUT}"
        ) from error
    if changed is not None:
        raise FormatError(f"Parquet would change {changed}: {_WAY_OUT}")
    return written


def _written(
    table: Any, metadata: Mapping[bytes, bytes], compression: str | None
) -> Any:
    pyarrow = import_parquet()
    sink = pyarrow.BufferOutputStream()
    with pyarrow.parquet.ParquetWriter(
        sink, table.schema, compression=compression or "none", **_EXACT
    ) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata(metadata)
    return sink.getvalue()


def _unfit_column(table: Any) -> str:
    """Return in words which column cannot be written and read at all."""
    for position, name in enumerate(table.column_names):
        try:
            column = table.select([position])
            column.validate(full=True)
            read_table(_written(column, {}, None), Budget("a table"))
        except Exception:  # noqa: BLE001 - whatever it is, it is this column's
            return f"column {name!r}"
    return "the table"


def _changed_column(table: Any, written: Any) -> str | None:
    """Return in words what reading the file would change; None if nothing."""
    pyarrow = import_parquet()
    schema = _schemas(pyarrow.parquet.ParquetFile(written))[1]
    for known, changed in zip(table.schema, schema, strict=True):
        if not is_same_schema(pyarrow.schema([known]), pyarrow.schema([changed])):
            return (
                f"the type of column {known.name!r} from {known.type} to {changed.type}"
            )
    if not is_same_schema(table.schema, schema):
        return "the metadata of the table"
    if all(map(_is_plain, table.schema, table.columns)):
        return None
    found = with_chunks_of(table, read_table(written, Budget("a table")))
    for name, known, changed in zip(
        table.column_names, table.columns, found.columns, strict=True
    ):
        if not is_identical(known, changed):
            return f"values of column {name!r}"
    return None


def _is_plain(field: Any, column: Any) -> bool:
    """
    Return whether Parquet is known to keep a column of valid values exactly.

    Large tables mostly have such columns, and are not read back after they are written.
    """
    kind, types = field.type, import_parquet().types
    if not field.nullable and column.null_count:
        return False
    if types.is_float32(kind) or types.is_float64(kind):
        compute = imported("pyarrow.compute")
        return not compute.any(compute.is_nan(column)).as_py()
    is_whole = types.is_integer(kind) or types.is_boolean(kind)
    is_text = types.is_string(kind) or types.is_large_string(kind)
    is_time = types.is_timestamp(kind) and kind.unit != "s"
    return bool(is_whole or is_text or is_time)


def read_table(data: Any, budget: Budget) -> Any:
    """
    Read the table of a Parquet file.

    Args:
        data: The bytes of the file.
        budget: The memory that the table may take.

    Raises:
        TooLargeError: If it takes more memory.
    """
    pyarrow = import_parquet()
    file = pyarrow.parquet.ParquetFile(pyarrow.py_buffer(data))
    stored, schema = _schemas(file)
    least = file.metadata.num_rows * sum(map(width_of, stored.types))
    budget.check(int(least), f"its {file.metadata.num_rows:,} rows")
    if all(map(is_fixed, stored.types)):
        batches = _batches(file, _ROWS, budget, 1)
    else:
        batches = _joined(file, budget, claims_of(data, stored))
    table = pyarrow.Table.from_batches(batches, stored)
    # Else text that is not UTF-8, for example, would fail only when it is used.
    table.validate(full=True)
    if schema is stored:
        return table
    columns = map(_with_type, table.columns, schema.types)
    return pyarrow.Table.from_arrays(list(columns), schema=schema)


def _schemas(file: Any) -> tuple[Any, Any]:
    """Return the schema of a file as it is read, and as it was saved."""
    pyarrow = import_parquet()
    stored = file.schema_arrow
    text = (file.metadata.metadata or {}).get(b"ARROW:schema")
    if text is None:
        return stored, stored
    saved = pyarrow.ipc.read_schema(pyarrow.py_buffer(base64.b64decode(text)))
    if len(saved) != len(stored):
        return stored, stored
    types = list(map(_restored, stored.types, saved.types))
    if all(map(_is_written_alike, stored.types, types)):
        return stored, stored
    fields = [field.with_type(kind) for field, kind in zip(stored, types, strict=True)]
    return stored, pyarrow.schema(fields, stored.metadata)


def _restored(stored: Any, saved: Any) -> Any:
    """Return the type that a column had, if that takes little more memory."""
    types = import_parquet().types
    tests = (types.is_timestamp, types.is_time, types.is_date)
    is_unit = any(test(stored) and test(saved) for test in tests)
    # Two types that are equal for Arrow may have other names inside.
    is_restored = is_unit or stored.equals(saved) or _is_enlarged(stored, saved)
    return saved if is_restored else stored


def _is_enlarged(stored: Any, saved: Any) -> bool:
    """Tell whether two types are categories of text, and just the second of large."""
    pyarrow = import_parquet()
    if not all(map(pyarrow.types.is_dictionary, (stored, saved))):
        return False
    large = {
        pyarrow.string(): pyarrow.large_string(),
        pyarrow.binary(): pyarrow.large_binary(),
    }.get(stored.value_type)
    wanted = large and pyarrow.dictionary(stored.index_type, large, stored.ordered)
    return wanted is not None and bool(saved.equals(wanted))


def _with_type(column: Any, kind: Any) -> Any:
    pyarrow = import_parquet()
    if column.type.equals(kind) or not pyarrow.types.is_dictionary(kind):
        return column.cast(kind)
    chunks = [
        pyarrow.DictionaryArray.from_arrays(
            chunk.indices, chunk.dictionary.cast(kind.value_type), ordered=kind.ordered
        )
        for chunk in column.chunks
    ]
    return pyarrow.chunked_array(chunks, kind)


def _is_written_alike(one: Any, other: Any) -> bool:
    return one is other or str(one) == str(other)


def _joined(file: Any, budget: Budget, claims: Claims) -> Iterator[Any]:
    """Yield rows in few batches, read in small ones, as some may take any memory."""
    pyarrow = import_parquet()
    budget.check(claims.size, "its columns")
    rows = claims.rows_within(budget.left // _SHARE, _FEW_ROWS)
    budget.check(int(rows * claims.largest_row), "one of its rows")
    batches = _batches(file, rows, budget, _ROOM)
    before = budget.left
    while some := list(itertools.islice(batches, _ROWS // rows)):
        # Arrow measures a batch slowly, and each is measured already.
        joined, before = (before - budget.left) // _ROOM, budget.left
        budget.check(joined, "rows that are joined")
        yield from pyarrow.Table.from_batches(some).combine_chunks().to_batches()


def _batches(file: Any, rows: int, budget: Budget, room: int) -> Iterator[Any]:
    for batch in file.iter_batches(rows):
        budget.take(room * batch.nbytes, "its rows")
        yield batch


def import_parquet() -> Any:
    """Return pyarrow, with its part for Parquet."""
    # The submodule is an attribute of the package once it is imported.
    needed("pyarrow.parquet", "a Parquet file")
    # Reading a table loads it, and would do so while the process may fork.
    with suppress(ImportError):
        imported("pyarrow.dataset")
    return needed("pyarrow", "a Parquet file")
