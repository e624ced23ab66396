"""pandas values come back exactly, whatever Arrow does to them on the way."""

from __future__ import annotations

import datetime
import decimal
import sys
import zoneinfo

import pytest

from checkpoints._kinds.encoder import encode
from checkpoints._kinds.frozen import freeze
from checkpoints._kinds.kind import Inexact
from checkpoints._kinds.pandas import FAMILY, fallback, recognise
from checkpoints._kinds.pandas_table import exact_table, from_table, to_table
from checkpoints._kinds.tables import as_table
from checkpoints._process.budget import Budget, within
from checkpoints.errors import TooLargeError

numpy = pytest.importorskip("numpy", reason="pandas is made of it")
pandas = pytest.importorskip("pandas", reason="these are values of pandas")
pyarrow = pytest.importorskip("pyarrow", reason="frames are kept as Arrow files")

DAYS = pandas.date_range("2020-01-01", periods=3)
TEXT_DTYPES = ["string[python]", "string[pyarrow]"]
if hasattr(pandas.StringDtype("python"), "na_value"):
    TEXT_DTYPES += [
        pandas.StringDtype(storage, na_value=numpy.nan)
        for storage in ("python", "pyarrow")
        if pandas.__version__ >= "2.3"
    ]
# What Arrow holds: one member, readable without this library.
EXACT = {
    "floats": pandas.Series([1.5, numpy.nan, -0.0]),
    "ints": pandas.Series([1, 2, 3]),
    "small ints": pandas.Series([1, 2, 3], dtype="u1"),
    "booleans": pandas.Series([True, False, True]),
    "times": pandas.Series(DAYS),
    "times in seconds": pandas.Series(DAYS.as_unit("s")),
    "times with gaps": pandas.Series([DAYS[0], pandas.NaT, DAYS[1]]),
    "zoned": pandas.Series(DAYS.tz_localize(zoneinfo.ZoneInfo("Europe/Paris"))),
    "UTC": pandas.Series(DAYS.tz_localize("UTC")),
    "durations": pandas.Series(pandas.to_timedelta([1, 2, None], unit="s")),
    "nullable ints": pandas.Series([1, None, 3], dtype="Int64"),
    "nullable booleans": pandas.Series([True, None, False], dtype="boolean"),
    "nullable floats": pandas.Series([1.5, None, 3], dtype="Float32"),
    **{f"text {t!r}": pandas.Series(["a", None, ""], dtype=t) for t in TEXT_DTYPES},
    "default text": pandas.Series(["a", "b", "c"]),
    "object text": pandas.Series(["a", None, "c"], dtype=object),
    "object bytes": pandas.Series([b"a", None, b""], dtype=object),
    "object booleans": pandas.Series([True, False, True], dtype=object),
    "object booleans, gaps": pandas.Series([True, None, True], dtype=object),
    "object dates": pandas.Series(
        [datetime.date(2020, 1, 1), None, None], dtype=object
    ),
    "only None": pandas.Series([None, None, None], dtype=object),
    "categories": pandas.Series(["b", None, "a"], dtype="category"),
    "ordered categories": pandas.Series(
        pandas.Categorical([3, 1, 3], categories=[3, 2, 1], ordered=True)
    ),
    "categories out of order": pandas.Series(
        pandas.Categorical(["a", "b", "a"], categories=["b", "a"])
    ),
}
# What Arrow does not hold exactly: a part of its own beside the rest.
ODD = {
    "halves": pandas.Series([1.5, numpy.nan, 3], dtype="f2"),
    "Arrow ints": pandas.Series([1, None, 3], dtype=pandas.ArrowDtype(pyarrow.int8())),
    "intervals": pandas.Series(pandas.interval_range(0, 3, closed="left")),
    "periods": pandas.Series(pandas.period_range("2020", periods=3, freq="M")),
    "mixed": pandas.Series(["a", 1, None], dtype=object),
    "text and NaN": pandas.Series(["a", numpy.nan, "c"], dtype=object),
    "None and NaN": pandas.Series([None, numpy.nan, None], dtype=object),
    "lists": pandas.Series([[1, 2], [3, 4], []], dtype=object),
    "decimals": pandas.Series([decimal.Decimal("1.50"), decimal.Decimal(2), None]),
    "dates and times": pandas.Series([DAYS[0].date(), DAYS[1].to_pydatetime()]),
    "text that is none": pandas.Series(["\ud800", "b"], dtype=object),
    "complex": pandas.Series([1j, 2, 3]),
    "mixed categories": pandas.Series(pandas.Categorical([1, "a", 1], ["a", 1])),
    "sparse": pandas.Series(pandas.arrays.SparseArray([0, 0, 1])),
    "NaN beside NA": pandas.Series(
        pandas.arrays.FloatingArray(
            numpy.array([1, numpy.nan, 3]), numpy.array([True, False, False])
        )
    ),
    "a dtype that pandas cannot spell": pandas.Series(
        [[1], None, []], dtype=pandas.ArrowDtype(pyarrow.list_(pyarrow.int64()))
    ),
}
if pandas.Series(["a"]).dtype != object:
    texts = pandas.Index(["a", "b"], dtype=object)
    ODD["object categories"] = pandas.Series(pandas.Categorical(["a"], texts))
