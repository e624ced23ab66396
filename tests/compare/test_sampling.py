"""A lack of a partner is excused only where a rule is proved to have left it out."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from checkpoints import diff


def why(runs, saved, *, calls=range(1, 10), options=(("every", 2),), counted=None):
    """What is said of the calls that only the baseline saved, by their numbers."""
    if counted:
        runs[1].ended(a={"rule": 0, "left_out": 0, **counted})
    for call in calls:
        runs[0].save("a", call, tags={"n": call}, call=call)
    for call, turn, *left_out in saved:
        told = (*options, ("turn", turn), *(("left_out", it) for it in left_out))
        runs[1].save("a", call, tags={"n": call}, call=call, sampling=told)
    found = diff(*(run.root for run in runs))
    return {int(dict(it.tags)["n"]): it.why for it in found if it.candidate is None}


def numbers(found, reason):
    return [number for number, why in found.items() if why == reason]


class TestEvery:
    def test_a_lost_save_is_missing_and_its_neighbours_are_not(self, runs):
        found = why(runs, [(1, 1), (3, 3), (7, 7), (9, 9)])
        assert numbers(found, "missing") == [5]
        assert numbers(found, "not sampled") == [2, 4, 6, 8]

    def test_a_first_save_that_is_lost_is_missing(self, runs):
        found = why(runs, [(3, 3)], calls=range(1, 4))
        assert found == {1: "missing", 2: "not sampled"}

    @pytest.mark.parametrize(
        ("counted", "missing"),
        [
            ({"calls": 6, "turns": 4}, []),
            ({"calls": 4, "turns": 4}, [5, 6]),
            ({"calls": 6, "turns": 5}, [4, 5, 6]),
            ({"calls": 6, "turns": 5, "left_out": 1}, []),
            ({"calls": 6, "turns": 4, "rule": 1}, [4, 5, 6]),
            (None, [4, 5, 6]),
        ],
    )
    def test_after_the_last_save_only_what_the_rule_counted_is_excused(
        self, runs, counted, missing
    ):
        saved = [(1, 1), (3, 3)]
        found = why(runs, saved, calls=range(1, 7), counted=counted)
        assert numbers(found, "missing") == missing
        assert set(found) == {2, 4, 5, 6}

    def test_the_turns_count_where_a_condition_refused_calls(self, runs):
        # Of nine calls it considered 2, 5 and 8.
        found = why(runs, [(2, 1), (8, 3)], counted={"calls": 9, "turns": 3})
        assert numbers(found, "not sampled") == [3, 4, 5, 6, 7, 9]
        # It may be of a time before the rule.
        assert numbers(found, "missing") == [1]

    def test_a_save_lost_between_refused_calls_excuses_none_of_them(self, runs):
        found = why(runs, [(1, 1), (9, 5)])
        assert set(numbers(found, "missing")) == set(range(2, 9))


class TestStopped:
    @pytest.mark.parametrize(
        ("ends", "verdict"), [("", "equal"), ("raise ValueError", "different")]
    )
    def test_what_a_run_that_failed_did_not_save_was_not_reached(
        self, tmp_path, ends, verdict
    ):
        """After the last save, nothing else tells whether a rule left a call out."""
        program = (
            "import sys, checkpoints as cp\n"
            "options = {'limit': int(sys.argv[2])} if sys.argv[2:] else {}\n"
            "cp.config('a', sys.argv[1], if_exists='keep', **options)\n"
            "for n in range(6):\n"
            "    cp.checkpoint('a', n)\n"
            f"    if n == 4 and options: {ends or 'pass'}\n"
        )
        for root, *limit in (("one",), ("two", "3")):
            subprocess.run(
                [sys.executable, "-c", program, tmp_path / root, *limit],
                check=False,
                env={k: v for k, v in os.environ.items() if k != "CHECKPOINTS_RUN"},
            )
        assert diff(tmp_path / "one", tmp_path / "two").verdict == verdict


class TestEnd:
    @pytest.mark.parametrize("lost", [0, 5])
    def test_the_record_of_a_run_proves_what_came_after_its_last_save(
        self, tmp_path, lost
    ):
        program = (
            "import sys, checkpoints as cp\n"
            "cp.config('a', sys.argv[1], every=int(sys.argv[2]))\n"
            "for n in range(1, 9):\n"
            "    with cp.tags(n=n):\n"
            "        cp.checkpoint('a', n)\n"
        )
        for root, every in (("one", "1"), ("two", "4")):
            subprocess.run(
                [sys.executable, "-c", program, tmp_path / root, every],
                check=True,
                env={k: v for k, v in os.environ.items() if k != "CHECKPOINTS_RUN"},
            )
        if lost:
            (tmp_path / "two" / f"n={lost}" / "a.ckpt.zip").unlink()
        found = diff(tmp_path / "one", tmp_path / "two")
        assert found.verdict == ("different" if lost else "equal")


LOOP = """
import sys, checkpoints as cp
root, every, calls = sys.argv[1:]
options = {"every": int(every)} if every != "1" else {}
cp.config("a", root, if_exists="keep", **options)
for value in eval(calls):
    cp.checkpoint("a", value)
