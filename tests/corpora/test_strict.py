"""The strict comparison sees every change that is planted, and no other."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tests.corpora.planted import NUMPY, PYTHON, SCIPY
from tests.corpora.planted_labels import GEOMETRIES, XARRAY
from tests.corpora.planted_tables import ARROW, PANDAS, POLARS
from tests.corpora.strict import difference

ALL = {
    f"{library}, {name}": make
    for library, made in {
        "Python": PYTHON,
        "NumPy": NUMPY,
        "pandas": PANDAS,
        "Arrow": ARROW,
        "Polars": POLARS,
        "SciPy": SCIPY,
        "xarray": XARRAY,
        "geometries": GEOMETRIES,
    }.items()
    for name, make in made.items()
}


@pytest.mark.parametrize("name", ALL)
class TestDifference:
    def test_is_seen_where_one_thing_was_changed(self, name):
        one, other = ALL[name]()
        assert difference(one, other)
        assert difference(other, one)

    def test_is_not_seen_where_the_same_was_made_twice(self, name):
        for one, again in zip(ALL[name](), ALL[name](), strict=True):
            assert difference(one, again) == ""

    def test_is_seen_inside_other_values(self, name):
        one, other = ALL[name]()
        assert difference({"a": [one]}, {"a": [other]})


class TestNotCompared:
    def test_is_what_lies_under_a_mask(self):
        mask = [False, True]
        one, other = np.ma.array([1, 2], mask=mask), np.ma.array([1, 3], mask=mask)
        assert difference(one, other) == ""

    def test_is_what_lies_under_a_null(self):
        buffers = [pa.py_buffer(b"\1"), pa.py_buffer(b"\1\2")]
        other = [pa.py_buffer(b"\1"), pa.py_buffer(b"\1\3")]
        one, other = (
            pa.Array.from_buffers(pa.int8(), 2, it) for it in (buffers, other)
        )
        assert difference(one, other) == ""

    def test_is_the_padding_of_a_struct(self):
        dtype = np.dtype([("a", "i1"), ("b", "<i8")], align=True)
        one, other = np.zeros(1, dtype), np.full(16, 255, "u1").view(dtype)
        other["a"], other["b"] = 0, 0
        assert one.tobytes() != other.tobytes()
        assert difference(one, other) == ""

    def test_is_where_an_array_begins_in_its_buffer(self):
        assert difference(pa.array([1, None, 3])[1:], pa.array([None, 3])) == ""
        assert difference(pa.array(["a", "b"])[1:], pa.array(["b"])) == ""
        assert difference(pa.array([[1], [2]])[1:], pa.array([[2]])) == ""
        maps = pa.array([[("a", 1)], None, [("b", 2)]], pa.map_("string", "int64"))
        assert difference(maps[2:], pa.array([[("b", 2)]], maps.type)) == ""
