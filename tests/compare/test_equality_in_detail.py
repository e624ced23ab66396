"""Values that look equal though something in them differs."""

from __future__ import annotations

import array
import collections
import copy
import datetime
import decimal
import random
from zoneinfo import ZoneInfo

import numpy
import pandas
import pytest

from checkpoints._compare.tolerance import Tolerance
from checkpoints._compare.values import compare

NAN = float("nan")


@pytest.mark.parametrize("many", [1, 2, 100])
def test_a_complex_number_with_one_nan_is_compared_by_its_other_part(many):
    one, near, other = complex(1, NAN), complex(1 + 1e-14, NAN), complex(2, NAN)
    for made in (list, numpy.array):
        assert compare(made([one] * many), made([one] * many)).verdict == "equal"
        assert compare(made([one] * many), made([other] * many)).verdict == "different"
        swapped = made([complex(NAN, 1)] * many)
        assert compare(made([one] * many), swapped).verdict == "different"
        assert compare(made([one] * many), made([near] * many)).verdict == "close"
    assert compare(one, other).verdict == "different"


@pytest.mark.parametrize(
    ("one", "verdict"),
    [
        (
            datetime.datetime(2020, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin")),
            "different",
        ),
        (
            datetime.datetime(2020, 10, 24, 2, 30, tzinfo=ZoneInfo("Europe/Berlin")),
            "close",
        ),
        (datetime.datetime(2020, 10, 25, 2, 30), "different"),
        (datetime.time(2, 30), "different"),
        (datetime.time(2, 30, tzinfo=datetime.UTC), "close"),
    ],
)
def test_the_second_of_two_times_that_a_clock_shows_alike_is_another(one, verdict):
    other = one.replace(fold=1)
    assert compare(one, other).verdict == verdict
    assert compare([one], [other]).verdict == verdict
    assert compare([other], [other.replace()]).verdict == "equal"


@pytest.mark.parametrize("value", [NAN, decimal.Decimal("nan")])
def test_a_nan_among_objects_differs_from_a_nan_where_the_tolerance_says_so(value):
    one, other = (numpy.array([value, "a"], object) for _ in range(2))
    assert compare(one, other).verdict == "equal"
    assert compare(one, other, Tolerance(nan="differ")).verdict == "different"


def test_none_is_not_nan_in_a_column_of_texts():
    one, other = (
        pandas.Series([empty, "a"], dtype=object, name="x") for empty in (None, NAN)
    )
    for made in (pandas.Series, pandas.DataFrame):
        assert compare(made(one), made(other)).verdict == "different"
        assert compare(made(other), made(one)).verdict == "different"
        assert compare(made(one), made(one.copy())).verdict == "equal"
        assert compare(made(other), made(other.copy())).verdict == "equal"


def _masked(**traits):
    return numpy.ma.array([1.0, 2.0], mask=[False, True], **traits)


@pytest.mark.parametrize(
    ("one", "other", "note"),
    [
        (_masked(), _masked(fill_value=7.0), "fill_value"),
        (_masked(), _masked(hard_mask=True), "hardmask False against True"),
        (
            pandas.Timestamp("2020").as_unit("s"),
            pandas.Timestamp("2020").as_unit("ns"),
            "unit s against ns",
        ),
    ],
)
def test_values_that_differ_in_form_only_are_close(one, other, note):
    found = compare(one, other)
    assert found.verdict == "close"
    assert note in found.notes[0]
    assert compare(one, copy.deepcopy(one)).verdict == "equal"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (random.Random(1), random.Random(2)),
        (
            datetime.timezone(datetime.timedelta(0), "X"),
            datetime.timezone(datetime.timedelta(0), "Y"),
        ),
        (collections.defaultdict(int, a=1), collections.defaultdict(float, a=1)),
        (array.array("d", [1]), array.array("f", [1])),
        (collections.deque([1], 2), collections.deque([1], 3)),
    ],
)
def test_objects_whose_equality_leaves_out_their_state_differ_by_it(one, other):
    assert compare(one, other).verdict == "different"
    assert compare(one, copy.deepcopy(one)).verdict == "equal"