INDEXES = {
    "range": pandas.RangeIndex(3),
    "named range": pandas.RangeIndex(6, 0, -2, name="n"),
    "ints": pandas.Index([3, 1, 2]),
    "floats": pandas.Index([0.5, numpy.nan, 1]),
    "booleans": pandas.Index([True, False, True]),
    "text": pandas.Index(["a", "b", "a"], name="text"),
    "object text": pandas.Index(["a", "b", "c"], dtype=object),
    "name of another type": pandas.Index([1, 2, 3], name=7),
    "name of two": pandas.Index([1, 2, 3], name=("a", 1.5)),
    "name that is true": pandas.Index([1, 2, 3], name=True),
    "days": DAYS,
    "days of work": pandas.bdate_range("2020-01-01", periods=3, name="day"),
    "no frequency": pandas.DatetimeIndex(["2020-01-03", "2020-01-01", "NaT"]),
    "zoned": DAYS.tz_localize("Europe/Paris"),
    "durations": pandas.timedelta_range("1h", periods=3, freq="2h"),
    "periods": pandas.period_range("2020", periods=3, freq="Q"),
    "intervals": pandas.interval_range(0.0, 3.0, 3),
    "categories": pandas.CategoricalIndex(["b", "a", "b"], ordered=True),
    "nullable": pandas.Index([1, None, 3], dtype="Int64"),
    "levels": pandas.MultiIndex.from_tuples(
        [("a", 1), ("b", 2), ("a", 3)], names=["x", None]
    ),
    "levels of days": pandas.MultiIndex.from_arrays([DAYS, [1, 1, None]]),
    "equal names": pandas.MultiIndex.from_arrays([[1, 2, 3]] * 2, names=["x", "x"]),
    "mixed": pandas.Index(["a", 1, None], dtype=object),
    "tuples": pandas.Index([("a", 1), "b", ("c",)], tupleize_cols=False),
    "dates": pandas.Index([datetime.date(2020, 1, n) for n in (1, 2, 3)]),
    "name that JSON has not": pandas.Index([1, 2, 3], name=datetime.date(2020, 1, 1)),
    "complex": pandas.Index([1j, 2, 3]),
}
LABELS = {
    **{name: index[:2] for name, index in INDEXES.items()},
    "one name twice": pandas.Index(["a", "a"]),
    "ints of no order": pandas.Index([2021, 2020], name="year"),
    "text that is an index's": pandas.Index(["__index_level_0__", "index"]),
    "levels of text": pandas.MultiIndex.from_product([["a"], ["x", "y"]]),
    "named levels": pandas.MultiIndex.from_product([["a"], ["x", "y"]], names=[0, "n"]),
}


