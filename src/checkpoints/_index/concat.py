"""Loaded values as Arrow tables, and one table of those of many entries."""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from functools import partial
from importlib.util import find_spec
from typing import Any, NamedTuple

from checkpoints._files.load import load_with_meta
from checkpoints._index.entry import Entry
from checkpoints._index.library import as_library
from checkpoints._index.listing import Listing
from checkpoints._index.table import (
    column_names,
    import_pyarrow,
    tag_values,
    tags_above,
    typed_column,
)
from checkpoints._kinds.arrow_memory import COLUMN, memory_of
from checkpoints._kinds.families import family_of
from checkpoints._kinds.tables import as_table, with_named_index
from checkpoints._process.budget import Budget, ask, within
from checkpoints._process.executor import Executor, Spread
from checkpoints._text import shown
from checkpoints.errors import (
    ConfigError,
    CorruptFileError,
    FormatError,
    TooLargeError,
    UnknownValueError,
)
from checkpoints.storage._store import Store

__all__ = ["concatenated", "table_of"]

_SINGLE = (
    type(None),
    bool,
    int,
    float,
    str,
    bytes,
    datetime.date,
    datetime.time,
    datetime.timedelta,
    decimal.Decimal,
)
_EXPECTED = "a table, a series, a one-dimensional array or a single value"

_WITHOUT_DAMAGED = (
    "To leave out damaged files: bad = dict(verify(root).damaged), then "
    "found[[entry.path not in bad for entry in found]] of the index found"
)
_FEWER = "Narrow the index with where(...), or combine its entries in parts"
# The memory that a column takes besides its cells, as measured, in addition to that of
# Arrow.
_LIBRARIES = {"pandas": 3000, "polars": 1500, "arrow": 0}


def table_of(name: str, value: Any) -> Any:
    """
    Return a value as a `pyarrow.Table`, in a column of its name if it has none itself.

    Raises:
        TypeError: If it is of a type that has no rows.
        ValueError, pyarrow.ArrowException: If Arrow cannot represent it.
    """
    pyarrow = import_pyarrow()
    table = as_table(value, name)
    if table is None:
        return pyarrow.table({name: [_single(value)]})
    if len(set(table.column_names)) < table.num_columns:
        raise ValueError("two of its columns have the same name")
    return _without_views(with_named_index(table.replace_schema_metadata(None)))


def _single(value: Any) -> Any:
    """Return a value that makes a single row; raise a `TypeError` for any other."""
    if isinstance(value, datetime.time) and value.tzinfo is not None:
        raise ValueError("Arrow has no times of day with a time zone")
    if isinstance(value, _SINGLE):
        return value
    dimensions = getattr(value, "ndim", 0)
    is_deep = isinstance(dimensions, int) and dimensions > 1
    but = f", but it has {dimensions} dimensions" if is_deep else ""
    raise TypeError(f"expected {_EXPECTED}{but}")


def _without_views(table: Any) -> Any:
    """Return a table with views cast to types that Arrow can unify with others."""
    pyarrow = import_pyarrow()
    types = {
        "string_view": pyarrow.large_string(),
        "binary_view": pyarrow.large_binary(),
    }
    for number, field in enumerate(table.schema):
        if kind := types.get(str(field.type)):
            ask(memory_of(table.column(number), objects=False))
            column = table.column(number).cast(kind)
            table = table.set_column(number, field.name, column)
    return table


def concatenated(
    listing: Listing,
    value: str,
    to: str | None,
    executor: Executor | None,
    why_empty: Callable[[], str],
    *,
    trusted: bool,
) -> Any:
    """Return a value of all files as one table, as documented at `Index.concat`."""
    if to is not None and to not in _LIBRARIES:
        expected = ", ".join(map(repr, _LIBRARIES))
        raise ConfigError(f"invalid to={shown(to)}: expected one of {expected}")
    if not len(listing):
        message = f"no entry to take {shown(value)} from: {why_empty()}"
        raise UnknownValueError(message)
    spread = None if executor is None else Spread(executor)
    parts, budget = _Parts(value), Budget(listing.store.root)
    load = partial(_loaded, store=listing.store, value=value, trusted=trusted)
    try:
        for entry, part in _entries_with_parts(listing, load, budget, spread):
            parts.add(entry, part)
            size = int(part.table.nbytes) + COLUMN * part.table.num_columns
            budget.take(size, "the tables of all entries")
            to = to or part.library
        with within(budget, "one table of all entries"):
            columns = parts.joined()
            to = to or _library_of(None)
            sizes = (_size_in(to, column) for column in columns.values())
            ask(sum(sizes) + _LIBRARIES[to] * len(columns))
            return as_library(to, columns)
    except CorruptFileError as error:
        error.add_note(_WITHOUT_DAMAGED)
        raise
    except TooLargeError as error:
        error.add_note(_FEWER)
        raise


