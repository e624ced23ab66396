"""Columns of an Arrow table: their names, and their types from values that differ."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Sequence
from importlib import import_module
from typing import Any

from checkpoints._tags import tag_text
from checkpoints.errors import MissingDependencyError

__all__ = [
    "COLUMNS",
    "DETAILS",
    "as_library",
    "column_names",
    "import_pyarrow",
    "text_column",
    "typed_column",
]

# Of the table of an index, besides those of its tags.
COLUMNS = ("name", "path", "size", "time", "tags")
DETAILS = ("run", "sequence", "saved", "values", "error")
# Beyond it, not every integer is a float.
_EXACT = 1 << 53
_NOTHING = (type(None), False)
_NUMBERS = {(int, False), (float, False)}


def column_names(tags: Iterable[str], taken: Collection[str]) -> dict[str, str]:
    """
    Return the name of each tag's column: the tag's own, unless it is taken.

    What is no Unicode in it is escaped.

    >>> column_names(["day", "path"], ["path", "size"])
    {'day': 'day', 'path': 'tag_path'}
    """
    tags = list(dict.fromkeys(tags))
    used = {*taken, *tags}
    columns = {}
    for tag in tags:
        column = _unicode(tag)
        while column in taken or (column != tag and column in used):
            column = f"tag_{column}"
        used.add(column)
        columns[tag] = column
    return columns


def text_column(texts: Sequence[str | None]) -> Any:
    """Return texts as an array; what is no Unicode in them is escaped."""
    pyarrow = import_pyarrow()
    try:
        return pyarrow.array(texts, pyarrow.string())
    except UnicodeEncodeError:
        whole = [text and _unicode(text) for text in texts]
        return pyarrow.array(whole, pyarrow.string())


def _unicode(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def typed_column(values: Sequence[object]) -> Any:
    """Return values as an array of their one type, or as texts if they have several."""
    pyarrow = import_pyarrow()
    kinds = {_kind(value) for value in values} - {_NOTHING}
    is_one = len(kinds) <= 1 or kinds == _NUMBERS
    # Arrow would drop the zone of a time of day.
    if is_one and (datetime.time, True) not in kinds:
        try:
            return pyarrow.array(values, None if kinds else pyarrow.string())
        except (pyarrow.ArrowException, ValueError, TypeError, OverflowError):
            pass  # a number beyond 64 bits, a type that Arrow does not know
    return text_column([None if value is None else tag_text(value) for value in values])


def _kind(value: object) -> tuple[type, bool]:
    """Return the type of a value, and whether it has a time zone."""
    # Beside each other, Arrow would give all of them one, or none.
    return type(value), getattr(value, "tzinfo", None) is not None


def _exact_type(pandas: Any, column: Any) -> Any:
    """Return how pandas is to hold integers that it would round, as it has no null."""
    compute = import_module("pyarrow.compute")
    if not (column.null_count and import_pyarrow().types.is_integer(column.type)):
        return None
    limits = compute.min_max(column).as_py()
    if max(map(abs, filter(None, limits.values())), default=0) <= _EXACT:
        return None
    prefix = "U" if str(column.type).startswith("u") else ""
    return lambda _: getattr(pandas, f"{prefix}Int64Dtype")()


def import_pyarrow() -> Any:
    """Import pyarrow, or say what to install."""
    try:
        import pyarrow
    except ImportError as error:
        message = (
            "a table of many entries goes through Arrow, which needs pyarrow: "
            "pip install pyarrow"
        )
        raise MissingDependencyError(message) from error
    return pyarrow


def as_library(library: str, columns: dict[str, Any]) -> Any:
    """
    Return Arrow columns as a table of pandas, of Polars, or of Arrow.

    Args:
        library: `"pandas"`, `"polars"` or `"arrow"`.
        columns: The columns by name. They are taken out one by one, so that each is
            gone when it has become one of pandas.

    Raises:
        MissingDependencyError: If the library is not installed.
    """
    pyarrow = import_pyarrow()
    if library == "arrow":
        return pyarrow.table(columns)
    try:
        module: Any = import_module(library)
    except ImportError as error:
        message = f"{library} is not installed: pip install {library} pyarrow"
        raise MissingDependencyError(message) from error
    if library == "polars":
        return module.from_arrow(pyarrow.table(columns), rechunk=False)
    series = {}
    for name in list(columns):
        # A frame of one column owns its memory, and can be written to.
        table = pyarrow.table({name: columns.pop(name)})
        frame = table.to_pandas(types_mapper=_exact_type(module, table.column(0)))
        series[name] = frame[name]
        # What is free between other columns is of no use to anybody.
        pyarrow.default_memory_pool().release_unused()
    return module.DataFrame(series, copy=False)
