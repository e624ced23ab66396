"""Tables and series, as Julia has them."""

from __future__ import annotations

import datetime
import decimal
import os
import warnings

import pytest

from checkpoints import FileHandler, FormatError, TooLargeError, load
from checkpoints._files.bson_writer import BsonWriter
from checkpoints._files.julia_bson import BsonValues
from checkpoints._files.julia_converter import JuliaValues
from checkpoints._files.julia_encoder import JuliaEncoder, JuliaStruct
from checkpoints._files.julia_types import named
from checkpoints._kinds.same import same
from checkpoints._process.budget import Budget, within

numpy = pytest.importorskip("numpy")
pandas = pytest.importorskip("pandas")
pyarrow = pytest.importorskip("pyarrow")


def saved(root, value):
    FileHandler(root, format="jlso").checkpoint("a", x=value)
    return load(os.path.join(root, "a.jlso"), "x")["x"]


MISSING = JuliaStruct(named("Missing"), [])


def frame(**columns):
    """Return what a DataFrame of Julia becomes."""
    return read(list(columns.values()), [*columns])


def read(columns, names):
    """Return what a DataFrame of these columns becomes."""
    lookup = {name: at for at, name in enumerate(names, 1)}
    index = JuliaStruct(named("DataFrames.Index"), [lookup, names])
    value = JuliaStruct(named("DataFrames.DataFrame"), [columns, index])
    writer = BsonWriter()
    JuliaEncoder(writer, JuliaValues()).document({"object": value})
    data = memoryview(bytearray(b"".join(writer.pieces)))
    document = BsonValues(data, lambda _: None)
    return document.value(document.root)["object"]


class TestFramesOfJulia:
    def test_a_column_of_bytes_has_as_many_rows(self):
        found = frame(a=b"\1\2", b=numpy.array([1.5, 2.5]))
        assert (found["a"].dtype, found["a"].tolist()) == ("uint8", [1, 2])

    def test_columns_of_lists_stay_lists(self):
        arrays = [numpy.array([1, 2]), numpy.array([3])]
        found = frame(a=arrays, b=[arrays[0], MISSING])
        assert [it.tolist() for it in found["a"]] == [[1, 2], [3]]
        assert (found["b"][0].tolist(), found["b"].isna()[1]) == ([1, 2], True)

    @pytest.mark.parametrize(
        ("some", "dtype"),
        [
            ([1.0, -0.0], "Float64"),
            ([1.5, float("nan")], "Float64"),
            ([1, 2**62 + 1], "Int64"),
            ([True, False], "boolean"),
            ([numpy.float32(1), numpy.float32(2)], "Float32"),
            ([numpy.uint8(1), numpy.uint8(2)], "UInt8"),
            (["a", "b"], "string"),
        ],
    )
    def test_values_beside_a_missing_one_are_what_they_were(self, some, dtype):
        column = frame(a=[MISSING, *some])["a"]
        assert column.dtype == dtype
        assert column[0] is pandas.NA
        assert repr(column[1:].tolist()) == repr(numpy.array(some).tolist())

    @pytest.mark.parametrize(
        "some", [[2**63 + 1, 1], [2**63 + 1, -1], [1.5 + 2j, -0.0j]], ids=str
    )
    def test_numbers_that_pandas_has_no_type_for_stay_beside_a_missing_one(self, some):
        kind = named("Int128")
        column = [
            JuliaStruct(kind, it.to_bytes(16, "little", signed=True))
            if isinstance(it, int)
            else it
            for it in some
        ]
        found = frame(a=[*column, MISSING])["a"]
        assert repr(found.tolist()) == repr([*some, None])

    def test_dates_are_no_times(self):
        days = numpy.array(["2020-01-02", "1960-01-01"], "M8[D]")
        column = frame(a=days)["a"]
        assert column.tolist() == [datetime.date(2020, 1, 2), datetime.date(1960, 1, 1)]
        far = frame(a=numpy.array(["20200-01-02"], "M8[D]"))["a"]
        assert far.dtype.kind == "M"

    @pytest.mark.parametrize("unit", ["M", "Y"])
    def test_months_and_years_are_no_days(self, unit):
        spans = numpy.array([1, 2], f"m8[{unit}]")
        assert same(frame(a=spans)["a"].tolist(), list(spans))

    def test_values_of_several_types_keep_them(self):
        found = frame(a=[1, 2.5], b=[MISSING, True], c=[MISSING, MISSING])
        assert list(map(type, found["a"])) == [int, float]
        assert found["c"].isna().all()

    def test_a_range_takes_memory_as_a_column(self):
        assert frame(a=range(3))["a"].tolist() == [0, 1, 2]
        with (
            within(Budget("a", 50_000_000), "a value"),
            pytest.raises(TooLargeError, match="at least"),
        ):
            frame(a=range(10**8))

    def test_names_that_are_no_texts_make_a_record(self):
        assert read([numpy.array([1.5])], [1]).type == "DataFrames.DataFrame"

    @pytest.mark.parametrize(
        "column",
        [
            numpy.array([1.5, 2.5, 3.5]),
            numpy.zeros((2, 2)),
            "ab",
            JuliaStruct(named("PooledArrays.PooledArray"), [1, 2]),
        ],
    )
    def test_columns_that_pandas_cannot_have_make_a_record(self, column):
        found = frame(a=numpy.array([1.5, 2.5]), b=column)
        assert found.type == "DataFrames.DataFrame"
        assert len(found["columns"]) == 2