def assert_same_index(one, other):
    assert type(other) is type(one)
    assert other.identical(one)
    assert list(map(type, other.names)) == list(map(type, one.names))
    assert getattr(other, "freq", None) == getattr(one, "freq", None)
    for a, b in zip(
        one.levels if one.nlevels > 1 else [one],
        other.levels if other.nlevels > 1 else [other],
        strict=True,
    ):
        assert_same_dtype(a.dtype, b.dtype)
    if one.dtype == object:
        types = [list(map(type, index)) for index in (one, other)]
        assert types[0] == types[1]


def assert_same_dtype(one, other):
    assert other == one
    assert repr(other) == repr(one)
    for name in ("storage", "na_value"):
        assert repr(getattr(other, name, None)) == repr(getattr(one, name, None))
    if isinstance(one, pandas.CategoricalDtype):
        assert_same_index(one.categories, other.categories)


def assert_same(one, other):
    assert type(other) is type(one)
    assert_same_index(one.index, other.index)
    if isinstance(one, pandas.Series):
        assert type(other.name) is type(one.name)
        assert other.name == one.name
        one, other = one.to_frame("x"), other.to_frame("x")
    assert_same_index(one.columns, other.columns)
    for position in range(one.shape[1]):
        a, b = one.iloc[:, position], other.iloc[:, position]
        assert_same_dtype(a.dtype, b.dtype)
        pandas.testing.assert_series_equal(b, a, check_index=False)
        if a.dtype == object:
            assert list(map(type, a)) == list(map(type, b))
        assert list(map(repr, a)) == list(map(repr, b))


@pytest.fixture
def frame():
    return pandas.DataFrame({"n": [1, 2, 3], "x": [0.5, 1, 2], "text": list("abc")})


class TestColumns:
    @pytest.mark.parametrize("name", EXACT)
    @pytest.mark.parametrize("read_only", [False, True])
    def test_what_arrow_holds_is_one_member(self, round_trip, name, read_only):
        frame = EXACT[name].to_frame("x")
        assert_same(frame, round_trip(frame, read_only=read_only))
        assert round_trip.kinds == ["pandas.DataFrame"]

    @pytest.mark.parametrize("name", EXACT)
    def test_comes_back_without_rows(self, round_trip, name):
        frame = EXACT[name].to_frame("x").iloc[:0]
        assert_same(frame, round_trip(frame))

    @pytest.mark.parametrize("name", EXACT)
    @pytest.mark.parametrize("read_only", [False, True])
    def test_can_be_written_to(self, round_trip, name, read_only):
        column = EXACT[name]
        back = round_trip(column.to_frame("x"), read_only=read_only)
        back.iloc[0, 0] = column.iloc[-1]
        pandas.testing.assert_series_equal(
            back["x"].iloc[:1], column.iloc[-1:], check_index=False, check_names=False
        )
        back.loc[0, "y"] = 5.0
        assert back["y"].tolist()[0] == 5

    @pytest.mark.parametrize("name", ODD)
    def test_what_arrow_does_not_hold_stands_beside_the_rest(self, round_trip, name):
        frame = ODD[name].to_frame("odd")
        frame.insert(0, "even", range(len(frame)))
        frame["last"] = "x"
        assert_same(frame, round_trip(frame))
        assert round_trip.kinds[:2] == ["pandas.frame", "pyarrow.Table"]

    @pytest.mark.parametrize("name", ODD)
    def test_what_arrow_does_not_hold_is_inexact_by_itself(self, name):
        with pytest.raises(Inexact):
            exact_table(ODD[name].to_frame("x"))

    @pytest.mark.parametrize("name", ODD)
    def test_odd_columns_alone_come_back(self, round_trip, name):
        frame = ODD[name].to_frame("x")
        assert_same(frame, round_trip(frame))

    def test_mixed_columns_need_no_pickle(self, round_trip):
        frame = pandas.DataFrame({"a": [1, 2], "b": ["x", 1], "c": [[1], None]})
        assert_same(frame, round_trip(frame))
        assert round_trip.left == []

    def test_a_column_on_its_own_can_be_written_to(self, round_trip):
        back = round_trip(pandas.DataFrame({"a": [1.0, 2, 3]}), read_only=True)
        back.iloc[0, 0] = 1
        back["a"] += 1
        assert back["a"].tolist() == [2, 3, 4]

    def test_column_buffers_are_not_copied(self):
        frame = pandas.DataFrame(numpy.zeros((4, 1000)).T, columns=list("abcd"))
        buffers, _ = recognise(pandas.DataFrame).encode(frame)
        block = frame["a"].to_numpy().__array_interface__["data"][0]
        addresses = [
            numpy.frombuffer(buffer, "u1").__array_interface__["data"][0]
            for buffer in buffers
            if memoryview(buffer).nbytes >= 8000
        ]
        assert addresses[0] == block
        assert len(addresses) == 4


