"""Pairs of values of pandas, Arrow and Polars that differ in one thing, by its name."""

from __future__ import annotations

import datetime
import decimal
import zoneinfo

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

from tests.corpora.planted import NAN, OTHER_NAN, UTC

__all__ = ["ARROW", "PANDAS", "POLARS"]


def index(**changed):
    return pd.Index(**{"data": [1, 2], "name": "a", "dtype": "int64", **changed})


def levels(levels=("a", "b"), codes=(0, 1), names=("n",)):
    return pd.MultiIndex(
        [list(levels), ["x"]], [list(codes), [0, 0]], names=[*names, 0]
    )


def flagged():
    frame = pd.DataFrame({"a": [1]})
    frame.flags.allows_duplicate_labels = False
    return frame


def with_attrs():
    frame = pd.DataFrame({"a": [1]})
    frame.attrs["unit"] = "m"
    return frame


def times(**options):
    return pd.date_range("2024-01-01", periods=2, **{"freq": "D", **options})


def texts(dtype):
    return pd.Series(["a", None], dtype=dtype)


PANDAS = {
    "class": lambda: (pd.Series([1]), pd.Series([1]).to_frame()),
    "dtype": lambda: (pd.Series([1]), pd.Series([1], dtype="int32")),
    "extension dtype": lambda: (pd.Series([1]), pd.Series([1], dtype="Int64")),
    "name": lambda: (pd.Series([1], name="a"), pd.Series([1])),
    "type of a name": lambda: (
        pd.Series([1], name=1),
        pd.Series([1], name=np.int64(1)),
    ),
    "attrs": lambda: (with_attrs(), pd.DataFrame({"a": [1]})),
    "flags": lambda: (flagged(), pd.DataFrame({"a": [1]})),
    "name of a column": lambda: (pd.DataFrame({1: [1]}), pd.DataFrame({"1": [1]})),
    "order of columns": lambda: (
        pd.DataFrame({"a": [1], "b": [1]}),
        pd.DataFrame({"b": [1], "a": [1]}),
    ),
    "name of the columns": lambda: (
        pd.DataFrame([[1]], columns=pd.Index([0], name="c")),
        pd.DataFrame([[1]], columns=pd.Index([0])),
    ),
    "number of rows": lambda: (pd.DataFrame(index=range(2)), pd.DataFrame()),
    "byte order": lambda: (
        pd.Series(np.array([1], ">i4")),
        pd.Series(np.array([1], "<i4")),
    ),
    "bits of NaN": lambda: (pd.Series([NAN]), pd.Series([OTHER_NAN])),
    "NaN and NA": lambda: (
        pd.Series([pd.NA], dtype=object),
        pd.Series([None], dtype=object),
    ),
    "null": lambda: (pd.array([1, None], "Int64"), pd.array([1, 2], "Int64")),
    "name of an index": lambda: (index(), index(name="b")),
    "dtype of an index": lambda: (index(), index(dtype="int32")),
    "class of an index": lambda: (pd.RangeIndex(2), pd.Index([0, 1])),
    "step": lambda: (pd.RangeIndex(0, 2, 1), pd.RangeIndex(0, 2, 2)),
    "end of an empty range": lambda: (pd.RangeIndex(0, 0), pd.RangeIndex(5, 5)),
    "unused level": lambda: (levels(["a", "b", "c"]), levels(["a", "b"])),
    "order of levels": lambda: (levels(["b", "a"], [0, 1]), levels(["a", "b"], [1, 0])),
    "name of a level": lambda: (levels(names=["n"]), levels(names=["m"])),
    "index of tuples": lambda: (
        pd.MultiIndex.from_tuples([(1,)]),
        pd.Index([(1,)], tupleize_cols=False),
    ),
    "freq": lambda: (times(), times().copy()._with_freq(None)),
    "freq that is alike": lambda: (
        times(freq="24h"),
        times(freq="D"),
    ),
    "unit": lambda: (times(unit="s"), times(unit="ms")),
    "zone": lambda: (times(tz="UTC"), times(tz=zoneinfo.ZoneInfo("UTC"))),
    "order of categories": lambda: (
        pd.Categorical(["a"], ["a", "b"]),
        pd.Categorical(["a"], ["b", "a"]),
    ),
    "ordered": lambda: (
        pd.Categorical(["a"], ordered=True),
        pd.Categorical(["a"], ordered=False),
    ),
    "unused category": lambda: (
        pd.Categorical(["a"], ["a", "b"]),
        pd.Categorical(["a"], ["a"]),
    ),
    "storage of text": lambda: (texts("string[pyarrow]"), texts("string[python]")),
    "null of text": lambda: (texts("string[python]"), texts("str")),
    "text as objects": lambda: (texts("str"), texts("object")),
    "closed": lambda: (
        pd.arrays.IntervalArray.from_breaks([0, 1], closed="left"),
        pd.arrays.IntervalArray.from_breaks([0, 1], closed="right"),
    ),
    "period": lambda: (pd.period_range("2024", periods=1, freq="M").array, None),
    "freq of a period": lambda: (pd.Period("2024-01", "M"), pd.Period("2024-01", "Q")),
    "fill of sparse": lambda: (
        pd.arrays.SparseArray([0, 1], fill_value=0),
        pd.arrays.SparseArray([0, 1], fill_value=2),
    ),
    "kind of sparse": lambda: (
        pd.arrays.SparseArray([0, 1], kind="block"),
        pd.arrays.SparseArray([0, 1], kind="integer"),
    ),
    "arrow dtype": lambda: (
        pd.Series([1], dtype=pd.ArrowDtype(pa.int64())),
        pd.Series([1], dtype=pd.ArrowDtype(pa.int32())),
    ),
    "values of arrow": lambda: (
        pd.Series([1.0, None], dtype=pd.ArrowDtype(pa.float64())),
        pd.Series([1.0, 2.0], dtype=pd.ArrowDtype(pa.float64())),
    ),
    "nanosecond": lambda: (pd.Timestamp(1), pd.Timestamp(2)),
    "unit of a timestamp": lambda: (
        pd.Timestamp("2024").as_unit("s"),
        pd.Timestamp("2024").as_unit("ns"),
    ),
    "fold of a timestamp": lambda: (
        pd.Timestamp(2024, 10, 27, 2, 30, tz="Europe/Berlin", fold=0),
        pd.Timestamp(2024, 10, 27, 2, 30, tz="Europe/Berlin", fold=1),
    ),
    "zone of a timestamp": lambda: (
        pd.Timestamp("2024", tz=UTC),
        pd.Timestamp("2024", tz=zoneinfo.ZoneInfo("UTC")),
    ),
    "timedelta": lambda: (pd.Timedelta(1, "s"), pd.Timedelta(1, "ms")),
    "NaT": lambda: (pd.NaT, None),
    "offset": lambda: (pd.offsets.BDay(1), pd.offsets.BDay(1, normalize=True)),
    "offset's offset": lambda: (
        pd.offsets.BDay(1),
        pd.offsets.BDay(1, offset=datetime.timedelta(1)),
    ),
    "weekday": lambda: (pd.offsets.Week(weekday=1), pd.offsets.Week(weekday=2)),
}


