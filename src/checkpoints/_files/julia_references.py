"""
The values of a file that others refer to.

A short chain of lists, each with two references to the one before, stands for more
values than any memory holds. Whatever looks at all of them, such as a hash, a copy or a
comparison, would not come to an end; so what a reference stands for is counted.
"""

from __future__ import annotations

from typing import Any

from checkpoints._kinds.records import Record
from checkpoints.errors import FormatError

__all__ = ["References", "contains_itself"]

# Of values that other values refer to, each time that they do.
_MOST_REPEATED = 10_000_000


class References:
    """The values by their positions."""

    def __init__(self) -> None:
        self._found: dict[int, Any] = {}
        # How many values each container stands for, by its id: it lives in `_found`.
        self._sizes: dict[int, int] = {}
        self._repeated = 0

    def __contains__(self, position: int) -> bool:
        return position in self._found

    def __setitem__(self, position: int, value: Any) -> None:
        self._found[position] = value

    def __getitem__(self, position: int) -> Any:
        """
        Return the value at a position.

        Raises:
            ValueError: If there is none.
            FormatError: If references stand for too many values.
        """
        if position not in self._found:
            raise ValueError("a reference leads nowhere")
        found = self._found[position]
        self._repeated += self._size(found)
        if self._repeated > _MOST_REPEATED:
            raise FormatError(
                f"its references stand for more than {_MOST_REPEATED:,} values, which "
                "cannot be read: save it in Julia without references to parts of itself"
            )
        return found

    def _size(self, value: Any) -> int:
        parts = _parts(value)
        if parts is None:
            return 1
        size = self._sizes.get(id(value))
        if size is None:
            size = self._sizes[id(value)] = 1 + sum(map(self._size, parts))
        return size


def contains_itself() -> FormatError:
    """Return the error for a reference from inside the value that it leads to."""
    return FormatError(
        "it contains itself, which cannot be read: save its parts in Julia under names "
        "of their own"
    )


def _parts(value: Any) -> Any:
    """Return what a container contains; None if it is none."""
    kind = type(value)
    if kind in (list, tuple, set):
        return value
    if kind is dict:
        return [*value, *value.values()]
    if kind is Record:
        return value._fields.values()
    if kind.__name__ == "ndarray" and value.dtype.hasobject:
        return value.ravel().tolist()
    if kind.__name__ == "DataFrame":
        columns = [column for _, column in value.items()]
        return [it for column in columns if column.dtype == object for it in column]
    return None
