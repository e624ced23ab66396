"""What a rule refuses, known at once."""

from __future__ import annotations

import pytest

from checkpoints import DictHandler, config, probed, tags
from checkpoints._keys.tags import current_tags
from checkpoints._rules.refusal import Refusal


class Changing:
    """A value whose text changes."""

    text = "a"

    def __str__(self):
        return self.text


class TestRefusal:
    def test_goes_by_the_tags(self):
        refusal = Refusal({"day": "a"}, None)
        assert refusal.of_tags(())
        with tags(day="b"):
            assert refusal.of_tags(current_tags())
            with tags(day="a"):
                assert not refusal.of_tags(current_tags())
        with tags(day="a"):
            assert [refusal.of_tags(current_tags()) for _ in range(2)] == [False] * 2

    def test_goes_by_the_values(self):
        refusal = Refusal(None, {"n": ">3"})
        found = [refusal.of_values(["m", "n"], [0, n]) for n in (3, 4, 3, "4", None)]
        assert found == [True, False, True, False, True]

    def test_tells_values_apart_that_are_equal(self):
        refusal = Refusal(None, {"n": "==1"})
        found = [refusal.of_values(["n"], [n]) for n in (True, 1, 1.0, 1)]
        assert found == [True, False, True, False]
        refusal = Refusal(None, {"n": "==0.0"})
        assert not refusal.of_values(["n"], [0.0])
        assert not refusal.of_values(["n"], [-0.0])  # unknown

    @pytest.mark.parametrize(
        ("where", "given"),
        [
            ({"call": 3}, None),
            ({"day": lambda _: False}, {"n": lambda _: False}),
            (lambda _: False, {"other": 1}),
        ],
    )
    def test_is_unknown_where_it_depends_on_more(self, where, given):
        refusal = Refusal(where, given)
        assert not refusal.of_tags((("day", "a"),))
        assert not refusal.of_values(["n"], [1])

    def test_is_unknown_for_what_has_a_changing_text(self):
        refusal = Refusal({"day": "a"}, {"n": "a"})
        assert not refusal.of_tags((("day", Changing()),))
        assert not refusal.of_values(["n"], [Changing()])

    def test_is_unknown_for_what_has_no_text(self):
        assert not Refusal(None, {"n": 1}).of_values(["n"], [10**5000])


@probed("refused.scale")
def scale(a, b=2):
    return a * b


class TestCalls:
    def test_that_are_refused_are_counted(self):
        kept = DictHandler()
        with config("refused", kept, given={"a": 2}), tags(day="x"):
            scale(1)
            scale(2)
        (path,) = [path for path in kept if "result" not in path]
        first = int(path.partition("call=")[2].partition("/")[0])
        with config("refused", kept, where={"day": "y"}):
            scale(2)
            with tags(day="y"):
                scale(3)
        assert f"day=y/call={first + 2}/refused/scale" in kept

    def test_fall_to_a_rule_below(self):
        below, above = DictHandler(), DictHandler()
        with config("refused", below), config("refused", above, where={"day": 1}):
            scale(4)
        assert len(below) == 2
        assert len(above) == 0
