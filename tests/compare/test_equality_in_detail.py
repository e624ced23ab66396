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


def test_a_nan_that_a_tolerance_makes_differ_differs_among_texts_too():
    for empty, verdict in ((None, "equal"), (NAN, "different")):
        one, other = (pandas.Series([empty, "a"], dtype=object) for _ in range(2))
        assert compare(one, other).verdict == "equal"
        assert compare(one, other, Tolerance(nan="differ")).verdict == verdict


def test_a_null_of_another_library_is_a_nan_among_texts_and_none():
    known = pandas.Series([None, "a"], dtype="string")
    for empty, notes in ((NAN, True), (None, False)):
        found = compare(pandas.Series([empty, "a"], dtype=object), known)
        assert found.verdict == "close"
        assert ("null against NaN in 1 cell" in found.notes) is notes


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (pandas.Timestamp("2020", tz="UTC"), pandas.Timestamp("2020", tz="Etc/GMT")),
        (pandas.Timestamp("2020").as_unit("s"), pandas.Timestamp("2020").as_unit("ns")),
        (pandas.Timedelta("1s").as_unit("s"), pandas.Timedelta("1s").as_unit("ns")),
        (
            pandas.Timestamp(2020, 10, 25, 2, 30, fold=0),
            pandas.Timestamp(2020, 10, 25, 2, 30, fold=1),
        ),
        (pandas.Interval(0, 1), pandas.Interval(0.0, 1.0)),
        (pandas.Timestamp(1, unit="ns"), pandas.Timestamp(2, unit="ns")),
    ],
)
def test_scalars_of_pandas_in_a_column_are_compared_in_all_that_they_are(one, other):
    made = [pandas.Series([it, "text"], dtype=object) for it in (one, other)]
    assert compare(one, other).verdict != "equal"
    assert compare(*made).verdict == compare(one, other).verdict
    assert compare(made[0], made[0].copy()).verdict == "equal"


def test_both_parts_of_a_complex_number_are_shown_though_one_is_nan():
    found = compare(complex(1, NAN), complex(2, NAN))
    assert found.texts == ("(1+nanj)", "(2+nanj)")


class Names(dict):
    pass


class Number(float):
    pass


class Data(collections.UserDict):
    pass


@pytest.mark.parametrize("made", [Names(a=1), Number(1.5), Data(a=1)])
def test_what_a_class_adds_to_a_plain_value_is_compared(made):
    one, other = copy.deepcopy(made), copy.deepcopy(made)
    one.unit, other.unit = 1, 2
    assert compare(one, copy.deepcopy(one)).verdict == "equal"
    assert compare(one, other).where == ".unit"
    assert compare([one], [other]).where == "[0].unit"


@pytest.mark.parametrize(
    ("one", "other", "verdict"),
    [
        (0.0, -0.0, "close"),
        ((1, 2), (1, 2.0), "different"),
        ((1, "a"), (True, "a"), "different"),
        (frozenset({1}), frozenset({True}), "different"),
        (decimal.Decimal(1), decimal.Decimal("1.0"), "close"),
        (
            datetime.datetime(2020, 1, 1, 0, tzinfo=datetime.UTC),
            datetime.datetime(2020, 1, 1, 1, tzinfo=ZoneInfo("Europe/Berlin")),
            "close",
        ),
    ],
)
def test_keys_and_items_that_are_equal_in_another_form_are_told(one, other, verdict):
    assert one == other
    for made in (lambda it: {it: 1}, lambda it: {it}, lambda it: [{it: 1, "a": 2}]):
        found = compare(made(one), made(other))
        assert found.verdict == verdict
        assert compare(made(one), made(copy.deepcopy(one))).verdict == "equal"


class NewPickles:
    """An object whose `==` leaves out its state, which old pickles do not have."""

    def __init__(self, state):
        self.__dict__ = {}
        _STATES[id(self)] = state, self

    def __eq__(self, other):
        return isinstance(other, NewPickles)

    __hash__ = None

    def __reduce_ex__(self, protocol):
        if protocol < 4:
            raise TypeError("too old a protocol")
        return NewPickles, (_STATES[id(self)][0],)


_STATES = {}


def test_a_state_that_only_newer_pickles_have_is_compared():
    assert compare(NewPickles(1), NewPickles(1)).verdict == "equal"
    assert compare(NewPickles(1), NewPickles(2)).verdict == "different"


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
        (
            numpy.zeros(1, numpy.dtype([("a", "i1"), ("b", "i4")], align=True)),
            numpy.zeros(1, [("a", "i1"), ("b", "i4")]),
            "another layout of fields",
        ),
        (
            numpy.zeros(1, numpy.dtype("f8", metadata={"unit": "m"})),
            numpy.zeros(1, numpy.dtype("f8", metadata={"unit": "km"})),
            "other metadata of the dtype",
        ),
        *(
            (one, other, "differs in what is no cell")
            for one, other in (
                (pandas.Series([1], [0]), pandas.Series([1])),
                (
                    pandas.DataFrame([[1]], columns=pandas.Index([1])),
                    pandas.DataFrame([[1]], columns=pandas.Index([1.0])),
                ),
                (
                    pandas.DataFrame(index=pandas.RangeIndex(0, 0)),
                    pandas.DataFrame(index=pandas.RangeIndex(5, 5)),
                ),
            )
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