class TestLabels:
    @pytest.mark.parametrize("name", INDEXES)
    def test_rows_come_back(self, round_trip, name):
        frame = pandas.DataFrame({"a": [1, 2, 3]}, index=INDEXES[name])
        assert_same(frame, round_trip(frame))

    @pytest.mark.parametrize("name", INDEXES)
    @pytest.mark.parametrize("rows", [0, 2])
    def test_rows_come_back_without_columns(self, round_trip, name, rows):
        frame = pandas.DataFrame(index=INDEXES[name][:rows])
        assert_same(frame, round_trip(frame))

    @pytest.mark.parametrize("name", LABELS)
    @pytest.mark.parametrize("rows", [0, 2])
    def test_columns_come_back(self, round_trip, name, rows):
        frame = pandas.DataFrame([[1, 2.5], [3, 4.5]][:rows])
        frame = frame.reindex(columns=range(2)).set_axis(LABELS[name], axis=1)
        assert_same(frame, round_trip(frame))

    @pytest.mark.parametrize("name", LABELS)
    def test_columns_come_back_with_mixed_values(self, round_trip, name):
        frame = pandas.DataFrame([["a", 1], [2, "b"]], dtype=object)
        frame = frame.set_axis(LABELS[name], axis=1)
        assert_same(frame, round_trip(frame))

    @pytest.mark.parametrize("name", LABELS)
    def test_columns_come_back_when_there_are_none(self, round_trip, name):
        frame = pandas.DataFrame(columns=LABELS[name][:0])
        assert_same(frame, round_trip(frame))

    @pytest.mark.parametrize(
        "frame",
        [
            pandas.DataFrame(),
            pandas.DataFrame(numpy.zeros((2, 3))),
            pandas.DataFrame({2021: [1], 2020: [2]}),
            pandas.DataFrame({"a": [1, 2]}).iloc[[1]],
        ],
    )
    def test_common_labels_need_one_member(self, round_trip, frame):
        assert_same(frame, round_trip(frame))
        assert round_trip.kinds == ["pandas.DataFrame"]

    def test_a_name_that_is_a_columns_too_comes_back(self, round_trip, frame):
        frame.index = pandas.Index([1, 2, 3], name="n")
        assert_same(frame, round_trip(frame))

    @pytest.mark.parametrize(
        "freq",
        [
            pandas.offsets.CustomBusinessDay(holidays=["2020-01-02"]),
            pandas.DateOffset(months=1),
        ],
    )
    def test_a_frequency_without_a_name_is_the_only_pickle(self, freq):
        index = pandas.date_range("2020-01-01", periods=3, freq=freq)
        members = [name for name, _ in encode({"it": index}).members]
        assert [name for name in members if name.endswith("pickle")] == [
            "it/freq.pickle"
        ]

    def test_the_frame_says_what_it_is_without_being_read(self, frame):
        notes = to_table(frame.astype({"text": object}))[1]
        assert notes["rows"] == 3
        assert notes["shape"] == [3, 3]
        assert notes["schema"] == [["n", "int64"], ["x", "float64"], ["text", "object"]]


