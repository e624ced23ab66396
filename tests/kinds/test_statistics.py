"""Statistics: values of the data libraries described in a few numbers."""

from __future__ import annotations

import datetime
import math
from fractions import Fraction

import numpy
import pandas
import polars
import pyarrow
import pytest
import scipy.sparse

from checkpoints._kinds.statistics import statistics_of

NAN, INF = math.nan, math.inf
DAYS = [datetime.date(2017, 3, 1), datetime.date(2017, 3, 5)]
NUMBERS = {"min": -3.0, "max": 1.0, "mean": -1.0, "nan": 1, "inf": 1}


def of(value, most=50):
    return statistics_of(value, most)


def column(table):
    (found,) = of(table)["columns"]
    return {name: value for name, value in found.items() if name != "name"}


class TestNumPy:
    @pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "longdouble"])
    def test_extremes_and_mean_are_of_the_finite_numbers(self, dtype):
        array = numpy.array([[1.0, NAN], [INF, -3.0]], dtype=dtype)
        expected = {"dtype": str(array.dtype), "shape": [2, 2], **NUMBERS}
        found = of(array)
        places = found.pop("not_finite")
        assert found == expected
        assert places != of(array.T)["not_finite"]
        assert places == of(array + 1)["not_finite"]
        assert type(found["min"]) is type(found["mean"]) is float

    def test_the_mean_of_narrow_numbers_is_wide(self):
        assert of(numpy.full(1000, 60_000, "float16"))["mean"] == 60_000
        assert of(numpy.full(1000, 120, "int8"))["mean"] == 120

    def test_a_sum_beyond_all_numbers_is_no_error(self):
        assert of(numpy.full(1000, 1e308))["mean"] == INF

    @pytest.mark.parametrize("dtype", ["int8", "int64", "uint64"])
    def test_whole_numbers_stay_whole(self, dtype):
        found = of(numpy.array([1, 4], dtype=dtype))
        assert found == {"dtype": dtype, "shape": [2], "min": 1, "max": 4, "mean": 2.5}
        assert type(found["max"]) is int

    def test_the_largest_whole_numbers_are_exact(self):
        assert of(numpy.array([2**64 - 1], "uint64"))["max"] == 2**64 - 1

    @pytest.mark.parametrize(
        ("array", "said"),
        [
            (numpy.zeros((0, 3)), {"min": None, "mean": None, "nan": 0}),
            (numpy.zeros(0, "int8"), {"min": None, "max": None, "mean": None}),
            (numpy.full(3, NAN), {"min": None, "mean": None, "nan": 3, "inf": 0}),
            (numpy.array([-INF]), {"max": None, "nan": 0, "inf": 1}),
            (numpy.array([True, False, True]), {"true": 2}),
            (numpy.array([1j, NAN, 3j]), {"mean": 2j, "nan": 1, "inf": 0}),
            (numpy.array(["2017-03-01", "NaT"], "M8[D]"), {"min": "2017-03-01"}),
            (numpy.array(["2017-03-01", "NaT"], "M8[D]"), {"missing": 1}),
            (numpy.array([3, 5], "m8[s]"), {"max": "5 seconds", "missing": 0}),
            (numpy.array(["NaT"], "m8[s]"), {"max": None, "missing": 1}),
            (numpy.array([1, "a", 2, None], object), {"types": {"int": 2}}),
            (numpy.array(["secret"]), {"dtype": "<U6", "shape": [1]}),
            (numpy.float32(2.5), {"dtype": "float32", "shape": [], "mean": 2.5}),
            (numpy.arange(6.0).reshape(2, 3).T[::2], {"shape": [2, 2], "max": 5}),
        ],
    )
    def test_of_other_kinds_what_makes_sense_is_said(self, array, said):
        found = of(array)
        if "types" in said:
            assert found["types"]["int"] == said["types"]["int"]
        else:
            assert found.items() >= said.items()

    def test_texts_are_not_shown(self):
        assert "secret" not in str(of(numpy.array(["secret"])))

    def test_what_a_mask_hides_does_not_count(self):
        masked = numpy.ma.masked_array([1.0, 100.0, 3.0, NAN], [0, 1, 0, 0])
        found = of(masked)
        assert found["shape"] == [4]
        assert (found["masked"], found["max"], found["mean"]) == (1, 3, 2)
        assert found["nan"] == 1

    def test_records_have_columns(self):
        records = numpy.array([(1, 2.0), (3, NAN)], [("x", "i4"), ("y", "f8")])
        x, y = of(records)["columns"]
        assert x == {"name": "x", "dtype": "int32", "min": 1, "max": 3, "mean": 2.0}
        assert (y["name"], y["nan"]) == ("y", 1)

    def test_what_a_mask_hides_in_records_does_not_count(self):
        pairs = [(1, 2.0), (100, NAN), (3, 8.0)]
        mask = [(0, 0), (1, 0), (0, 1)]
        dtype = [("x", "i4"), ("y", "f8")]
        x, y = of(numpy.ma.masked_array(pairs, mask, dtype))["columns"]
        assert (x["masked"], x["max"], x["mean"]) == (1, 3, 2)
        assert (y["masked"], y["max"], y["nan"]) == (1, 2, 1)

    def test_one_masked_record_has_columns(self):
        one = numpy.ma.masked_array([(1, 2)], [(0, 1)], [("x", "i4"), ("y", "i4")])[0]
        x, y = of(one)["columns"]
        assert (x["masked"], x["max"]) == (0, 1)
        assert (y["masked"], y["max"]) == (1, None)

    def test_records_in_masked_records_have_no_numbers(self):
        dtype = [("x", [("y", "i4")])]
        (x,) = of(numpy.ma.masked_array([((1,),)], [((0,),)], dtype))["columns"]
        assert x.keys() == {"name", "dtype"}

    @pytest.mark.parametrize("unit", ["ns", "us", "D"])
    def test_moments_are_texts_whatever_their_unit(self, unit):
        moments = numpy.array(["2020-01-01", "2020-01-03"], f"M8[{unit}]")
        found = of(moments)
        assert found["min"].startswith("2020-01-01")
        assert found["max"].startswith("2020-01-03")
        length = of(moments - moments[0])["max"]
        assert length.split()[0] == str(int((moments[1] - moments[0]).astype(int)))
        series = of(pandas.Series(moments[:1].astype("M8[ns]")))
        assert series["min"].startswith("2020-01-01")

    def test_many_objects_are_looked_at_in_part(self):
        found = of(numpy.full(20_000, None))
        assert found["types"] == {"NoneType": 10_000}
        assert found["looked_at"] == 10_000

    def test_a_subclass_of_an_array_is_one(self):
        class Special(numpy.ndarray):
            pass

        assert of(numpy.zeros(2).view(Special))["shape"] == [2]

    @pytest.mark.parametrize("value", [numpy.dtype("i4"), numpy.add])
    def test_what_holds_no_numbers_has_none(self, value):
        assert of(value) is None


