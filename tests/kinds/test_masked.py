"""Masked arrays come back with mask, fill value and flags, exactly."""

from __future__ import annotations

import pytest

from checkpoints._kinds.frozen import freeze
from checkpoints._kinds.kind import Inexact
from checkpoints._kinds.masked import recognise

numpy = pytest.importorskip("numpy", reason="these are its masked arrays")

ALIGNED = numpy.dtype("i1,f8", align=True)


def with_fill(masked, fill_value):
    masked.fill_value = fill_value
    return masked


COLUMN = numpy.array([[1], [2]]).view(numpy.matrix)
MASKED = {
    "some": numpy.ma.array([1.0, 2.0], mask=[True, False]),
    "no mask": numpy.ma.array([1, 2]),
    "all": numpy.ma.masked_all((2, 3), ">f4"),
    "a soft mask": numpy.ma.array([1, 2], mask=[1, 0], hard_mask=False),
    "a hard mask": numpy.ma.array([1, 2], mask=[1, 0], hard_mask=True),
    "a mask of its own": numpy.ma.array([1, 2], mask=[1, 0]).copy().unshare_mask(),
    "a shared mask": numpy.ma.array([1, 2, 3], mask=[1, 0, 1])[:2],
    "a number": numpy.ma.array(5, mask=True),
    "nothing": numpy.ma.zeros((0, 2)),
    "columns first": numpy.ma.array(numpy.ones((2, 3), order="F"), mask=False),
    "fields": numpy.ma.array([(1, 2.0)], mask=[(True, False)], dtype="i4,f8"),
    "aligned fields": with_fill(numpy.ma.zeros(2, ALIGNED), (1, 2.0)),
    "nested fields": numpy.ma.masked_all(2, [("a", [("b", "f4", 2)])]),
    "one field": numpy.ma.array([(1, 2.0)], mask=[(1, 0)], dtype="i4,f8")["f0"],
    "long doubles": with_fill(numpy.ma.array(numpy.ones(2, "g")), 1e20),
    "long doubles, by default": numpy.ma.array(numpy.ones(2, "g"), fill_value=None),
    "C's long long": numpy.ma.array(numpy.ones(2, "q"), fill_value=7),
    "dates": numpy.ma.array(["2020-01-01"], dtype="M8[D]", mask=[True]),
    "text": numpy.ma.array(["a", "b"], fill_value="?"),
    "objects": numpy.ma.array(["a", None], dtype=object, mask=[True, False]),
    "repeated": numpy.ma.array(
        numpy.broadcast_to(1.0, 9),
        mask=numpy.broadcast_to(True, 9),
    ),
    "the roots of a matrix": numpy.ma.sqrt(numpy.ma.array(COLUMN, mask=[[0], [1]])),
    "records": numpy.ma.array(numpy.rec.array([(1, 2.0)], dtype="i4,f8")),
    "a record": numpy.ma.array([(1, 2.0)], mask=[(1, 0)], dtype="i4,f8")[0],
    "a nested record": numpy.ma.masked_all(2, [("a", [("b", "f4", 2)])])[0],
    "an aligned record": with_fill(numpy.ma.masked_all(2, ALIGNED), (1, 2.0))[0],
}
# NumPy makes the default fill value of a long double in double precision.
MASKED["long doubles, by default"].fill_value


@pytest.fixture
def same_masked(same_arrays):
    def same(one, other):
        assert type(one) is type(other)
        assert same_arrays(one.data, other.data)
        assert (one._mask is numpy.ma.nomask) == (other._mask is numpy.ma.nomask)
        assert type(one._mask) is type(other._mask)
        assert same_arrays(numpy.asarray(one._mask), numpy.asarray(other._mask))
        assert (one._fill_value is None) == (other._fill_value is None)
        if one._fill_value is not None:
            assert same_arrays(one._fill_value, other._fill_value)
        for name in ("_hardmask", "_sharedmask", "_isfield", "_baseclass"):
            assert getattr(one, name) == getattr(other, name)
        return True

    return same


class TestMaskedArrays:
    @pytest.mark.parametrize("name", MASKED)
    def test_comes_back_as_it_was(self, round_trip, same_masked, name):
        assert same_masked(round_trip(MASKED[name]), MASKED[name])
        assert round_trip.left == []

    @pytest.mark.parametrize("name", MASKED)
    def test_a_frozen_one_is_the_same(self, round_trip, same_masked, name):
        masked = MASKED[name]
        frozen = recognise(type(masked)).freeze(masked)
        assert same_masked(frozen, masked)
        assert same_masked(round_trip(frozen), masked)
        assert not numpy.shares_memory(frozen.data, masked.data)

    def test_a_frozen_one_does_not_change_with_its_original(self):
        masked = numpy.ma.array([1, 2], mask=[True, False], fill_value=7)
        frozen = recognise(type(masked)).freeze(masked)
        masked[0] = 5
        masked[1] = numpy.ma.masked
        masked.fill_value = 8
        assert frozen.mask.tolist() == [True, False]
        assert frozen.data.tolist() == [1, 2]
        assert frozen.fill_value == 7

    def test_a_fill_value_nobody_chose_stays_open(self, round_trip):
        back = round_trip(numpy.ma.array([1, 2], mask=[True, False]))
        as_floats = back.astype(float)
        assert as_floats.fill_value == 1e20

    @pytest.mark.parametrize("way", ["attribute", "notes"])
    def test_an_attribute_of_its_own_is_inexact(self, round_trip, way):
        masked = numpy.ma.array([1, 2])
        (masked._optinfo if way == "notes" else vars(masked))["unit"] = "m"
        with pytest.raises(Inexact, match="unit"):
            round_trip(masked)
        with pytest.raises(Inexact, match="unit"):
            recognise(type(masked)).freeze(masked)

    def test_an_array_of_an_unknown_class_is_inexact(self, round_trip):
        own = numpy.zeros(2).view(type("Own", (numpy.ndarray,), {}))
        with pytest.raises(Inexact, match="Own"):
            round_trip(numpy.ma.array(own))

    @pytest.mark.parametrize("name", ["fields", "a record"])
    @pytest.mark.parametrize(
        "forged",
        [
            {"mask": numpy.zeros(7, bool)},
            {"mask": numpy.zeros((1,), "i4")},
            {"mask": "a"},
            {"fill_value": numpy.zeros(2)},
            {"fill_value": 5},
            {"data": [1]},
            {"data": numpy.zeros(3)},
        ],
        ids=str,
    )
    def test_forged_parts_are_refused(self, name, forged):
        kind = recognise(type(MASKED[name]))
        parts = kind.take_apart(MASKED[name])
        with pytest.raises((ValueError, AttributeError, TypeError)):
            kind.put_together({**parts, **forged})

    def test_files_without_all_flags_are_read(self):
        kind = recognise(numpy.ma.MaskedArray)
        parts = kind.take_apart(numpy.ma.array([1, 2], mask=[1, 0]))
        back = kind.put_together(
            {name: parts[name] for name in ("data", "mask", "fill_value", "hard")}
        )
        assert back.mask.tolist() == [True, False]


class TestMaskedConstant:
    def test_is_the_one_constant_again(self, round_trip):
        assert round_trip(numpy.ma.masked) is numpy.ma.masked
        assert round_trip.kinds == ["numpy.masked"]
        assert freeze(numpy.ma.masked) is numpy.ma.masked
