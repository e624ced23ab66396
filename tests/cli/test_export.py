"""`checkpoints export`."""

from __future__ import annotations

import dataclasses
import datetime
import json
import re
import subprocess
import sys

import pytest

from checkpoints import FileHandler, Record
from checkpoints._show.conversion import CONVERSIONS


@dataclasses.dataclass
class Point:
    x: int
    y: int


@pytest.fixture
def export(run, tmp_path):
    """Save values and export the first one; return the output and the file."""

    def export(file, *options, **values):
        FileHandler(tmp_path / "saved").checkpoint("a", **values)
        target = tmp_path / file
        name = next(iter(values))
        return run(
            "export", tmp_path / "saved", "a", name, "--to", target, *options
        ), target

    return export


class TestUnfit:
    @pytest.mark.parametrize("file", ["x.csv", "x.json"])
    def test_what_no_library_takes_is_told_in_one_line(self, export, file):
        pandas = pytest.importorskip("pandas")
        pytest.importorskip("pyarrow")
        frame = pandas.DataFrame([[1, 2]], columns=["a", "a"])
        done, target = export(file, "--force", x=frame)
        assert done.code == 2
        assert done.err.endswith(
            "; no other format takes it: load it in Python, and convert it first\n"
        )
        assert done.err.count("\n") == 1
        assert not target.exists()

    def test_a_number_too_long_for_a_text_is_told(self, export):
        done, target = export("x.json", "--force", x=10**5000)
        assert done.code == 2
        assert "cannot convert a value of type int: " in done.err
        assert not target.exists()


class TestArray:
    def test_npy_gives_it_back(self, export):
        numpy = pytest.importorskip("numpy")
        array = numpy.arange(6, dtype="int16").reshape(2, 3)
        done, target = export("x.npy", x=array)
        assert done.code == 0
        assert numpy.load(target).dtype == array.dtype
        assert numpy.load(target).tolist() == array.tolist()

    def test_csv_has_its_rows_every_digit_of_them(self, export):
        numpy = pytest.importorskip("numpy")
        pytest.importorskip("pyarrow")
        array = numpy.array([[0.1, 1 / 3], [1e300, numpy.nan]])
        _, target = export("x.csv", x=array)
        read = numpy.genfromtxt(target, delimiter=",", skip_header=1)
        assert numpy.array_equal(read, array, equal_nan=True)

    def test_csv_of_three_dimensions_cannot_be(self, export):
        numpy = pytest.importorskip("numpy")
        pytest.importorskip("pyarrow")
        done, target = export("x.csv", "--force", x=numpy.zeros((2, 2, 2)))
        assert done.code == 2
        assert not target.exists()

    @pytest.mark.parametrize(
        ("dtype", "values", "lost"),
        [("float32", [1], "float32"), ("float64", [float("nan")], "nan")],
    )
    def test_json_that_would_lose_something_says_what(
        self, export, dtype, values, lost
    ):
        numpy = pytest.importorskip("numpy")
        array = numpy.array(values, dtype)
        done, target = export("x.json", x=array)
        assert done.code == 2
        assert lost in done.err
        assert not target.exists()
        done, target = export("x.json", "--force", x=array)
        assert done.code == 0
        assert len(json.loads(target.read_text())) == 1

    def test_a_mask_is_not_lost_without_a_word(self, export):
        numpy = pytest.importorskip("numpy")
        array = numpy.ma.masked_array([1, 2], mask=[True, False])
        done, _ = export("x.npy", x=array)
        assert done.code == 2
        assert "mask" in done.err


