"""Sessions: a staged value is kept as it was, whatever happens to it later."""

from __future__ import annotations

import itertools

import pytest

from checkpoints import Session, config

_numbers = itertools.count()


@pytest.fixture
def name():
    """A checkpoint name that no other test uses, because names stay registered."""
    return f"frozen{next(_numbers)}.fit"


@pytest.fixture
def staged(name):
    """Stage a value, change it, and return what is committed."""

    def staged(value, change):
        got = []
        with config(name, lambda key, data: got.append(data["x"]), on_error="raise"):
            session = Session(name)
            session.checkpoint(x=value)
            change(value)
            session.commit()
        return got[0]

    return staged


class TestFrozen:
    def test_a_nested_list(self, staged):
        value = [[1], {"a": [2]}, ({3},)]
        found = staged(value, lambda it: (it[0].append(9), it[1]["a"].clear()))
        assert found == [[1], {"a": [2]}, ({3},)]

    def test_a_list_that_holds_itself(self, staged):
        value = [1]
        value.append(value)
        found = staged(value, lambda it: it.append(2))
        assert found[0] == 1
        assert found[1] is found
        assert len(found) == 2

    def test_an_object_of_a_class_of_its_own(self, staged):
        class Model:
            def __init__(self):
                self.weights = [1, 2]

        found = staged(Model(), lambda it: it.weights.append(3))
        assert found.weights == [1, 2]

    def test_a_mutable_buffer(self, staged):
        assert staged(bytearray(b"abc"), lambda it: it.clear()) == b"abc"

    def test_an_array(self, staged):
        numpy = pytest.importorskip("numpy")
        found = staged(numpy.arange(3.0), lambda it: it.fill(9))
        assert found.tolist() == [0, 1, 2]

    def test_a_view_of_an_array(self, staged):
        numpy = pytest.importorskip("numpy")
        whole = numpy.arange(6).reshape(2, 3)
        found = staged(whole[:, ::2], lambda _: whole.fill(9))
        assert found.tolist() == [[0, 2], [3, 5]]

    def test_arrays_inside_of_other_values(self, staged):
        numpy = pytest.importorskip("numpy")
        found = staged({"a": [numpy.ones(2)]}, lambda it: it["a"][0].fill(9))
        assert found["a"][0].tolist() == [1, 1]

    def test_an_array_of_objects(self, staged):
        numpy = pytest.importorskip("numpy")
        value = numpy.array([[1], None], dtype=object)
        found = staged(value, lambda it: it[0].append(9))
        assert found.tolist() == [[1], None]

    def test_a_frame_of_pandas(self, staged):
        pandas = pytest.importorskip("pandas")
        value = pandas.DataFrame({"x": [1, 2], "y": ["a", "b"]})
        found = staged(value, lambda it: it.insert(0, "z", it.pop("x")))
        assert list(found.columns) == ["x", "y"]
        found = staged(value, lambda it: it.__setitem__("y", ["c", "d"]))
        assert found["y"].tolist() == ["a", "b"]

    def test_the_array_below_a_frame_of_pandas(self, staged):
        numpy, pandas = map(pytest.importorskip, ("numpy", "pandas"))
        below = numpy.arange(4.0).reshape(2, 2)
        value = pandas.DataFrame(below, columns=["x", "y"], copy=False)
        found = staged(value, lambda _: below.fill(9))
        assert found["x"].tolist() == [0, 2]

    def test_a_frame_of_polars(self, staged):
        polars = pytest.importorskip("polars")
        value = polars.DataFrame({"x": [1, 2]})
        found = staged(value, lambda it: it.replace_column(0, polars.Series([9, 9])))
        assert found["x"].to_list() == [1, 2]

    def test_the_array_below_a_table_of_arrow(self, staged):
        numpy, arrow = map(pytest.importorskip, ("numpy", "pyarrow"))
        below = numpy.arange(3.0)
        value = arrow.table({"x": arrow.array(below)})
        found = staged(value, lambda _: below.fill(9))
        assert found["x"].to_pylist() == [0, 1, 2]