class TestFrames:
    def test_attrs_come_back(self, round_trip, frame):
        frame.attrs = {"source": "here", 1: ("a", [2])}
        back = round_trip(frame)
        assert back.attrs == frame.attrs
        assert_same(frame, back)

    def test_flags_come_back(self, round_trip, frame):
        flagged = frame.set_flags(allows_duplicate_labels=False)
        back = round_trip(flagged)
        assert not back.flags.allows_duplicate_labels
        assert_same(flagged, back)

    def test_the_value_stays_as_it_was(self, round_trip):
        frame = pandas.DataFrame(
            {"a": [1, 2], "b": ["x", 1]}, index=INDEXES["mixed"][:2]
        )
        frame.attrs = {"a": 1}
        before = frame.copy()
        round_trip(frame)
        assert_same(before, frame)
        assert frame.attrs == {"a": 1}

    def test_comes_back_from_parquet(self, frame, tmp_path):
        from pyarrow import parquet

        frame["c"] = pandas.Categorical(["a", "b", "a"])
        frame["o"] = pandas.Series(["a", None, "b"], dtype=object)
        table, notes = to_table(frame)
        parquet.write_table(table, tmp_path / "a.parquet")
        assert_same(
            frame, from_table(parquet.read_table(tmp_path / "a.parquet"), notes)
        )

    def test_a_feather_reader_can_read_it(self, frame, tmp_path):
        buffers, _ = recognise(pandas.DataFrame).encode(frame)
        (tmp_path / "a.arrow").write_bytes(b"".join(buffers))
        pandas.testing.assert_frame_equal(
            pandas.read_feather(tmp_path / "a.arrow"), frame
        )

    @pytest.mark.parametrize(
        "forged",
        [
            {"schema": []},
            {"schema": [["n", "int64"]]},
            {"schema": [["n", "object"], ["x", "float64"], ["text", "no dtype"]]},
            {"columns": {"names": [None], "range": [0, 9, 1]}},
            {"index": {"names": [None], "range": [0, 9, 1]}},
            {"index": {"names": ["a", "b"]}},
        ],
        ids=lambda forged: str(forged)[:40],
    )
    def test_forged_notes_are_refused(self, frame, forged):
        table, notes = to_table(frame)
        with pytest.raises((ValueError, AttributeError)):
            from_table(table, {**notes, **forged})


class TestSeries:
    @pytest.mark.parametrize("name", [*EXACT, *ODD])
    def test_comes_back_as_it_was(self, round_trip, name):
        series = {**EXACT, **ODD}[name].rename("a name")
        assert_same(series, round_trip(series))

    @pytest.mark.parametrize("name", EXACT)
    def test_can_be_written_to(self, round_trip, name):
        series = EXACT[name]
        back = round_trip(series)
        back.iloc[0] = series.iloc[-1]
        assert repr(back.iloc[0]) == repr(series.iloc[-1])

    @pytest.mark.parametrize(
        "name", [None, "a", 1, 1.5, True, ("a", 1), (), datetime.date(2020, 1, 1), 1j]
    )
    def test_comes_back_with_its_name(self, round_trip, name):
        series = pandas.Series([1, 2], name=name)
        assert_same(series, round_trip(series))

    @pytest.mark.parametrize("name", INDEXES)
    def test_comes_back_with_its_index(self, round_trip, name):
        series = pandas.Series([1, 2, 3], index=INDEXES[name])
        assert_same(series, round_trip(series))

    def test_attrs_come_back(self, round_trip):
        series = pandas.Series([1, 2], name="a")
        series.attrs = {"unit": "m"}
        assert round_trip(series).attrs == {"unit": "m"}
        assert series.attrs == {"unit": "m"}


