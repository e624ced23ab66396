"""The tag of a recorded call does not count, even where the call was left out."""

from __future__ import annotations

import pytest

from checkpoints import diff


def call(run, number, *, is_saved=True, tags=()):
    """Save a checkpoint within a call, and the call unless its rule left it out."""
    tags = {**dict(tags), "call": number}
    if is_saved:
        run.save("fit", {"x": 1}, tags=tags, part="arguments")
    run.save("inner", [number] * 3 if number < 0 else [1], tags=tags)
    if is_saved:
        run.save("fit.result", 1, tags=tags, part="result")


def compared(runs, **options):
    return diff(*(run.root for run in runs), **options)


class TestCheckpointsWithin:
    def test_a_call_that_one_run_left_out_find_their_partner(self, runs):
        for number in (1, 2, 3):
            call(runs[0], number)
            call(runs[1], 10 + number, is_saved=number != 2)
        found = compared(runs)
        lost = [pair.name for pair in found if pair.verdict == "unpaired"]
        assert lost == ["fit", "fit.result"]

    def test_calls_of_one_day_are_known_by_those_of_another(self, runs):
        for day in (1, 2):
            call(runs[0], day, tags={"day": day})
            call(runs[1], 10 + day, tags={"day": day}, is_saved=day == 1)
        found = compared(runs)
        assert {it.name for it in found.unpaired} == {"fit", "fit.result"}

    @pytest.mark.parametrize("options", [{"names": "inner"}, {"where": {"day": 1}}])
    def test_calls_that_a_filter_hides_find_their_partner(self, runs, options):
        for first, run in enumerate(runs):
            for number in (1, 2):
                call(run, 10 * first + number, tags={"day": 1})
        assert compared(runs, **options).verdict == "equal"

    def test_calls_that_have_another_name_find_their_partner(self, runs):
        call(runs[0], 1, tags={"date": 1})
        call(runs[1], 2, tags={"day": 1})
        found = compared(runs, rename={"date": "day"}, names="inner")
        assert found.verdict == "equal"

    def test_calls_in_a_repeat_find_their_partner(self, runs, tmp_path):
        repeat = type(runs[0])(tmp_path / "again")
        for number, run in enumerate((*runs, repeat), 1):
            call(run, number, is_saved=number < 3)
        assert compared(runs, noise=[repeat.root]).verdict == "equal"


class TestOwnTags:
    def test_that_are_called_call_count_under_a_filter_too(self, runs):
        for run, calls in zip(runs, ((1, 2), (2, 1)), strict=True):
            for number in calls:
                run.save("x", number, tags={"call": number})
                run.save("x.result", number, tags={"call": number})
        found = compared(runs, names="x")
        assert {pair.how for pair in found} == {"key"}
        assert found.verdict == "equal"
