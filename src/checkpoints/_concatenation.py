"""A value of many entries as one table, by way of Arrow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from typing import Any

from checkpoints._columns import (
    as_library,
    column_names,
    import_pyarrow,
    typed_column,
)
from checkpoints._entry import Entry
from checkpoints._listing import Listing
from checkpoints._part_table import table_of
from checkpoints._shown import shown
from checkpoints.errors import (
    ConfigError,
    CorruptFileError,
    FormatError,
    UnknownValueError,
)

__all__ = ["concatenated"]

_WITHOUT_DAMAGE = (
    "To go on without the files that are damaged: bad = dict(verify(root).damaged), "
    "and found[[entry.path not in bad for entry in found]] of the index found"
)
_LIBRARIES = ("pandas", "polars", "arrow")


def concatenated(
    listing: Listing,
    value: str,
    *,
    to: str | None,
    trusted: bool,
    why_empty: Callable[[], str],
) -> Any:
    """Return one table of a value of all files; `Index.concat` says more."""
    if to is not None and to not in _LIBRARIES:
        message = f"to={shown(to)} is not known: it is one of {', '.join(_LIBRARIES)}"
        raise ConfigError(message)
    if not len(listing):
        message = f"there is no entry to take {shown(value)} of: {why_empty()}"
        raise UnknownValueError(message)
    parts = _Parts(value)
    for entry in listing:
        try:
            found = entry.load(value, trusted=trusted)[value]
            parts.add(entry, found)
        except CorruptFileError as error:
            error.add_note(_WITHOUT_DAMAGE)
            raise
        to = to or _library_of(found)
    return as_library(to or _library_of(None), parts.joined())


class _Parts:
    """What each entry brings, until all is there."""

    def __init__(self, value: str) -> None:
        self._value = value
        self._names: list[str] = []
        self._tags: list[dict[str, Any]] = []
        self._tables: list[Any] = []
        self._schema: Any = None

    def add(self, entry: Entry, found: Any) -> None:
        pyarrow = import_pyarrow()
        try:
            table = table_of(self._value, found)
            known = table.schema if self._schema is None else self._schema
            self._schema = pyarrow.unify_schemas(
                [known, table.schema], promote_options="permissive"
            )
        except (pyarrow.ArrowException, TypeError, ValueError) as error:
            message = (
                f"{entry.path}: value {self._value!r}, of type {type(found).__name__}, "
                f"does not become a part of one table: {error}. Narrow the index by "
                "where(...) to entries whose values fit, or load them one by one"
            )
            raise FormatError(message) from error
        self._names.append(entry.fullname)
        self._tags.append(dict(entry.meta["tags"]))
        self._tables.append(_in_own_memory(table))

    def joined(self) -> dict[str, Any]:
        pyarrow = import_pyarrow()
        lengths = [table.num_rows for table in self._tables]
        table = pyarrow.concat_tables(self._tables, promote_options="permissive")
        self._tables.clear()
        columns = {
            column: _repeated(values, lengths)
            for column, values in self._beside(table.column_names)
        }
        return {**columns, **dict(zip(table.column_names, table.columns, strict=True))}

    def _beside(self, taken: Sequence[str]) -> Iterator[tuple[str, list[Any]]]:
        """Yield the columns that tell of the entries, with a value for each entry."""
        if len(set(self._names)) > 1:
            (column,) = column_names(["name"], taken).values()
            yield column, self._names
            taken = [*taken, column]
        tags = {tag: None for pairs in self._tags for tag in pairs}
        for tag, column in column_names(tags, taken).items():
            yield column, [pairs.get(tag) for pairs in self._tags]


def _repeated(values: Sequence[Any], lengths: Sequence[int]) -> Any:
    pyarrow = import_pyarrow()
    column = typed_column(values)
    chunks = [
        pyarrow.repeat(column[number], length) for number, length in enumerate(lengths)
    ]
    return pyarrow.chunked_array(chunks, column.type)


def _in_own_memory(table: Any) -> Any:
    """Return a table each of whose columns can be given up alone."""
    pyarrow = import_pyarrow()
    columns = [
        pyarrow.chunked_array([pyarrow.concat_arrays(column.chunks)], column.type)
        if column.num_chunks
        else column
        for column in table.columns
    ]
    return pyarrow.table(columns, schema=table.schema)


def _library_of(found: object) -> str:
    """Return the library that a value is of; one that is there, if it is of none."""
    library = type(found).__module__.partition(".")[0]
    if library in ("pandas", "polars"):
        return library
    if library == "pyarrow":
        return "arrow"
    return next((name for name in ("pandas", "polars") if find_spec(name)), "arrow")