class _Part(NamedTuple):
    """
    What one entry contributes.

    Args:
        table: Its value, as a table of which each column can be freed separately.
        kind: The name of the type of the value.
        library: The library of the value.
        run: The run that saved it.
        tags: Its tags, with their types.
    """

    table: Any
    kind: str
    library: str
    run: str
    tags: tuple[tuple[str, Any], ...]


class _Item(NamedTuple):
    """An entry, its name in the store, and the memory that its table may take."""

    entry: Entry
    name: str
    limit: int


def _loaded(
    items: Sequence[_Item], *, store: Store, value: str, trusted: bool
) -> list[_Part]:
    """Load what entries contribute, here or in a worker."""
    return [_part(it, store, value, trusted=trusted) for it in items]


def _part(item: _Item, store: Store, value: str, *, trusted: bool) -> _Part:
    entry, name, limit = item
    # What is made of one value is freed before the next, except for its table.
    with within(Budget(entry.path, limit), "its table"):
        found, meta = load_with_meta(store, name, [value], trusted=trusted)
        kind = type(found[value]).__name__
        with _naming(entry.path, value, kind):
            table = table_of(value, found[value])
        sizes = (memory_of(column, objects=False) for column in table.columns)
        ask(sum(sizes) + COLUMN * table.num_columns)
        library = _library_of(found[value])
        run, tags = str(meta.get("run", "")), tuple(meta["tags"])
        return _Part(_separable(table), kind, library, run, tags)


def _entries_with_parts(
    listing: Listing,
    load: Callable[[list[_Item]], list[_Part]],
    budget: Budget,
    spread: Spread | None,
) -> Iterator[tuple[Entry, _Part]]:
    # What is left is asked for when an item is made.
    items = (
        _Item(entry, name, budget.left)
        for entry, name in zip(listing, listing.stored_names(), strict=True)
    )
    if spread is None:
        for item in items:
            yield item.entry, load([item])[0]
        return
    with closing(spread.in_order(load, items)) as chunks:
        for done, _, parts in chunks:
            yield from zip((it.entry for it in done), parts, strict=True)


@contextmanager
def _naming(path: str, value: str, kind: str) -> Iterator[None]:
    """Raise a `FormatError` that names the entry if its value does not fit."""
    try:
        yield
    except (
        *(import_pyarrow().ArrowException, TypeError, ValueError),
        OverflowError,  # from an integer of more than 64 bits
    ) as error:
        message = (
            f"{path}: value {value!r} of type {kind} does not fit into one "
            f"table: {error}. Narrow the index with where(...) to entries whose "
            "values fit, or load them one by one"
        )
        raise FormatError(message) from error


def _size_in(library: str, column: Any) -> int:
    """Return the memory of a column of Arrow in addition, once it is converted."""
    if library != "pandas" or hasattr(column.type, "value_type"):
        # Categories, and lists as their parts.
        return 0 if library == "arrow" else int(column.nbytes)
    return memory_of(column, objects=True)


