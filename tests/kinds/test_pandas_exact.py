"""Values of pandas that an Arrow file would change come back exactly, without trust."""

from __future__ import annotations

import datetime
import json
import zoneinfo

import pytest

from checkpoints._kinds.decoder import decode
from checkpoints._kinds.encoder import encode
from checkpoints._kinds.frozen import freeze

numpy = pytest.importorskip("numpy", reason="pandas is made of it")
pandas = pytest.importorskip("pandas", reason="these are values of pandas")
pyarrow = pytest.importorskip("pyarrow", reason="frames are kept as Arrow files")

from checkpoints._kinds.pandas_same import same_frames, same_index  # noqa: E402 - as above

FRAME = pandas.DataFrame({"a": [1, 2, 3, 4], "b": list("xyxy")})
HOURS = pandas.date_range("2020-01-01", periods=10, freq="h")
PARIS = pandas.Timestamp("2020-01-01", tz="Europe/Paris")
LISTS = pandas.ArrowDtype(pyarrow.list_(pyarrow.int64()))
TEXTS = pandas.ArrowDtype(pyarrow.string())


def with_attrs():
    frame = FRAME.copy()
    frame.attrs = {"unit": ["m"], 1: (2,)}
    return frame


def objects(*values):
    return pandas.Series(values, dtype=object)


KEYED = pandas.concat({"small": FRAME, "large": FRAME})
FRAMES = {
    "levels in another order": KEYED,
    "levels of columns in another order": KEYED.unstack(),
    "aggregates": FRAME.groupby("b").agg(["sum", "min"]),
    "open, high, low, close": pandas.Series(range(10), HOURS).resample("3h").ohlc(),
    "unused values of a level": FRAME.set_index(["a", "b"])[:2],
    "UTC of the standard library": pandas.DataFrame({"t": HOURS.tz_localize("UTC")}),
    "UTC of zoneinfo": pandas.DataFrame(
        {"t": HOURS.tz_localize(zoneinfo.ZoneInfo("UTC"))}
    ),
    "an index in UTC": pandas.DataFrame({"a": range(10)}, HOURS.tz_localize("UTC")),
    "an offset without a name": pandas.DataFrame(
        {"a": HOURS.tz_localize(datetime.timezone(datetime.timedelta(hours=1), "CET"))}
    ),
    "attrs": with_attrs(),
    "one name twice": pandas.DataFrame([[1, "a"]], columns=["q", "q"]),
    "no duplicates allowed": FRAME.set_flags(allows_duplicate_labels=False),
    "a negative NaN": pandas.DataFrame({"a": [-numpy.nan, numpy.nan, 1.0]}),
    "big-endian": pandas.DataFrame(
        {"a": numpy.array([1, 2], ">i4"), "b": numpy.array([1, 2], ">f8")}
    ),
    "big-endian, in two blocks": pandas.concat(
        [pandas.DataFrame(numpy.ones((2, 2), ">f8")) for _ in range(2)], axis=1
    ),
    "a name without letters": pandas.DataFrame({"": [1, 2]}),
    "a column of nothing": pandas.DataFrame({"a": objects(None, None)}),
    "no columns": pandas.DataFrame(index=[1, 2, 3]),
    "nothing": pandas.DataFrame(),
    "many numbers": pandas.DataFrame(numpy.arange(300.0).reshape(2, 150)),
    "many numbers and texts": pandas.DataFrame(
        {
            f"{kind}{n}": [value]
            for n in range(120)
            for kind, value in (("n", n), ("t", "x"))
        }
    ),
    "many texts, one odd": pandas.DataFrame(
        {**{f"c{n}": objects("a", None) for n in range(120)}, "odd": objects("a", 1)}
    ),
    "sparse": pandas.DataFrame(
        {"a": pandas.arrays.SparseArray([0, 1, 0]), "b": [1, 2, 3]}
    ),
    "sparse, in blocks": pandas.DataFrame(
        {"a": pandas.arrays.SparseArray([0.5, numpy.nan], kind="block")}
    ),
    "lists of Arrow": pandas.DataFrame({"a": pandas.Series([[1], None], dtype=LISTS)}),
    "texts of Arrow": pandas.DataFrame({"a": pandas.Series(["x", None], dtype=TEXTS)}),
    "periods as categories": pandas.DataFrame(
        {"a": pandas.Categorical(pandas.period_range("2020", periods=2, freq="M"))}
    ),
    "intervals of times": pandas.DataFrame(
        {"a": pandas.interval_range(PARIS, periods=3)}
    ),
    "names of two types": pandas.DataFrame([[1, 2]], columns=[1, "a"]),
    "levels of two types": pandas.DataFrame(
        [[1, 2]],
        columns=pandas.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=[None, 3]),
    ),
    "days as names": pandas.DataFrame([[1, 2]], columns=HOURS[:2]),
    "no Unicode": pandas.DataFrame({"a": objects("\ud800")}),
    "no Unicode in a name": pandas.DataFrame(
        [[1]], columns=pandas.Index(["\ud800"], dtype=object)
    ),
    "no Unicode in the index": pandas.DataFrame(
        {"a": [1]}, index=pandas.Index(["\ud800"], dtype=object)
    ),
    "longdouble": pandas.DataFrame({"a": numpy.array([1, 2], numpy.longdouble)}),
}
INDEXES = {
    "one level": pandas.MultiIndex.from_arrays([[1, 2]]),
    "a range with a name": pandas.RangeIndex(3, name=datetime.date(2020, 1, 1)),
    "categories that are not used": pandas.CategoricalIndex(
        ["b", "a"], ["b", "a", "c"]
    ),
    "zeros of both signs": pandas.Index([-0.0, 0.0]),
    "an order backwards": pandas.timedelta_range("1h", periods=3, freq="-1h"),
    "a level with a frequency": pandas.MultiIndex.from_product([HOURS, ["a"]]),
}
SCALARS = {
    "a period": pandas.Period("2020Q1"),
    "an interval": pandas.Interval(0, 1, closed="both"),
    "the second of two hours": pandas.Timestamp(
        datetime.datetime(2020, 10, 25, 2, 30, fold=1),
        tz=zoneinfo.ZoneInfo("Europe/Berlin"),
    ),
    "a fold without a zone": pandas.Timestamp("2020-10-25 02:30").replace(fold=1),
    "an offset with a name": pandas.Timestamp(
        "2020", tz=datetime.timezone(datetime.timedelta(hours=1), "CET")
    ),
    "a frequency": pandas.offsets.BDay(2),
}
ARRAYS = {
    name: values.array
    for name, values in {
        "zoned": pandas.Series(HOURS.tz_localize("Europe/Paris")),
        "durations": pandas.Series(pandas.timedelta_range("1h", periods=3)),
        "periods": pandas.Series(pandas.period_range("2020", periods=3, freq="Q-NOV")),
        "intervals": pandas.Series(pandas.interval_range(0, 3)),
        "sparse": pandas.Series(pandas.arrays.SparseArray([0, 0, 1])),
        "integers": pandas.Series([1, None], dtype="Int8"),
        "floats": pandas.Series([1.5, None], dtype="Float32"),
        "booleans": pandas.Series([True, None], dtype="boolean"),
        "texts": pandas.Series(["a", None], dtype="string[python]"),
        "texts of Arrow": pandas.Series(["a", None], dtype="string[pyarrow]"),
        "lists of Arrow": pandas.Series([[1], None], dtype=LISTS),
        "complex": pandas.Series([1j, 2]),
        "categories": pandas.Series(["b", None, "a"], dtype="category"),
    }.items()
}


