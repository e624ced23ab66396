"""Errors of background saves: raised once, to the caller that asked for it."""

from __future__ import annotations

import pytest

from checkpoints._handlers.outcomes import DeferredErrors
from checkpoints._rules.rule import Rule


@pytest.fixture
def errors():
    return DeferredErrors()


@pytest.fixture
def rules():
    return [Rule("deferred", None), Rule("deferred", None)]


class TestDeferredErrors:
    def test_nothing_is_raised_where_nothing_is_deferred(self, errors, rules):
        errors.raise_first()
        errors.raise_first(rules[0])

    def test_an_error_is_raised_once(self, errors, rules):
        errors.add(rules[0], ValueError("mine"), "story")
        with pytest.raises(ValueError, match="mine"):
            errors.raise_first(rules[0])
        errors.raise_first()

    def test_those_of_other_rules_stay(self, errors, rules):
        errors.add(rules[0], ValueError("mine"), "story")
        errors.raise_first(rules[1])
        with pytest.raises(ValueError, match="mine"):
            errors.raise_first()

    def test_the_first_is_raised_with_a_note_of_each_other(self, errors, rules):
        errors.add(rules[0], ValueError("first"), "the story of the first")
        errors.add(rules[1], ValueError("second"), "the story of the second")
        with pytest.raises(ValueError, match="first") as told:
            errors.raise_first()
        assert told.value.__notes__ == ["and then, the story of the second"]

    def test_what_nobody_came_to_raise_is_told_once(self, errors, rules, caplog):
        errors.add(rules[0], ValueError("mine"), "the story")
        errors.log_all()
        errors.log_all()
        assert caplog.messages == [
            "the story. It was never raised: no later call or flush() under this rule"
        ]
        errors.raise_first()
