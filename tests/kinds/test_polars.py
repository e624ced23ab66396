"""Polars values come back exactly, from the Arrow files that Polars writes."""

from __future__ import annotations

import contextlib
import datetime
import decimal

import pytest

from checkpoints import FileHandler, index
from checkpoints._kinds.kind import Inexact
from checkpoints._kinds.polars import recognise
from checkpoints._kinds.polars_table import from_table, to_table

polars = pytest.importorskip("polars", reason="these are values of Polars")

NOON = datetime.datetime(2020, 1, 1, 12)
COLUMNS = {
    "ints": polars.Series([1, None, 3]),
    "small ints": polars.Series([1, None, 3], dtype=polars.UInt8),
    "floats": polars.Series([1.5, None, float("nan")]),
    "narrow floats": polars.Series([1.5, None], dtype=polars.Float32),
    "booleans": polars.Series([True, None, False]),
    "text": polars.Series(["a", None, "a text too long for a view"]),
    "bytes": polars.Series([b"a\0", None]),
    "nothing": polars.Series([None, None]),
    "no rows": polars.Series([], dtype=polars.Int8),
    "dates": polars.Series([NOON.date(), None]),
    "times": polars.Series([NOON.time(), None]),
    "moments": polars.Series([NOON, None], dtype=polars.Datetime("ns")),
    "zoned": polars.Series([NOON]).dt.replace_time_zone("Europe/Paris"),
    "durations": polars.Series(
        [datetime.timedelta(1), None], dtype=polars.Duration("ms")
    ),
    "decimals": polars.Series(
        [decimal.Decimal("1.50"), None], dtype=polars.Decimal(10, 2)
    ),
    "categories": polars.Series(["b", "a", None], dtype=polars.Categorical),
    "enumeration": polars.Series(["b", "a", None], dtype=polars.Enum(["b", "a", "c"])),
    "lists": polars.Series([[1, None], [], None]),
    "lists of lists": polars.Series([[[1], []], None]),
    "arrays": polars.Series([[1, 2], None], dtype=polars.Array(polars.Int8, 2)),
    "structs": polars.Series([{"a": 1, "b": "x"}, {"a": None, "b": None}]),
    "categories in lists": polars.Series(
        [["a"], None], dtype=polars.List(polars.Categorical)
    ),
}


class TestSeries:
    @pytest.mark.parametrize("name", COLUMNS)
    @pytest.mark.parametrize("read_only", [False, True])
    def test_comes_back_as_it_was(self, round_trip, name, read_only):
        series = COLUMNS[name].alias("a name")
        back = round_trip(series, read_only=read_only)
        assert type(back) is polars.Series
        assert back.dtype == series.dtype
        assert back.name == "a name"
        assert repr(back.to_list()) == repr(series.to_list())
        assert round_trip.kinds == ["polars.Series"]
        assert round_trip.notes["shape"] == [len(series)]

    @pytest.mark.parametrize("name", COLUMNS)
    def test_comes_back_without_rows(self, round_trip, name):
        series = COLUMNS[name].clear()
        back = round_trip(series)
        assert (back.dtype, len(back), back.name) == (series.dtype, 0, "")

    def test_can_be_written_to(self, round_trip):
        back = round_trip(polars.Series([1, 2]), read_only=True)
        back[0] = 5
        assert back.to_list() == [5, 2]


class TestFrames:
    def test_comes_back_as_it_was(self, round_trip):
        frame = polars.DataFrame(
            {name: column for name, column in COLUMNS.items() if len(column) == 2}
        )
        back = round_trip(frame)
        assert type(back) is polars.DataFrame
        assert back.schema == frame.schema
        assert back.equals(frame)

    @pytest.mark.parametrize(
        "frame",
        [
            polars.DataFrame(),
            polars.DataFrame(schema={"a": polars.Int8, "b": polars.String}),
            polars.DataFrame({"": [1], " ": [2], "^a$": [3]}),
            polars.concat(
                [polars.DataFrame({"a": [n]}) for n in (1, 2)], rechunk=False
            ),
        ],
        ids=["nothing", "no rows", "names", "chunks"],
    )
    def test_comes_back_in_every_shape(self, round_trip, frame):
        back = round_trip(frame)
        assert back.schema == frame.schema
        assert back.equals(frame)

    def test_a_height_without_columns_comes_back_or_is_inexact(self, round_trip):
        # Only newer versions of Polars have such frames.
        frame = polars.DataFrame({"a": [1, 2]}).select([])
        assert round_trip(frame).shape == frame.shape

    def test_says_what_it_is_without_being_read(self, round_trip):
        round_trip(polars.DataFrame({"a": [1, 2], "b": ["x", "y"]}))
        assert round_trip.notes == {
            "rows": 2,
            "schema": [["a", "Int64"], ["b", "String"]],
            "shape": [2, 2],
        }

    def test_a_frame_of_another_shape_is_refused(self):
        format = recognise(polars.DataFrame)
        buffers, notes = format.encode(polars.DataFrame({"a": [1, 2]}))
        data = memoryview(b"".join(buffers))
        with pytest.raises(ValueError, match=r"\[3, 1\]"):
            format.decode(data, {**notes, "shape": [3, 1]})

    @pytest.mark.parametrize("at", range(0, 900, 7))
    def test_a_damaged_file_is_an_exception_that_can_be_caught(self, at):
        format = recognise(polars.DataFrame)
        buffers, notes = format.encode(polars.DataFrame({"a": [1, 2], "b": ["x", "y"]}))
        data = bytearray(b"".join(buffers))
        data[at % len(data)] ^= 0x7F
        outcome = "an error"
        # Polars can panic, which is no `Exception` and would end the program.
        with contextlib.suppress(Exception):
            outcome = format.decode(memoryview(data), notes).shape
        assert outcome in ("an error", (2, 2))


