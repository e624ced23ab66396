"""Nested values: paths, kinds, and lists of numbers as fast as arrays."""

from __future__ import annotations

import array
import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import math
import types
import typing

import hypothesis
import pytest
from hypothesis import strategies as st

from checkpoints._compare.tally import MOST_PARTS
from checkpoints._compare.tolerance import Tolerance
from checkpoints._compare.values import compare

NAN = math.nan
UTC = datetime.UTC


@dataclasses.dataclass
class Point:
    x: float
    y: list


class Holder:
    def __init__(self, **held):
        vars(self).update(held)


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


class Text(str, enum.Enum):  # noqa: UP042 - not the same
    A = "a"


class Level(enum.IntEnum):
    LOW = 1


class Pair(typing.NamedTuple):
    left: int
    right: int


class TestPaths:
    @pytest.mark.parametrize(
        ("one", "other", "where"),
        [
            ([1, 2], [1, 3], "[1]"),
            ({"a": [1, 2, "x"]}, {"a": [1, 2, "y"]}, '["a"][2], column 1'),
            ({1: {2: None}}, {1: {2: 0}}, "[1][2]"),
            ({"a": {"b": (1.0, 2.0)}}, {"a": {"b": (1.0, 9.0)}}, '["a"]["b"][1]'),
            ([Point(1, [2])], [Point(1, [3])], "[0].y[0]"),
            (Pair(1, 2), Pair(1, 3), ".right"),
            ([[[1], [2]], [[3], [4]]], [[[1], [2]], [[3], [9]]], "[1][1][0]"),
            ([[1, 2], [3]], [[1, 2], [4]], "[1][0]"),
            ({"a": {1, 2}}, {"a": {1, 2, 3}}, '["a"]{3}'),
        ],
    )
    def test_the_place_is_named_by_its_path(self, one, other, where):
        found = compare(one, other)
        assert (found.verdict, found.where) == ("different", where)

    def test_all_differing_paths_are_told(self):
        found = compare({"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 0, "c": 0})
        assert [part.name for part in found.parts] == ['["b"]', '["c"]']

    def test_more_parts_than_are_kept_are_counted(self):
        one = [{"a": number} for number in range(MOST_PARTS + 50)]
        found = compare(one, [{"a": -1} for _ in one])
        assert len(found.parts) == MOST_PARTS
        assert (found.more_parts, found.bits) == (50, MOST_PARTS + 50)

    def test_an_array_in_it_is_one_part(self):
        import numpy

        found = compare({"w": numpy.zeros(3)}, {"w": numpy.array([0, 0, 1.0])})
        assert (found.where, found.bits, found.cells) == ('["w"][2]', 1, 3)

    def test_a_frame_in_it_tells_its_columns(self):
        import pandas

        one, other = pandas.DataFrame({"px": [1, 2]}), pandas.DataFrame({"px": [1, 3]})
        found = compare([one], [other])
        assert found.where == "[0], column 'px', row 1"
        assert [part.name for part in found.parts] == ["[0], column 'px'"]


class TestKinds:
    @pytest.mark.parametrize(
        "value",
        [
            *(None, True, 3, 2**200, 1.5, NAN, 1j, "a\nb", b"ab", Colour.RED),
            *(
                decimal.Decimal("1.50"),
                decimal.Decimal("NaN"),
                fractions.Fraction(1, 3),
            ),
            *(datetime.date(2024, 1, 1), datetime.datetime(2024, 1, 1, tzinfo=UTC)),
            *(datetime.time(1), datetime.timedelta(1), [], {}, (), set(), [NAN, 0.0]),
            *({"a": [1, (2, {3})]}, Point(1.0, []), Pair(1, 2), frozenset("a")),
        ],
        ids=repr,
    )
    def test_the_same_value_is_equal(self, value):
        import copy

        found = compare(value, copy.deepcopy(value))
        assert (found.verdict, found.bits) == ("equal", 0)

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            *((1, 1.0), (1, True), ([1], (1,)), (None, 0), ("1", 1), (b"a", "a")),
            *((Point(1, []), Pair(1, [])), ([1, 2], [1]), ({"a": 1}, {})),
            *((Colour.RED, Colour.BLUE), (math.inf, -math.inf), (1.0, NAN)),
            *(({1}, frozenset({2})), ({}, []), (datetime.time(1), datetime.time(2))),
            (datetime.datetime(2024, 1, 1), datetime.datetime(2024, 1, 1, tzinfo=UTC)),
        ],
        ids=repr,
    )
    def test_another_value_or_type_is_different(self, one, other):
        assert compare(one, other).verdict == "different"
        assert compare(other, one).verdict == "different"
        assert compare({"a": one}, {"a": other}).verdict == "different"

    @pytest.mark.parametrize(
        ("one", "other", "note"),
        [
            (0.0, -0.0, "-0.0 against 0.0 in 1 cell"),
            ({"a": 1, "b": 2}, {"b": 2, "a": 1}, "other order of keys"),
            (
                {"a": 1},
                collections.OrderedDict(a=1),
                "dict against collections.OrderedDict",
            ),
            ({1}, frozenset({1}), "set against frozenset"),
        ],
    )
    def test_what_differs_in_form_is_close_and_told(self, one, other, note):
        found = compare(one, other)
        assert (found.verdict, found.notes) == ("close", (note,))

    def test_the_order_in_which_an_object_got_its_attributes_is_no_difference(self):
        one, other = types.SimpleNamespace(a=1, b=2), types.SimpleNamespace(b=2, a=1)
        assert compare(one, other).verdict == "equal"
        assert compare([Holder(a=1, b=2)], [Holder(b=2, a=1)]).verdict == "equal"
        assert compare(Holder(a={"x": 1, "y": 2}), Holder(a={"y": 2, "x": 1})).notes

    def test_numbers_keep_their_size(self):
        assert compare(2**200, 2**200 + 1).max_abs == 1
        assert compare(2**53 + 1, float(2**53)).max_abs == 1
        assert compare(10**400, 1.0).verdict == "different"

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            *((10**400, 1.5), (1.5, 10**400), (10**400, 1j), (10**5000, 3)),
            (decimal.Decimal("1E+999999"), decimal.Decimal("2E+999999")),
            (decimal.Decimal("1E+999999999999"), decimal.Decimal(1)),
            (fractions.Fraction(10**400, 3), fractions.Fraction(1, 3)),
            (datetime.timedelta.min, datetime.timedelta.max),
        ],
        ids=["int", "float", "complex", "digits", "large", "huge", "fraction", "time"],
    )
    def test_what_is_too_far_for_a_float_is_beyond_each_tolerance(self, one, other):
        found = compare(one, other, Tolerance(rtol=1e9, atol=1e9))
        assert (found.verdict, found.beyond) == ("different", 1)

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            *(({1: "a"}, {1.0: "a"}), ({1: 1, 0: 2}, {0: 2, True: 1}), ({1}, {True})),
            *((Text.A, "a"), (Level.LOW, 1)),
        ],
        ids=repr,
    )
    def test_equal_values_of_other_types_are_different(self, one, other):
        assert compare(one, other).verdict == "different"

    @pytest.mark.parametrize("make", [bytearray, collections.UserString])
    def test_the_same_content_in_another_type_is_not_equal(self, make):
        one = b"a" if make is bytearray else "a"
        assert compare(one, make(one)).verdict != "equal"

    def test_keys_that_are_nan_belong_together(self):
        found = compare({float("nan"): 1}, {float("nan"): 2})
        assert (found.where, found.cells) == ("[nan]", 1)

    @pytest.mark.parametrize(
        "make", [collections.deque, lambda it: array.array("d", it)]
    )
    def test_other_sequences_are_compared_by_item(self, make):
        assert compare(make([1, NAN]), make([1, NAN])).verdict == "equal"
        assert compare(make([1, 2]), make([1, 3])).where == "[1]"

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ([1] * 50_000, []),
            (set(range(50_000)), set()),
            (dict.fromkeys(range(50_000)), {}),
        ],
        ids=["list", "set", "dict"],
    )
    def test_many_items_on_one_side_are_counted(self, one, other):
        found = compare(one, other)
        assert (found.bits, len(found.parts)) == (50_000, MOST_PARTS)
        assert found.more_parts == 50_000 - MOST_PARTS

    def test_times_differ_by_seconds(self):
        one = datetime.datetime(2024, 3, 8)
        found = compare(one, one + datetime.timedelta(seconds=90))
        assert (found.max_abs, found.atol_needed) == (90.0, 90.0)

    def test_items_at_the_end_are_told(self):
        found = compare([1, 2], [1, 2, 3, 4])
        assert found.notes[0] == "2 items at the end of the candidate only"
        assert [part.name for part in found.parts] == ["[2]", "[3]"]

    def test_a_value_within_the_tolerance_is_close(self):
        found = compare({"a": 1.0}, {"a": 1.0 + 1e-12})
        assert (found.verdict, found.bits, found.beyond) == ("close", 1, 0)

    def test_deep_nesting_ends_somewhere(self):
        one, other = [1], [1]
        for _ in range(500):
            one, other = [one], [other]
        assert compare(one, other).verdict == "equal"
        other[0].append(2)
        assert compare(one, other).verdict == "different"

    def test_a_list_in_itself_is_compared_once(self):
        one, other = [1], [1]
        one.append(one)
        other.append(other)
        assert compare(one, other).verdict == "equal"
        other[0] = 2
        assert compare(one, other).verdict == "different"

    def test_a_list_that_is_in_many_places_is_compared_once(self):
        one, other = [1, "a"], [2, "a"]
        for _ in range(50):
            one, other = [one, one], [other, other]
        assert compare(one, other).where == "[0]" * 51


