"""One value of many entries, combined into one table."""

from __future__ import annotations

import datetime
import decimal
import io
import os
import subprocess
import sys
from pathlib import Path

import numpy
import pandas
import polars
import pyarrow
import pytest

import checkpoints
from checkpoints import (
    ConfigError,
    CorruptFileError,
    FileHandler,
    FormatError,
    MissingDependencyError,
    TooLargeError,
    UnknownValueError,
    UntrustedError,
    index,
    tags,
)
from checkpoints._process.budget import Budget, within

LOCATION = Path(checkpoints.__file__).parents[1]
FAULTLAB = Path(__file__).parents[1] / "reliability"
DAY = datetime.date(2026, 3, 2)
MAKE = {
    "pandas": pandas.DataFrame,
    "polars": polars.DataFrame,
    "arrow": pyarrow.table,
}


@pytest.fixture
def root(tmp_path):
    return tmp_path / "root"


def save(root, value, checkpoint="a", /, *, form="zip", **tagged):
    with tags(tagged):
        FileHandler(root, format=form).checkpoint(checkpoint, value=value)


def rows(table):
    return table.to_pylist()


class TestBudget:
    def test_the_tables_of_all_entries_count_together(self, root):
        for n in range(3):
            save(root, numpy.zeros(100_000), n=n)
        with within(Budget("a", 6_000_000), "a table"):
            assert len(index(root).where(n=1).concat("value")) == 100_000
            with pytest.raises(TooLargeError) as told:
                index(root).concat("value", to="pandas")
        assert "where" in told.value.__notes__[0]

    @pytest.mark.parametrize("to", ["pandas", "polars", "arrow"])
    def test_a_column_counts_besides_its_cells(self, root, to):
        columns = {f"c{number}": [number] for number in range(2000)}
        save(root, pyarrow.table(columns))
        with within(Budget("a test", 8_000_000), "it"):
            assert index(root).concat("value", to="arrow").num_columns == 2000
        with within(Budget("a test", 4_000_000), "it"), pytest.raises(TooLargeError):
            index(root).concat("value", to=to)

    def test_texts_that_are_stored_once_count_as_often_as_they_occur(self, root):
        texts = pandas.Series(["x" * 10_000] * 5_000, dtype="category")
        save(root, polars.Series(texts.astype(str)).cast(polars.Categorical))
        save(root, polars.Series(["y"]), n=2)
        with within(Budget("a", 20_000_000), "a table"), pytest.raises(TooLargeError):
            index(root).concat("value", to="pandas")


