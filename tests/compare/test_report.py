"""What a report needs of a difference: places in numbers, small pictures, diffs."""

from __future__ import annotations

import json
import math

import numpy
import pandas
import pytest

from checkpoints import diff
from checkpoints._compare.values import compare


class TestIndex:
    @pytest.mark.parametrize(
        ("one", "other", "index"),
        [
            (numpy.zeros((2, 3)), numpy.eye(2, 3)[::-1], (0, 1)),
            (numpy.zeros((2, 3), order="F"), numpy.eye(2, 3)[::-1], (0, 1)),
            ({"w": numpy.zeros(3)}, {"w": numpy.array([0, 0, 1.0])}, (2,)),
            ([[1, 2], [3, 4]], [[1, 2], [3, 5]], (1, 1)),
            (pandas.Series([1, 2]), pandas.Series([1, 3]), (1,)),
            ("a\nbc", "a\nbd", (1, 1)),
            (b"abc", b"abd", (2,)),
            (1, 2, ()),
            (numpy.array(1), numpy.array(2), ()),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_the_worst_place_is_told_in_numbers(self, one, other, index):
        assert compare(one, other).index == index

    def test_a_row_found_by_key_is_the_one_of_the_baseline(self):
        one = pandas.DataFrame({"k": [3, 1, 2], "v": [0, 0, 0]})
        other = pandas.DataFrame({"k": [1, 2, 3], "v": [0, 5, 0]})
        found = compare(one, other, keys=["k"])
        assert (found.where, found.index) == ("column 'v', row k=2", (2,))


class TestGrid:
    def test_it_is_made_only_where_it_was_asked_for(self):
        one, other = numpy.zeros(9), numpy.ones(9)
        assert compare(one, other).grid is None
        assert compare(one, one.copy(), with_grid=True).grid is None
        assert compare(one, other, with_grid=True).grid is not None

    def test_each_cell_of_a_small_array_has_its_square(self):
        one, other = numpy.zeros((2, 3)), numpy.array([[0, 0, 7.0], [0, -2.0, 0]])
        grid = compare(one, other, with_grid=True).grid
        assert grid == (2, 3, ((0, 0, 7), (0, 2, 0)))

    @pytest.mark.parametrize("order", ["C", "F"])
    @pytest.mark.parametrize("every", [1, 97])
    def test_a_square_has_the_largest_difference_of_its_cells(self, order, every):
        one = numpy.zeros((300, 500), order=order)
        other = numpy.array(one, order=order)
        other.flat[::every] = numpy.random.default_rng(0).random(1 + 149_999 // every)
        grid = compare(one, other, with_grid=True).grid
        expected = numpy.zeros((64, 64))
        for (row, column), value in numpy.ndenumerate(other):
            at = row * 64 // 300, column * 64 // 500
            expected[at] = max(expected[at], value)
        assert (grid.rows, grid.columns) == (300, 500)
        assert numpy.array_equal(grid.squares, expected)

    def test_one_axis_is_one_row(self):
        one = numpy.zeros(1000)
        other = one.copy()
        other[999] = 1
        grid = compare(one, other, with_grid=True).grid
        assert (grid.rows, grid.columns, len(grid.squares[0])) == (1, 1000, 64)
        assert grid.squares[0][63] == 1

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (numpy.array([1.0, 2.0]), numpy.array([1.0, math.nan])),
            (numpy.array(["a", "b"]), numpy.array(["a", "c"])),
            (numpy.array([1, None], object), numpy.array([1, 2], object)),
            (numpy.ma.array([1, 2]), numpy.ma.array([1, 2], mask=[0, 1])),
        ],
        ids=["nan", "text", "object", "masked"],
    )
    def test_what_has_no_number_is_infinitely_far(self, one, other):
        assert compare(one, other, with_grid=True).grid.squares == ((0, math.inf),)

    def test_parts_have_theirs_and_the_first_of_them_keep_it(self):
        one = {str(number): numpy.zeros(2) for number in range(30)}
        other = {name: array + 1 for name, array in one.items()}
        parts = compare(one, other, with_grid=True).parts
        assert [part.grid is not None for part in parts] == [True] * 20 + [False] * 10


class TestLines:
    def test_they_are_those_of_a_unified_diff(self):
        one = "".join(f"{number}\n" for number in range(30))
        found = compare(one, one.replace("20\n", "x\ny\n"))
        assert found.lines == (
            *("@@ -18,7 +18,8 @@", " 17", " 18", " 19", "-20", "+x", "+y"),
            *(" 21", " 22", " 23"),
        )

    def test_there_are_never_many_and_none_is_long(self):
        one = "".join(f"{number}\n" for number in range(10_000))
        lines = compare(one, one.replace("\n", "x" * 500 + "\n")).lines
        assert len(lines) <= 41
        assert max(map(len, lines)) < 210

    def test_texts_of_equal_lines_take_no_quadratic_time(self):
        found = compare("a\nb\n" * 900, "b\na\n" * 900)
        assert (found.verdict, found.beyond) == ("different", 1800)

    def test_they_are_safe_to_print(self):
        assert "\x1b" not in "".join(compare("\x1b[2J\n", "\x1b[3J\n").lines)


class Named:
    def __repr__(self):
        return "\x1b[2J"


class TestJson:
    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (0.0, math.inf),
            (10**400, -(10**400)),
            (10**5000, 1),
            (2**64, 0),
            (numpy.array([1e308]), numpy.array([-1e308])),
            (numpy.zeros(2, "longdouble"), numpy.ones(2, "longdouble")),
            (numpy.float32(1), numpy.float32(2)),
            ({"\ud800": 1}, {"\ud800": 2}),
            ([Named()], [1]),
            (pandas.DataFrame({"a": [pandas.NaT]}), pandas.DataFrame({"a": [1]})),
        ],
        ids=[
            *("infinity", "integers", "digits", "large", "overflow", "longdouble"),
            *("scalar", "surrogate", "repr", "frame"),
        ],
    )
    def test_it_is_strict_and_safe_to_print(self, one, other):
        found = compare(one, other, with_grid=True)
        assert found.verdict == "different"
        text = json.dumps(found.as_json(), allow_nan=False, ensure_ascii=False)
        assert "\x1b" not in text
        assert json.loads(text.encode())["verdict"] == "different"

    def test_what_json_has_no_number_for_is_a_text(self):
        again = compare(0, 2**64).as_json()
        assert (again["max_abs"], again["excess"]) == (str(2**64), "inf")


class TestForm:
    def test_is_the_first_difference_where_all_cells_are_equal(self, runs):
        times = pandas.date_range("2024-03-01", periods=3, freq="h", tz="UTC")
        for run, zone in zip(runs, ("UTC", "Europe/Berlin"), strict=True):
            run.save("load", {"t": times.tz_convert(zone)})
        roots = [run.root for run in runs]
        assert str(diff(*roots)).startswith("CLOSE  first difference in form: load\n")
        for run, number in zip(runs, (1, 2), strict=True):
            run.save("hours", number)
        found = diff(*roots)
        assert found.first_bit.name == "load"
        assert "  earlier    first difference in form: load  t  " in str(found)


class TestSeveralValues:
    def test_all_of_the_first_divergence_are_named(self, runs):
        for run, name in zip(runs, ("coef", "coefficients"), strict=True):
            run.save("fit", {name: [1, 2], "n": 3})
        lines = str(diff(*(run.root for run in runs))).splitlines()
        assert "  note       only in the baseline" in lines
        assert "  also       coefficients (only in the candidate)" in lines
        assert not any(line.startswith("  allowed") for line in lines)
