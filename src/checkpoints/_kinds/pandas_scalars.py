"""The scalars of pandas: times, periods, intervals, frequencies, NaT and NA."""

from __future__ import annotations

from typing import Any

from checkpoints._kinds.kind import Compound, Inexact
from checkpoints._kinds.pandas_arrays import (
    freq_from_text,
    freq_to_text,
    import_pandas,
)
from checkpoints._kinds.pandas_zones import zone_from_parts, zone_to_parts

__all__ = ["INTERVAL", "NA", "NAT", "OFFSET", "PERIOD", "TIMEDELTA", "TIMESTAMP"]

Parts = dict[str, Any]


def _take_timestamp_apart(stamp: Any) -> Parts:
    utc = stamp if stamp.tz is None else stamp.tz_convert(None)
    parts = {
        "value": int(utc.to_numpy().astype("int64")),
        "unit": stamp.unit,
        "zone": zone_to_parts(stamp.tz),
        "fold": stamp.fold,
    }
    found = _put_timestamp_together(parts)
    for trait in ("tz", "fold", "unit"):
        one, other = getattr(stamp, trait), getattr(found, trait)
        if type(one) is not type(other) or one != other:
            raise Inexact(f"the {trait} of the timestamp {stamp!r} would change")
    return parts


def _put_timestamp_together(parts: Parts) -> Any:
    import numpy

    pandas = import_pandas()
    stamp = pandas.Timestamp(numpy.datetime64(parts["value"], parts["unit"]))
    zone = zone_from_parts(parts["zone"])
    if zone is not None:
        return stamp.tz_localize("UTC").tz_convert(zone)
    # A zone says which of two equal hours it is; without one it is just a mark.
    return stamp.replace(fold=1) if parts.get("fold") else stamp


def _take_timedelta_apart(delta: Any) -> Parts:
    return {"value": int(delta.to_numpy().astype("int64")), "unit": delta.unit}


def _put_timedelta_together(parts: Parts) -> Any:
    import numpy

    pandas = import_pandas()
    return pandas.Timedelta(numpy.timedelta64(parts["value"], parts["unit"]))


def _take_period_apart(period: Any) -> Parts:
    parts = {"ordinal": period.ordinal, "freq": period.freqstr}
    if _put_period_together(parts).freq != period.freq:
        raise Inexact(f"the frequency of the period {period!r} would change")
    return parts


def _put_period_together(parts: Parts) -> Any:
    return import_pandas().Period(ordinal=parts["ordinal"], freq=parts["freq"])


def _take_interval_apart(interval: Any) -> Parts:
    return {
        "left": interval.left,
        "right": interval.right,
        "closed": interval.closed,
    }


def _put_interval_together(parts: Parts) -> Any:
    return import_pandas().Interval(**parts)


def _kind(name: str, take_apart: Any, put_together: Any) -> Compound:
    return Compound(
        kind=f"pandas.{name}",
        take_apart=take_apart,
        put_together=put_together,
        package="pandas",
        freeze=_itself,
    )


def _itself(value: Any) -> Any:
    """Return the value, which is immutable."""
    return value


TIMESTAMP = _kind("Timestamp", _take_timestamp_apart, _put_timestamp_together)
TIMEDELTA = _kind("Timedelta", _take_timedelta_apart, _put_timedelta_together)
PERIOD = _kind("Period", _take_period_apart, _put_period_together)
INTERVAL = _kind("Interval", _take_interval_apart, _put_interval_together)


def _take_offset_apart(offset: Any) -> Parts:
    text = freq_to_text(offset)
    if text is offset:
        raise Inexact(f"the frequency {offset!r} cannot be made from its name")
    return {"freq": text}


OFFSET = _kind(
    "DateOffset",
    _take_offset_apart,
    lambda parts: freq_from_text(parts["freq"]),
)
NAT = _kind("NaT", lambda _: {}, lambda _: import_pandas().NaT)
NA = _kind("NA", lambda _: {}, lambda _: import_pandas().NA)