class TestIndexes:
    @pytest.mark.parametrize("name", INDEXES)
    @pytest.mark.parametrize("rows", [0, 1, 3])
    def test_comes_back_as_it_was(self, round_trip, name, rows):
        index = INDEXES[name][:rows]
        assert_same_index(index, round_trip(index))


class TestMemory:
    def test_of_a_label_counts_once_for_each_row(self):
        levels = [["long" * 1000], range(1000)]
        index = pandas.MultiIndex.from_product(levels)
        frame = pandas.DataFrame({"a": 0}, index=index)
        with (
            within(Budget("a frame", 1_000_000), "its table"),
            pytest.raises(TooLargeError),
        ):
            as_table(frame)


class TestCategoricals:
    @pytest.mark.parametrize("ordered", [False, True])
    @pytest.mark.parametrize("categories", [["b", "a"], [2, 1], [1, "a"], []])
    def test_comes_back_as_it_was(self, round_trip, categories, ordered):
        value = pandas.Categorical([*categories, None], categories, ordered=ordered)
        back = round_trip(value)
        assert type(back) is pandas.Categorical
        assert_same_dtype(value.dtype, back.dtype)
        assert back.codes.tolist() == value.codes.tolist()

    def test_codes_without_a_category_are_refused(self):
        parts = {"codes": numpy.array([5]), "categories": pandas.Index(["a"])}
        with pytest.raises(ValueError):
            recognise(pandas.Categorical).put_together(
                {**parts, "type": "Categorical", "ordered": False}
            )


class TestScalars:
    @pytest.mark.parametrize(
        "zone",
        [
            None,
            "UTC",
            "Europe/Paris",
            zoneinfo.ZoneInfo("UTC"),
            zoneinfo.ZoneInfo("Asia/Tokyo"),
            datetime.UTC,
            datetime.timezone(datetime.timedelta(hours=-3, minutes=-30)),
        ],
        ids=repr,
    )
    @pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
    def test_a_timestamp_comes_back(self, round_trip, unit, zone):
        stamp = pandas.Timestamp("2020-10-25 04:30", tz=zone).as_unit(unit)
        back = round_trip(stamp)
        assert type(back) is pandas.Timestamp
        assert (back, back.unit, back.fold) == (stamp, stamp.unit, stamp.fold)
        assert type(back.tz) is type(stamp.tz)
        assert repr(back) == repr(stamp)

    def test_the_second_of_two_equal_hours_comes_back(self, round_trip):
        stamp = pandas.Timestamp("2020-10-25 00:30", tz="UTC").tz_convert(
            "Europe/Paris"
        )
        later = stamp + pandas.Timedelta("1h")
        assert later.fold == 1
        back = round_trip(later)
        assert (back.fold, back, repr(back)) == (1, later, repr(later))

    def test_a_timestamp_comes_back_to_the_nanosecond(self, round_trip):
        stamp = pandas.Timestamp(1_600_000_000_123_456_789)
        assert round_trip(stamp).nanosecond == 789

    def test_a_far_timestamp_comes_back(self, round_trip):
        stamp = pandas.Timestamp("9999-12-31").as_unit("s")
        assert round_trip(stamp) == stamp

    def test_a_zone_without_a_name_is_a_pickle(self):
        class Own(datetime.tzinfo):
            def utcoffset(self, when):
                return datetime.timedelta(hours=1)

            def dst(self, when):
                return datetime.timedelta(0)

        stamp = pandas.Timestamp("2020-01-01").tz_localize("UTC").tz_convert(Own())
        encoded = encode({"it": stamp})
        assert [name for name, _ in encoded.members if name.endswith("pickle")]

    @pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
    def test_a_timedelta_comes_back(self, round_trip, unit):
        delta = pandas.Timedelta("-1 days 02:03:04").as_unit(unit)
        back = round_trip(delta)
        assert type(back) is pandas.Timedelta
        assert (back, back.unit) == (delta, delta.unit)

    @pytest.mark.parametrize("nothing", [pandas.NaT, pandas.NA], ids=repr)
    def test_what_stands_for_nothing_comes_back_as_itself(self, round_trip, nothing):
        assert round_trip(nothing) is nothing


