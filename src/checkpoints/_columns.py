"""Columns of an Arrow table: their names, and their types from values that differ."""

from __future__ import annotations

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


def column_names(tags: Iterable[str], taken: Collection[str]) -> dict[str, str]:
    """
    Return the name of each tag's column: the tag's own, unless it is taken.

    >>> column_names(["day", "path"], ["path", "size"])
    {'day': 'day', 'path': 'tag_path'}
    """
    tags = list(dict.fromkeys(tags))
    used = {*taken, *tags}
    columns = {}
    for tag in tags:
        column = tag
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
        whole = [
            text and text.encode("utf-8", "backslashreplace").decode() for text in texts
        ]
        return pyarrow.array(whole, pyarrow.string())


def typed_column(values: Sequence[object]) -> Any:
    """Return values as an array of their one type, or as texts if they have several."""
    pyarrow = import_pyarrow()
    types = {type(value) for value in values} - {type(None)}
    if len(types) <= 1 or types == {int, float}:
        try:
            return pyarrow.array(values, None if types else pyarrow.string())
        except (pyarrow.ArrowException, ValueError, TypeError, OverflowError):
            pass  # a number beyond 64 bits, a type that Arrow does not know
    return text_column([None if value is None else tag_text(value) for value in values])


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


def as_library(library: str, table: Any) -> Any:
    """Return an Arrow table as one of pandas or Polars, or as it is."""
    if library == "arrow":
        return table
    try:
        module: Any = import_module(library)
    except ImportError as error:
        message = f"{library} is not installed: pip install {library} pyarrow"
        raise MissingDependencyError(message) from error
    if library == "pandas":
        # Each column is given up when it has become one of pandas.
        return table.to_pandas(self_destruct=True, split_blocks=True)
    return module.from_arrow(table, rechunk=False)
