"""Tables and columns of pandas, Polars and Arrow, by position and by key."""

from __future__ import annotations

import datetime
import decimal

import numpy
import pandas
import polars
import pyarrow
import pytest

from checkpoints import FileHandler, diff
from checkpoints._compare.tolerance import Tolerance
from checkpoints._compare.values import compare

DAYS = pandas.date_range("2024-03-04", periods=4)


def frame(**changes):
    data = {
        "day": DAYS,
        "book": ["EQ", "FX", "EQ", "FX"],
        "px": [1.0, 2.0, 3.0, float("nan")],
        "n": [1, 2, 3, 4],
    }
    return pandas.DataFrame(data | changes)


LIBRARIES = {
    "pandas": lambda table: table,
    "polars": polars.from_pandas,
    "arrow": lambda table: pyarrow.Table.from_pandas(table, preserve_index=False),
}


@pytest.fixture(params=LIBRARIES)
def made(request):
    return LIBRARIES[request.param]


class TestByPosition:
    def test_the_same_table_is_equal(self, made):
        found = compare(made(frame()), made(frame()))
        assert (found.verdict, found.bits, found.notes) == ("equal", 0, ())

    def test_all_columns_that_differ_are_told(self, made):
        other = frame(px=[1.0, 2.5, 3.0, float("nan")], book=["EQ", "FX", "XX", "FX"])
        found = compare(made(frame()), made(other))
        assert (found.verdict, found.bits) == ("different", 2)
        names = {part.name: (part.where, part.texts) for part in found.parts}
        assert names == {
            "column 'book'": ("row 2", ("'EQ'", "'XX'")),
            "column 'px'": ("row 1", ("2.0", "2.5")),
        }

    def test_a_column_on_one_side_is_told(self, made):
        other = frame().rename(columns={"px": "price"})
        found = compare(made(frame()), made(other))
        assert found.verdict == "different"
        assert [part.name for part in found.parts] == ["column 'px'", "column 'price'"]
        assert "column 'price': in the candidate only" in found.notes

    def test_another_order_of_columns_is_told(self, made):
        found = compare(made(frame()), made(frame()[["n", "px", "book", "day"]]))
        assert (found.verdict, found.notes) == ("close", ("other order of columns",))

    def test_another_dtype_is_told(self, made):
        found = compare(made(frame()), made(frame(n=[1.0, 2.0, 3.0, 4.0])))
        assert (found.verdict, found.beyond) == ("different", 0)
        assert found.parts[0].name == "column 'n'"

    def test_rows_at_the_end_are_counted(self, made):
        found = compare(made(frame()), made(frame().iloc[:3]))
        assert (found.verdict, found.bits) == ("different", 4)
        assert "1 row at the end of the baseline only" in found.notes

    def test_each_column_has_a_tolerance_of_its_own(self, made):
        other = frame(px=[1.0, 2.5, 3.0, float("nan")], n=[1, 2, 3, 5])
        wide = {"px": Tolerance(atol=1.0)}
        found = compare(
            made(frame()),
            made(other),
            of_column=lambda name: wide.get(name, Tolerance()),
        )
        verdicts = {part.name: part.verdict for part in found.parts}
        assert verdicts == {"column 'px'": "close", "column 'n'": "different"}

    def test_no_rows_and_no_columns_are_equal(self, made):
        for empty in (frame().iloc[:0], frame()[[]]):
            assert compare(made(empty), made(empty)).verdict == "equal"


class TestAcrossLibraries:
    @pytest.mark.parametrize("other", ["polars", "arrow"])
    def test_a_table_of_another_library_is_close(self, other):
        table = frame(px=[1.0, 2.0, 3.0, 4.0])
        found = compare(table, LIBRARIES[other](table))
        assert (found.verdict, found.bits) == ("close", 0)
        assert found.notes[0].lower() == f"pandas against {other}"

    def test_null_against_nan_is_told_and_close(self):
        found = compare(frame(), polars.from_pandas(frame(), nan_to_null=True))
        assert (found.verdict, found.bits) == ("close", 0)
        assert "column 'px': null against NaN in 1 cell" in found.notes

    def test_a_cell_that_differs_is_found(self):
        found = compare(frame(), LIBRARIES["polars"](frame(n=[1, 2, 3, 5])))
        assert (found.verdict, found.where) == ("different", "column 'n', row 3")