class TestTables:
    def test_a_frame_becomes_a_dict_of_its_columns(self, tmp_path, caplog):
        frame = pandas.DataFrame({"n": [1, 2], "t": ["x", None]})
        found = saved(tmp_path, frame)
        assert found["n"].tolist() == [1, 2]
        assert found["t"] == ["x", None]
        assert "pandas.DataFrame is saved as a dict of its columns" in caplog.text

    def test_a_series_becomes_a_vector(self, tmp_path):
        assert saved(tmp_path, pyarrow.array(["a", None])) == ["a", None]

    def test_times_with_nulls_are_those_of_python(self, tmp_path):
        for unit in ("ms", "ns"):
            hour = {"ms": 3_600_000, "ns": 3_600_000_000_000}[unit]
            table = {
                "instant": pyarrow.array([hour, None], pyarrow.timestamp(unit)),
                "span": pyarrow.array([hour, None], pyarrow.duration(unit)),
            }
            found = saved(tmp_path, pyarrow.table(table))
            instant = datetime.datetime(1970, 1, 1, 1)
            assert found["instant"] == [instant, None]
            assert found["span"] == [datetime.timedelta(hours=1), None]

    def test_spans_keep_their_unit(self, tmp_path):
        for unit in ("s", "ms", "us", "ns"):
            column = pyarrow.array([1, -2], pyarrow.duration(unit))
            found = saved(tmp_path, pyarrow.table({"a": column}))["a"]
            assert same(found, numpy.array([1, -2], f"m8[{unit}]"))

    def test_nanoseconds_beside_a_null(self, tmp_path):
        with pytest.raises(FormatError, match="round"):
            table = {"a": pyarrow.array([1, None], pyarrow.timestamp("ns"))}
            saved(tmp_path, pyarrow.table(table))
        with pytest.raises(FormatError, match="round"):
            table = {"a": pyarrow.array([1, None], pyarrow.time64("ns"))}
            saved(tmp_path, pyarrow.table(table))
        spans = pyarrow.array([1, None], pyarrow.duration("ns"))
        found = saved(tmp_path, spans)
        assert (found[0].type, found[0]["value"]) == ("Dates.Nanosecond", 1)
        assert found[1] is None

    def test_columns_that_share_a_name(self, tmp_path):
        for frame in (
            pandas.DataFrame([[1, 2]], columns=["a", "a"]),
            pandas.DataFrame({"index": [1]}, index=["x"]),
        ):
            with pytest.raises(FormatError, match="share a name"):
                saved(tmp_path, frame)

    def test_an_index_that_counts_is_no_column(self, tmp_path):
        frame = pandas.DataFrame({"a": [1, 2]})
        assert saved(tmp_path, frame).keys() == {"a"}
        found = saved(tmp_path, frame.set_index(pandas.Index(["x", "y"])))
        assert found["index"].tolist() == ["x", "y"]
        levels = pandas.MultiIndex.from_tuples([(1, "x"), (2, "y")], names=["n", None])
        found = saved(tmp_path, frame.set_index(levels))
        assert (found["n"].tolist(), found["level_1"].tolist()) == ([1, 2], ["x", "y"])

    def test_a_series_is_told_to_lose_its_index(self, tmp_path, caplog):
        assert saved(tmp_path, pandas.Series([1, 2], name="n")).tolist() == [1, 2]
        assert not caplog.text
        found = saved(tmp_path, {"b": pandas.Series([1, 2], index=["x", "y"])})
        assert found["b"].tolist() == [1, 2]
        assert "pandas.Series is saved as a vector, without its index" in caplog.text

    def test_indexes_and_arrays_of_pandas_are_vectors(self, tmp_path):
        assert saved(tmp_path, pandas.Index([1, 2])).tolist() == [1, 2]
        assert saved(tmp_path, pandas.array([1, None])) == [1, None]
        levels = pandas.MultiIndex.from_tuples([(1, "a"), (2, "b")])
        assert saved(tmp_path, levels) == [(1, "a"), (2, "b")]

    @pytest.mark.parametrize(
        "column",
        [
            pandas.period_range("2020", "2022", freq="Y"),
            pandas.cut([1, 2, 3], 2),
            pandas.to_datetime(["2020-01-01"], utc=True),
            pandas.Series([2**70], dtype=object),
            pandas.Series([decimal.Decimal("1.5")], dtype=object),
        ],
        ids=["periods", "intervals", "zones", "integers", "decimals"],
    )
    def test_what_julia_has_no_word_for_is_refused_by_its_column(
        self, tmp_path, column
    ):
        with pytest.raises(FormatError, match=r"'x' cannot be saved .*: under 'c': "):
            saved(tmp_path, pandas.DataFrame({"c": column}))

    def test_periods_of_arrow_and_objects_of_polars_are_refused(self, tmp_path):
        polars = pytest.importorskip("polars")
        periods = pandas.DataFrame({"c": pandas.period_range("2020", "2022", freq="Y")})
        with pytest.raises(FormatError, match="under 'c': Julia has no type like"):
            saved(tmp_path, pyarrow.Table.from_pandas(periods))
        objects = polars.Series([{1}], dtype=polars.Object)
        for value in (objects, polars.DataFrame({"c": objects})):
            with pytest.raises(FormatError, match="holds objects"):
                saved(tmp_path, value)


