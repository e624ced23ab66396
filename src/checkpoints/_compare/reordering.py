"""Whether two tables may have the same rows in another order."""

from __future__ import annotations

from typing import Any

from checkpoints._compare.frames import Table, name_key
from checkpoints._process.libraries import imported

__all__ = ["are_reordered"]


def are_reordered(one: Table, other: Table) -> bool:
    """
    Tell whether each column has the same values in both tables, whatever their order.

    Args:
        one: The baseline.
        other: The candidate.
    """
    names = [[name_key(it.name) for it in table.columns] for table in (one, other)]
    if one.rows != other.rows or names[0] != names[1]:
        return False
    try:
        pairs = [
            (it.arrow(), its.arrow())
            for it, its in zip(one.columns, other.columns, strict=True)
        ]
        # The ends of a column are found quickly, and tell most of them apart.
        return all(_ends(*pair) for pair in pairs) and all(
            _ordered(it).equals(_ordered(its)) for it, its in pairs
        )
    except Exception:  # noqa: BLE001 - it is a hint, and not all values have an order
        return False


def _ends(one: Any, other: Any) -> bool:
    compute = imported("pyarrow.compute")
    return bool(compute.min_max(one).equals(compute.min_max(other)))


def _ordered(array: Any) -> Any:
    compute = imported("pyarrow.compute")
    return array.take(compute.sort_indices(array))