FLOATS = st.sampled_from([0.0, -0.0, 1.0, NAN, math.inf]) | st.floats()


class TestLists:
    @pytest.mark.parametrize("length", [3, 1000])
    def test_numbers_are_counted_as_in_an_array(self, length):
        one = [float(number) for number in range(1, length + 1)]
        other = [number * (1 + 1e-3 * (number % 3 == 0)) for number in one]
        found = compare(one, other)
        assert found.bits == found.beyond == length // 3
        assert found.dtype == ("float64", "float64")

    @hypothesis.given(st.lists(FLOATS, min_size=70, max_size=80), st.data())
    @hypothesis.settings(deadline=None, max_examples=50)
    def test_with_and_without_numpy_the_result_is_the_same(self, one, data):
        changed = st.lists(FLOATS, min_size=len(one), max_size=len(one))
        other = data.draw(changed | st.just(list(one)))
        tolerance = Tolerance(rtol=0.1, atol=0.1)
        fast = compare(one, other, tolerance)
        slow = [
            compare([value], [found], tolerance)
            for value, found in zip(one, other, strict=True)
        ]
        assert fast.bits == sum(found.bits for found in slow)
        assert fast.beyond == sum(found.beyond for found in slow)
        assert fast.max_abs == max(
            (found.max_abs for found in slow if found.max_abs is not None), default=None
        )

    def test_integers_of_any_size_are_exact(self):
        one = [2**70 + number for number in range(100)]
        found = compare(one, [*one[:-1], 0])
        assert (found.bits, found.where, found.max_abs) == (1, "[99]", 2**70 + 99)


