"""The content of pandas' values, without blocks, hidden bytes and unused levels."""

from __future__ import annotations

from typing import Any

from checkpoints._kinds.pandas_arrays import text_of
from checkpoints._kinds.pandas_frame import MANY
from checkpoints._kinds.pandas_index import values_of
from checkpoints._kinds.pandas_zones import zone_to_parts

__all__ = ["content_of", "labels_of"]


def content_of(value: Any) -> Any:
    """
    Return the content of a frame, a series, an index or an array.

    Args:
        value: A value of pandas.

    Returns:
        Labels, names, dtypes and arrays; None for a value of any other class. The
        frequency of an index does not count, as in a comparison by `equals`.

    Example:
        >>> import pandas
        >>> content_of(pandas.Series([1, 2], name="n"))["name"]
        'n'
    """
    import pandas

    if isinstance(value, pandas.DataFrame):
        return {**_columns(value), "labels": value.columns, **_extras_of(value)}
    if isinstance(value, pandas.Series):
        return {"column": _column(value), "name": value.name, **_extras_of(value)}
    if isinstance(value, pandas.Index):
        return _labels(value)
    if isinstance(value, pandas.api.extensions.ExtensionArray):
        return _array(value)
    return None


def labels_of(value: Any) -> dict[str, Any] | None:
    """Return names, index and attributes of a frame or a series; None of another."""
    import pandas

    if isinstance(value, pandas.DataFrame):
        return {"labels": value.columns, **_extras_of(value)}
    if isinstance(value, pandas.Series):
        return {"name": value.name, **_extras_of(value)}
    return {"names": list(value.names)} if isinstance(value, pandas.Index) else None


def _columns(frame: Any) -> dict[str, Any]:
    """Return many columns of one kind of number as one array, the others one by one."""
    import numpy

    places: dict[Any, list[int]] = {}
    for at, dtype in enumerate(frame.dtypes):
        places.setdefault(dtype, []).append(at)
    together = {
        text_of(dtype): [found, frame.iloc[:, found].to_numpy()]
        for dtype, found in places.items()
        if isinstance(dtype, numpy.dtype) and dtype.kind != "O" and len(found) >= MANY
    }
    done = {at for found, _ in together.values() for at in found}
    others = [at for at in range(frame.shape[1]) if at not in done]
    return {
        "together": together,
        "columns": {at: _column(frame.iloc[:, at]) for at in others},
    }


def _column(column: Any) -> list[Any]:
    return [text_of(column.dtype), values_of(column)]


def _extras_of(value: Any) -> dict[str, Any]:
    can_repeat = value.flags.allows_duplicate_labels
    return {"index": value.index, "attrs": value.attrs, "can_repeat": can_repeat}


def _labels(index: Any) -> dict[str, Any]:
    import pandas

    names = list(index.names)
    found = _progression_of(index)
    if found is not None:
        return {"names": names, "progression": found}
    if isinstance(index, pandas.MultiIndex):
        levels = [index.get_level_values(at) for at in range(index.nlevels)]
        return {"names": names, "levels": [_column(level) for level in levels]}
    return {"names": names, "values": _column(index)}


def _progression_of(index: Any) -> list[int] | None:
    """
    Return the start, step and length of an index of evenly spaced integers.

    Versions of pandas differ in which of them are a `RangeIndex`.
    """
    import pandas

    if isinstance(index, pandas.MultiIndex) or index.dtype != "int64":
        return None
    length = len(index)
    if not length:
        return [0, 1, 0]
    start, step = int(index[0]), int(index[1] - index[0]) if length > 1 else 1
    if not isinstance(index, pandas.RangeIndex):
        numbers = index.to_numpy()
        if (numbers[1:] - numbers[:-1] != step).any():
            return None
    return [start, step, length]


def _array(array: Any) -> dict[str, Any] | None:
    name = type(array).__name__
    if hasattr(array, "_mask") and hasattr(array, "_data"):
        # Under its mask an array may have anything.
        data = array._data.copy()  # noqa: SLF001 - only they tell NaN from NA
        mask = array._mask  # noqa: SLF001 - as above
        data[mask] = 0
        return {"type": name, "data": data, "mask": mask}
    if name in ("DatetimeArray", "TimedeltaArray"):
        zone = zone_to_parts(getattr(array, "tz", None))
        data, dtype = array.view("int64"), text_of(array.dtype)
        return {"dtype": dtype, "data": data, "zone": zone}
    return None
