"""Errors that wait until somebody is there who can be told."""

from __future__ import annotations

import pytest

from checkpoints._owed import Owed


@pytest.fixture
def owed():
    return Owed()


class TestOwed:
    def test_nothing_is_raised_where_nothing_is_owed(self, owed):
        owed.pay()
        assert list(owed) == []

    def test_the_first_is_raised_once_and_tells_of_the_others(self, owed):
        for number in range(3):
            owed.add("rule", ValueError(number))
        with pytest.raises(ValueError, match="0") as caught:
            owed.pay("rule")
        assert caught.value.__notes__ == [
            "and then: ValueError: 1",
            "and then: ValueError: 2",
        ]
        owed.pay("rule")

    def test_those_of_other_rules_stay(self, owed):
        owed.add("first", ValueError("of the first"))
        owed.add("second", LookupError("of the second"))
        with pytest.raises(LookupError):
            owed.pay("second")
        with pytest.raises(ValueError, match="of the first"):
            owed.pay()

    def test_they_can_be_forgotten(self, owed):
        owed.add("rule", ValueError())
        owed.clear()
        owed.pay()
        assert list(owed) == []