class TestTables:
    def test_comes_back_from_arrow_and_parquet(self, tmp_path):
        pytest.importorskip("pyarrow", reason="the table is pyarrow's")
        from pyarrow import parquet

        frame = polars.DataFrame(
            {
                name: COLUMNS[name][:2]
                for name in (
                    "ints",
                    "text",
                    "moments",
                    "lists",
                    "structs",
                    "categories",
                )
            }
        )
        table, notes = to_table(frame)
        assert notes["shape"] == [2, 6]
        parquet.write_table(table, tmp_path / "a.parquet")
        for each in (table, parquet.read_table(tmp_path / "a.parquet")):
            back = from_table(each, notes)
            assert back.schema == frame.schema
            assert back.equals(frame)

    def test_categories_are_text_in_it_and_come_back(self):
        pytest.importorskip("pyarrow", reason="the table is pyarrow's")
        frame = polars.DataFrame(
            {"a": COLUMNS["categories"], "": COLUMNS["enumeration"]}
        )
        table, notes = to_table(frame)
        assert list(map(str, table.schema.types)) == ["large_string"] * 2
        back = from_table(table, notes)
        assert back.schema == frame.schema
        assert back.equals(frame)

    @pytest.mark.parametrize("names", [[""], ["", "column_0"], ["column_1", ""]])
    def test_columns_keep_their_names(self, names):
        pytest.importorskip("pyarrow", reason="the table is pyarrow's")
        frame = polars.DataFrame({name: [1] for name in names})
        assert from_table(*to_table(frame)).columns == names

    def test_rows_without_columns_come_back(self):
        pytest.importorskip("pyarrow", reason="the table is pyarrow's")
        frame = polars.DataFrame({"a": [1, 2]}).select([])
        assert from_table(*to_table(frame)).shape == frame.shape

    @pytest.mark.parametrize(
        "dtype",
        [
            polars.Array(polars.Int8, 0),
            polars.List(polars.Array(polars.Int8, 0)),
            polars.Struct({"a": polars.Array(polars.Int8, 0)}),
        ],
    )
    def test_arrays_of_no_width_are_inexact(self, dtype):
        frame = polars.DataFrame(schema={"a": dtype})
        with pytest.raises(Inexact, match="width 0"):
            to_table(frame)

    def test_objects_are_inexact(self):
        frame = polars.DataFrame({"a": polars.Series([object()], dtype=polars.Object)})
        with pytest.raises(Inexact):
            to_table(frame)

    def test_without_pyarrow_it_is_inexact(self, monkeypatch):
        monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
        with pytest.raises(Inexact, match=r"needs pyarrow: pip install pyarrow$"):
            to_table(polars.DataFrame({"a": [1]}))


class TestLazyFrames:
    def test_they_are_inexact_with_the_way_out(self, round_trip):
        with pytest.raises(Inexact, match=r"reads its files again.*\.collect\(\)"):
            round_trip(polars.LazyFrame({"a": [1]}))

    def test_one_is_told_and_comes_back_as_the_query(self, tmp_path, caplog):
        pytest.importorskip("pyarrow", reason="it is collected to compare it")
        frame = polars.DataFrame({"a": [1, 2]})
        frame.write_csv(tmp_path / "a.csv")
        query = polars.scan_csv(tmp_path / "a.csv")
        FileHandler(tmp_path).checkpoint("polars.lazy", query)
        assert "collect" in caplog.text
        (entry,) = index(tmp_path)
        assert entry.load(trusted=True)["data"].collect().equals(frame)

    def test_a_copy_shares_no_memory_with_the_query(self):
        numpy = pytest.importorskip("numpy", reason="the memory is an array's")
        array = numpy.zeros(2)
        query = polars.DataFrame({"a": polars.Series(array)}).lazy()
        copied = recognise(polars.LazyFrame).freeze(query)
        array[0] = 9
        assert copied.collect()["a"].to_list() == [0, 0]


class TestRecognition:
    @pytest.mark.parametrize(
        "cls",
        [
            polars.Expr,
            type("Own", (polars.DataFrame,), {}),
            type("Own", (polars.Series,), {}),
        ],
    )
    def test_other_classes_are_left_to_a_pickle(self, cls):
        assert recognise(cls) is None


class TestFreeze:
    @pytest.mark.parametrize("name", COLUMNS)
    def test_a_series_keeps_its_values(self, name):
        series = COLUMNS[name].alias("a")
        frozen = recognise(polars.Series).freeze(series)
        assert (frozen.dtype, frozen.name) == (series.dtype, series.name)
        assert repr(frozen.to_list()) == repr(series.to_list())

    def test_a_series_over_an_array_is_a_copy(self):
        numpy = pytest.importorskip("numpy", reason="the memory is an array's")
        array = numpy.zeros(3)
        frozen = recognise(polars.Series).freeze(polars.Series(array))
        array[0] = 9
        assert frozen.to_list() == [0, 0, 0]

    def test_a_frame_is_a_copy(self):
        frame = polars.DataFrame({"a": [1, 2]})
        frozen = recognise(polars.DataFrame).freeze(frame)
        frame[0, "a"] = 9
        frame.insert_column(0, polars.Series("b", [3, 4]))
        assert frozen.to_dict(as_series=False) == {"a": [1, 2]}

    @pytest.mark.parametrize(
        "frame",
        [
            polars.DataFrame(),
            polars.DataFrame({"a": polars.Series([object()], dtype=polars.Object)}),
        ],
    )
    def test_any_frame_can_be_frozen(self, frame):
        assert recognise(polars.DataFrame).freeze(frame).schema == frame.schema
