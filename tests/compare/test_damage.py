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