class TestTables:
    @pytest.mark.parametrize(
        ("number", "kind"),
        [(2**53 + 1, "Int64"), (2**64 - 1, "UInt64"), (3, "float64")],
    )
    def test_no_number_is_rounded_where_a_part_has_none(self, root, number, kind):
        save(root, numpy.array([number])[0], n=1)
        save(root, pandas.DataFrame({"value": [number], "y": [2]}), n=2)
        save(root, pandas.DataFrame({"y": [2]}), n=3)
        found = index(root).concat("value")["value"]
        assert found.dtype == kind
        assert found.dropna().tolist() == [number, number]

    @pytest.mark.parametrize("form", ["zip", "parquet"])
    @pytest.mark.parametrize("library", MAKE)
    def test_they_become_one_of_the_library_they_are_of(self, root, library, form):
        make = MAKE[library]
        for n in (1, 2):
            save(root, make({"x": [n / 1, n + 0.5], "s": ["u", "v"]}), n=n, form=form)
        found = index(root).concat("value")
        assert isinstance(found, type(make({})))
        expected = {"n": [1, 1, 2, 2], "x": [1, 1.5, 2, 2.5], "s": ["u", "v"] * 2}
        assert pyarrow.table(found).to_pydict() == expected

    @pytest.mark.parametrize("library", MAKE)
    @pytest.mark.parametrize("to", MAKE)
    def test_they_become_one_of_the_library_that_is_asked_for(self, root, library, to):
        save(root, MAKE[library]({"x": [1, 2]}), n=1)
        found = index(root).concat("value", to=to)
        assert isinstance(found, type(MAKE[to]({})))
        assert pyarrow.table(found).to_pydict() == {"n": [1, 1], "x": [1, 2]}

    def test_tags_have_their_types_and_may_be_missing(self, root):
        frame = polars.DataFrame({"x": [1]})
        with tags(seen="outer"):
            save(root, frame, day=DAY, seen="inner", n=3)
        save(root, frame, n=4)
        found = index(root).sort("n").concat("value")
        assert rows(found.to_arrow()) == [
            {"seen": "inner", "day": DAY, "n": 3, "x": 1},
            {"seen": None, "day": None, "n": 4, "x": 1},
        ]

    def test_a_tag_that_is_called_as_a_column_gets_another_name(self, root):
        save(root, polars.DataFrame({"x": [1], "tag_y": [2]}), x=3, y=4)
        found = index(root).concat("value")
        assert found.to_dicts() == [{"tag_x": 3, "y": 4, "x": 1, "tag_y": 2}]

    def test_entries_of_several_names_have_a_column_for_it(self, root):
        frame = polars.DataFrame({"x": [1]})
        for name in ("a", "b"):
            save(root, frame, name, tag=1)
        found = index(root).concat("value").to_dicts()
        assert [row["name"] for row in found] == ["a", "b"]
        save(root, polars.DataFrame({"name": [2]}), "c", name=3)
        found = index(root).where(["a", "c"]).concat("value").to_dicts()
        assert found[0] == {
            "tag_name": "c",
            "tag": None,
            "tag_tag_name": 3,
            "x": None,
            "name": 2,
        }

    def test_columns_may_differ_and_numbers_are_widened(self, root):
        save(root, pyarrow.table({"x": [1], "y": ["a"]}), n=1)
        save(root, pyarrow.table({"x": [0.5], "z": [True]}), n=2)
        assert rows(index(root).concat("value")) == [
            {"n": 1, "x": 1.0, "y": "a", "z": None},
            {"n": 2, "x": 0.5, "y": None, "z": True},
        ]

    def test_columns_that_do_not_fit_are_an_error_that_names_the_entry(self, root):
        save(root, pyarrow.table({"x": [1]}), n=1)
        save(root, pyarrow.table({"x": ["a"]}), n=2)
        with pytest.raises(FormatError, match=r"n=2/a.*'value'.*x.*where\("):
            index(root).concat("value")

    def test_an_index_of_pandas_becomes_columns_unless_it_counts(self, root):
        frame = pandas.DataFrame({"x": [1, 2]}, index=["u", "v"])
        save(root, frame, n=1)
        found = index(root).concat("value")
        assert found.to_dict("list") == {"n": [1, 1], "x": [1, 2], "index": ["u", "v"]}
        save(root, frame.rename_axis("key"), n=1)
        assert list(index(root).concat("value").columns) == ["n", "x", "key"]
        save(root, frame.reset_index(drop=True), n=1)
        found = index(root).concat("value")
        assert list(found.columns) == ["n", "x"]
        assert list(found.index) == [0, 1]

    def test_categories_and_times_stay_what_they_are(self, root):
        for n, letters in ((1, "ab"), (2, "bc")):
            frame = pandas.DataFrame(
                {
                    "c": pandas.Categorical(list(letters)),
                    "t": pandas.to_datetime(["2026-01-01"] * 2).tz_localize("UTC"),
                }
            )
            save(root, frame, n=n)
        found = index(root).concat("value")
        assert list(found["c"]) == ["a", "b", "b", "c"]
        assert str(found["c"].dtype) == "category"
        assert str(found["t"].dt.tz) == "UTC"

    @pytest.mark.parametrize(
        "make",
        [
            lambda order: pandas.DataFrame(
                {"c": pandas.Categorical(["a", "b"], list(order), ordered=True)}
            ),
            lambda order: polars.DataFrame({"c": ["a", "b"]}).cast(
                polars.Enum(list(order))
            ),
        ],
        ids=["pandas", "polars"],
    )
    def test_categories_of_another_order_are_an_error(self, root, make):
        for n, order in enumerate(("bac", "bac", "abc")):
            save(root, make(order), n=n)
        found = index(root).where(n=[0, 1]).concat("value", to="pandas")
        assert list(found.sort_values("c")["c"]) == ["b", "b", "a", "a"]
        with pytest.raises(FormatError, match=r"n=2/a.*'c' has other categories"):
            index(root).concat("value")

    @pytest.mark.parametrize("count", [1, 2])
    def test_one_of_pandas_can_be_written_to(self, root, count):
        for n in range(count):
            frame = pandas.DataFrame({"x": [1.5], "n": [2], "s": ["a"], "b": [True]})
            save(root, frame, tag=n)
        found = index(root).concat("value")
        for name, value in {"tag": 7, "x": 2.5, "n": 3, "s": "b", "b": False}.items():
            found.loc[0, name] = value
            assert found.loc[0, name] == value

    def test_two_columns_of_one_name_are_an_error(self, root):
        table = pyarrow.table([[1], [2]], names=["x", "x"])
        save(root, table, n=1)
        with pytest.raises(FormatError, match="same name"):
            index(root).concat("value")

    @pytest.mark.parametrize("to", ["pandas", "polars"])
    def test_a_type_that_a_library_does_not_have_is_an_error(self, root, to):
        kinds, one = pyarrow.array([0], pyarrow.int8()), pyarrow.array([1])
        union = pyarrow.UnionArray.from_sparse(kinds, [one])
        save(root, pyarrow.table({"u": union}))
        with pytest.raises(FormatError, match="column 'u' of sparse_union"):
            index(root).concat("value", to=to)

    def test_a_panic_of_polars_is_an_error(self, root):
        column = pyarrow.array([decimal.Decimal(1)], pyarrow.decimal256(60))
        save(root, pyarrow.table({"d": column}))
        with pytest.raises(FormatError, match="column 'd' of decimal256"):
            index(root).concat("value", to="polars")

    def test_tables_without_rows_bring_none(self, root):
        save(root, polars.DataFrame({"x": [1]}).clear(), n=1)
        save(root, polars.DataFrame({"x": [1]}), n=2)
        assert index(root).concat("value").to_dicts() == [{"n": 2, "x": 1}]