NAN = float("nan")
# Each column, and the type of its vector in Julia.
COLUMNS = {
    "Float64": [1.5, NAN, NAN],
    "Complex{Float64}": [1 + 2j, 0, 0],
    "Int8": numpy.array([1, 2, 3], "i1"),
    "Union{Missing,Float64}": pandas.arrays.FloatingArray(
        numpy.array([1.5, NAN, 0]), numpy.array([False, False, True])
    ),
    "Union{Missing,Int64}": pandas.array([1, None, 3], "Int64"),
    "Union{Missing,UInt8}": pandas.array([1, None, 3], "UInt8"),
    "Union{Missing,Bool}": pandas.array([True, None, False], "boolean"),
    "Union{Missing,Int32}": pandas.array([1, None, 3], "int32[pyarrow]"),
    "Union{Missing,String}": pandas.Series(["a", NAN, None], dtype=object),
    "String": pandas.Categorical(["b", "a", "b"]),
    "Union{Missing,DateTime}": pandas.to_datetime(["2020-01-01", None, "2021-01-01"]),
    "Date": pandas.Series([datetime.date(2020, 1, 1)] * 3, dtype=object),
    "Union{Missing,Date}": pandas.Series(
        [datetime.date(2020, 1, 1), None, pandas.NaT], dtype=object
    ),
}