class TestFrame:
    def test_parquet_gives_it_back(self, export):
        pandas = pytest.importorskip("pandas")
        pytest.importorskip("pyarrow")
        frame = pandas.DataFrame({"a": [1, 2], "b": ["x", None]}, index=["i", "j"])
        done, target = export("x.parquet", x=frame)
        assert done.code == 0
        pandas.testing.assert_frame_equal(pandas.read_parquet(target), frame)

    def test_csv_tells_an_empty_text_from_a_null(self, export):
        polars = pytest.importorskip("polars")
        pytest.importorskip("pyarrow")
        frame = polars.DataFrame({"a": ["", None, 'x"\n'], "b": [1, None, 3]})
        _, target = export("x.csv", x=frame)
        assert target.read_text() == '"a","b"\n"",1\n,\n"x""\n",3\n'

    def test_csv_of_lists_is_a_loss(self, export):
        polars = pytest.importorskip("polars")
        pytest.importorskip("pyarrow")
        frame = polars.DataFrame({"deep": [[1, 2], [3]]})
        done, _ = export("x.csv", x=frame)
        assert done.code == 2
        assert "deep" in done.err
        _, target = export("x.csv", "--force", x=frame)
        assert "[1, 2]" in target.read_text()

    def test_the_memory_of_many_columns_is_asked_for(self, export):
        pyarrow = pytest.importorskip("pyarrow")
        table = pyarrow.table({f"c{number}": [number] for number in range(5000)})
        done, target = export("x.parquet", "--max-bytes", "15MB", x=table)
        assert done.code == 2
        assert "the limit is 15,000,000; raise --max-bytes" in done.err
        assert not target.exists()

    def test_the_memory_of_texts_for_intervals_is_asked_for(self, export):
        pandas = pytest.importorskip("pandas")
        pytest.importorskip("pyarrow")
        frame = pandas.DataFrame({"x": pandas.interval_range(0, 100_000)})
        done, target = export("x.csv", "--max-bytes", "20MB", x=frame)
        assert done.code == 2
        assert "the limit is 20,000,000; raise --max-bytes" in done.err
        assert not target.exists()

    @pytest.mark.parametrize("library", ["pandas", "pyarrow"])
    @pytest.mark.parametrize("suffix", [".csv", ".json"])
    def test_periods_and_intervals_are_texts_in_a_new_process(
        self, library, suffix, tmp_path
    ):
        pandas = pytest.importorskip("pandas")
        pyarrow = pytest.importorskip("pyarrow")
        columns = {
            "month": pandas.PeriodIndex(["2024-01", None], freq="M"),
            "range": pandas.interval_range(0, 2),
        }
        value = pandas.DataFrame(columns)
        if library == "pyarrow":
            arrays = {name: pyarrow.array(each) for name, each in columns.items()}
            value = pyarrow.table(arrays)
        FileHandler(tmp_path / "saved").checkpoint("a", value)
        target = tmp_path / f"x{suffix}"
        options = ["--to", target, "--force", "--trusted"]
        command = [sys.executable, "-m", "checkpoints", "export", tmp_path / "saved"]
        subprocess.run([*command, "a", *options], check=True, capture_output=True)
        text = target.read_text()
        assert '"2024-01"' in text
        assert '"(1, 2]"' in text
        assert "left" not in text

    def test_json_has_a_record_for_each_row(self, export):
        pandas = pytest.importorskip("pandas")
        pytest.importorskip("pyarrow")
        done, target = export("x.json", x=pandas.DataFrame({"a": [1, 2]}))
        assert done.code == 0
        assert json.loads(target.read_text()) == [{"a": 1}, {"a": 2}]

    @pytest.mark.parametrize(
        ("years", "header"),
        [
            ({"start": 1990, "stop": 1992, "name": "year"}, '"a","year"'),
            ({"start": 0, "stop": 6, "step": 3}, '"a","index"'),
            ({"start": 0, "stop": 2}, '"a"'),
        ],
    )
    def test_an_index_is_written_unless_it_counts_from_0(self, export, years, header):
        pandas = pytest.importorskip("pandas")
        pytest.importorskip("pyarrow")
        index = pandas.RangeIndex(**years)
        _, target = export("x.csv", x=pandas.DataFrame({"a": [1, 2]}, index=index))
        first, *rows = target.read_text().splitlines()
        assert first == header
        told = [f",{number}" if "," in header else "" for number in index]
        assert rows == [f"{a}{number}" for a, number in zip((1, 2), told, strict=True)]

    def test_a_sparse_column_has_all_of_its_numbers(self, export):
        pandas = pytest.importorskip("pandas")
        pytest.importorskip("pyarrow")
        sparse = pandas.arrays.SparseArray([0, 0, 1])
        frame = pandas.DataFrame({"a": [1, 2, 3], "b": sparse})
        _, target = export("x.csv", x=frame)
        assert target.read_text().splitlines() == ['"a","b"', "1,0", "2,0", "3,1"]
        assert frame["b"].dtype == sparse.dtype

    @pytest.mark.parametrize("unit", ["s", "us", "ns"])
    def test_a_span_is_written_with_its_unit(self, export, unit):
        pandas = pytest.importorskip("pandas")
        pytest.importorskip("pyarrow")
        spans = pandas.to_timedelta([90, None], unit="s").as_unit(unit)
        done, target = export("x.csv", x=pandas.DataFrame({"a": spans, "b": 1}))
        _, first, second = target.read_text().splitlines()
        assert (done.code, second) == (0, ",1")
        assert first.endswith('0:01:30",1')

    @pytest.mark.parametrize(
        ("columns", "index", "lost"),
        [
            ({"a": [1.5, float("nan")]}, [1, 2], "nan"),
            ({"a": [1, 2]}, [1.5, float("nan")], "nan"),
            ({"a": ["x", None]}, [1, 2], ""),
        ],
    )
    def test_a_nan_of_pandas_is_not_null_without_a_word(
        self, export, columns, index, lost
    ):
        pandas = pytest.importorskip("pandas")
        pytest.importorskip("pyarrow")
        frame = pandas.DataFrame(columns, index=index)
        done, target = export("x.json", x=frame)
        assert ("lose nan (written as null)" in done.err) is bool(lost)
        assert target.exists() is (not lost)
        assert export("y.json", "--force", x=frame["a"])[0].code == 0

    def test_npy_loses_the_names(self, export):
        pandas = pytest.importorskip("pandas")
        pytest.importorskip("pyarrow")
        numpy = pytest.importorskip("numpy")
        frame = pandas.DataFrame({"a": [1, 2], "b": [0.5, 1]})
        done, _ = export("x.npy", x=frame)
        assert done.code == 2
        assert "names" in done.err
        _, target = export("x.npy", "--force", x=frame)
        assert numpy.load(target).tolist() == [[1, 0.5], [2, 1]]

    @pytest.mark.parametrize("suffix", ["csv", "parquet", "npy", "json"])
    def test_a_name_that_two_columns_have_is_told(self, export, suffix):
        pandas = pytest.importorskip("pandas")
        pytest.importorskip("pyarrow")
        frame = pandas.DataFrame([[1, 2, 3]], columns=["a", "twice", "twice"])
        done, target = export(f"x.{suffix}", "--force", x=frame)
        assert done.code == 2
        assert "two of its columns are called twice" in done.err
        assert not target.exists()

    def test_json_takes_no_arrow_table_whose_columns_hide_each_other(self, export):
        pyarrow = pytest.importorskip("pyarrow")
        columns = [pyarrow.array([1]), pyarrow.array([2])]
        table = pyarrow.table(columns, names=["q", "q"])
        done, target = export("x.json", "--force", x=table)
        assert "are called q" in done.err
        assert not target.exists()

    def test_npy_takes_no_numbers_beside_dates(self, export):
        pandas = pytest.importorskip("pandas")
        pytest.importorskip("pyarrow")
        at = pandas.date_range("2026-03-01", periods=2)
        done, _ = export("x.npy", "--force", x=pandas.DataFrame({"a": [1, 2], "t": at}))
        assert done.code == 2
        assert "no common type" in done.err
        assert "try .csv, .parquet or .json\n" in done.err

    def test_an_index_without_a_name_is_called_as_concat_calls_it(self, export):
        pandas = pytest.importorskip("pandas")
        pytest.importorskip("pyarrow")
        frame = pandas.DataFrame({"a": [1]}, index=["i"])
        _, target = export("x.csv", x=frame)
        assert target.read_text() == '"a","index"\n1,"i"\n'
        _, target = export("x.json", x=frame)
        assert json.loads(target.read_text()) == [{"a": 1, "index": "i"}]