class TestPandas:
    def test_the_index_is_compared_too(self):
        found = compare(
            frame().set_index("day"), frame(day=DAYS[::-1]).set_index("day")
        )
        assert (found.verdict, found.parts[0].name) == ("different", "index 'day'")
        assert found.max_abs == 3 * 86_400

    def test_columns_of_one_name_are_paired_in_order(self):
        one = pandas.DataFrame([[1, 2], [3, 4]], columns=["a", "a"])
        other = pandas.DataFrame([[1, 2], [3, 5]], columns=["a", "a"])
        found = compare(one, other)
        assert found.where == "column 'a' (2), row 1"

    @pytest.mark.parametrize(
        "values",
        [
            pandas.array([1, None, 2**62], "Int64"),
            pandas.array([1.5, None, 2.5], "Float64"),
            pandas.array([True, None, False], "boolean"),
            pandas.array(["a", None, "b"], "string"),
            pandas.array(["a", None, "b"], dtype="object"),
            pandas.array([1, None, 2], pandas.ArrowDtype(pyarrow.int32())),
            pandas.Categorical(["x", None, "y"]),
            pandas.Categorical([3, None, 5]),
            pandas.to_datetime(["2024-01-01", None, "2024-01-03"]).tz_localize("UTC"),
            pandas.period_range("2024", periods=3, freq="D"),
            pandas.interval_range(0, 3),
            pandas.arrays.SparseArray([0.0, 1.0, 2.0]),
        ],
        ids=lambda values: str(values.dtype),
    )
    def test_each_dtype_is_compared_cell_by_cell(self, values):
        one = pandas.Series(values)
        assert compare(one, one.copy()).verdict == "equal"
        other = one.iloc[[0, 1, 0]].reset_index(drop=True)
        found = compare(one, other)
        assert (found.verdict, found.bits, found.where[:5]) == ("different", 1, "row 2")

    def test_texts_are_compared_whatever_stores_them(self):
        one = pandas.Series(["a", None], dtype="object")
        for dtype in ("str", "string", "category"):
            found = compare(one, one.astype(dtype))
            assert (found.verdict, found.bits) == ("close", 0)

    def test_the_name_of_a_series_is_part_of_it(self):
        one = pandas.Series([1], name="a")
        found = compare(one, one.rename("b"))
        assert (found.verdict, found.notes) == ("different", ("name 'a' against 'b'",))

    def test_another_order_of_categories_is_told(self):
        one, other = (
            pandas.Series(pandas.Categorical(["a", "b"], order))
            for order in (["a", "b"], ["b", "a"])
        )
        found = compare(one, other)
        assert (found.verdict, found.notes) == ("close", ("other order of categories",))

    def test_attributes_are_compared(self):
        one, other = frame(), frame()
        one.attrs, other.attrs = {"unit": "EUR"}, {"unit": "USD"}
        found = compare(one, other)
        assert (found.verdict, found.where[:5]) == ("different", "attrs")

    @pytest.mark.parametrize(
        "name", [float("nan"), None, pandas.NA, ("a", float("nan"))]
    )
    def test_columns_whose_name_is_null_belong_together(self, name):
        columns = pandas.Index([name, "b"], dtype=object, tupleize_cols=False)
        one, other = (pandas.DataFrame([[1, at]], columns=columns) for at in (2, 3))
        found = compare(one, other)
        assert (found.bits, found.where) == (1, "column 'b', row 0")

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (DAYS, pandas.DatetimeIndex(list(DAYS))),
            (frame(), frame().set_flags(allows_duplicate_labels=False)),
            (frame(), frame().rename_axis(columns="x")),
            (pandas.Index([0, 1]), pandas.RangeIndex(2)),
        ],
        ids=["freq", "flags", "axis", "range"],
    )
    def test_what_is_no_cell_is_no_equality_either(self, one, other):
        assert compare(one, other).verdict == "close"

    def test_a_series_is_no_frame(self):
        one = pandas.Series([1], name="a")
        assert compare(one, one.to_frame()).verdict == "different"

    def test_an_index_is_compared(self):
        one = pandas.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["x", "y"])
        other = pandas.MultiIndex.from_tuples([("a", 1), ("b", 3)], names=["x", "y"])
        assert compare(one, other).where == "index 'y', row 1"