class TestTypesOfColumns:
    @pytest.mark.parametrize("name", COLUMNS)
    def test_a_column_has_the_type_of_its_values(self, name):
        column = pandas.DataFrame({"a": COLUMNS[name]})["a"]
        found = JuliaValues()(column)
        assert str(found.kind).replace("Dates.", "") == name
        assert found.dims == (3,)

    @pytest.mark.parametrize("name", [it for it in COLUMNS if "Union" in it])
    def test_what_is_missing_in_it_comes_back_as_none(self, tmp_path, name):
        column = pandas.DataFrame({"a": COLUMNS[name]})["a"]
        found = saved(tmp_path, column)
        expected = [pandas.Series(column).isna()[at] for at in range(3)]
        assert [it is None for it in found] == expected
        assert found[0] == column[0]

    def test_categories_with_gaps(self, tmp_path):
        for values in ([1, None, 2], ["x", None, "y"], [None, None]):
            assert saved(tmp_path, pandas.Series(pandas.Categorical(values))) == values

    def test_objects_are_themselves(self, tmp_path):
        objects = pandas.Series([{1}, [2], (3,), 1, NAN, None], dtype=object)
        found = saved(tmp_path, objects)
        assert same(found, [{1}, [2], (3,), 1, NAN, None])


class TestThereAndBack:
    """What a DataFrame of Julia becomes here has in Julia the columns that it had."""

    def test_vectors_have_their_types_again(self):
        days = numpy.array(["2020-01-02"] * 2, "M8[D]")
        columns = {
            "Float64": numpy.array([1.5, NAN]),
            "Union{Missing,Float64}": [NAN, MISSING],
            "Union{Missing,Int64}": [1, MISSING],
            "Union{Missing,String}": ["a", MISSING],
            "Dates.Date": days,
            "Union{Missing,Dates.Date}": [days[0], MISSING],
            "Any": [1, "a"],
        }
        found = JuliaValues()(frame(**columns))
        convert = JuliaValues()
        for name, column in found.items():
            vector = convert(column)
            kind = "Any" if isinstance(vector, list) else str(vector.kind)
            assert kind == name
        assert str(found["Union{Missing,Float64}"].tolist()) == "[nan, <NA>]"


class TestTimes:
    """NaT of NumPy and pandas is `missing`, which comes back as None."""

    @pytest.mark.parametrize("unit", ["Y", "M", "W", "h", "s", "ms", "us", "ns"])
    def test_in_arrays_of_any_unit(self, tmp_path, unit):
        array = numpy.array(["2020-01-01", "NaT"], f"M8[{unit}]")
        moment = array[0].astype("M8[us]").item()
        assert saved(tmp_path, array) == [moment, None]

    def test_in_arrays_of_days(self, tmp_path):
        array = numpy.array(["2020-01-01", "NaT"], "M8[D]")
        assert saved(tmp_path, array) == [datetime.date(2020, 1, 1), None]

    def test_in_spans_of_several_dimensions(self, tmp_path):
        array = numpy.array([[1, 2, 3], ["NaT", 4, 5]], "m8[s]")
        found = saved(tmp_path, array)
        seconds = [[None if it is None else it.seconds for it in row] for row in found]
        assert seconds == [[1, 2, 3], [None, 4, 5]]

    def test_by_itself(self, tmp_path):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            # Of no unit, which newer versions of NumPy would rather not have.
            generic = numpy.datetime64("NaT")
        for value in (generic, numpy.timedelta64("NaT", "s"), pandas.NaT, pandas.NA):
            assert saved(tmp_path, [value]) == [None]

    def test_those_of_pandas_are_those_of_julia(self, tmp_path):
        moment = datetime.datetime(2020, 1, 1, 2)
        assert saved(tmp_path, pandas.Timestamp(moment)) == moment
        span = datetime.timedelta(hours=1)
        assert saved(tmp_path, pandas.Timedelta(span)) == span

    @pytest.mark.parametrize(
        ("value", "way"),
        [
            (pandas.Timestamp("2020-01-01", tz="UTC"), "isoformat"),
            (pandas.Timestamp("2020-01-01T00:00:00.000001"), "round"),
            (pandas.Period("2020"), "as a text"),
            (
                numpy.array([2**62], "M8[s]"),
                "save them as numbers",
            ),
            (numpy.array([1], "m8[25s]"), "astype"),
        ],
        ids=["zone", "microseconds", "period", "far", "step"],
    )
    def test_others_are_refused_with_a_way_out(self, tmp_path, value, way):
        with pytest.raises(FormatError, match=way):
            saved(tmp_path, value)