class TestPlain:
    def test_json_gives_it_back(self, export):
        value = {"a": [1, 2.5, None, True], "b": {"c": "ü"}}
        _, target = export("x.json", x=value)
        assert json.loads(target.read_text()) == value

    @pytest.mark.parametrize(
        ("value", "lost"),
        [
            ((1, 2), "tuple"),
            ({1: 2}, "keys"),
            ([datetime.date(2026, 3, 1)], "date"),
            ([float("inf")], "inf"),
        ],
    )
    def test_what_json_has_no_word_for_is_a_loss(self, export, value, lost):
        done, target = export("x.json", x=value)
        assert done.code == 2
        assert lost in done.err
        assert not target.exists()

    def test_two_keys_that_become_one_cannot_be(self, export):
        assert export("x.json", "--force", x={1: "a", "1": "b"})[0].code == 2

    def test_a_text_is_written_as_it_is(self, export):
        _, target = export("x.txt", x="grün\r\n")
        assert target.read_bytes() == "grün\r\n".encode()

    def test_bytes_are_written_as_they_are(self, export):
        _, target = export("x.bin", x=b"\0\xff")
        assert target.read_bytes() == b"\0\xff"

    def test_a_picture_is_written_as_png(self, export):
        pictures = pytest.importorskip("PIL.Image", reason="it makes pictures")
        _, target = export("x.png", x=pictures.new("L", (3, 2), 7))
        with pictures.open(target) as found:
            assert (found.size, found.mode, found.getpixel((0, 0))) == ((3, 2), "L", 7)


