"""Whether a value holds a NaN."""

from __future__ import annotations

import pytest

from checkpoints._kinds.nan import holds_nan

NAN = float("nan")


class TestPlain:
    @pytest.mark.parametrize(
        "value",
        [NAN, [1, NAN], {"a": (0, {"b": NAN})}, {1, NAN}, frozenset([NAN]), NAN * 1j],
    )
    def test_with_a_nan(self, value):
        assert holds_nan(value)

    @pytest.mark.parametrize(
        "value", [0, None, "nan", [1.0, float("inf")], {NAN: 1}, {1.0}]
    )
    def test_without(self, value):
        assert not holds_nan(value)

    def test_that_holds_itself(self):
        value = [1]
        value.append(value)
        assert not holds_nan(value)
        value.append(NAN)
        assert holds_nan(value)


class TestLibraries:
    def test_numpy(self):
        numpy = pytest.importorskip("numpy")
        assert holds_nan([numpy.array([[1, NAN]], "float32")])
        assert holds_nan(numpy.float64(NAN))
        assert holds_nan(numpy.float32(NAN))
        assert not holds_nan(numpy.array([1, numpy.inf]))
        assert not holds_nan(numpy.array(["a", None], object))
        assert not holds_nan(numpy.array(["NaT"], "datetime64[s]"))

    def test_records_of_numpy(self):
        numpy = pytest.importorskip("numpy")
        inner = numpy.dtype([("y", "f4", (2,))])
        records = numpy.zeros(3, [("n", "i4"), ("x", "f8"), ("in", inner)])
        assert not holds_nan(records)
        records["in"]["y"][2, 1] = NAN
        assert holds_nan(records)
        assert holds_nan(records[2])
        assert not holds_nan(records[1])

    def test_arrow(self):
        pyarrow = pytest.importorskip("pyarrow")
        for kind in (pyarrow.float16(), pyarrow.float32(), pyarrow.float64()):
            column = pyarrow.chunked_array([[1.0], [NAN, None]]).cast(kind)
            table = pyarrow.table({"a": ["x", "y", None], "b": column})
            assert holds_nan(table)
            assert holds_nan(table.to_batches()[-1])
            assert holds_nan(column)
            assert holds_nan(column.combine_chunks())
            assert holds_nan(column[1])
            assert not holds_nan(table.slice(0, 1))
            assert not holds_nan(column[2])
        assert not holds_nan(pyarrow.table({"a": [1], "b": ["x"]}))
        assert not holds_nan(pyarrow.array([], pyarrow.float64()))
        assert not holds_nan(pyarrow.schema([]))

    def test_scipy(self):
        sparse = pytest.importorskip("scipy.sparse")
        for kind in ("csr", "coo", "dok", "lil", "dia"):
            matrix = sparse.coo_array([[0, 2.0], [0, NAN]]).asformat(kind)
            assert holds_nan(matrix)
            assert not holds_nan(matrix.tocsr()[[0]])

    def test_pandas(self):
        pandas = pytest.importorskip("pandas")
        assert holds_nan(pandas.DataFrame({"a": ["x", "y"], "b": [1.0, NAN]}))
        assert holds_nan(pandas.Series([1.0, NAN]))
        assert not holds_nan(pandas.DataFrame({"a": ["x", None], "b": [1.0, 2.0]}))
        assert not holds_nan(pandas.Timestamp("2024-01-01"))

    def test_polars(self):
        polars = pytest.importorskip("polars")
        assert holds_nan(polars.DataFrame({"a": ["x", "y"], "b": [1.0, NAN]}))
        assert holds_nan(polars.Series([1.0, NAN]))
        assert not holds_nan(polars.DataFrame({"a": ["x", None], "b": [1.0, None]}))

    def test_torch(self):
        torch = pytest.importorskip("torch")
        assert holds_nan(torch.tensor([1.0, NAN]))
        assert not holds_nan(torch.tensor([1, 2]))
