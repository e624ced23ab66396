"""Noise explains distances between numbers, and nothing else."""

from __future__ import annotations

import pytest

from checkpoints import FileHandler, diff, tags

numpy = pytest.importorskip("numpy", reason="the values are arrays")


class Opaque:
    """What cannot be compared, because it was not loaded."""

    def __init__(self, number):
        self.number = number

    def __reduce__(self):
        return Opaque, (self.number,)


@pytest.fixture
def found(tmp_path):
    """Compares values as runs, given the repeats of the baseline."""

    def compared(baseline, candidate, *repeats, **options):
        roots = []
        for number, values in enumerate((baseline, candidate, *repeats)):
            roots.append(str(tmp_path / str(number)))
            named = values if isinstance(values, dict) else {"v": values}
            FileHandler(roots[-1]).checkpoint("a", **named)
        return diff(roots[0], roots[1], noise=roots[2:], **options)

    return compared


class TestKinds:
    @pytest.mark.parametrize(
        ("baseline", "candidate", "repeat"),
        [
            ([1.0, 2.0], (1.0, 2.1), [1.0, 2.1]),
            ([1.0, [5]], [1.1, (5,)], [1.1, [5]]),
            ([1, 2, None], [1, 5, float("nan")], [1, 5, None]),
            ([1.0, 2.0], [1.0, 2.1, 3.0], [1.0, 2.1]),
            ({"a": 1.0}, {"a": 1.1, "b": 0}, {"a": 1.1}),
            ({1: [1.0], "b": 1.0}, {1.0: [1.0], "b": 1.1}, {1: [1.0], "b": 1.1}),
            (["x", 1.0], ["y", 1.1], ["z", 1.1]),
        ],
    )
    def test_another_type_key_item_or_text_is_never_noise(
        self, found, baseline, candidate, repeat
    ):
        values = ({"v": value} for value in (baseline, candidate, repeat))
        assert found(*values).verdict == "different"

    def test_a_nan_is_no_noise_where_the_limits_are_zero(self, found):
        values = ([1.0, 2.0, 3.0], [1.0, 2.1, numpy.nan], [1.0, 2.1, 3.0])
        arrays = map(numpy.array, values)
        assert found(*arrays, tolerances={"rtol": 0}).verdict == "different"

    def test_a_null_is_no_noise(self, found):
        polars = pytest.importorskip("polars", reason="a series with a null")
        values = ([1, 2, 3], [1, 2.1, None], [1, 2.1, 3])
        columns = (polars.Series(value, dtype=polars.Float64) for value in values)
        assert found(*columns).verdict == "different"

    def test_a_null_among_integers_is_no_noise(self, found):
        pandas = pytest.importorskip("pandas", reason="a series with a null")
        values = ([1, 2, 3], [1, 3, None], [1, 3, 3])
        columns = (pandas.Series(value, dtype="Int64") for value in values)
        assert found(*columns).verdict == "different"

    def test_a_missing_row_is_no_noise(self, found):
        pandas = pytest.importorskip("pandas", reason="a table with a key")
        tables = (
            pandas.DataFrame({"id": ids, "px": [1.0, px, 3.0]})
            for ids, px in (([1, 2, 3], 2.0), ([1, 2, 4], 2.1), ([1, 2, 3], 2.1))
        )
        assert found(*tables, keys={"*": "id"}).verdict == "different"

    def test_a_name_is_no_noise(self, found):
        pandas = pytest.importorskip("pandas", reason="columns have names")
        series = (
            pandas.Series([1.0, px], name=name)
            for px, name in ((2.0, "a"), (2.1, "b"), (2.1, "a"))
        )
        assert found(*series).verdict == "different"

    def test_the_name_of_an_index_is_no_noise(self, found):
        pandas = pytest.importorskip("pandas", reason="indexes have names")
        tables = (
            pandas.DataFrame({"px": [1.0, px]}).rename_axis(name)
            for px, name in ((2.0, None), (2.1, "day"), (2.1, None))
        )
        assert found(*tables).verdict == "different"


class TestRepeats:
    def test_each_part_may_differ_as_in_the_repeat_in_which_it_differs_most(
        self, found
    ):
        values = (
            {"u": 100.0, "v": 1.0},
            {"u": 200.0, "v": 2.0},
            {"u": 200.0, "v": 1.0},
            {"u": 100.0, "v": 2.0},
        )
        assert found(*({"it": value} for value in values)).verdict == "noise"

    def test_a_count_of_texts_is_not_taken_for_a_distance(self, found):
        values = ({"it": {"u": 1.0, "t": text}} for text in ("k", "k", "x"))
        baseline, candidate, again = values
        candidate["it"]["u"] = 1.5
        repeat = {"it": {"u": 1.4, "t": "k"}}
        assert found(baseline, candidate, again, repeat).verdict == "noise"

    def test_those_whose_texts_are_shortened_to_the_same_one_all_count(self, tmp_path):
        inner = tmp_path / ("x" * 120)
        roots = [str(tmp_path / "one"), str(tmp_path / "two")]
        roots += [str(inner / name / ("y" * 120)) for name in ("first", "second")]
        for root, number in zip(roots, (1.0, 1.2, 1.1, 1.0), strict=True):
            FileHandler(root).checkpoint("a", v=number)
        result = diff(*roots[:2], noise=roots[2:])
        assert result.as_json()["noise"] == {"repeats": 2}
        assert result.verdict == "noise"


class TestKeys:
    def test_what_repeats_differ_in_under_one_tag_excuses_no_other(self, tmp_path):
        roots = [str(tmp_path / name) for name in ("one", "two", "again")]
        for root, values in zip(roots, ((0, 5), (0, 7), (1, 5)), strict=True):
            for day, value in enumerate(values, 1):
                with tags(day=day):
                    FileHandler(root).checkpoint("a", value)
        found = diff(roots[0], roots[1], noise=roots[2])
        assert found.verdict == "different"


class TestUnknown:
    def test_what_is_unknown_beside_noise_stays_unknown(self, found):
        values = {"x": 1.0, "p": Opaque(1)}
        candidate, repeat = {"x": 1.1, "p": Opaque(2)}, {"x": 1.1, "p": Opaque(1)}
        result = found(values, candidate, repeat)
        (pair,) = result
        assert (pair.verdict, result.exit_code) == ("unknown", 2)
        assert "a pickle" in pair.why

    def test_so_does_what_is_unknown_in_one_value(self, found):
        values = ([1.0, Opaque(1)], [1.1, Opaque(2)], [1.1, Opaque(1)])
        (pair,) = found(*({"v": value} for value in values))
        assert (pair.verdict, "a pickle" in pair.why) == ("unknown", True)
