"""The random state before a call is one of its inputs, but no difference by itself."""

from __future__ import annotations

import random

import pytest

from checkpoints import diff
from checkpoints._process.random_state import RANDOM_STATE, captured


def state(seed):
    """What a rule with `random=True` saves in a program with this seed."""
    before = random.getstate()
    random.seed(seed)
    try:
        return captured()
    finally:
        random.setstate(before)


def call(run, number, result, *, seed=None, inside=None, x=0):
    """Save a call with the random state before it, and what it saves within."""
    tags = {"call": number}
    values = {"x": x} if seed is None else {"x": x, RANDOM_STATE: state(seed)}
    run.save("draw", values, tags=tags, part="arguments")
    if inside is not None:
        run.save("inner", inside, tags=tags)
    run.save("draw.result", result, tags=tags, part="result")


def compared(runs):
    return diff(*(run.root for run in runs))


class TestCalls:
    def test_of_another_state_may_inherit_what_differs(self, runs):
        for seed, run in enumerate(runs):
            call(run, 1, seed, seed=seed)
        found = compared(runs)
        assert [it.verdict for it in found] == ["equal", "different"]
        assert found.first.role == "possibly inherited"
        assert found.first.inputs == (
            "equal by value; random state before the call differs: random"
        )
        assert "random state before the call differs" in str(found)
        assert found.as_json()["pairs"][0]["name"] == "draw.result"

    def test_of_another_state_and_an_equal_result_are_equal(self, runs):
        for seed, run in enumerate(runs):
            call(run, 1, 0, seed=seed)
        found = compared(runs)
        assert found.verdict == "equal"
        assert [it.random_state for it in found] == [("random",), ()]

    def test_of_the_same_state_are_an_origin(self, runs):
        for number, run in enumerate(runs):
            call(run, 1, number, seed=7)
        assert compared(runs).first.role == "origin"

    def test_of_which_one_has_no_state_are_an_origin(self, runs):
        for number, run in enumerate(runs):
            call(run, 1, number, seed=number or None)
        assert compared(runs).first.role == "origin"

    def test_with_another_argument_inherit_that(self, runs):
        for number, run in enumerate(runs):
            call(run, 1, number, seed=number, x=number)
        found = compared(runs)
        assert [it.role for it in found] == ["possibly inherited", "inherited"]

    def test_name_the_variables_that_differ(self, runs, monkeypatch):
        for number, run in enumerate(runs):
            monkeypatch.setenv("OMP_NUM_THREADS", str(number + 1))
            call(run, 1, number, seed=7)
        assert compared(runs).first.inputs.endswith("differs: OMP_NUM_THREADS")

    @pytest.mark.parametrize("odd", [None, 3, {"environment": 3, "random": "\x1b"}])
    def test_whose_state_is_none_raise_no_error(self, runs, odd):
        for number, run in enumerate(runs):
            values = {"x": 0, RANDOM_STATE: odd if number else state(1)}
            run.save("draw", values, tags={"call": 1}, part="arguments")
            run.save("draw.result", number, tags={"call": 1}, part="result")
        assert compared(runs).first.name == "draw.result"


class TestCheckpoints:
    def test_after_a_call_of_another_state_may_inherit_it(self, runs):
        for seed, run in enumerate(runs):
            call(run, 1, 0, seed=seed, inside=seed)
        found = compared(runs)
        assert (found.first.name, found.first.role) == ("inner", "possibly inherited")
        assert found.first.inputs == (
            "not known; random state before draw differs: random"
        )