class TestResultsOfLibraries:
    """What functions of data libraries return besides arrays and tables."""

    def test_a_named_tuple_is_compared_by_its_fields(self):
        np = pytest.importorskip("numpy", reason="it makes the tuple")
        one, other = np.linalg.svd(np.eye(3)), np.linalg.svd(np.eye(3) * 2)
        assert compare(one, np.linalg.svd(np.eye(3))).verdict == "equal"
        found = compare(one, other)
        assert found.verdict == "different"
        assert found.where == ".S[0]"

    def test_a_dict_is_compared_by_its_items(self):
        optimize = pytest.importorskip("scipy.optimize", reason="it makes the dict")
        one, same, other = (
            optimize.linprog([factor, 2], A_ub=[[-1, -1]], b_ub=[-1])
            for factor in (1, 1, 5)
        )
        assert compare(one, same).verdict == "equal"
        assert compare(one, other).verdict == "different"

    def test_a_dataclass_is_compared_by_its_fields(self):
        np = pytest.importorskip("numpy", reason="it makes the data")
        stats = pytest.importorskip("scipy.stats", reason="it makes the dataclass")
        data = (np.arange(20.0),)
        one, same, other = (
            stats.bootstrap(data, np.mean, n_resamples=20, rng=seed)
            for seed in (1, 1, 2)
        )
        assert compare(one, same).verdict == "equal"
        assert compare(one, other).verdict == "different"

    def test_an_object_of_a_class_in_c_is_compared_by_what_it_gives_to_a_pickle(self):
        np = pytest.importorskip("numpy", reason="it makes the data")
        tree = pytest.importorskip("sklearn.tree", reason="it has such a class")
        data = np.arange(12.0).reshape(6, 2)
        one, same, other = (
            tree.DecisionTreeRegressor(random_state=0).fit(data, target)
            for target in (data[:, 0], data[:, 0], data[:, 0] ** 2)
        )
        assert compare(one, same).verdict == "equal"
        found = compare(one, other)
        assert found.verdict == "different"
        assert ".tree_" in found.where