class TestArrow:
    @pytest.mark.parametrize(
        "values",
        [
            pyarrow.array([1.5, None, 2.5], pyarrow.float32()),
            pyarrow.array([True, None, False]),
            pyarrow.array(["a", None, "b"], pyarrow.string_view()),
            pyarrow.array([b"a", None, b"b"]),
            pyarrow.array(["a", None, "b"]).dictionary_encode(),
            pyarrow.array([datetime.date(2024, 1, 1), None, datetime.date(2024, 1, 2)]),
            pyarrow.array([datetime.time(1), None, datetime.time(2)]),
            pyarrow.array([decimal.Decimal("1.5"), None, decimal.Decimal("2.5")]),
            pyarrow.array([[1.0], None, [1.0, 2.0]]),
            pyarrow.array([{"a": 1}, None, {"a": 2}]),
        ],
        ids=lambda values: str(values.type),
    )
    def test_each_type_is_compared_cell_by_cell(self, values):
        again, other = (
            pyarrow.concat_arrays([values.slice(at, 1) for at in places])
            for places in ([0, 1, 2], [0, 1, 0])
        )
        assert compare(values, again).verdict == "equal"
        found = compare(values, other)
        assert (found.verdict, found.bits) == ("different", 1)
        assert found.where.startswith("row 2")

    def test_a_null_on_one_side_is_told(self):
        found = compare(pyarrow.array([1, 2]), pyarrow.array([1, None]))
        assert (found.bits, found.texts) == (1, ("2", "None"))
        assert "null in the candidate only in 1 cell" in found.notes

    def test_chunks_do_not_matter(self):
        one = pyarrow.chunked_array([[1, 2], [3]])
        found = compare(one, pyarrow.chunked_array([[1], [2, 3]]))
        assert (found.verdict, found.bits) == ("equal", 0)

    def test_metadata_are_compared(self):
        one = pyarrow.table({"a": [1]})
        found = compare(one, one.replace_schema_metadata({"by": "us"}))
        assert (found.verdict, found.bits) == ("different", 1)
        assert found.parts[0].name == "attrs"

    @pytest.mark.parametrize("format", ["zip", "parquet"])
    def test_so_are_those_of_fields_wherever_they_are(self, tmp_path, format):
        pytest.importorskip("pyarrow.parquet")
        plain, told = (
            pyarrow.field("x", pyarrow.float64(), metadata=metadata)
            for metadata in (None, {"unit": "m"})
        )
        made = [
            pyarrow.table([pyarrow.array([[1.0]], pyarrow.list_(field))], ["a"])
            for field in (plain, told, told)
        ]
        for at, table in enumerate(made):
            handler = FileHandler(tmp_path / str(at), format=format)
            handler.checkpoint("t", table)
        found = diff(tmp_path / "0", tmp_path / "1")
        assert found.verdict == "different"
        assert found.first.worst[1].where == 'attrs, ["field a.x"]'
        again = diff(tmp_path / "1", tmp_path / "2")
        assert [(pair.verdict, pair.by) for pair in again] == [("equal", "checksum")]


class TestPolars:
    @pytest.mark.parametrize(
        ("dtype", "one", "other"),
        [
            (polars.Int128, 2**100, 2**100 + 1),
            (polars.Object, (1, 2), (1, 3)),
            (polars.Enum(["a", "b"]), "a", "b"),
            (polars.Array(polars.Int8, 1), [1], [2]),
            (polars.Decimal(10, 2), decimal.Decimal(1), decimal.Decimal(2)),
        ],
        ids=str,
    )
    def test_each_type_is_compared_cell_by_cell(self, dtype, one, other):
        first, second = (
            polars.DataFrame({"a": polars.Series([None, one, value], dtype=dtype)})
            for value in (one, other)
        )
        assert compare(first, first.clone()).verdict == "equal"
        found = compare(first, second)
        assert (found.verdict, found.bits) == ("different", 1)
        assert found.where.startswith("column 'a', row 2")