"""


def loops(folder, *sides):
    """Compare two runs of a loop, each given as its `every` and its values."""
    roots = []
    for number, (every, values) in enumerate(sides):
        roots.append(folder / str(number))
        subprocess.run(
            [sys.executable, "-c", LOOP, roots[-1], str(every), repr([*values])],
            check=True,
            env={k: v for k, v in os.environ.items() if k != "CHECKPOINTS_RUN"},
        )
    return diff(*roots)


class TestLoop:
    """Every call has the same key, so only their numbers tell which were saved."""

    @pytest.mark.parametrize(
        ("one", "other", "pairs"), [(2, 3, 3), (3, 2, 3), (2, 4, 4), (1, 3, 5)]
    )
    def test_of_other_samples_of_one_loop_the_shared_calls_are_compared(
        self, tmp_path, one, other, pairs
    ):
        found = loops(tmp_path, (one, range(13)), (other, range(13)))
        assert found.verdict == "equal"
        assert [it.verdict for it in found].count("equal") == pairs

    @pytest.mark.parametrize("call", [1, 7, 13])
    def test_a_shared_call_that_changed_is_the_difference(self, tmp_path, call):
        changed = [n if n + 1 != call else -1 for n in range(13)]
        found = loops(tmp_path, (2, range(13)), (3, changed))
        (pair,) = [it for it in found if it.verdict == "different"]
        values = [it.load()["data"] for it in (pair.baseline, pair.candidate)]
        assert values == [call - 1, -1]

    def test_a_call_that_both_saved_for_the_last_time_may_be_lost(self, tmp_path):
        found = loops(tmp_path, (2, range(13)), (1, range(12)))
        assert found.verdict == "different"
        assert [it.why for it in found].count("missing") == 1

    def test_where_samples_are_alike_one_more_call_pairs_each_with_each(self, tmp_path):
        found = loops(tmp_path, (2, range(12)), (2, [-1, *range(11)]))
        assert [it.verdict for it in found] == ["different"] * 6


class TestSeveralRules:
    @pytest.mark.parametrize(
        ("rules", "reason"), [((1, 2), "missing"), ((1, 1), "not sampled")]
    )
    def test_of_equal_options_prove_nothing_about_each_other(self, runs, rules, reason):
        # The second saved its turns 1 and 3, of which the first is lost: call 5.
        for call in range(1, 8):
            runs[0].save("a", call, tags={"n": call}, call=call)
        for call, turn, rule in zip((1, 7), (1, 3), rules, strict=True):
            told = (("every", 2), ("rule", rule), ("turn", turn))
            runs[1].save("a", call, tags={"n": call}, call=call, sampling=told)
        found = diff(*(run.root for run in runs))
        whys = {dict(it.tags)["n"]: it.why for it in found if it.candidate is None}
        assert set(whys) == set("23456")
        assert whys["5"] == reason


class TestBeforeTheRule:
    def test_calls_are_missing_as_nothing_proves_that_it_left_them_out(self, runs):
        # Five calls before the rule was set; it then saved each of three.
        saved = [(6, 1), (7, 2), (8, 3)]
        found = why(runs, saved, calls=range(1, 9), options=(("limit", 100),))
        assert numbers(found, "missing") == [1, 2, 3, 4, 5]

    def test_only_those_are_excused_that_had_a_turn(self, runs):
        # The first call came before the rule, whose budget left out two.
        saved = [(4, 3, 2)]
        found = why(runs, saved, calls=range(1, 5), options=(("max_bytes", 9),))
        assert found == {1: "missing", 2: "not sampled", 3: "not sampled"}


class TestForged:
    @pytest.mark.parametrize("every", [0, -3, "x", None])
    def test_options_that_no_rule_has_are_no_error(self, runs, every):
        found = why(
            runs, [(1, 1), (4, 4)], calls=range(1, 6), options=[("every", every)]
        )
        assert found == {2: "missing", 3: "missing", 5: "missing"}


class TestBounds:
    def test_of_a_limit_excuse_what_comes_after_it(self, runs):
        limit = (("limit", 3),)
        found = why(runs, [(1, 1), (2, 2), (3, 3)], options=limit)
        assert set(found.values()) == {"not sampled"}

    def test_of_a_limit_that_was_not_reached_excuse_nothing(self, runs):
        limit = (("limit", 3),)
        found = why(runs, [(1, 1), (2, 2)], calls=range(1, 4), options=limit)
        assert found == {3: "missing"}

    def test_of_bytes_excuse_as_many_as_were_left_out(self, runs):
        budget = (("max_bytes", 9),)
        found = why(runs, [(1, 1), (4, 4, 2), (7, 7, 3)], options=budget)
        assert numbers(found, "not sampled") == [2, 3]
        assert numbers(found, "missing") == [5, 6, 8, 9]


class TestFilters:
    @pytest.mark.parametrize("others", [0, 1])
    def test_hide_no_proof(self, runs, others):
        for call in range(1, 9):
            for run, sampling in zip(
                runs, ((), (("limit", 3), ("turn", call))), strict=True
            ):
                told = {"tags": {"n": call}, "call": call}
                if not sampling or call <= 3:
                    run.save("a", call, sampling=sampling, **told)
                if others:
                    run.save("b", call, **told)
        roots = [run.root for run in runs]
        assert diff(*roots).verdict == "equal"
        for where in ({"n": "5..7"}, {"n": 1}, {"n": 8}):
            found = diff(*roots, where=where)
            assert {it.why for it in found} <= {"", "not sampled"}

    def test_nor_do_they_prove_anything(self, runs):
        for run in runs:
            run.save("b", 1, tags={"n": 4})
        for call in (1, 2, 3, 4):
            runs[0].save("a", call, tags={"n": call}, call=call)
        runs[1].save(
            "a", 1, tags={"n": 1}, call=1, sampling=(("limit", 3), ("turn", 1))
        )
        found = diff(*(run.root for run in runs), where={"n": 4})
        assert [it.why for it in found] == ["", "missing"]


class TestProcesses:
    def test_count_by_themselves(self, runs):
        for pid in (1, 2):
            for call in (1, 2):
                tags = {"n": call, "w": pid}
                told = {"call": call, "pid": pid, "tags": tags}
                runs[0].save("a", call, **told)
                # The second worker has lost its first save.
                if (pid, call) != (2, 1):
                    sampling = (("limit", 1), ("turn", 1))
                    if call == 1:
                        runs[1].save("a", call, sampling=sampling, **told)
        runs[0].save("z", 1, pid=2)
        runs[1].save("z", 1, pid=2)
        found = diff(*(run.root for run in runs))
        whys = {tuple(dict(it.tags).values()): it.why for it in found if it.why}
        assert whys == {
            ("2", "1"): "not sampled",
            ("1", "2"): "missing",
            ("2", "2"): "missing",
        }

    @pytest.mark.parametrize("sampled", [0, 1])
    def test_it_does_not_matter_which_run_left_calls_out(self, runs, sampled):
        for call in (1, 2, 3):
            runs[1 - sampled].save("a", call, tags={"n": call}, call=call)
            if call != 2:
                told = {"sampling": (("every", 2), ("turn", call))}
                runs[sampled].save("a", call, tags={"n": call}, call=call, **told)
        assert diff(*(run.root for run in runs)).verdict == "equal"
