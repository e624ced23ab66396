"""The index as a table: in Arrow, pandas, Polars and DuckDB."""

from __future__ import annotations

import datetime
import decimal
import os
import sys
import uuid
from pathlib import Path

import duckdb
import numpy
import pandas
import polars
import pyarrow
import pytest

from checkpoints import FileHandler, MissingDependencyError, index, tags

DAY = datetime.date(2026, 3, 2)


@pytest.fixture
def root(tmp_path):
    return tmp_path / "root"


@pytest.fixture
def handler(root):
    return FileHandler(root)


@pytest.fixture
def found(root, handler):
    with tags(day=DAY, fold=3):
        handler.checkpoint("mypkg.fit", x=numpy.zeros((2, 3)), loss=0.5)
    with tags(("seen", "a"), ("seen", "b"), fold=10):
        handler.checkpoint("mypkg.fit", x=1)
    handler.checkpoint("total", 2)
    return index(root)


def column(table, name):
    return table.column(name).to_pylist()


class TestTable:
    def test_it_has_a_row_for_each_entry(self, found):
        table = found.to_arrow()
        assert table.num_rows == 3
        assert column(table, "name") == [entry.name for entry in found]
        assert column(table, "path") == [entry.path for entry in found]

    def test_it_has_a_column_for_each_tag_with_nulls_and_innermost_values(self, found):
        table = found.to_arrow()
        assert column(table, "day") == ["2026-03-02", None, None]
        assert column(table, "fold") == ["3", "10", None]
        assert column(table, "seen") == [None, "b", None]

    def test_one_column_has_all_tags(self, found):
        pairs = [
            [(it["name"], it["value"]) for it in row]
            for row in column(found.to_arrow(), "tags")
        ]
        assert pairs == [list(entry.tags.items()) for entry in found]

    def test_size_and_time_are_those_of_the_file(self, found):
        table = found.to_arrow()
        states = [os.stat(entry.path) for entry in found]
        assert column(table, "size") == [state.st_size for state in states]
        times = table.column("time").cast(pyarrow.int64()).to_pylist()
        assert times == [state.st_mtime_ns // 1000 for state in states]
        assert table.schema.field("time").type == pyarrow.timestamp("us", "UTC")

    def test_a_file_that_has_vanished_has_no_size_and_time(self, found):
        assert len(found) == 3
        os.unlink(found[1].path)
        table = found.to_arrow()
        assert [size is None for size in column(table, "size")] == [False, True, False]
        assert [time is None for time in column(table, "time")] == [False, True, False]

    def test_a_tag_with_the_name_of_a_column_gets_another(self, root, handler):
        with tags(path="p", tag_path="q", run="r", tag_run="s"):
            handler.checkpoint("a", 1)
        for details in (False, True):
            table = index(root).to_arrow(details=details)
            names = ["tag_tag_path", "tag_path", "tag_tag_run", "tag_run"]
            assert [column(table, name) for name in names] == [
                ["p"],
                ["q"],
                ["r"],
                ["s"],
            ]

    def test_only_the_tags_of_its_own_entries_have_columns(self, found):
        names = found.where("total").to_arrow().column_names
        assert names == ["name", "path", "tags", "size", "time"]
        assert "day" not in found[1:].to_arrow(details=True).column_names

    def test_an_empty_index_is_a_table_without_rows(self, tmp_path):
        for details in (False, True):
            table = index(tmp_path).to_arrow(details=details)
            assert table.num_rows == 0
            assert table.column_names[:2] == ["name", "path"]

    def test_texts_that_are_no_unicode_are_escaped(self, root, handler):
        with tags(tag="\udc80"):
            handler.checkpoint("a", **{"\udc81": 1})
        for details in (False, True):
            table = index(root).to_arrow(details=details)
            assert column(table, "tag") == ["\\udc80"]
        assert column(table, "values")[0][0]["name"] == "\\udc81"

    def test_a_table_of_many_batches_is_whole(self, root, monkeypatch, found):
        monkeypatch.setattr("checkpoints._index.table._ROWS", 2)
        for details in (False, True):
            table = found.to_arrow(details=details)
            assert column(table, "path") == [entry.path for entry in found]
            assert column(table, "seen") == [None, "b", None]


class TestDetails:
    def test_tags_have_their_types(self, root, handler):
        values = {
            "day": DAY,
            "n": 3,
            "rate": 0.5,
            "flag": True,
            "text": "x",
            "at": datetime.datetime(2026, 3, 2, 10, tzinfo=datetime.UTC),
            "price": decimal.Decimal("1.50"),
        }
        with tags(values):
            handler.checkpoint("a", 1)
        table = index(root).to_arrow(details=True)
        assert {name: column(table, name) for name in values} == {
            name: [value] for name, value in values.items()
        }

    @pytest.mark.parametrize(
        ("values", "expected"),
        [
            ([1, 2.5], [1.0, 2.5]),
            ([1, "x"], ["1", "x"]),
            ([1, True], ["1", "True"]),
            ([1, 1 << 70], ["1", str(1 << 70)]),
            ([DAY, "x"], ["2026-03-02", "x"]),
            ([None, 1], [None, 1]),
        ],
    )
    def test_tags_of_several_types_are_of_one_that_fits(self, root, values, expected):
        for number, value in enumerate(values):
            with tags({"number": number, "tag": value}):
                FileHandler(root).checkpoint("a", 1)
        table = index(root).to_arrow(details=True)
        assert column(table, "tag") == expected

    def test_it_tells_of_run_sequence_and_time(self, found):
        table = found.to_arrow(details=True)
        for name, key in (("run", "run"), ("sequence", "sequence"), ("saved", "time")):
            assert column(table, name) == [entry.meta[key] for entry in found]

    def test_it_tells_of_the_values(self, found):
        values = column(found.to_arrow(details=True), "values")
        x, loss = values[0]
        assert (x["name"], x["kind"], x["dtype"]) == ("x", "numpy.ndarray", "<f8")
        assert (x["shape"], x["bytes"]) == (
            [2, 3],
            found[0].meta["values"]["x"]["bytes"],
        )
        assert (loss["name"], loss["dtype"], loss["shape"]) == ("loss", "float", None)

    def test_a_damaged_file_stays_and_says_why(self, found):
        Path(found[1].path).write_bytes(b"no checkpoint")
        os.unlink(found[2].path)
        table = found.to_arrow(details=True)
        assert table.num_rows == 3
        first, second, third = column(table, "error")
        assert first is None
        assert "damaged or not a checkpoint file" in second
        assert "No such file" in third
        assert column(table, "run")[1:] == [None, None]
        assert column(table, "fold") == [3, 10, None]
        assert column(table, "seen") == [None, "b", None]

    def test_a_damaged_file_has_what_its_path_tells_of_a_tag(self, root, handler):
        for day in (DAY, DAY + datetime.timedelta(1)):
            with tags(day=day):
                handler.checkpoint("a", 1)
        found = index(root)
        Path(found[0].path).write_bytes(b"")
        table = found.to_arrow(details=True)
        assert column(table, "day") == [DAY, DAY + datetime.timedelta(1)]

    @pytest.mark.parametrize(
        ("values", "expected"),
        [
            ((True, False), [False, True]),
            ((1, "first"), ["1", "first"]),
            ((None, "text"), [None, "text"]),
            ((uuid.UUID(int=1), "text"), [str(uuid.UUID(int=1)), "text"]),
        ],
    )
    def test_what_a_path_tells_is_not_lost_for_its_type(
        self, root, handler, values, expected
    ):
        for value in values:
            with tags(tag=value):
                handler.checkpoint("a", 1)
        (damaged,) = index(root).where(tag=str(values[1]))
        Path(damaged.path).write_bytes(b"")
        told = column(index(root).to_arrow(details=True), "tag")
        assert sorted(told, key=str) == expected

    def test_files_that_are_no_checkpoints_are_marked(self, root, found):
        (root / "notes.txt").write_text("sunny")
        (row,) = (
            row
            for row in index(root, all_files=True).to_arrow(details=True).to_pylist()
            if row["name"] == "notes"
        )
        assert "not a checkpoint file" in row["error"]


class TestNames:
    def test_a_tag_whose_name_is_no_unicode_is_escaped(self, root, handler):
        with tags({"\ud800": 3, "\\ud800": 4}):
            handler.checkpoint("a", 1)
        found = index(root)
        for details in (False, True):
            table = found.to_arrow(details=details)
            assert list(map(int, column(table, "tag_\\ud800"))) == [3]
            assert list(map(int, column(table, "\\ud800"))) == [4]
        assert len(found.to_pandas()) == len(found.to_polars()) == 1
        assert list(found.sort("tag_\\ud800")) == list(found)
        assert found.concat("data", to="arrow").num_rows == 1


class TestLibraries:
    def test_pandas_and_polars_get_the_same(self, found):
        for details in (False, True):
            frames = found.to_pandas(details=details), found.to_polars(details=details)
            assert isinstance(frames[0], pandas.DataFrame)
            assert isinstance(frames[1], polars.DataFrame)
            names = found.to_arrow(details=details).column_names
            for frame in frames:
                assert list(frame.columns) == names
                assert list(frame["path"]) == [entry.path for entry in found]

    def test_a_frame_of_pandas_can_be_written_to(self, found):
        frame = found.to_pandas(details=True)
        for name, value in {"size": 7, "name": "x", "sequence": 9}.items():
            frame.loc[0, name] = value
            assert frame.loc[0, name] == value

    def test_what_takes_arrow_takes_it_as_it_stands(self, found):
        expected = found.to_arrow()
        assert pyarrow.table(found) == expected
        assert polars.DataFrame(found).equals(polars.from_arrow(expected))
        assert pandas.DataFrame.from_arrow(found).shape == (3, 8)
        rows = duckdb.sql("select name, fold from found order by size").fetchall()
        assert sorted(rows, key=str) == [
            ("mypkg.fit", "10"),
            ("mypkg.fit", "3"),
            ("total", None),
        ]

    def test_a_tag_with_a_nul_is_a_column_of_its_own(self, root, handler):
        for tag in ("a", "a\0"):
            with tags({tag: "seen"}):
                handler.checkpoint("x", 1)
        for frame in (index(root).to_polars(), polars.DataFrame(index(root))):
            assert {"a", r"a\x00"} <= set(frame.columns)

    def test_a_filtered_index_is_taken_as_well(self, found):
        part = found.where("total")
        assert duckdb.sql("select count(*) from part").fetchall() == [(1,)]
        assert polars.DataFrame(part[:0]).height == 0

    @pytest.mark.parametrize("library", ["pyarrow", "pandas", "polars"])
    def test_a_library_that_is_missing_is_an_error_that_says_what_to_install(
        self, found, library, monkeypatch
    ):
        monkeypatch.setitem(sys.modules, library, None)
        with pytest.raises(
            MissingDependencyError,
            match=f"pip install .*{library}|{library}.*pip install",
        ):
            found.to_polars() if library == "polars" else found.to_pandas()


class TestPositions:
    @pytest.mark.parametrize("make", [numpy.array, pandas.Series, polars.Series])
    def test_columns_of_them_and_of_answers_make_an_index_again(self, found, make):
        assert list(found[make([2, 0])]) == [found[2], found[0]]
        assert list(found[make([True, False, True])]) == [found[0], found[2]]
        assert found[numpy.int64(2)] == found[2]

    def test_so_what_is_damaged_can_be_left_out(self, found):
        whole = [found[0], found[2]]
        Path(found[1].path).write_bytes(b"")
        for frame in (found.to_pandas(details=True), found.to_polars(details=True)):
            is_null = (
                frame["error"].isna()
                if hasattr(frame, "iloc")
                else (frame["error"].is_null())
            )
            assert list(found[is_null]) == whole
