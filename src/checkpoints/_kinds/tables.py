"""Tables of every library as Arrow tables, for files that hold just a table."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from checkpoints._kinds import arrow, pandas, polars
from checkpoints._kinds.families import formats_for
from checkpoints._kinds.kind import Inexact
from checkpoints._kinds.pickled import type_name
from checkpoints.errors import FormatError

__all__ = ["from_table", "to_table"]

_FAMILIES: dict[str, ModuleType] = {
    "pandas.DataFrame": pandas,
    "polars.DataFrame": polars,
    "pyarrow.Table": arrow,
}


def to_table(name: str, value: object) -> tuple[Any, dict[str, Any], str]:
    """
    Turn a table of any library into an Arrow table.

    Returns:
        The Arrow table, the node for the header, and the package of the value.

    Raises:
        FormatError: If it is no table, or one that would not come back exactly.
    """
    format = next(iter(formats_for(type(value))), None)
    family = _FAMILIES.get(format.kind) if format else None
    reason = "it is no table of pandas, Polars or Arrow"
    if format is not None and family is not None:
        try:
            table, described = family.to_table(value)
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
    family = _FAMILIES.get(node["kind"])
    if family is None:
        message = f"a table of kind {node['kind']!r} is not known to this version"
        raise FormatError(message)
    return family.from_table(table, node)