class Unknown:
    """A class without a kind."""


def make_frame(pandas, numpy, cells):
    array = numpy.empty(len(cells), object)
    array[:] = cells
    return pandas.DataFrame({"n": [*range(len(cells))], "odd": array})


# What is made of pandas and NumPy.
ODD = {
    "mixed": lambda p, n: make_frame(p, n, [1, "a", [2]]),
    "records": lambda p, n: make_frame(p, n, [Record("zoo.Cat", {"_1": 1})]),
    "integers": lambda p, n: make_frame(p, n, [2**70, 1]),
    "complex": lambda p, n: p.DataFrame({"a": [1j, 2j]}),
    "index": lambda p, n: p.DataFrame({"a": [1, 2]}, index=[1, "a"]),
    "series": lambda p, n: make_frame(p, n, [1, "a"])["odd"],
    "repeated labels": lambda p, n: make_frame(p, n, [1, "a"]).set_axis(["x", "x"]),
    "twice": lambda p, n: p.DataFrame([[1, 2]], columns=["a", "a"]),
    "levels": lambda p, n: p.DataFrame(
        [1, 2], p.MultiIndex.from_tuples([(1, 1), ("a", 2)])
    ),
    "dates": lambda p, n: p.DataFrame({"a": [1], "t": [p.Timestamp("2026-03-01")]}),
    "numbers": lambda p, n: p.DataFrame({"a": [1, 2]}),
    "complex array": lambda p, n: n.array([1j]),
    "deep array": lambda p, n: n.zeros((2, 2, 2)),
    "single": lambda p, n: n.array(3),
    "objects": lambda p, n: make_frame(p, n, [1, "a"])["odd"].to_numpy(),
    "fields": lambda p, n: n.zeros(2, [("a", "i4"), ("b", "f8")]),
    "bytes array": lambda p, n: n.array([b"a"]),
    "record": lambda p, n: Record("zoo.Cat", {"_1": [Record("zoo.Dog", {})]}),
    "unknown": lambda p, n: {"a": Unknown()},
    "array in dict": lambda p, n: {"a": n.zeros(2)},
    "keys": lambda p, n: {1: "a", "1": "b"},
    "bytes": lambda p, n: b"a",
    "text": lambda p, n: "a",
}


