"""Arrays of objects, of text of any length, and of records of both are exact."""

from __future__ import annotations

import datetime
import decimal
import math

import pytest

from checkpoints._kinds.kind import Inexact
from checkpoints._kinds.object_arrays import OBJECT_ARRAY
from checkpoints.errors import FormatError

numpy = pytest.importorskip("numpy", reason="these are its arrays")

RECORDS = {
    "text": [("name", "O"), ("n", ">i4")],
    "arrays": [("a", "O", (2,)), ("b", "f4", (2, 3))],
    "nested": [("a", [("b", [("c", "O"), ("d", "M8[s]")])])],
    "aligned": numpy.dtype([("a", "i1"), ("b", "O")], align=True),
    "records": numpy.dtype((numpy.record, [("a", "O"), ("b", "f4")])),
    "titles": [(("a title", "a"), "O"), ("b", "q")],
    "offsets": {"names": ["a", "b"], "formats": ["O", "i2"], "offsets": [8, 2]},
}


class TestObjects:
    def test_comes_back_with_elements_of_any_kind(self, round_trip, same_arrays):
        array = numpy.empty((2, 3), object)
        array[0] = ["a", None, decimal.Decimal("1.50")]
        array[1] = [datetime.date(2020, 1, 1), [1, [2]], numpy.arange(3)]
        back = round_trip(array)
        assert back.dtype == object
        assert back.shape == (2, 3)
        assert back[0].tolist() == array[0].tolist()
        assert back[1, :2].tolist() == array[1, :2].tolist()
        assert same_arrays(array[1, 2], back[1, 2])
        assert round_trip.kinds[0] == "numpy.object_array"

    @pytest.mark.parametrize("shape", [(), (0,), (0, 3), (1,), (2, 1)])
    def test_keeps_its_shape(self, round_trip, shape):
        back = round_trip(numpy.full(shape, "a", object))
        assert back.shape == shape
        assert set(back.ravel().tolist()) <= {"a"}

    def test_keeps_its_memory_order(self, round_trip):
        array = numpy.array([["a", "b", "c"], ["d", "e", "f"]], object, order="F")
        back = round_trip(array)
        assert back.tolist() == array.tolist()
        assert back.flags.f_contiguous

    def test_lists_of_one_length_stay_elements(self, round_trip):
        array = numpy.empty(2, object)
        array[0], array[1] = [1, 2], [3, 4]
        assert round_trip(array).tolist() == [[1, 2], [3, 4]]

    @pytest.mark.parametrize("shape", [[3], [-1, -2], [-2], [1, 3], [2**70]])
    def test_a_forged_shape_is_refused(self, shape):
        put_together = OBJECT_ARRAY.put_together
        with pytest.raises(ValueError):
            put_together({"shape": shape, "order": "C", "items": ["a", "b"]})

    def test_a_frozen_one_has_copies_of_its_objects(self):
        array = numpy.array([[1], None], dtype=object)
        frozen = OBJECT_ARRAY.freeze(array)
        array[0].append(2)
        assert frozen.tolist() == [[1], None]

    def test_a_repeated_object_takes_one_place_when_it_is_frozen(self):
        frozen = OBJECT_ARRAY.freeze(numpy.broadcast_to(numpy.array("a", object), 999))
        assert frozen.base.nbytes == 8
        assert frozen.tolist() == ["a"] * 999