def table(metadata=None, of_field=None, nullable=True):
    field = pa.field("a", pa.int64(), nullable=nullable, metadata=of_field)
    return pa.table([pa.array([1])], schema=pa.schema([field], metadata=metadata))


def dictionary(values=("a", "b"), codes=(0, 1), *, ordered=False):
    return pa.DictionaryArray.from_arrays(list(codes), list(values), ordered=ordered)


ARROW = {
    "metadata": lambda: (table({"a": "b"}), table()),
    "metadata of a field": lambda: (table(of_field={"a": "b"}), table()),
    "nullable": lambda: (table(nullable=False), table()),
    "rows without columns": lambda: (
        pa.table({"a": [1]}).select([]),
        pa.table({"a": [1, 2]}).select([]),
    ),
    "name": lambda: (pa.table({"a": [1]}), pa.table({"b": [1]})),
    "table and batch": lambda: (table(), table().to_batches()[0]),
    "chunks": lambda: (pa.chunked_array([[1], [2]]), pa.chunked_array([[1, 2]])),
    "empty chunk": lambda: (
        pa.chunked_array([[1], []], pa.int64()),
        pa.chunked_array([[1]], pa.int64()),
    ),
    "type": lambda: (pa.array([1]), pa.array([1], pa.int32())),
    "large text": lambda: (pa.array(["a"]), pa.array(["a"], pa.large_string())),
    "zone": lambda: (
        pa.array([1], pa.timestamp("s", "UTC")),
        pa.array([1], pa.timestamp("s", "Etc/UTC")),
    ),
    "name inside a list": lambda: (
        pa.array([[1]], pa.list_(pa.field("item", pa.int64()))),
        pa.array([[1]], pa.list_(pa.field("element", pa.int64()))),
    ),
    "null": lambda: (pa.array([1, None]), pa.array([1, 2])),
    "null text": lambda: (pa.array(["", None]), pa.array(["", ""])),
    "null list": lambda: (
        pa.array([[], None]),
        pa.array([[], []], pa.list_(pa.null())),
    ),
    "null struct": lambda: (
        pa.array([None, {"a": 1}]),
        pa.array([{"a": None}, {"a": 1}]),
    ),
    "item of a list": lambda: (pa.array([[1], [2]]), pa.array([[1], [3]])),
    "cut of lists": lambda: (pa.array([[1], [2]]), pa.array([[1, 2], []])),
    "fixed list": lambda: (
        pa.array([[1, 2]], pa.list_(pa.int64(), 2)),
        pa.array([[1, 3]], pa.list_(pa.int64(), 2)),
    ),
    "map": lambda: (
        pa.array([[("a", 1)]], pa.map_("string", "int64")),
        pa.array([[("a", 2)]], pa.map_("string", "int64")),
    ),
    "bits of NaN": lambda: (pa.array([NAN]), pa.array([OTHER_NAN])),
    "sign of zero": lambda: (pa.array([0.0]), pa.array([-0.0])),
    "dictionary": lambda: (dictionary(), dictionary(["b", "a"], [1, 0])),
    "unused in a dictionary": lambda: (dictionary(), dictionary(["a", "b", "c"])),
    "ordered": lambda: (dictionary(), dictionary(ordered=True)),
    "union": lambda: (
        pa.UnionArray.from_sparse(pa.array([0], "int8"), [pa.array([1])]),
        pa.UnionArray.from_sparse(pa.array([0], "int8"), [pa.array([2])]),
    ),
    "extension": lambda: (
        pa.array([b"0" * 16], pa.uuid()),
        pa.array([b"0" * 16], pa.binary(16)),
    ),
    "view": lambda: (pa.array(["a"], "string_view"), pa.array(["b"], "string_view")),
    "boolean": lambda: (pa.array([True]), pa.array([False])),
    "decimal": lambda: (
        pa.array([decimal.Decimal("1.0")], pa.decimal128(3, 1)),
        pa.array([decimal.Decimal("1.0")], pa.decimal128(4, 1)),
    ),
    "scalar": lambda: (pa.scalar(1), pa.scalar(1, pa.int32())),
    "null scalar": lambda: (pa.scalar(None, pa.int64()), pa.scalar(0, pa.int64())),
}

