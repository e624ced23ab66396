"""What of pandas is kept as several values: what Arrow cannot hold, and scalars."""

from __future__ import annotations

import copy
import datetime
import importlib
from typing import Any

from checkpoints._kinds.kind import Compound, Inexact
from checkpoints._kinds.pandas_table import import_pandas, to_table
from checkpoints._kinds.plain import named_zone

__all__ = [
    "CATEGORICAL",
    "MIXED_FRAME",
    "MIXED_INDEX",
    "MIXED_SERIES",
    "NA",
    "NAT",
    "TIMEDELTA",
    "TIMESTAMP",
    "freeze_frame",
    "freeze_immutable",
    "freeze_series",
]

_IMMUTABLE = frozenset(
    {str, bytes, bool, int, float, type(None), datetime.date, datetime.datetime}
)


def freeze_frame(frame: Any) -> Any:
    """Copy a frame, and the objects in it that can change."""
    frozen = frame.copy()
    for position in range(frame.shape[1]):
        column = frozen.iloc[:, position]
        if column.dtype == object:
            frozen.isetitem(position, freeze_series(column))
    return frozen


def freeze_series(series: Any) -> Any:
    """Copy a series, and the objects in it that can change."""
    import pandas

    if series.dtype != object or set(map(type, series)) <= _IMMUTABLE:
        return series.copy()
    values = copy.deepcopy(list(series))
    copied: Any = pandas.Series(
        values, index=series.index, name=series.name, dtype=object
    )
    return copied.__finalize__(series)


def freeze_immutable(value: Any) -> Any:
    """Return the value itself: it cannot change."""
    return value


def _is_exact(frame: Any) -> bool:
    try:
        to_table(frame)
    except Inexact:
        return False
    return True


def _take_frame_apart(frame: Any) -> dict[str, Any]:
    import pandas

    if not frame.flags.allows_duplicate_labels:
        raise Inexact("the frame's flags do not allow duplicate labels")
    rest = frame.copy(deep=False)
    rest.attrs = {}
    index, width = None, frame.shape[1]
    if not _is_exact(pandas.DataFrame(index=frame.index)):
        index, rest.index = frame.index, pandas.RangeIndex(len(frame))
    odd = {position for position in range(width) if _is_odd(rest.iloc[:, position])}
    even = rest.iloc[:, [position for position in range(width) if position not in odd]]
    if not _is_exact(even):
        even.columns = [str(position) for position in range(even.shape[1])]
        # Were it inexact still, it would be taken apart in its turn, without an end.
        to_table(even)
    return {
        "frame": even,
        "odd": {str(position): _values_of(rest.iloc[:, position]) for position in odd},
        "columns": frame.columns,
        "index": index,
        "attrs": frame.attrs,
    }


def _is_odd(column: Any) -> bool:
    import numpy
    import pandas

    if isinstance(column.dtype, numpy.dtype) and column.dtype.kind in "biufmM":
        return False
    index = pandas.RangeIndex(len(column))
    return not _is_exact(column.set_axis(index).to_frame("column"))


def _put_frame_together(parts: dict[str, Any]) -> Any:
    import pandas

    frame = parts["frame"]
    frame.columns = pandas.RangeIndex(frame.shape[1])
    for position, values in sorted(parts["odd"].items(), key=lambda item: int(item[0])):
        column = _series_of(values, frame.index)
        frame.insert(int(position), -1 - int(position), column)
    frame.columns = parts["columns"]
    if parts["index"] is not None:
        frame.index = parts["index"]
    frame.attrs = parts["attrs"]
    return frame


def _values_of(column: Any) -> Any:
    """The values of a column that Arrow cannot hold, in a form of their own."""
    import numpy

    if column.dtype == object:
        return list(column)
    if isinstance(column.dtype, numpy.dtype):
        return column.to_numpy()
    return column.array


def _series_of(values: Any, index: Any) -> Any:
    import pandas

    dtype = object if isinstance(values, list) else None
    return pandas.Series(values, index=index, dtype=dtype)


def _take_series_apart(series: Any) -> dict[str, Any]:
    frame = series.to_frame("values")
    frame.attrs = {}
    return {"frame": frame, "name": series.name, "attrs": series.attrs}


def _put_series_together(parts: dict[str, Any]) -> Any:
    series = parts["frame"]["values"]
    series.name = parts["name"]
    series.attrs = parts["attrs"]
    return series


def _take_index_apart(index: Any) -> dict[str, Any]:
    import pandas

    names = list(index.names)
    if index.nlevels > 1:
        codes = [level.copy() for level in index.codes]
        levels = [level.rename(None) for level in index.levels]
        return {"names": names, "levels": levels, "codes": codes}
    # That of a PeriodIndex is a part of its dtype.
    if getattr(index, "freq", None) is not None and index.dtype.kind in "mM":
        raise Inexact(f"the index has the frequency {index.freq!r}")
    values = _values_of(index)
    if isinstance(values, pandas.api.extensions.ExtensionArray):
        # Arrow holds most of them, as columns.
        values = pandas.Series(values)
    return {"names": names, "values": values}


