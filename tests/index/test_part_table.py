"""A loaded value as a table."""

from __future__ import annotations

import datetime

import numpy
import pandas
import polars
import pyarrow
import pytest

from checkpoints._index.concat import table_of


class TestTableOf:
    def test_a_table_keeps_its_columns_and_loses_notes_of_its_library(self):
        for value in (
            pandas.DataFrame({"x": [1]}),
            polars.DataFrame({"x": [1]}),
            pyarrow.table({"x": [1]}).replace_schema_metadata({"a": "b"}),
        ):
            table = table_of("value", value)
            assert table.to_pydict() == {"x": [1]}
            assert table.schema.metadata is None

    def test_levels_of_an_index_without_names_keep_those_of_arrow(self):
        index = pandas.MultiIndex.from_tuples([("a", 1)])
        table = table_of("value", pandas.DataFrame({"x": [1]}, index=index))
        names = ["x", "__index_level_0__", "__index_level_1__"]
        assert table.column_names == names

    def test_views_of_texts_become_texts_that_go_together_with_others(self):
        texts = pyarrow.array(["a"], pyarrow.string_view())
        data = pyarrow.array([b"b"], pyarrow.binary_view())
        table = table_of("value", pyarrow.table({"s": texts, "b": data}))
        assert table.to_pydict() == {"s": ["a"], "b": [b"b"]}
        assert table.schema.types == [pyarrow.large_string(), pyarrow.large_binary()]

    def test_an_index_gives_way_to_a_column_of_its_name(self):
        frame = pandas.DataFrame({"index": [1]}, index=["a"])
        assert table_of("value", frame).column_names == ["index", "__index_level_0__"]

    @pytest.mark.parametrize(
        ("index", "columns"),
        [
            (pandas.RangeIndex(1990, 1994, name="year"), ["x", "year"]),
            (pandas.RangeIndex(4, name="step"), ["x", "step"]),
            (pandas.RangeIndex(1, 5), ["x", "index"]),
            (pandas.RangeIndex(0, 8, 2), ["x", "index"]),
            (pandas.RangeIndex(4), ["x"]),
        ],
    )
    def test_an_index_is_a_column_unless_it_counts_from_0(self, index, columns):
        table = table_of("value", pandas.DataFrame({"x": [1.5] * 4}, index=index))
        assert table.column_names == columns
        assert all(table[it].to_pylist() == list(index) for it in columns[1:])

    @pytest.mark.parametrize(
        ("value", "kind"),
        [
            (numpy.datetime64("2026-03-02T12:00:00.000000001"), "timestamp[ns]"),
            (numpy.datetime64("2026-03-02", "D"), "date32[day]"),
            (numpy.datetime64("2026-03", "M"), "date32[day]"),
            (numpy.timedelta64(5, "ns"), "duration[ns]"),
            (numpy.timedelta64(2, "D"), "duration[us]"),
            (numpy.float32(0.1), "float"),
            (numpy.array("text"), "string"),
        ],
        ids=str,
    )
    def test_a_scalar_of_numpy_keeps_its_type(self, value, kind):
        (column,) = table_of("value", value).columns
        assert str(column.type) == kind
        assert numpy.array_equal(column.to_numpy()[0], value)

    def test_a_unit_of_time_that_nobody_has_is_an_error(self):
        with pytest.raises(pyarrow.ArrowNotImplementedError):
            table_of("value", numpy.timedelta64(5, "ps"))

    def test_a_time_of_day_with_a_zone_is_an_error(self):
        value = datetime.time(12, tzinfo=datetime.UTC)
        with pytest.raises(ValueError, match="time zone"):
            table_of("value", value)
        assert table_of("value", value.replace(tzinfo=None)).num_rows == 1

    @pytest.mark.parametrize("value", [object(), {}, [], pyarrow.scalar(1), {1}])
    def test_what_has_no_rows_is_a_type_error(self, value):
        with pytest.raises(
            TypeError, match="expected a table, a series, a one-dimensional"
        ):
            table_of("value", value)
