"""A frame or a series of any library as a table of Arrow, if need be with texts."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from checkpoints._kinds.families import family_of
from checkpoints._kinds.tables import as_table
from checkpoints.errors import CheckpointError

__all__ = ["frame_as_table", "table_with_nan"]


def frame_as_table(value: object) -> tuple[Any, Mapping[str, str]]:
    """
    Return a frame, a series, or an Arrow array as an Arrow table.

    Returns:
        The table, None if the value has no rows; the dtypes of the columns that Arrow
        cannot represent, whose cells are texts, by name.

    Raises:
        Exception: If Arrow cannot represent it in this way either.
    """
    family = family_of(type(value))
    with warnings.catch_warnings():
        # About column names that are partly numbers: all of them become texts.
        warnings.simplefilter("ignore", UserWarning)
        try:
            return as_table(value), {}
        except (CheckpointError, MemoryError):
            raise
        except Exception:
            if family is None or family.with_texts is None:
                raise
            found, dtypes = family.with_texts(value)
            if not dtypes:
                raise
            return as_table(found), dtypes


def table_with_nan(value: object, table: Any) -> Any:
    """Return the table of a frame or a series with NaN where the value has it."""
    family = family_of(type(value))
    if family is None or family.with_nan is None:
        return table
    return family.with_nan(value, table)