def through_bytes(value):
    """The value as it is loaded, without trust, from what is saved."""
    encoded = encode({"it": value})
    members = {name: b"".join(chunks) for name, chunks in encoded.members}
    nodes = json.loads(json.dumps(encoded.nodes))
    return decode(
        nodes,
        lambda node: memoryview(bytearray(members[node["member"]])),
        trusted=False,
        path="file",
    )["it"]


@pytest.mark.parametrize("way", [through_bytes, freeze])
class TestExact:
    @pytest.mark.parametrize("name", FRAMES)
    def test_a_frame_comes_back(self, way, name):
        found = way(FRAMES[name])
        assert same_frames(FRAMES[name], found)
        assert found.attrs == FRAMES[name].attrs
        assert found.flags == FRAMES[name].flags

    @pytest.mark.parametrize("name", INDEXES)
    def test_an_index_comes_back(self, way, name):
        assert same_index(INDEXES[name], way(INDEXES[name]))

    @pytest.mark.parametrize("name", SCALARS)
    def test_a_scalar_comes_back(self, way, name):
        found = way(SCALARS[name])
        assert type(found) is type(SCALARS[name])
        assert (found, repr(found)) == (SCALARS[name], repr(SCALARS[name]))
        assert getattr(found, "fold", 0) == getattr(SCALARS[name], "fold", 0)

    @pytest.mark.parametrize("name", ARRAYS)
    def test_an_array_comes_back(self, way, name):
        found = way(ARRAYS[name])
        assert type(found) is type(ARRAYS[name])
        assert same_frames(
            pandas.DataFrame({"a": ARRAYS[name]}), pandas.DataFrame({"a": found})
        )


class TestLevels:
    def test_a_nan_that_is_a_value_of_a_level_is_not_lost_in_silence(self):
        index = pandas.MultiIndex([[1.0, numpy.nan]], [[0, 1]], verify_integrity=False)
        encoded = encode({"it": index})
        assert "codes" in encoded.pickled["it"]


class TestMemory:
    """A frozen value keeps the values of the call."""

    def test_an_index_over_an_array(self):
        array = numpy.arange(3)
        for index in (pandas.Index(array, copy=False), pandas.Index(array.view())):
            value = pandas.Series([1, 2, 3], index=index)
            frame = value.to_frame("a")
            before = list(index)
            frozen = freeze(value), freeze(frame), freeze(index)
            array += 1
            found = frozen[0].index, frozen[1].index, frozen[2]
            assert [list(one) for one in found] == [before] * 3

    def test_an_arrow_column_over_an_array(self):
        array = numpy.arange(3)
        column = pandas.Series(pandas.arrays.ArrowExtensionArray(pyarrow.array(array)))
        before = list(column)
        frozen = freeze(column), freeze(column.to_frame("a"))["a"]
        array += 1
        assert [list(one) for one in frozen] == [before] * 2


class TestForged:
    """What no version of this library wrote raises an error."""

    @pytest.mark.parametrize(
        ("name", "changed"),
        [
            ("periods", {"freq": "no such"}),
            ("sparse", {"length": 1}),
            ("sparse", {"indices": numpy.array([9], "int32")}),
            ("zoned", {"unit": "Y"}),
            ("zoned", {"zone": ["zoneinfo", "../../etc/passwd"]}),
            ("zoned", {"zone": ["os.system", "true"]}),
            ("zoned", {"type": "ndarray"}),
            ("texts", {"dtype": "int64"}),
        ],
    )
    def test_an_array(self, name, changed):
        from checkpoints._kinds.pandas_arrays import ARRAY

        parts = ARRAY.take_apart(ARRAYS[name])
        with pytest.raises(Exception, match=r"."):
            ARRAY.put_together({**parts, **changed})