def _put_index_together(parts: dict[str, Any]) -> Any:
    import pandas

    names = parts["names"]
    if "levels" in parts:
        return pandas.MultiIndex(parts["levels"], parts["codes"], names=names)
    values = parts["values"]
    dtype = object if isinstance(values, list) else None
    return pandas.Index(values, dtype=dtype, name=names[0], tupleize_cols=False)


def _take_categorical_apart(categorical: Any) -> dict[str, Any]:
    return {
        "codes": categorical.codes,
        "categories": categorical.categories,
        "ordered": categorical.ordered,
    }


def _put_categorical_together(parts: dict[str, Any]) -> Any:
    pandas = import_pandas()
    dtype = pandas.CategoricalDtype(parts["categories"], ordered=parts["ordered"])
    return pandas.Categorical.from_codes(parts["codes"], dtype=dtype)


def _take_timestamp_apart(stamp: Any) -> dict[str, Any]:
    moment = stamp if stamp.tz is None else stamp.tz_convert(None)
    parts = {
        "value": int(moment.to_numpy().astype("int64")),
        "unit": stamp.unit,
        "zone": _zone_of(stamp.tz),
        "pytz": type(stamp.tz).__module__.partition(".")[0] == "pytz",
    }
    rebuilt = _put_timestamp_together(parts)
    if (rebuilt.tz, rebuilt.fold, rebuilt.unit) != (stamp.tz, stamp.fold, stamp.unit):
        raise Inexact(f"the timestamp {stamp!r} has a time zone or fold of its own")
    return parts


def _zone_of(zone: Any) -> datetime.timedelta | str | None:
    if zone is None:
        return None
    if type(zone) is datetime.timezone:
        return zone.utcoffset(None)
    key = getattr(zone, "key", None) or getattr(zone, "zone", None)
    if isinstance(key, str):
        return key
    raise Inexact(f"the time zone {zone!r} has no name")


def _put_timestamp_together(parts: dict[str, Any]) -> Any:
    pandas = import_pandas()
    import numpy

    stamp = pandas.Timestamp(numpy.datetime64(parts["value"], parts["unit"]))
    zone = parts["zone"]
    if zone is None:
        return stamp
    if isinstance(zone, datetime.timedelta):
        zone = datetime.timezone(zone)
    else:
        zone = _pytz_zone(zone) if parts["pytz"] else named_zone(zone)
    return stamp.tz_localize("UTC").tz_convert(zone)


def _pytz_zone(key: str) -> Any:
    named_zone(key)
    return importlib.import_module("pytz").timezone(key)


def _take_timedelta_apart(delta: Any) -> dict[str, Any]:
    return {"value": int(delta.to_numpy().astype("int64")), "unit": delta.unit}


def _put_timedelta_together(parts: dict[str, Any]) -> Any:
    pandas = import_pandas()
    import numpy

    return pandas.Timedelta(numpy.timedelta64(parts["value"], parts["unit"]))


def _no_parts(_: Any) -> dict[str, Any]:
    return {}


MIXED_FRAME = Compound(
    kind="pandas.mixed_frame",
    take_apart=_take_frame_apart,
    put_together=_put_frame_together,
    package="pandas",
    freeze=freeze_frame,
)
MIXED_SERIES = Compound(
    kind="pandas.mixed_series",
    take_apart=_take_series_apart,
    put_together=_put_series_together,
    package="pandas",
    freeze=freeze_series,
)
MIXED_INDEX = Compound(
    kind="pandas.mixed_index",
    take_apart=_take_index_apart,
    put_together=_put_index_together,
    package="pandas",
    freeze=freeze_immutable,
)
CATEGORICAL = Compound(
    kind="pandas.Categorical",
    take_apart=_take_categorical_apart,
    put_together=_put_categorical_together,
    package="pandas",
)
TIMESTAMP = Compound(
    kind="pandas.Timestamp",
    take_apart=_take_timestamp_apart,
    put_together=_put_timestamp_together,
    package="pandas",
    freeze=freeze_immutable,
)
TIMEDELTA = Compound(
    kind="pandas.Timedelta",
    take_apart=_take_timedelta_apart,
    put_together=_put_timedelta_together,
    package="pandas",
    freeze=freeze_immutable,
)
NAT = Compound(
    kind="pandas.NaT",
    take_apart=_no_parts,
    put_together=lambda _: import_pandas().NaT,
    package="pandas",
    freeze=freeze_immutable,
)
NA = Compound(
    kind="pandas.NA",
    take_apart=_no_parts,
    put_together=lambda _: import_pandas().NA,
    package="pandas",
    freeze=freeze_immutable,
)