class TestPandas:
    @pytest.mark.parametrize(
        ("values", "said"),
        [
            ([1.0, NAN, INF, -3.0], NUMBERS),
            ([1, 4], {"dtype": "int64", "min": 1, "max": 4, "mean": 2.5}),
            ([True, False], {"dtype": "bool", "true": 1}),
            (["secret", None], {"missing": 1}),
            ([1, "a"], {"types": {"int": 1, "str": 1}}),
            (pandas.array([1, None, 4], "Int64"), {"max": 4, "mean": 2.5}),
            (pandas.array([1, None, 4], "Int64"), {"missing": 1}),
            (pandas.array([None], "Int64"), {"max": None, "mean": None}),
            (pandas.array([1.5, None, INF], "Float64"), {"max": 1.5, "inf": 1}),
            (pandas.array([1.5, None], "Float64"), {"missing": 1}),
            (pandas.array([True, None], "boolean"), {"true": 1, "missing": 1}),
            (pandas.Categorical(["a", "b", None, "a"]), {"categories": 2}),
            (pandas.Categorical(["a", None]), {"missing": 1}),
            (pandas.to_datetime(["2017-03-01", None]), {"missing": 1}),
            (
                pandas.to_datetime(["2017-03-01", None], utc=True),
                {"min": "2017-03-01 00:00:00+00:00", "missing": 1},
            ),
            (pandas.to_datetime([None], utc=True), {"min": None, "missing": 1}),
            (pandas.array([1, 2], pandas.ArrowDtype(pyarrow.int8())), {"max": 2}),
            (pandas.arrays.SparseArray([0.0, 0.0, 2.0]), {"max": 2.0}),
            (pandas.period_range("2017-03", periods=2, freq="M"), {"missing": 0}),
        ],
    )
    def test_each_kind_of_column_says_what_makes_sense(self, values, said):
        found = column(pandas.DataFrame({"x": values}))
        assert "why" not in found
        assert found.items() >= said.items()
        assert of(pandas.Series(values)).items() >= said.items()
        assert "secret" not in str(found)

    def test_a_frame_says_its_shape_and_names_its_columns(self):
        frame = pandas.DataFrame([[1, 2.0], [3, 4.0]], columns=["a", "a"])
        found = of(frame)
        assert found["shape"] == [2, 2]
        assert [one["name"] for one in found["columns"]] == ["a", "a"]
        assert [one["mean"] for one in found["columns"]] == [2, 3]

    def test_of_many_columns_some_are_described(self):
        found = of(pandas.DataFrame(numpy.zeros((2, 30))), most=10)
        assert len(found["columns"]) == 10
        assert found["more"] == 20

    def test_one_column_that_fails_hinders_no_other(self):
        class Failing(pandas.api.extensions.ExtensionDtype):
            name = "failing"
            type = object

            @classmethod
            def construct_array_type(cls):
                return FailingArray

        class FailingArray(pandas.api.extensions.ExtensionArray):
            dtype = Failing()

            def __len__(self):
                return 2

            def copy(self):
                return self

            def isna(self):
                raise LookupError("not today" * 100)

        frame = pandas.DataFrame({"x": FailingArray(), "y": [1, 2]})
        x, y = of(frame)["columns"]
        assert x["why"].startswith("LookupError: not today")
        assert len(x["why"]) < 200
        assert y["max"] == 2

    @pytest.mark.parametrize(
        ("value", "said"),
        [
            (pandas.Index([3, 1]), {"shape": [2], "min": 1}),
            (pandas.RangeIndex(5), {"shape": [5], "max": 4}),
            (pandas.MultiIndex.from_product([[1, 2], ["a", "b"]]), {"levels": 2}),
            (pandas.Categorical(["a"]), {"shape": [1], "categories": 1}),
            (pandas.DataFrame(), {"shape": [0, 0], "columns": []}),
            (pandas.DataFrame(index=[1, 2]), {"shape": [2, 0], "columns": []}),
        ],
    )
    def test_other_values_of_pandas(self, value, said):
        assert of(value).items() >= said.items()

    def test_a_missing_value_is_no_column(self):
        assert of(pandas.NA) is None