class TestOtherValues:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            (pandas.Series([1.5, 2.5], name="other"), [1.5, 2.5]),
            (polars.Series("other", [1, 2]), [1, 2]),
            (pyarrow.array(["a", None]), ["a", None]),
            (pyarrow.chunked_array([[1], [2]]), [1, 2]),
            (pyarrow.record_batch({"value": [1]}), [1]),
            (numpy.array([1.5, 2.5]), [1.5, 2.5]),
            (numpy.float64(1.5), [1.5]),
            (numpy.array(3), [3]),
            (3, [3]),
            (0.5, [0.5]),
            (True, [True]),
            (None, [None]),
            ("text", ["text"]),
            (b"bytes", [b"bytes"]),
            (DAY, [DAY]),
            (datetime.timedelta(1), [datetime.timedelta(1)]),
            (decimal.Decimal("1.5"), [decimal.Decimal("1.5")]),
        ],
        ids=lambda it: type(it).__name__,
    )
    def test_they_are_a_column_of_their_name(self, root, value, expected):
        save(root, value, n=1)
        found = index(root).concat("value", to="arrow")
        assert found.to_pydict() == {"n": [1] * len(expected), "value": expected}

    def test_single_values_become_a_table_of_what_is_installed(self, root):
        for n in (1, 2):
            save(root, n / 2, n=n)
        found = index(root).concat("value")
        assert found.to_dict("list") == {"n": [1, 2], "value": [0.5, 1.0]}

    @pytest.mark.parametrize(
        "value",
        [numpy.zeros((2, 2)), {"a": 1}, [1, 2], numpy.zeros(2, complex)],
        ids=["2-D", "dict", "list", "complex"],
    )
    def test_what_has_no_rows_is_an_error_that_names_the_entry(self, root, value):
        save(root, value, n=1)
        with pytest.raises(FormatError, match=r"n=1/a.*'value'.*load them one by one"):
            index(root).concat("value")