class TestByKey:
    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (polars.Int32, polars.Int64),
            (polars.Int64, polars.Int32),
            (polars.UInt64,) * 2,
        ],
    )
    def test_keys_of_any_width_are_matched(self, one, other):
        first = polars.DataFrame(
            {"k": [1, 2], "v": [1, 2]}, schema_overrides={"k": one}
        )
        keys = [2**40, 1] if other == polars.Int64 else [2**30, 1]
        second = polars.DataFrame(
            {"k": keys, "v": [2, 1]}, schema_overrides={"k": other}
        )
        found = compare(first, second, keys=["k"])
        assert "1 row in the baseline only, such as k=2" in found.notes

    def test_keys_far_apart_are_matched(self):
        one = polars.DataFrame({"k": [2**62, -(2**62), 5], "v": [1, 2, 3]})
        found = compare(
            one, one.reverse().with_columns(v=polars.Series([3, 2, 9])), keys=["k"]
        )
        assert (found.bits, found.where) == (1, f"column 'v', row k={2**62}")

    def test_rows_are_found_wherever_they_are(self, made):
        other = frame(n=[1, 2, 3, 9]).iloc[[3, 1, 0, 2]]
        found = compare(made(frame()), made(other), keys=["day"])
        assert (found.verdict, found.bits) == ("different", 1)
        assert found.where.startswith("column 'n', row day=2024-03-07")
        assert "other order of rows" in found.notes

    def test_several_columns_identify_a_row(self, made):
        one = frame(day=DAYS[[0, 0, 1, 1]])
        found = compare(made(one), made(one.iloc[::-1]), keys=["day", "book"])
        assert (found.verdict, found.notes) == ("close", ("other order of rows",))

    def test_rows_on_one_side_are_counted_and_named(self, made):
        other = frame().iloc[[0, 2, 3]]
        found = compare(made(frame()), made(other), keys=["n"])
        assert (found.verdict, found.bits) == ("different", 4)
        assert "1 row in the baseline only, such as n=2" in found.notes

    def test_a_level_of_the_index_is_a_key(self):
        one = frame().set_index("day")
        assert compare(one, one.iloc[::-1], keys=["day"]).verdict == "close"

    def test_keys_that_repeat_are_refused_with_their_number(self, made):
        found = compare(made(frame()), made(frame()), keys=["book"])
        assert (found.verdict, found.why) == (
            "unknown",
            (
                "2 keys of the baseline occur more than once, such as book=EQ: name "
                "more key columns"
            ),
        )

    def test_null_keys_are_refused_with_their_number(self, made):
        other = frame(book=["EQ", None, None, "FX"])
        found = compare(made(frame()), made(other), keys=["day", "book"])
        assert found.verdict == "unknown"
        assert found.why == "the key column 'book' of the candidate has 2 nulls"

    def test_an_unknown_key_is_told_with_the_nearest(self, made):
        found = compare(made(frame()), made(frame()), keys=["bok"])
        assert found.verdict == "unknown"
        assert "did you mean 'book'?" in found.why

    def test_many_keys_are_matched_as_a_dictionary_would(self):
        random = numpy.random.default_rng(1)
        keys = random.permutation(5000)
        one = pandas.DataFrame({"k": keys, "v": keys * 2.0})
        other = one.sample(4000, random_state=2)
        other["v"] += numpy.where(other["k"] % 10 == 0, 1.0, 0.0)
        found = compare(one, other, keys=["k"])
        (part,) = found.parts
        assert part.bits == int((other["k"] % 10 == 0).sum())
        assert found.bits == part.bits + 2 * 1000


class TestRowsInAnotherOrder:
    @pytest.mark.parametrize("library", ["pandas", "polars"])
    def test_are_told_where_rows_are_compared_by_position(self, library):
        make = pytest.importorskip(library).DataFrame
        one = {"k": [3, 1, 2], "v": ["c", "a", "b"]}
        other = {"k": [1, 2, 3], "v": ["a", "b", "c"]}
        found = compare(make(one), make(other))
        assert "the same values in another order: keys= (--key" in found.notes[-1]
        changed = compare(make(one), make({**other, "v": ["a", "b", "x"]}))
        assert not any("another order" in note for note in changed.notes)

    def test_of_another_number_are_told_to_be_compared_by_position(self):
        one = pandas.DataFrame({"k": [1, 2, 3], "v": [4, 5, 6]})
        other = one.iloc[1:].reset_index(drop=True)
        assert "by position: keys= (--key" in compare(one, other).notes[-1]

    def test_are_no_matter_where_few_cells_differ(self):
        one = pandas.DataFrame({"v": range(9)})
        other = pandas.DataFrame({"v": [1, 0, *range(2, 9)]})
        assert compare(one, other).notes == ()


class TestRepeatedKeys:
    def test_of_one_table_only_are_a_difference(self):
        one = pandas.DataFrame({"k": [1, 2], "v": [0, 0]})
        other = pandas.DataFrame({"k": [1, 2, 2], "v": [0, 0, 0]})
        found = compare(one, other, keys=["k"])
        assert found.verdict == "different"
        (note,) = found.notes
        assert note.startswith("1 key of the candidate occurs more than once")
        assert note.endswith("in the other they are unique")

    def test_of_both_tables_leave_it_unknown(self):
        one = pandas.DataFrame({"k": [1, 1], "v": [0, 0]})
        assert compare(one, one.copy(), keys=["k"]).verdict == "unknown"

    def test_of_rows_at_the_end_only_are_infinitely_far_off(self):
        one, other = (pandas.DataFrame({"v": range(n)}) for n in (2, 3))
        assert compare(one, other).excess == float("inf")
