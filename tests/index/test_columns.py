"""Columns: unused names, and types that fit all values."""

from __future__ import annotations

import datetime
import sys

import pyarrow
import pytest

from checkpoints import MissingDependencyError
from checkpoints._index.library import as_library
from checkpoints._index.table import (
    column_names,
    import_pyarrow,
    text_column,
    typed_column,
)

DAY = datetime.date(2026, 3, 2)
NOON = datetime.datetime(2026, 3, 2, 12)
UTC_NOON = NOON.replace(tzinfo=datetime.UTC)


class TestNames:
    @pytest.mark.parametrize(
        ("tags", "taken", "expected"),
        [
            (["a", "b"], ["c"], ["a", "b"]),
            (["a", "a"], [], ["a"]),
            (["a"], ["a"], ["tag_a"]),
            (["a"], ["a", "tag_a"], ["tag_tag_a"]),
            (["a", "tag_a"], ["a"], ["tag_tag_a", "tag_a"]),
            (["tag_a", "a"], ["a"], ["tag_a", "tag_tag_a"]),
            (["a\0", "a"], [], [r"a\x00", "a"]),
        ],
    )
    def test_a_tag_gives_way_to_what_is_taken(self, tags, taken, expected):
        columns = column_names(tags, taken)
        assert list(columns) == list(dict.fromkeys(tags))
        assert list(columns.values()) == expected


class TestTypes:
    @pytest.mark.parametrize(
        ("values", "kind"),
        [
            ([1, None], pyarrow.int64()),
            ([1, 0.5], pyarrow.float64()),
            ([True, None], pyarrow.bool_()),
            ([DAY], pyarrow.date32()),
            ([NOON, None], pyarrow.timestamp("us")),
            ([UTC_NOON, None], pyarrow.timestamp("us", "UTC")),
            ([NOON.time()], pyarrow.time64("us")),
            ([None], pyarrow.string()),
            ([], pyarrow.string()),
        ],
    )
    def test_values_of_one_type_keep_it(self, values, kind):
        column = typed_column(values)
        assert column.type == kind
        assert column.to_pylist() == values

    @pytest.mark.parametrize(
        ("values", "texts"),
        [
            ([1, "a", None], ["1", "a", None]),
            ([1, True], ["1", "True"]),
            (
                [DAY, datetime.datetime(2026, 3, 2)],
                ["2026-03-02", "2026-03-02T00:00:00"],
            ),
            ([1 << 64], ["18446744073709551616"]),
            ([1j], ["1j"]),
            ([NOON, UTC_NOON], ["2026-03-02T12:00:00", "2026-03-02T12:00:00+00:00"]),
            ([UTC_NOON, NOON], ["2026-03-02T12:00:00+00:00", "2026-03-02T12:00:00"]),
            ([UTC_NOON.timetz(), None], ["12:00:00+00:00", None]),
            ([NOON.time(), UTC_NOON.timetz()], ["12:00:00", "12:00:00+00:00"]),
            ([(1 << 53) + 1, 0.5], ["9007199254740993", "0.5"]),
        ],
    )
    def test_others_become_texts(self, values, texts):
        assert typed_column(values).to_pylist() == texts

    def test_what_is_no_unicode_is_escaped(self):
        assert text_column(["a", None, "\udc80"]).to_pylist() == ["a", None, "\\udc80"]


class TestLibraries:
    def test_columns_are_given_up_for_pandas(self):
        columns = {"a": pyarrow.chunked_array([[1, 2]])}
        frame = as_library("pandas", columns)
        assert frame.to_dict("list") == {"a": [1, 2]}
        assert columns == {}

    @pytest.mark.parametrize("library", ["pandas", "polars"])
    def test_one_that_is_missing_is_an_error(self, library, monkeypatch):
        monkeypatch.setitem(sys.modules, library, None)
        with pytest.raises(MissingDependencyError, match=f"pip install {library}"):
            as_library(library, {})

    def test_pyarrow_missing_is_an_error(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "pyarrow", None)
        with pytest.raises(MissingDependencyError, match="pip install pyarrow"):
            import_pyarrow()