class TestPolars:
    @pytest.mark.parametrize(
        ("values", "said"),
        [
            ([1.0, None, NAN, INF, -3.0], {"missing": 1, **NUMBERS}),
            ([1, None, 4], {"min": 1, "max": 4, "mean": 2.5, "missing": 1}),
            ([True, None, True], {"true": 2, "missing": 1}),
            (["secret", None], {"missing": 1}),
            (DAYS, {"min": "2017-03-01", "max": "2017-03-05", "missing": 0}),
            ([[1], [2]], {"missing": 0}),
        ],
    )
    def test_each_kind_of_column_says_what_makes_sense(self, values, said):
        found = column(polars.DataFrame({"x": values}))
        assert "why" not in found
        assert found.items() >= said.items()
        assert of(polars.Series(values)).items() >= said.items()
        assert "secret" not in str(found)

    @pytest.mark.parametrize(
        "dtype", [polars.Float64, polars.Int8, polars.Date, polars.Boolean, polars.Null]
    )
    def test_an_empty_column_says_nothing_wrong(self, dtype):
        found = column(polars.DataFrame({"x": []}, schema={"x": dtype}))
        assert "why" not in found
        assert found.get("max") is None

    def test_of_many_columns_some_are_described(self):
        frame = polars.DataFrame(numpy.zeros((2, 30)))
        found = of(frame, most=10)
        assert found["shape"] == [2, 30]
        assert (len(found["columns"]), found["more"]) == (10, 20)

    def test_a_frame_that_is_not_there_yet_is_not_made(self):
        assert of(polars.DataFrame({"x": [1]}).lazy()) is None