class TestSuggestions:
    @pytest.mark.parametrize("make", ODD.values(), ids=ODD)
    def test_each_format_that_a_refusal_names_takes_the_value(
        self, run, make, tmp_path
    ):
        pandas = pytest.importorskip("pandas")
        numpy = pytest.importorskip("numpy")
        pytest.importorskip("pyarrow")
        FileHandler(tmp_path / "a").checkpoint("a", x=make(pandas, numpy))
        path = tmp_path / "a" / "a.ckpt.zip"

        def export(suffix):
            options = ("--force", "--trusted", "--overwrite")
            return run("export", path, "x", "--to", tmp_path / f"x{suffix}", *options)

        refused = {}
        for suffix in CONVERSIONS:
            done = export(suffix)
            if done.code:
                words = re.split(", | or ", done.err.rpartition("; try ")[2].strip())
                known = "; try " in done.err
                assert known or "; no other format takes it" in done.err
                refused[suffix] = words if known else []
        assert [it for named in refused.values() for it in named if it in refused] == []

    def test_columns_of_several_types_are_written_as_text(self, export):
        pandas = pytest.importorskip("pandas")
        numpy = pytest.importorskip("numpy")
        pytest.importorskip("pyarrow")
        frame = make_frame(pandas, numpy, [1, None, "a", [2]])
        done, target = export("x.csv", x=frame)
        assert done.code == 2
        assert "lose the type of column odd (object), written as text." in done.err
        assert not target.exists()
        _, target = export("x.csv", "--force", x=frame)
        assert target.read_text() == '"n","odd"\n0,"1"\n1,\n2,"a"\n3,"[2]"\n'
        _, target = export("x.parquet", "--force", x=frame)
        assert pandas.read_parquet(target)["odd"].tolist()[2:] == ["a", "[2]"]
        _, target = export("x.json", "--force", x=frame)
        assert json.loads(target.read_text())[3] == {"n": 3, "odd": "[2]"}

    def test_objects_of_polars_are_written_as_text_and_never_as_addresses(self, export):
        polars = pytest.importorskip("polars")
        pytest.importorskip("pyarrow")
        series = polars.Series("o", [{1}, None], dtype=polars.Object)
        frame = polars.DataFrame([series, polars.Series("n", [1, 2])])
        _, target = export("x.csv", "--force", "--trusted", x=frame)
        assert target.read_text() == '"o","n"\n"{1}",1\n,2\n'


class TestRecord:
    def test_json_has_its_fields_and_its_type_is_a_loss(self, export):
        value = {"cat": Record("zoo.Cat", {"name": "a", "of": [Point(1, 2)]})}
        done, target = export("x.json", x=value)
        assert done.code == 2
        assert "the type of a Record (written as a dict of its fields)" in done.err
        assert "the type of a Point (written as a dict of its fields)" in done.err
        assert not target.exists()
        _, target = export("x.json", "--force", x=value)
        expected = {"cat": {"name": "a", "of": [{"x": 1, "y": 2}]}}
        assert json.loads(target.read_text()) == expected


class TestRefusal:
    @pytest.mark.parametrize(
        ("value", "suffix", "told"),
        [
            (b"\0", "png", "cannot write a bytes as PNG: not a picture; try .bin\n"),
            (
                "text",
                "png",
                "cannot write a str as PNG: not a picture; try .txt or .json\n",
            ),
            (
                3,
                "npy",
                "cannot write an int as NPY: not an array; try .json or .txt\n",
            ),
        ],
    )
    def test_it_names_the_suffixes_that_may_do(self, export, value, suffix, told):
        pytest.importorskip("numpy")
        assert told in export(f"x.{suffix}", x=value)[0].err


class TestFile:
    def test_one_that_is_there_stays_unless_it_may_be_replaced(self, export, tmp_path):
        (tmp_path / "x.txt").write_text("old")
        done, target = export("x.txt", "--force", x="new")
        assert done.code == 2
        assert target.read_text() == "old"
        export("x.txt", "--overwrite", x="new")
        assert target.read_text() == "new"

    def test_a_suffix_that_is_not_known_is_told_with_those_that_are(self, export):
        done, target = export("x.xls", x=1)
        assert done.code == 2
        known = ".csv, .parquet, .npy, .json, .txt, .bin, .png"
        assert f"Invalid value for '--to': the suffix of {str(target)!r}" in done.err
        assert f"is not one of {known}\n" in done.err

    def test_the_only_value_needs_no_name(self, run, root, tmp_path):
        target = tmp_path / "heat.json"
        assert run("export", root, "oven", "--to", target).code == 0
        assert json.loads(target.read_text()) == 200.5

    def test_one_of_several_has_to_be_named(self, run, root, tmp_path):
        where = ("--where", "day=9", "--where", "shop=north")
        target = tmp_path / "x.json"
        done = run("export", root, "bakery.order", "--to", target, *where)
        assert done.code == 2
        assert "has the values rye, note; name one" in done.err

    def test_a_pickle_is_not_loaded_unless_it_is_trusted(self, export):
        done, target = export("x.txt", "--force", x=object())
        assert done.code == 2
        assert "--trusted" in done.err
        assert "trusted=" not in done.err
        assert not target.exists()

    def test_what_is_too_large_is_told_with_the_option(self, export):
        done, _ = export("x.txt", "--max-bytes", "1kB", x="long " * 100_000)
        assert done.code == 2
        assert "the limit is 1,000; raise --max-bytes\n" in done.err
        assert "mmap" not in done.err
