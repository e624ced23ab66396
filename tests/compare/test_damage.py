"""A damaged file of a loop is compared with what was saved at its place."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from checkpoints import diff, index


def compared(runs):
    return diff(*(run.root for run in runs))


def verdicts(found):
    return Counter(pair.verdict for pair in found)


def damage(run, step):
    """Cut the file off in the middle that was saved at a step of a loop over "a"."""
    (entry,) = (it for it in index(run.root).where("a") if it.number == step + 1)
    path = Path(entry.path)
    path.write_bytes(path.read_bytes()[:60])


class TestDamage:
    @pytest.mark.parametrize("steps", [[0], [0, 1], [3, 4], [7], [6, 7], [0, 4, 7]])
    @pytest.mark.parametrize("side", [0, 1])
    def test_leaves_a_file_its_place_in_the_loop(self, runs, steps, side):
        for run in runs:
            for step in range(8):
                run.save("a", [step] * 9).save("b", step % 2)
        for step in steps:
            damage(runs[side], step)
        found = compared(runs)
        assert verdicts(found) == {"equal": 16 - len(steps), "unknown": len(steps)}
        whole = [(it.candidate, it.baseline)[side] for it in found.unknown]
        assert [it["data"][0] for it in whole] == steps
        assert {it.how for it in found.unknown} == {"sequence"}

    @pytest.mark.parametrize("processes", [1, 3])
    def test_at_another_step_of_each_run_is_no_difference(self, runs, processes):
        for run in runs:
            for step in range(8):
                run.save("a", [step] * 9, pid=1 + step % processes)
        damage(runs[0], 3)
        damage(runs[1], 5)
        found = compared(runs)
        assert verdicts(found) == {"equal": 6, "unknown": 2}

    def test_does_not_hide_which_call_was_skipped(self, runs):
        for run, steps in zip(runs, ([0, 1, 2, 3, 4], [0, 2, 3, 4]), strict=True):
            for step in steps:
                run.save("a", [step] * 9)
        damage(runs[1], 2)
        found = compared(runs)
        assert [it.baseline["data"][0] for it in found.unpaired] == [1]
        assert [it.baseline["data"][0] for it in found.unknown] == [3]

    def test_does_not_hide_a_difference_at_another_step(self, runs):
        for run, last in zip(runs, (7, 8), strict=True):
            for step in [*range(7), last]:
                run.save("a", [step] * 9)
            damage(run, 2)
        found = compared(runs)
        assert verdicts(found) == {"equal": 6, "unknown": 1, "different": 1}
        assert found.first.occurrence == (8, 8)

    def test_is_the_reason_why_calls_are_paired_by_their_order(self, runs):
        for run, last in zip(runs, (3, 4), strict=True):
            for call, given in enumerate((1, 2, last), 1):
                run.save("f", [given] * 9, tags={"call": call}, part="arguments")
        (entry,) = index(runs[0].root).where("f", {"call": 2})
        Path(entry.path).write_bytes(b"")
        found = compared(runs)
        assert verdicts(found) == {"equal": 1, "different": 1, "unknown": 1}
        text = "1 paired by mere order: a damaged file does not tell its place"
        assert text in " ".join(str(found).split())
        assert found.as_json()["processes"] == []


class TestFoldersThatCannotBeListed:
    @pytest.mark.parametrize("side", [0, 1])
    def test_may_have_what_lacks_a_partner(self, runs, side, make_unlistable):
        for run in runs:
            run.save("a", 1)
        runs[1 - side].save("b", 2)
        make_unlistable(runs[side].root)
        found = compared(runs)
        assert (found.verdict, verdicts(found)) == (
            "unknown",
            {"equal": 1, "unknown": 1},
        )
        assert "which cannot be listed" in found.unknown[0].why

    def test_hide_no_difference_and_explain_nothing_of_the_other_run(
        self, runs, make_unlistable
    ):
        for run, number in zip(runs, (1, 2), strict=True):
            run.save("a", number)
        runs[0].save("b", 2)
        make_unlistable(runs[0].root)
        found = compared(runs)
        assert verdicts(found) == {"different": 1, "unpaired": 1}

    def test_are_told_though_all_that_is_known_is_equal(self, runs, make_unlistable):
        for run in runs:
            run.save("a", 1)
            make_unlistable(run.root)
        text = " ".join(str(compared(runs)).split())
        assert text.count(f"{'d' * 200}, which cannot be listed") == 2