class TestArrow:
    @pytest.mark.parametrize(
        ("values", "said"),
        [
            ([1.0, None, NAN, INF, -3.0], {"missing": 1, **NUMBERS}),
            ([1, None, 4], {"min": 1, "max": 4, "mean": 2.5, "missing": 1}),
            ([True, None, True], {"true": 2, "missing": 1}),
            (["secret", None], {"missing": 1}),
            (DAYS, {"min": "2017-03-01", "max": "2017-03-05", "missing": 0}),
            ([[1], [2]], {"missing": 0}),
            (pyarrow.array([], pyarrow.float64()), {"min": None, "nan": 0}),
            (pyarrow.array([], pyarrow.bool_()), {"true": 0}),
        ],
    )
    def test_each_kind_of_column_says_what_makes_sense(self, values, said):
        table = pyarrow.table({"x": values})
        for found in (
            column(table),
            column(table.combine_chunks().to_batches()[0]) if len(table) else said,
            of(table["x"]),
            of(table["x"].combine_chunks()),
        ):
            assert "why" not in found
            assert found.items() >= said.items()
            assert "secret" not in str(found)

    def test_a_table_says_its_shape(self):
        assert of(pyarrow.table({"x": [1, 2]}))["shape"] == [2, 1]

    def test_a_schema_is_no_table(self):
        assert of(pyarrow.schema([])) is None


class TestOthers:
    @pytest.mark.parametrize("kind", ["csr", "coo", "dok", "lil", "dia"])
    def test_a_sparse_matrix_says_what_it_stores(self, kind):
        dense = numpy.array([[0, 2.0], [0, 4.0]])
        found = of(scipy.sparse.coo_array(dense).asformat(kind))
        assert found["shape"] == [2, 2]
        assert (found["stored"], found["min"], found["mean"]) == (2, 2, 3)

    def test_a_picture_says_its_size(self):
        from PIL import Image

        assert of(Image.new("RGB", (3, 2))) == {"mode": "RGB", "size": [3, 2]}

    def test_a_tensor_of_torch(self):
        torch = pytest.importorskip("torch", reason="torch is not installed")
        tensor = torch.tensor([1.0, NAN, INF, -3.0], requires_grad=True)
        expected = {"dtype": "float32", "shape": [4], "device": "cpu", **NUMBERS}
        assert of(tensor) == expected
        assert of(tensor.to(torch.bfloat16))["mean"] == -1
        assert of(torch.eye(2).to_sparse())["shape"] == [2, 2]

    def test_an_array_of_jax(self):
        jax = pytest.importorskip("jax", reason="jax is not installed")
        found = of(jax.numpy.array([1.0, NAN, INF, -3.0]))
        assert found == {"dtype": "float32", "shape": [4], **NUMBERS}
        assert of(jax.numpy.array([2.0], "bfloat16"))["mean"] == 2

    @pytest.mark.parametrize("value", [1, "a", None, [1.0], Fraction(1, 2), object()])
    def test_of_other_libraries_nothing_is_said(self, value):
        assert of(value) is None
