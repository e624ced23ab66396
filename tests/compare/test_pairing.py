"""Entries find their partners, whatever process saved them, and in damaged runs."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from checkpoints import diff, index

numpy = pytest.importorskip("numpy", reason="the values are arrays")


def compared(runs, **options):
    return diff(*(run.root for run in runs), **options)


def verdicts(found):
    return Counter(pair.verdict for pair in found)


def damage(run, data):
    """Cut the file with this value off in the middle."""
    (entry,) = (it for it in index(run.root) if numpy.array_equal(it["data"], data))
    path = Path(entry.path)
    path.write_bytes(path.read_bytes()[:60])


class TestProcesses:
    def test_are_matched_by_what_they_saved_though_they_started_in_another_order(
        self, runs
    ):
        for run, workers in zip(runs, ((1, 2), (2, 1)), strict=True):
            for pid, worker in enumerate(workers, 1):
                for step in range(5):
                    # One value of each worker differs.
                    value = -id(run) if step == 3 else 10 * worker + step
                    run.save("a", value, pid=pid)
        found = compared(runs)
        assert verdicts(found) == {"equal": 8, "different": 2}

    def test_that_saved_nothing_equal_are_matched_by_their_keys(self, runs):
        for run, workers in zip(runs, ("xy", "yx"), strict=True):
            for pid, worker in enumerate(workers, 1):
                for step in range(3):
                    run.save("a", [id(run), step, pid])
                    run.save(worker, [id(run), step, pid], pid=pid)
        names = {it.process[2]: it.name for it in compared(runs) if it.name != "a"}
        assert names == {1: "x", 2: "y"}
        assert not compared(runs).unpaired

    @pytest.mark.parametrize("serial", [0, 1])
    def test_may_be_one_in_one_run_and_two_in_the_other(self, runs, serial):
        for step in range(20):
            runs[serial].save("a", step)
            runs[1 - serial].save("a", step, pid=1 + step % 2)
        found = compared(runs)
        assert verdicts(found) == {"equal": 20}
        assert {pair.how for pair in found} == {"sequence", "order"}

    def test_are_as_many_as_there_are(self, runs):
        for run, order in zip(runs, (1, -1), strict=True):
            for pid, worker in enumerate([*range(30)][::order], 1):
                for step in range(4):
                    run.save("a", [worker, step] if step else 0, pid=pid)
        assert verdicts(compared(runs)) == {"equal": 120}


class TestDamage:
    @pytest.mark.parametrize("side", [0, 1])
    @pytest.mark.parametrize("count", [1, 3])
    def test_in_a_loop_is_one_unknown_pair_and_nothing_else(self, runs, side, count):
        for run in runs:
            for step in range(8):
                run.save("a", numpy.arange(step, step + 20), pid=1 + step % count)
                run.save("b", step % 2, pid=1 + step % count)
        damage(runs[side], numpy.arange(4, 24))
        found = compared(runs)
        assert verdicts(found) == {"equal": 15, "unknown": 1}
        assert found.unknown[0].name == "a"

    @pytest.mark.parametrize("side", [0, 1])
    def test_among_values_that_repeat_is_one_unknown_pair(self, runs, side):
        for run in runs:
            for step in range(12):
                run.save("a", step % 2 if step != 5 else [7] * 9)
        damage(runs[side], [7] * 9)
        found = compared(runs)
        assert verdicts(found) == {"equal": 11, "unknown": 1}
        assert found.unknown[0].number == 6 if side else found.unknown

    def test_has_its_place_in_the_order_of_the_program(self, runs):
        for run, last in zip(runs, (1, 2), strict=True):
            run.save("a", [7] * 9).save("b", last)
        damage(runs[0], [7] * 9)
        found = compared(runs)
        assert [pair.name for pair in found] == ["a", "b"]
        assert found.first.role == "possibly inherited"


class TestCalls:
    def test_the_tag_of_a_call_does_not_count(self, runs):
        for first, run in enumerate(runs, 1):
            for number in (first, first + 1):
                tags = {"day": 1, "call": number}
                run.save("fit", {"x": number - first}, tags=tags, part="arguments")
                run.save("inner", number - first, tags=tags)
                run.save("fit.result", number - first, tags=tags, part="result")
        assert verdicts(compared(runs)) == {"equal": 6}

    def test_a_tag_of_the_user_counts_whatever_its_name(self, runs):
        for run, calls in zip(runs, ((1, 2), (2, 1)), strict=True):
            for call in calls:
                run.save("X", call, tags={"call": call})
                run.save("X.result", call, tags={"call": call})
        found = compared(runs)
        assert verdicts(found) == {"equal": 4}
        assert {pair.how for pair in found} == {"key"}

    def test_checkpoints_that_are_named_like_a_call_are_none(self, runs):
        for run, number in zip(runs, (1, 2), strict=True):
            run.save("X", 0, tags={"call": 1})
            run.save("X.result", number, tags={"call": 1})
        (first,) = (it for it in compared(runs) if it.verdict == "different")
        assert first.inputs == "not known; nothing earlier differs"


class TestRename:
    @pytest.fixture
    def tolerances(self, tmp_path):
        def write(name):
            file = tmp_path / "tolerances.toml"
            about = f'match = "{name}"\nwhere = {{ day = "3" }}'
            file.write_text(f"[[tolerance]]\n{about}\nrtol = 1e-2\n")
            return str(file)

        return write

    def test_a_pair_is_known_by_its_new_name(self, runs, tolerances):
        runs[0].save("old.fit", 1.0, tags={"date": 3})
        runs[1].save("new.fit", 1.001, tags={"day": 3})
        rename = {"old": "new", "date": "day"}
        for name, verdict in (("new.fit", "close"), ("old.fit", "different")):
            found = compared(runs, rename=rename, tolerances=tolerances(name))
            assert found.verdict == verdict
            (pair,) = found
            assert (pair.name, pair.tags) == ("new.fit", (("day", "3"),))

    def test_the_noise_of_an_old_name_is_that_of_the_new_one(self, runs, tmp_path):
        repeat = type(runs[0])(tmp_path / "again")
        runs[0].save("old.fit", 1.0)
        runs[1].save("new.fit", 1.004)
        repeat.save("old.fit", 1.001)
        found = compared(runs, rename={"old": "new"}, noise=[repeat.root])
        assert found.verdict == "noise"
