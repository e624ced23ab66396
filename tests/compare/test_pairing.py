"""Entries find their partners, whatever process saved them, and in damaged runs."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from checkpoints import diff, index
from tests.compare.conftest import SavedRun

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

    def test_that_have_exchanged_what_they_saved_are_told(self, runs):
        for run, pids in zip(runs, ((1, 2, 3), (2, 1, 3)), strict=True):
            for number, pid in enumerate(pids):
                for step in range(3):
                    run.save("fit", 10 * number + step, pid=pid)
        found = diff(*(run.root for run in runs))
        assert found.verdict == "equal"
        assert "matched by what they saved" in str(found)
        assert "pid 1 with 2, 2 with 1, 3 with 3" in str(found)

    def test_that_kept_their_order_or_have_keys_of_their_own_are_not(self, runs):
        for run, pids in zip(runs, ((1, 2), (2, 1)), strict=True):
            for number, pid in enumerate(pids):
                run.save("same", number, pid=pid, time=1e9 + pid)
                run.save("own", number, tags={"worker": number}, pid=pid)
        for run in runs:
            run.save("more", 1, pid=3).save("more", 2, pid=4)
        assert not diff(*(run.root for run in runs)).as_json()["crossed"]

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


class TestThreads:
    def test_what_they_save_is_equal_in_any_order(self, runs):
        threads = "ABC"
        orders = [range(12), (4, 0, 8, 1, 5, 9, 6, 2, 10, 11, 7, 3)]
        for run, order in zip(runs, orders, strict=True):
            for number in order:
                run.save("a", number, thread=threads[number // 4])
        assert verdicts(compared(runs)) == {"equal": 12}

    def test_so_are_values_that_repeat(self, runs):
        for run, values in zip(runs, ([0, 1, 0, 1, 2], [1, 1, 0, 0, 2]), strict=True):
            for number, value in enumerate(values):
                run.save("a", value, thread="AB"[number % 2])
        assert verdicts(compared(runs)) == {"equal": 5}

    def test_in_one_thread_the_order_of_repeated_values_counts(self, runs):
        for run, values in zip(runs, ([0, 1, 0, 1], [1, 0, 0, 1]), strict=True):
            for value in values:
                run.save("a", value)
        assert verdicts(compared(runs)) == {"equal": 2, "different": 2}

    def test_processes_find_what_is_equal_in_another_one(self, runs):
        shares = [[(1, 2, 3), (4, 5, 6)], [(1, 4, 3), (2, 5, 6)]]
        for run, share in zip(runs, shares, strict=True):
            for pid, values in enumerate(share, 1):
                for value in values:
                    run.save("a", value, pid=pid)
        assert verdicts(compared(runs)) == {"equal": 6}


def call(run, number, x, result, *, thread="MainThread", ends=True):
    """Save a call, or only its begin."""
    tags = {"call": number}
    run.save("f", {"x": x}, tags=tags, part="arguments", thread=thread)
    if ends:
        end(run, number, result, thread=thread)


def end(run, number, result, *, part="result", thread="MainThread"):
    tags = {"call": number}
    run.save(f"f.{part}", {part: result}, tags=tags, part=part, thread=thread)


class TestUnits:
    def test_results_go_with_the_arguments_of_their_calls(self, runs):
        # Of three calls at a time, each run ends them in another order.
        for run, order in zip(runs, ((1, 2, 3), (3, 1, 2)), strict=True):
            for number in order:
                call(run, number, 10 * number, 0, thread=str(number), ends=False)
            for number in reversed(order):
                end(run, number, number * 0.5 + id(run) % 7, thread=str(number))
        for pair in compared(runs):
            entries = pair.baseline, pair.candidate
            assert len({entry.tags["call"] for entry in entries}) == 1

    def test_calls_of_several_threads_in_another_order_are_equal(self, runs):
        for run, xs in zip(runs, ((1, 2, 3, 4, 5), (2, 5, 1, 4, 3)), strict=True):
            for number, x in enumerate(xs, 1):
                call(run, number, x, x / 2, thread=str(x))
        assert verdicts(compared(runs)) == {"equal": 10}

    def test_calls_of_one_thread_in_another_order_differ_by_that_alone(self, runs):
        for run, xs in zip(runs, ((1, 2, 3, 4, 5), (2, 3, 4, 1, 5)), strict=True):
            for number, x in enumerate(xs, 1):
                call(run, number, x, x / 2)
        found = compared(runs)
        assert verdicts(found) == {"equal": 9, "different": 1}
        assert (found.first.name, found.first.moved) == ("f", (1, 4))
        assert not found.first.values
        assert found.first.role == "origin"

    def test_calls_without_arguments_are_told_apart_by_their_results(self, runs):
        for run, results in zip(runs, ((1, 2, 3), (3, 1, 2)), strict=True):
            for number, result in enumerate(results, 1):
                call(run, number, 0, result, thread=str(result))
        assert verdicts(compared(runs)) == {"equal": 6}

    def test_a_call_that_was_dropped_shifts_no_results(self, runs):
        for run, xs in zip(runs, ((1, 2, 3, 4), (1, 3, 4)), strict=True):
            for number, x in enumerate(xs, 1):
                call(run, number, x, x + (len(xs) == 3) / 4)
        found = compared(runs)
        assert verdicts(found) == {"equal": 3, "different": 3, "unpaired": 2}
        assert len(found.origins) == 3
        assert all(it.inputs.startswith("equal") for it in found.origins)

    def test_results_of_different_calls_are_never_a_pair(self, runs):
        for run, failing in zip(runs, (1, 2), strict=True):
            for number in (1, 2):
                call(run, number, number, number, ends=number != failing)
                if number == failing:
                    end(run, number, "bad", part="exception")
        found = compared(runs)
        assert verdicts(found) == {"equal": 2, "unpaired": 4}

    def test_results_alone_are_paired_as_checkpoints_are(self, runs):
        for step in range(1, 6):
            call(runs[0], step, 0, [step])
            if step != 3:
                end(runs[1], step, [step])
        found = compared(runs)
        assert [it.why for it in found if it.name == "f.result"] == [
            "",
            "",
            "missing",
            "",
            "",
        ]

    def test_damaged_arguments_leave_their_result_a_partner(self, runs):
        for run in runs:
            for number in (1, 2, 3):
                call(run, number, numpy.arange(number, number + 9), number)
        (entry,) = (
            it for it in index(runs[1].root) if it.path.endswith("call=2/f.ckpt.zip")
        )
        Path(entry.path).write_bytes(b"")
        assert verdicts(compared(runs)) == {"equal": 5, "unknown": 1}


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

    def test_an_ignored_tag_is_meant_by_its_new_name(self, runs):
        runs[0].save("a", 1, tags={"day": 1})
        runs[1].save("a", 1, tags={"date": 2})
        found = compared(runs, rename={"day": "date"}, ignore_tags="date")
        assert found.verdict == "equal"
        found = compared(runs, rename={"day": "date"}, ignore_tags="day")
        assert len(found.unpaired) == 2
        assert found.as_json()["unused"]["ignore_tags"] == ["day"]

    @pytest.mark.parametrize("order", [1, -1])
    def test_of_two_names_that_fit_the_longer_one_counts(self, runs, order):
        runs[0].save("a.b", 1).save("a.c", 2)
        runs[1].save("y", 1).save("x.c", 2)
        rename = dict([("a", "x"), ("a.b", "y")][::order])
        assert verdicts(compared(runs, rename=rename)) == {"equal": 2}

    def test_a_name_of_which_nothing_is_left_is_told(self, runs):
        runs[0].save("a.b", 1)
        runs[1].save("y", 1)
        found = compared(runs, rename={"a": "x", "a.b": "y"})
        assert found.verdict == "equal"
        assert found.as_json()["unused"]["rename"] == ["a=x"]

    def test_the_noise_of_an_old_name_is_that_of_the_new_one(self, runs, tmp_path):
        repeat = type(runs[0])(tmp_path / "again")
        runs[0].save("old.fit", 1.0)
        runs[1].save("new.fit", 1.004)
        repeat.save("old.fit", 1.001)
        found = compared(runs, rename={"old": "new"}, noise=[repeat.root])
        assert found.verdict == "noise"


def loop(run, values, **origin):
    for value in values:
        run.save("l.x", value, **origin)


class TestOrder:
    """What one thread saves under one key has an order, and it counts."""

    @pytest.mark.parametrize(
        ("one", "other", "moved"),
        [
            ((1, 2, 3), (2, 1, 3), [(1, 2)]),
            ((1, 2, 3, 4), (2, 3, 4, 1), [(1, 4)]),
            ((1, 2, 3, 4), (4, 1, 2, 3), [(4, 1)]),
            ((1, 1, 2, 3), (1, 2, 1, 3), [(2, 3)]),
            ((1, 2, 3), (3, 2, 1), [(1, 3), (2, 2)]),
            # Damaged, dropped and changed entries move nothing.
            ((1, 2, 3), (1, 3), []),
            ((1, 3), (1, 2, 3), []),
            ((1, 2, 3), (1, 5, 3), []),
            ((1, 1, 1), (1, 1), []),
            ((0, 1, 0, 0, 1), (1, 0, 1, 0, 0), []),
        ],
    )
    def test_as_few_entries_as_possible_are_moved(self, runs, one, other, moved):
        loop(runs[0], one)
        loop(runs[1], other)
        found = compared(runs)
        assert [it.moved for it in found if it.moved] == moved
        assert (found.verdict == "equal") == (one == other)

    def test_a_value_within_its_tolerance_is_moved_as_an_equal_one_is(self, runs):
        loop(runs[0], (1.0, 2.0, 3.0))
        loop(runs[1], (2.0, 1.0 + 1e-9, 3.0))
        found = compared(runs)
        assert (found.verdict, found.first.moved) == ("different", (1, 2))

    def test_threads_of_a_pool_have_no_order(self, runs):
        for run, names in zip(runs, ("abab", "abba"), strict=True):
            for value, name in enumerate(names):
                loop(run, [value], thread=name)
        assert compared(runs).verdict == "equal"

    def test_each_process_has_an_order_of_its_own(self, runs):
        for run, values in zip(runs, ((1, 2, 3), (1, 3, 2)), strict=True):
            for pid in (1, 2):
                loop(run, [(pid, it) for it in values], pid=pid)
        assert verdicts(compared(runs)) == {"equal": 4, "different": 2}

    def test_entries_that_are_told_apart_by_tags_have_none(self, runs):
        for run, values in zip(runs, ((1, 2), (2, 1)), strict=True):
            for value in values:
                run.save("l.x", value, tags={"item": value})
        assert compared(runs).verdict == "equal"

    def test_a_tolerance_can_allow_any(self, runs, tmp_path):
        loop(runs[0], (1, 2, 3))
        loop(runs[1], (2, 1, 3))
        path = tmp_path / "limits.toml"
        path.write_text(compared(runs).suggested_tolerances())
        assert path.read_text() == '[[tolerance]]\nmatch = "l.x"\norder = "any"\n'
        found = compared(runs, tolerances=path)
        assert (found.verdict, found.exit_code) == ("close", 0)
        assert found.first_bit.moved == (1, 2)

    def test_a_repeat_in_another_order_makes_it_noise(self, runs, tmp_path):
        loop(runs[0], (1, 2, 3))
        loop(runs[1], (2, 1, 3))
        repeat = SavedRun(tmp_path / "again")
        loop(repeat, (1, 3, 2))
        assert compared(runs, noise=repeat.root).verdict == "noise"

    def test_what_comes_out_of_a_moved_call_is_compared_with_its_own(self, runs):
        for run, xs in zip(runs, ((1, 2, 3), (2, 3, 1)), strict=True):
            for number, x in enumerate(xs, 1):
                call(run, number, x, x + (run is runs[1]) * (x == 1))
        arguments, result = (it for it in compared(runs) if it.verdict == "different")
        assert arguments.moved
        assert (result.name, result.role) == ("f.result", "origin")
        assert result.worst[1].texts == ("1", "2")

    def test_the_report_says_where_it_was(self, runs):
        loop(runs[0], (1, 2, 3))
        loop(runs[1], (2, 1, 3))
        text = str(compared(runs))
        assert "first saved in another order: l.x  (1 of 3)" in text
        assert "moved from 1 to 2 of 3" in text
        assert "1 saved in another order" in text
