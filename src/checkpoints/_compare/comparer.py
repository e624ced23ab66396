"""What a comparison was asked to do, handed on to the parts of a value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from checkpoints._compare.difference import Difference
from checkpoints._compare.tolerance import Tolerance

__all__ = ["Comparer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparer:
    """
    Compares values, and the values in them.

    Args:
        tolerance: What is allowed.
        of_column: Returns what is allowed in a column, instead.
        keys: The columns whose values identify a row.
        depth: How deep this value is nested in others.
        dispatch: Compares two values of any kind.
    """

    tolerance: Tolerance
    of_column: Callable[[str], Tolerance] | None = None
    keys: tuple[str, ...] = ()
    depth: int = 0
    dispatch: Callable[[Comparer, Any, Any], Difference] = field(repr=False)

    def compare(self, baseline: Any, candidate: Any) -> Difference:
        """Compare two values that are parts of others."""
        inner = replace(self, depth=self.depth + 1)
        return self.dispatch(inner, baseline, candidate)

    def for_column(self, name: str) -> Tolerance:
        """Return what is allowed in a column."""
        return self.of_column(name) if self.of_column else self.tolerance
