"""Whether a value holds a NaN."""

from __future__ import annotations

import pytest

from checkpoints.formats._nan import holds_nan

NAN = float("nan")


class TestPlain:
    @pytest.mark.parametrize("value", [NAN, [1, NAN], {"a": (0, {"b": NAN})}, NAN * 1j])
    def test_with_a_nan(self, value):
        assert holds_nan(value)

    @pytest.mark.parametrize("value", [0, None, "nan", [1.0, float("inf")], {NAN: 1}])
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