class _Parts:
    """The tables of all entries, collected until they are joined."""

    def __init__(self, value: str) -> None:
        self._value = value
        self._names: list[str] = []
        self._runs: list[str] = []
        self._tags: list[dict[str, Any]] = []
        # Those of folders above the save's own.
        self._above: list[dict[str, str]] = []
        self._tables: list[Any] = []
        self._origins: list[tuple[str, str]] = []
        # The categories of ordered columns, by column.
        self._categories: dict[str, Any] = {}
        self._schema: Any = None

    def add(self, entry: Entry, part: _Part) -> None:
        """Add what an entry contributes."""
        self._origins.append((entry.path, part.kind))
        with self._naming_entry():
            self._check_order(part.table)
            schema = part.table.schema
            known = schema if self._schema is None else self._schema
            self._schema = import_pyarrow().unify_schemas(
                [known, schema], promote_options="permissive"
            )
        self._names.append(entry.name)
        self._runs.append(part.run)
        self._tags.append(dict(part.tags))
        self._above.append(tags_above(entry.tags, part.tags))
        self._tables.append(part.table)

    def _check_order(self, table: Any) -> None:
        """Check that ordered categories are the same as in the entries before."""
        for name, column in zip(table.column_names, table.columns, strict=True):
            if not getattr(column.type, "ordered", False):
                continue
            for chunk in column.chunks:
                known = self._categories.setdefault(name, chunk.dictionary)
                if not known.equals(chunk.dictionary):
                    message = f"{name!r} has other categories, or another order of them"
                    raise ValueError(message)

    def _naming_entry(self, number: int = -1) -> AbstractContextManager[None]:
        path, kind = self._origins[number]
        return _naming(path, self._value, kind)

    def _concatenated(self) -> Any:
        pyarrow = import_pyarrow()
        try:
            return pyarrow.concat_tables(self._tables, promote_options="permissive")
        except pyarrow.ArrowException:
            # Find the table with a value that does not fit the common type.
            empty = self._schema.empty_table()
            for number, table in enumerate(self._tables):
                with self._naming_entry(number):
                    pyarrow.concat_tables([empty, table], promote_options="permissive")
            raise

    def joined(self) -> dict[str, Any]:
        lengths = [table.num_rows for table in self._tables]
        table = self._concatenated()
        self._tables.clear()
        columns = {
            column: _repeated(values, lengths)
            for column, values in self._entry_columns(table.column_names)
        }
        return {**columns, **dict(zip(table.column_names, table.columns, strict=True))}

    def _entry_columns(self, taken: Sequence[str]) -> Iterator[tuple[str, list[Any]]]:
        """Yield the columns of names, runs and tags, with a value for each entry."""
        columns = {"name": self._names} if len(set(self._names)) > 1 else {}
        if self._mixes_runs():
            columns["run"] = self._runs
        for title, values in columns.items():
            (column,) = column_names([title], taken).values()
            yield column, values
            taken = [*taken, column]
        tags = {tag: None for pairs in (*self._above, *self._tags) for tag in pairs}
        for tag, column in column_names(tags, taken).items():
            yield column, tag_values(tag, self._tags, self._above)

    def _mixes_runs(self) -> bool:
        """Tell whether entries of several runs have the same name and tags."""
        runs: dict[str, str] = {}
        for name, run, *tags in zip(
            self._names, self._runs, self._above, self._tags, strict=True
        ):
            if runs.setdefault(repr((name, tags)), run) != run:
                return True
        return False


def _repeated(values: Sequence[Any], lengths: Sequence[int]) -> Any:
    pyarrow = import_pyarrow()
    column = typed_column(values)
    chunks = [
        pyarrow.repeat(column[number], length) for number, length in enumerate(lengths)
    ]
    return pyarrow.chunked_array(chunks, column.type)


def _separable(table: Any) -> Any:
    """Return a copy of a table, each of whose columns can be freed separately."""
    columns = list(map(_in_one_chunk, table.columns))
    return import_pyarrow().table(columns, schema=table.schema)


def _in_one_chunk(column: Any) -> Any:
    pyarrow = import_pyarrow()
    try:
        chunks = [pyarrow.concat_arrays(column.chunks)] if column.num_chunks else []
    except pyarrow.ArrowInvalid:  # more text than fits into one chunk
        return column
    return pyarrow.chunked_array(chunks, column.type)


def _library_of(found: object) -> str:
    """Return the library of a value; an installed one if it belongs to none."""
    family = family_of(type(found))
    if family is not None and family.concat_to is not None:
        return family.concat_to
    return next((name for name in ("pandas", "polars") if find_spec(name)), "arrow")
