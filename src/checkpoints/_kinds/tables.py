"""Values of any library as Arrow tables: exact for Parquet, or for other tools."""

from __future__ import annotations

from typing import Any

from checkpoints._kinds.families import family_of, format_of_kind, formats_for
from checkpoints._kinds.kind import Compound, Inexact
from checkpoints._kinds.pickled import type_name
from checkpoints._kinds.spread import ask_for_cells
from checkpoints.errors import FormatError, MissingDependencyError

__all__ = ["as_table", "from_table", "to_table", "with_named_index"]

# The prefix of pyarrow's names for unnamed levels of a pandas index.
_UNNAMED = "__index_level_"


def to_table(name: str, value: object) -> tuple[Any, dict[str, Any], str]:
    """
    Convert a table of any library to an Arrow table.

    Returns:
        The Arrow table, the node for the header, and the package of the value.

    Raises:
        FormatError: If it is not a table, or would not come back exactly.
    """
    format = next(iter(formats_for(type(value))), None)
    reason = "it is not a pandas, Polars or Arrow table"
    if format and not isinstance(format, Compound) and format.to_table:
        try:
            table, described = format.to_table(value)
        except (Inexact, MissingDependencyError) as error:
            reason = str(error)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - a library may raise anything
            reason = f"{type(error).__name__}: {error}"
        else:
            return table, {"kind": format.kind, **described}, format.package
    message = (
        f"value {name!r} of type {type_name(value)} cannot be saved as Parquet: "
        f"{reason}. Use format='zip', which takes any value"
    )
    raise FormatError(message)


def from_table(table: Any, node: dict[str, Any]) -> Any:
    """
    Convert an Arrow table back to the original table.

    Raises:
        FormatError: If its kind is unknown to this version.
    """
    format = format_of_kind(node["kind"])
    if not format or isinstance(format, Compound) or not format.from_table:
        message = (
            f"unknown kind of table {node['kind']!r}: load it with the version that "
            "saved it, or a later one"
        )
        raise FormatError(message)
    return format.from_table(table, node)


def as_table(value: object, name: str | None = None) -> Any:
    """
    Convert a value to a `pyarrow.Table` for other tools, not for an exact copy.

    Args:
        value: Any value.
        name: The column's name for a value without columns; the value's own if None.

    Returns:
        The table; None if the value has no rows.

    Raises:
        TooLargeError: If it takes more memory than allowed.
        Exception: If Arrow cannot hold the value; the library determines the type.
    """
    family = family_of(type(value))
    if family is None or family.as_table is None:
        return None
    ask_for_cells(value)
    return family.as_table(value, name)


def with_named_index(table: Any) -> Any:
    """Return the table with its only unnamed index level called `index`."""
    names = table.column_names
    unnamed = [name for name in names if name.startswith(_UNNAMED)]
    if len(unnamed) != 1 or "index" in names:
        return table
    return table.rename_columns(
        ["index" if name in unnamed else name for name in names]
    )
