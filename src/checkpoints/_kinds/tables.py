"""Values of every library as Arrow tables, exactly for Parquet, and for other tools."""

from __future__ import annotations

from typing import Any

from checkpoints._kinds.families import family_of, format_of_kind, formats_for
from checkpoints._kinds.kind import Compound, Inexact
from checkpoints._kinds.pickled import type_name
from checkpoints.errors import FormatError

__all__ = ["as_table", "from_table", "to_table", "with_named_index"]

# So pyarrow calls the levels of an index of pandas that have no names.
_UNNAMED = "__index_level_"


def to_table(name: str, value: object) -> tuple[Any, dict[str, Any], str]:
    """
    Turn a table of any library into an Arrow table.

    Returns:
        The Arrow table, the node for the header, and the package of the value.

    Raises:
        FormatError: If it is no table, or one that would not come back exactly.
    """
    format = next(iter(formats_for(type(value))), None)
    reason = "it is no table of pandas, Polars or Arrow"
    if format and not isinstance(format, Compound) and format.to_table:
        try:
            table, described = format.to_table(value)
        except Inexact as error:
            reason = str(error)
        else:
            return table, {"kind": format.kind, **described}, format.package
    message = (
        f"value {name!r}, of type {type_name(value)}, cannot be kept as Parquet: "
        f"{reason}. Use format='zip', which takes anything"
    )
    raise FormatError(message)


def from_table(table: Any, node: dict[str, Any]) -> Any:
    """
    Turn an Arrow table back into the table that it was.

    Raises:
        FormatError: If it was of a kind that is not known here.
    """
    format = format_of_kind(node["kind"])
    if not format or isinstance(format, Compound) or not format.from_table:
        message = f"a table of kind {node['kind']!r} is not known to this version"
        raise FormatError(message)
    return format.from_table(table, node)


def as_table(value: object, name: str | None = None) -> Any:
    """
    Return what has rows as a `pyarrow.Table`, for reading and not for coming back.

    Args:
        value: Any value.
        name: What to call the column of a value that has no columns; its own name if
            None.

    Returns:
        The table; None if the value has no rows.

    Raises:
        Exception: If Arrow cannot hold it, whatever the library raises then.
    """
    family = family_of(type(value))
    if family is None or family.as_table is None:
        return None
    return family.as_table(value, name)


def with_named_index(table: Any) -> Any:
    """Return a table in which the only level of an index without a name has one."""
    names = table.column_names
    unnamed = [name for name in names if name.startswith(_UNNAMED)]
    if len(unnamed) != 1 or "index" in names:
        return table
    return table.rename_columns(["index" if it in unnamed else it for it in names])