POLARS = {
    "name": lambda: (pl.Series("a", [1]), pl.Series("b", [1])),
    "dtype": lambda: (pl.Series([1]), pl.Series([1], dtype=pl.Int32)),
    "null": lambda: (pl.Series([1, None]), pl.Series([1, 0])),
    "NaN and null": lambda: (pl.Series([1.0, NAN]), pl.Series([1.0, None])),
    "bits of NaN": lambda: (pl.Series([NAN]), pl.Series([OTHER_NAN])),
    "categories": lambda: (
        pl.Series(["a"], dtype=pl.Enum(["a", "b"])),
        pl.Series(["a"], dtype=pl.Enum(["b", "a"])),
    ),
    "unit": lambda: (
        pl.Series([1], dtype=pl.Datetime("ms")),
        pl.Series([1], dtype=pl.Datetime("us")),
    ),
    "zone": lambda: (
        pl.Series([1], dtype=pl.Datetime("ms", "UTC")),
        pl.Series([1], dtype=pl.Datetime("ms")),
    ),
    "width": lambda: (
        pl.Series([[]], dtype=pl.Array(pl.Int8, 0)),
        pl.Series([[1]], dtype=pl.Array(pl.Int8, 1)),
    ),
    "item": lambda: (pl.Series([[1], [2]]), pl.Series([[1], [3]])),
    "null struct": lambda: (
        pl.Series([None, {"a": 1}]),
        pl.Series([{"a": None}, {"a": 1}]),
    ),
    "object": lambda: (
        pl.Series([[1]], dtype=pl.Object),
        pl.Series([[2]], dtype=pl.Object),
    ),
    "large integer": lambda: (
        pl.Series([1 << 100], dtype=pl.Int128),
        pl.Series([2 << 100], dtype=pl.Int128),
    ),
    "rows without columns": lambda: (pl.DataFrame(height=1), pl.DataFrame(height=2)),
    "order of columns": lambda: (
        pl.DataFrame({"a": [1], "b": [1]}),
        pl.DataFrame({"b": [1], "a": [1]}),
    ),
    "query": lambda: (
        pl.LazyFrame({"a": [1]}),
        pl.LazyFrame({"a": [1]}).select(pl.col("a") + 1),
    ),
}
