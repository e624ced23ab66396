"""Dask: collections, which describe a computation instead of holding its result."""

from __future__ import annotations

import pickle
from typing import Any

from checkpoints._kinds.kind import Compound, Family, Inexact, Kind
from checkpoints._process.libraries import imported

__all__ = ["FAMILY", "recognise"]


def recognise(cls: type) -> Kind | None:
    """
    Return the kind of a class of collections, whose values are always pickled.

    Args:
        cls: A class of Dask.

    Returns:
        The kind; None if values of the class are pickled without a reason to tell.

    Example:
        >>> recognise(type("Array", (), {"__dask_graph__": None})).kind
        'dask.collection'
    """
    return _COLLECTION if hasattr(cls, "__dask_graph__") else None


def _freeze(collection: Any) -> Any:
    """Copy a collection with the arrays in its graph, which its own copy shares."""
    try:
        pickled = pickle.dumps(collection, pickle.HIGHEST_PROTOCOL)
    except Exception:  # noqa: BLE001 - a function in the graph is not importable
        pickled = imported("cloudpickle").dumps(collection)
    return pickle.loads(pickled)  # noqa: S301 - it was pickled here


def _refuse(_: Any) -> dict[str, Any]:
    raise Inexact(
        "a Dask collection is a graph of tasks, which may read files again when it is "
        "computed; save what its compute() returns to save the values"
    )


_COLLECTION = Compound(
    kind="dask.collection",
    take_apart=_refuse,
    put_together=_refuse,
    package="dask",
    freeze=_freeze,
)

FAMILY = Family(packages=("dask",), kinds=(_COLLECTION,), recognise=recognise)
