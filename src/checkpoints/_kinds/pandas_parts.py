"""Kinds of pandas that are saved in parts: scalars, and what Arrow cannot hold."""

from __future__ import annotations

import copy
import datetime
from typing import Any

from checkpoints._kinds.kind import Compound, Inexact
from checkpoints._kinds.pandas_table import import_pandas, to_table
from checkpoints._kinds.plain import named_zone
from checkpoints._process.libraries import needed

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
    """Copy a frame, and the mutable objects in it."""
    frozen = frame.copy()
    for position in range(frame.shape[1]):
        column = frozen.iloc[:, position]
        if column.dtype == object:
            frozen.isetitem(position, freeze_series(column))
    return frozen


def freeze_series(series: Any) -> Any:
    """Copy a series, and the mutable objects in it."""
    import pandas

    if series.dtype != object or set(map(type, series)) <= _IMMUTABLE:
        return series.copy()
    values = copy.deepcopy(list(series))
    copied: Any = pandas.Series(
        values, index=series.index, name=series.name, dtype=object
    )
    return copied.__finalize__(series)


def freeze_immutable(value: Any) -> Any:
    """Return the value itself, which is immutable."""
    return value


def _fits_arrow(frame: Any) -> bool:
    try:
        to_table(frame)
    except Inexact:
        return False
    return True


def _take_frame_apart(frame: Any) -> dict[str, Any]:
    import pandas

    if not frame.flags.allows_duplicate_labels:
        raise Inexact("the frame's flags do not allow duplicate labels")
    bare = frame.copy(deep=False)
    bare.attrs = {}
    index, positions = None, range(frame.shape[1])
    if not _fits_arrow(pandas.DataFrame(index=frame.index)):
        index, bare.index = frame.index, pandas.RangeIndex(len(frame))
    odd = {at for at in positions if not _column_fits_arrow(bare.iloc[:, at])}
    regular = bare.iloc[:, [at for at in positions if at not in odd]]
    if not _fits_arrow(regular):
        regular.columns = [str(position) for position in range(regular.shape[1])]
        # Raises `Inexact` if it still does not fit: its parts would never end.
        to_table(regular)
    return {
        "frame": regular,
        "odd": {str(at): _values_of(bare.iloc[:, at]) for at in odd},
        "columns": frame.columns,
        "index": index,
        "attrs": frame.attrs,
    }


def _column_fits_arrow(column: Any) -> bool:
    import numpy
    import pandas

    if isinstance(column.dtype, numpy.dtype) and column.dtype.kind in "biufmM":
        return True
    index = pandas.RangeIndex(len(column))
    return _fits_arrow(column.set_axis(index).to_frame("column"))


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
    """Return the values of a column that Arrow cannot hold, without the column."""
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
    # The frequency of a PeriodIndex is part of its dtype.
    if getattr(index, "freq", None) is not None and index.dtype.kind in "mM":
        raise Inexact(f"the index has the frequency {index.freq!r}")
    values = _values_of(index)
    if isinstance(values, pandas.api.extensions.ExtensionArray):
        # Arrow can hold most of them as columns.
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
    utc = stamp if stamp.tz is None else stamp.tz_convert(None)
    parts = {
        "value": int(utc.to_numpy().astype("int64")),
        "unit": stamp.unit,
        "zone": _zone_of(stamp.tz),
        "pytz": type(stamp.tz).__module__.partition(".")[0] == "pytz",
    }
    rebuilt = _put_timestamp_together(parts)
    if (rebuilt.tz, rebuilt.fold, rebuilt.unit) != (stamp.tz, stamp.fold, stamp.unit):
        raise Inexact(f"the time zone or fold of the timestamp {stamp!r} would change")
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
    return needed("pytz", "loading a time zone of pytz").timezone(key)


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
