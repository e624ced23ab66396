"""A loaded value as a table."""

from __future__ import annotations

import pandas
import polars
import pyarrow
import pytest

from checkpoints._part_table import table_of


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

    def test_an_index_gives_way_to_a_column_of_its_name(self):
        frame = pandas.DataFrame({"index": [1]}, index=["a"])
        assert table_of("value", frame).column_names == ["index", "__index_level_0__"]

    @pytest.mark.parametrize("value", [object(), {}, [], pyarrow.scalar(1), {1}])
    def test_what_has_no_rows_is_a_type_error(self, value):
        with pytest.raises(TypeError, match="a table, a series, an array"):
            table_of("value", value)