class TestLargest:
    @pytest.mark.parametrize("length", [2, 63, 64, 65, 200])
    @pytest.mark.parametrize("wrapped", [list, lambda it: [None, *it], lambda it: [it]])
    def test_is_that_of_the_whole_list_however_long_it_is(self, length, wrapped):
        one = [1e6] * (length - 1) + [1e-3]
        other = [*one[:-1], 2e-3]
        allowed = Tolerance(atol="1e-6*max")
        assert compare(wrapped(one), wrapped(other), allowed).verdict == "close"

    def test_is_that_of_a_number_where_there_is_no_list(self):
        one, other = {"a": 1e6, "b": 1e-3}, {"a": 1e6, "b": 2e-3}
        assert compare(one, other, Tolerance(atol="1e-6*max")).verdict == "different"

    def test_is_found_in_a_list_that_is_in_itself(self):
        one, other = [1e6, 1e-3, None], [1e6, 2e-3, None]
        one[2], other[2] = one, other
        assert compare(one, other, Tolerance(atol="1e-6*max")).verdict == "close"


class TestShare:
    @pytest.mark.parametrize(
        "made",
        [
            list,
            lambda it: dict(enumerate(it)),
            lambda it: [None, *it],
            lambda it: list(map(str, it)),
            lambda it: {"a": it[:5], "b": [it[5:], None]},
        ],
    )
    def test_is_counted_over_the_whole_value(self, made):
        one = [float(number) for number in range(10)]
        other = [*one[:-1], 99.0]
        for share, verdict in ((0.2, "close"), (0.05, "different")):
            found = compare(made(one), made(other), Tolerance(share=share))
            assert found.verdict == verdict
            assert {part.verdict for part in found.parts} <= {verdict}

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ([*range(9), 1.0], [*range(9), 1]),
            (dict.fromkeys(range(10)), dict.fromkeys(range(11))),
            ({"a": [*range(9)], "b": [1]}, {"a": [*range(9)], "b": (1,)}),
        ],
    )
    def test_does_not_cover_other_types_and_keys(self, one, other):
        assert compare(one, other, Tolerance(share=0.5)).verdict == "different"


class TestExact:
    def test_the_limit_of_a_deque_is_part_of_it(self):
        one, other = (collections.deque([1], maxlen=length) for length in (3, 4))
        found = compare({"a": one}, {"a": other})
        assert found.verdict == "different"
        assert '["a"]: maxlen 3 against 4' in found.notes

    @pytest.mark.parametrize("made", [lambda it: it, lambda it: [it, None]])
    def test_booleans_have_no_distance(self, made):
        found = compare(made(True), made(False), Tolerance(atol=1))
        assert (found.verdict, found.max_abs) == ("different", None)

    @pytest.mark.parametrize(
        "more",
        [{"hash": "blake2b:abc"}, {"hash": f"blake2b:{'a' * 32}"}, {"hash": None}],
    )
    def test_a_dict_that_is_like_a_summary_is_compared_by_its_items(self, more):
        one, other = ({"kind": "file", "size": size, **more} for size in (3, 4))
        assert compare(one, other).where == '["size"]'