class TestWhatCannotBe:
    def test_an_entry_without_the_value_is_an_error_that_names_it(self, root):
        save(root, 1, n=1)
        with pytest.raises(UnknownValueError, match="n=1/a"):
            index(root).concat("other")

    @pytest.mark.parametrize("values", [(2**70,), (0.5, 2**53 + 1)])
    def test_a_number_that_does_not_fit_is_an_error_that_names_it(self, root, values):
        for n, value in enumerate(values):
            save(root, value, n=n)
        with pytest.raises(FormatError, match=rf"n={len(values) - 1}/a.*'value'.*int"):
            index(root).concat("value")

    def test_each_file_is_opened_once(self, root, monkeypatch):
        opened = []
        real = io.FileIO
        for n in range(3):
            save(root, 1.5, n=n)
        monkeypatch.setattr(
            io, "FileIO", lambda file: opened.append(file) or real(file)
        )
        assert len(index(root).concat("value")) == 3
        assert len(opened) == 3

    def test_a_damaged_entry_is_an_error_that_names_it(self, root):
        save(root, 1, n=1)
        Path(index(root)[0].path).write_bytes(b"")
        with pytest.raises(CorruptFileError, match="n=1/a"):
            index(root).concat("value")

    def test_a_pickle_has_to_be_trusted(self, root):
        save(root, slice(3), n=1)
        with pytest.raises(UntrustedError):
            index(root).concat("value")
        with pytest.raises(FormatError, match="slice"):
            index(root).concat("value", trusted=True)

    def test_of_no_entry_is_an_error_that_says_what_none_has(self, root):
        save(root, 1, model="a")
        for to in (None, *MAKE):
            with pytest.raises(LookupError, match="no entry has the tag 'modle'; did"):
                index(root).where(modle="a").concat("value", to=to)

    def test_the_whole_files_of_a_damaged_tree_become_one_as_the_error_says(self, root):
        for n in range(3):
            save(root, n, n=n)
        found = index(root)
        Path(found[1].path).write_bytes(Path(found[1].path).read_bytes()[:200])
        with pytest.raises(CorruptFileError) as told:
            found.concat("value")
        (note,) = told.value.__notes__
        assert "found[[entry.path not in bad for entry in found]]" in note
        bad = dict(checkpoints.verify(root).damaged)
        whole = found[[entry.path not in bad for entry in found]]
        assert whole.concat("value", to="polars")["value"].to_list() == [0, 2]

    def test_a_library_that_is_not_known_is_an_error(self, root):
        root.mkdir()
        with pytest.raises(ConfigError, match="'pandas', 'polars', 'arrow'"):
            index(root).concat("value", to="numpy")

    def test_without_pyarrow_it_says_what_to_install(self, root, monkeypatch):
        save(root, 1)
        monkeypatch.setitem(sys.modules, "pyarrow", None)
        with pytest.raises(MissingDependencyError, match="pip install pyarrow"):
            index(root).concat("value")


class TestMemory:
    PROGRAM = """
import sys
import numpy, pandas, polars, pyarrow
import checkpoints
from faultlab import memory

to = sys.argv[2]
found = checkpoints.index(sys.argv[1])
found[:1].concat("value", to=to)  # what the libraries need for themselves
before = memory.forget_peak()
table = found.concat("value", to=to)
assert len(table) == 16 * 125_000
print(memory.peak() - before)
"""

    @pytest.mark.skipif(sys.platform != "linux", reason="units of memory differ")
    @pytest.mark.parametrize("to", ["pandas", "polars", "arrow"])
    def test_not_all_is_held_twice(self, root, to):
        for n in range(16):
            columns = {f"x{c}": numpy.full(125_000, n / 7) for c in range(8)}
            save(root, pandas.DataFrame(columns), n=n)
        size = 16 * 125_000 * 9 * 8
        run = subprocess.run(
            [sys.executable, "-c", self.PROGRAM, str(root), to],
            check=True,
            stdout=subprocess.PIPE,
            env={"PYTHONPATH": f"{LOCATION}{os.pathsep}{FAULTLAB}"},
        )
        assert int(run.stdout) < 1.5 * size