class TestRecords:
    @pytest.mark.parametrize("name", RECORDS)
    @pytest.mark.parametrize("shape", [(), (3,), (0,), (2, 2)])
    @pytest.mark.parametrize("way", ["saved", "frozen"])
    def test_come_back_as_they_were(self, round_trip, same_arrays, name, shape, way):
        array = numpy.zeros(shape, RECORDS[name], order="F")
        if array.ndim == 1 and array.size:
            field = array[array.dtype.names[0]]
            if field.dtype == object:
                field[0] = ["x", None]
        frozen = OBJECT_ARRAY.freeze(array) if way == "frozen" else array
        assert same_arrays(round_trip(frozen), array)
        assert round_trip.kinds[0] == "numpy.object_array"
        assert round_trip.left == []

    def test_are_copied_when_they_are_frozen(self):
        array = numpy.zeros(1, [("a", "O"), ("b", "i4")])
        array["a"][0] = [1]
        frozen = OBJECT_ARRAY.freeze(array)
        array["a"][0].append(2)
        array["b"] = 5
        assert frozen.tolist() == [([1], 0)]

    @pytest.mark.parametrize(
        "forged",
        [
            {"shape": [10**12]},
            {"shape": [-1]},
            {"shape": None},
            {"layout": "|O"},
            {"layout": {"itemsize": 10**9}},
            {"layout": {"names": [], "formats": [], "offsets": []}},
            {"layout": {"names": ["z"]}},
            {"layout": {"formats": ["<i4"]}},
            {"fields": {"a": None}},
            {"fields": {}},
        ],
        ids=str,
    )
    def test_forged_parts_are_refused(self, forged):
        parts = OBJECT_ARRAY.take_apart(numpy.zeros(2, [("a", "O")]))
        if isinstance(forged.get("layout"), dict):
            forged = {"layout": {**parts["layout"], **forged["layout"]}}
        parts["fields"] = {"a": numpy.array([[1], "b"], object)}
        with pytest.raises(
            (TypeError, ValueError, LookupError, AttributeError, Inexact)
        ):
            OBJECT_ARRAY.put_together({**parts, **forged})


@pytest.mark.skipif(
    not hasattr(numpy.dtypes, "StringDType"), reason="NumPy 1 has no such dtype"
)
class TestTextOfAnyLength:
    @pytest.mark.parametrize("coerce", [True, False])
    @pytest.mark.parametrize("missing", [[], [None], [math.nan], ["none"], [""]])
    @pytest.mark.parametrize("way", ["saved", "frozen"])
    def test_comes_back_with_its_missing_values(self, round_trip, coerce, missing, way):
        named = {"na_object": missing[0]} if missing else {}
        dtype = numpy.dtypes.StringDType(coerce=coerce, **named)
        texts = ["a", "", "ü" * 100, "a\0", "\0", *missing, "none"]
        array = numpy.array(texts, dtype=dtype)
        back = round_trip(OBJECT_ARRAY.freeze(array) if way == "frozen" else array)
        assert back.dtype == dtype
        assert back.dtype.coerce == coerce
        assert repr(back.tolist()) == repr(array.tolist())
        assert numpy.isnan(back).tolist() == numpy.isnan(array).tolist()
        assert round_trip.left == []

    @pytest.mark.parametrize("shape", [(), (0,), (2, 3), (0, 2)])
    @pytest.mark.parametrize("order", ["C", "F"])
    def test_keeps_its_shape_and_order(self, round_trip, shape, order):
        array = numpy.full(shape, "b" * 20, numpy.dtypes.StringDType())
        array = numpy.array(array, order=order)
        back = round_trip(array)
        assert back.shape == shape
        assert back.flags.fnc == array.flags.fnc
        assert back.tolist() == array.tolist()

    def test_numpy_1_says_what_it_needs(self, monkeypatch):
        parts = OBJECT_ARRAY.take_apart(numpy.array(["a"], numpy.dtypes.StringDType()))
        monkeypatch.delattr(numpy.dtypes, "StringDType")
        with pytest.raises(FormatError, match="NumPy 2"):
            OBJECT_ARRAY.put_together(parts)

    @pytest.mark.parametrize("items", [[1], [None], [["a"]]])
    def test_what_is_no_text_is_refused(self, items):
        dtype = numpy.dtypes.StringDType(coerce=False)
        parts = OBJECT_ARRAY.take_apart(numpy.array(["a"], dtype))
        with pytest.raises((TypeError, ValueError)):
            OBJECT_ARRAY.put_together({**parts, "items": items})