class TestRecognition:
    def test_kinds_are_distinct(self):
        kinds = FAMILY.kinds
        assert len({kind.kind for kind in kinds}) == len(kinds)

    @pytest.mark.parametrize(
        "cls",
        [
            type("Own", (pandas.DataFrame,), {"__module__": "own"}),
            type("Own", (pandas.Index,), {"__module__": "own"}),
        ],
    )
    def test_other_classes_are_left_to_a_pickle(self, cls):
        assert recognise(cls) is None
        assert fallback(cls) is None

    def test_every_index_is_of_one_kind(self):
        kinds = {recognise(type(index)).kind for index in INDEXES.values()}
        assert kinds == {"pandas.Index"}

    def test_without_pyarrow_a_frame_comes_back(self, round_trip, frame, monkeypatch):
        frame = frame.astype({"text": object}).set_axis([*map(str, "abc")], axis=1)
        frame.columns = pandas.Index(list("nxt"), dtype=object)
        monkeypatch.setitem(sys.modules, "pyarrow", None)
        with pytest.raises(Inexact, match=r"needs pyarrow: pip install pyarrow$"):
            exact_table(frame)
        assert_same(frame, round_trip(frame))

    def test_without_pyarrow_an_index_needs_none(self, round_trip, monkeypatch):
        monkeypatch.setitem(sys.modules, "pyarrow", None)
        for index in (pandas.RangeIndex(3), INDEXES["levels"], INDEXES["no frequency"]):
            back = round_trip(index)
            assert back.equals(index)


class TestFreeze:
    def test_a_frame_is_a_copy(self, frame):
        frozen = freeze(frame)
        before = frame.copy()
        frame.iloc[0, 0] = 9
        frame.loc[3] = [4, 4.5, "d"]
        assert_same(before, frozen)

    def test_the_objects_in_a_frame_are_copied_too(self):
        frame = pandas.DataFrame({"a": [[1], [2]], "b": ["x", "y"]})
        frame.attrs = {"unit": ["m"]}
        frozen = freeze(frame)
        frame["a"].iloc[0].append(5)
        frame.attrs["unit"].append("s")
        assert frozen["a"].tolist() == [[1], [2]]
        assert frozen.attrs == {"unit": ["m"]}

    def test_a_frame_over_an_array_is_a_copy(self):
        array = numpy.zeros((2, 2))
        frozen = freeze(pandas.DataFrame(array, copy=False))
        array[:] = 1
        assert frozen.to_numpy().tolist() == [[0, 0], [0, 0]]

    @pytest.mark.parametrize("name", [*EXACT, *ODD])
    def test_a_series_is_a_copy(self, name):
        series = {**EXACT, **ODD}[name]
        assert_same(series, freeze(series))

    def test_the_objects_in_a_series_are_copied_too(self):
        series = pandas.Series([[1], None], name="a")
        series.attrs = {"unit": "m"}
        frozen = freeze(series)
        series.iloc[0].append(2)
        assert frozen.tolist() == [[1], None]
        assert (frozen.name, frozen.attrs) == ("a", {"unit": "m"})

    @pytest.mark.parametrize("value", [DAYS[0], pandas.NaT], ids=repr)
    def test_what_cannot_change_is_itself(self, value):
        assert freeze(value) is value

    def test_a_categorical_is_a_copy(self):
        value = pandas.Categorical(["a", "b"])
        frozen = freeze(value)
        value[0] = "b"
        assert list(frozen) == ["a", "b"]
