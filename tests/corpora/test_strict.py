"""The strict comparison of the corpora sees every planted change."""

from __future__ import annotations

import copy
import datetime

import pytest

from tests.corpora.strict import difference

numpy = pytest.importorskip("numpy", reason="most values are of these libraries")
pandas = pytest.importorskip("pandas", reason="most values are of these libraries")
pyarrow = pytest.importorskip("pyarrow", reason="most values are of these libraries")
polars = pytest.importorskip("polars", reason="most values are of these libraries")

DAYS = pandas.date_range("2024-01-01", periods=3)
LEVELS = pandas.MultiIndex.from_arrays([["b", "a"], [1, 2]])


def frame(**options):
    made = pandas.DataFrame({"a": [1.0, 2.0]}, **options)
    made.attrs = {"a": 1}
    return made


CHANGES = {
    "a type": (1, True),
    "the sign of zero": (0.0, -0.0),
    "the bits of NaN": (float("nan"), -float("nan")),
    "an item": ([1, [2]], [1, [3]]),
    "the order of keys": ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    "the fold": (datetime.time(1), datetime.time(1, fold=1)),
    "a byte order": (numpy.array([1], "<i4"), numpy.array([1], ">i4")),
    "a shape": (numpy.zeros((2, 1)), numpy.zeros((1, 2))),
    "a unit": (numpy.array([1], "m8[s]"), numpy.array([1], "m8[ms]")),
    "the bits of a NaN in an array": (
        numpy.array([numpy.nan]),
        numpy.array([-numpy.nan]),
    ),
    "the type of an object": (
        numpy.array([1, "a"], object),
        numpy.array([True, "a"], object),
    ),
    "a mask": (numpy.ma.array([1], mask=[0]), numpy.ma.array([1], mask=[1])),
    "a fill value": (
        numpy.ma.array([1], fill_value=1),
        numpy.ma.array([1], fill_value=2),
    ),
    "the dtype of a column": (frame(), frame().astype("f4")),
    "an index": (frame(), frame(index=[0, 1])),
    "the name of an index": (
        frame(),
        frame(index=pandas.RangeIndex(2, name="a")),
    ),
    "attrs": (frame(), pandas.DataFrame({"a": [1.0, 2.0]})),
    "flags": (frame(), frame().set_flags(allows_duplicate_labels=False)),
    "a frequency": (DAYS, pandas.DatetimeIndex(list(DAYS))),
    "the order of levels": (
        LEVELS,
        LEVELS.set_levels(["b", "a"], level=0).set_codes([0, 1], level=0),
    ),
    "an unused level": (LEVELS[:1], LEVELS[:1].remove_unused_levels()),
    "a time zone": (
        DAYS.tz_localize("UTC"),
        DAYS.tz_localize("Europe/London"),
    ),
    "the order of categories": (
        pandas.Categorical(["a"], ["a", "b"]),
        pandas.Categorical(["a"], ["b", "a"]),
    ),
    "the storage of text": (
        pandas.Series(["a"], dtype="string[python]"),
        pandas.Series(["a"], dtype="string[pyarrow]"),
    ),
    "NA and NaN": (
        pandas.Series([1.0, None], dtype="Float64"),
        pandas.Series([1.0, 2.0], dtype="Float64"),
    ),
    "chunks": (
        pyarrow.chunked_array([[1, 2]]),
        pyarrow.chunked_array([[1], [2]]),
    ),
    "the metadata of a schema": (
        pyarrow.table({"a": [1]}),
        pyarrow.table({"a": [1]}, metadata={"b": "c"}),
    ),
    "a type of Arrow": (pyarrow.array([1], "int8"), pyarrow.array([1], "int16")),
    "a dtype of Polars": (
        polars.Series([1], dtype=polars.Int8),
        polars.Series([1], dtype=polars.Int16),
    ),
    "the name of a series": (polars.Series("a", [1]), polars.Series("b", [1])),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_seen(name):
    one, other = CHANGES[name]
    assert difference(one, other)
    assert difference(other, one)
    assert not difference(one, one)


@pytest.mark.parametrize("name", CHANGES)
def test_a_copy_is_no_change(name):
    for value in CHANGES[name]:
        assert not difference(value, copy.deepcopy(value))
