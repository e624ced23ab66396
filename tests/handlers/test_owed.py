"""Errors of background saves: raised once, to the caller that asked for it."""

from __future__ import annotations

import pytest

from checkpoints._handlers.outcomes import Owed
from checkpoints._rules.rule import Rule


@pytest.fixture
def owed():
    return Owed()


@pytest.fixture
def rules():
    return [Rule("owed", None), Rule("owed", None)]


class TestOwed:
    def test_nothing_is_raised_where_nothing_is_owed(self, owed, rules):
        owed.pay()
        owed.pay(rules[0])

    def test_an_error_is_raised_once(self, owed, rules):
        owed.add(rules[0], ValueError("mine"), "story")
        with pytest.raises(ValueError, match="mine"):
            owed.pay(rules[0])
        owed.pay()

    def test_those_of_other_rules_stay(self, owed, rules):
        owed.add(rules[0], ValueError("mine"), "story")
        owed.pay(rules[1])
        with pytest.raises(ValueError, match="mine"):
            owed.pay()

    def test_the_first_is_raised_with_a_note_of_each_other(self, owed, rules):
        owed.add(rules[0], ValueError("first"), "the story of the first")
        owed.add(rules[1], ValueError("second"), "the story of the second")
        with pytest.raises(ValueError, match="first") as told:
            owed.pay()
        assert told.value.__notes__ == ["and then, the story of the second"]

    def test_what_nobody_came_to_raise_is_told_once(self, owed, rules, caplog):
        owed.add(rules[0], ValueError("mine"), "the story")
        owed.tell()
        owed.tell()
        assert caplog.messages == [
            "the story. It was to be raised, and no call came to do so"
        ]
        owed.pay()
