"""The contents of a file that holds a single table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from checkpoints._files.container import header_for
from checkpoints._files.parquet import to_parquet
from checkpoints._keys.key import Key
from checkpoints._kinds.tables import to_table
from checkpoints.errors import FormatError
from checkpoints.storage._store import Piece

__all__ = ["table_contents"]


def table_contents(
    key: Key, values: Mapping[str, Any], compression: str | None
) -> tuple[int, Iterator[Piece]]:
    """
    Return the size and the pieces of a Parquet file.

    Raises:
        FormatError: If there is not exactly one value, or it cannot be saved as a
            table.
    """
    if len(values) != 1:
        message = (
            f"{len(values)} values cannot be saved as Parquet, which holds one "
            "table: save one at a time, or use format='zip'"
        )
        raise FormatError(message)
    ((name, value),) = values.items()
    table, node, package = to_table(name, value)
    header, _ = header_for(key, {name: node}, {package, "pyarrow"})
    data = to_parquet(table, header, compression)
    return len(data), iter([(0, data)])
