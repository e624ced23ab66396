"""Arrow tables and chunked arrays that are no single Arrow file, as their parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from checkpoints._kinds.arrow_table import encode_table
from checkpoints._kinds.kind import Compound
from checkpoints._kinds.pickled import Pickled
from checkpoints._process.libraries import needed

__all__ = ["BATCH_OF_COLUMNS", "CHUNKS", "TABLE_OF_COLUMNS"]


def _columns_of(table: Any) -> dict[str, Any]:
    """Take a table apart so that each column is saved, or pickled, by itself."""
    fields = [[field.name, field.nullable, field.metadata] for field in table.schema]
    return {
        "columns": table.columns,
        "fields": fields,
        "metadata": table.schema.metadata,
    }


def _from_columns(name: str) -> Callable[[dict[str, Any]], Any]:
    def put_together(parts: dict[str, Any]) -> Any:
        pyarrow = needed("pyarrow", "loading a table")
        columns = _with_placeholders(parts["columns"])
        fields = [
            pyarrow.field(label, column.type, nullable, metadata)
            for column, (label, nullable, metadata) in zip(
                columns, parts["fields"], strict=True
            )
        ]
        schema = pyarrow.schema(fields, parts["metadata"])
        return getattr(pyarrow, name).from_arrays(columns, schema=schema)

    return put_together


def _with_placeholders(columns: list[Any]) -> list[Any]:
    """Return the columns, with a text in each row of one that is a pickle."""
    import pyarrow

    # If all are pickles, nothing says how many rows there are.
    rows = min([len(each) for each in columns if not isinstance(each, Pickled)])
    # One run takes little memory, however many rows a forged file claims to have.
    ends = [rows] if rows else []
    kind = pyarrow.run_end_encoded(pyarrow.int64(), pyarrow.string())
    return [
        pyarrow.RunEndEncodedArray.from_arrays(ends, [repr(column)] * len(ends), kind)
        if isinstance(column, Pickled)
        else column
        for column in columns
    ]


def _chunks_of(column: Any) -> dict[str, Any]:
    import pyarrow

    # If the type is what cannot be saved, one pickle is enough.
    encode_table(pyarrow.table({"": pyarrow.chunked_array([], column.type)}))
    return {"type": column.type, "chunks": column.chunks}


def _from_chunks(parts: dict[str, Any]) -> Any:
    pyarrow = needed("pyarrow", "loading a column")
    return pyarrow.chunked_array(parts["chunks"], parts["type"])


TABLE_OF_COLUMNS = Compound(
    kind="pyarrow.table_of_columns",
    take_apart=_columns_of,
    put_together=_from_columns("Table"),
    package="pyarrow",
)
BATCH_OF_COLUMNS = Compound(
    kind="pyarrow.batch_of_columns",
    take_apart=_columns_of,
    put_together=_from_columns("RecordBatch"),
    package="pyarrow",
)
CHUNKS = Compound(
    kind="pyarrow.chunks",
    take_apart=_chunks_of,
    put_together=_from_chunks,
    package="pyarrow",
)
