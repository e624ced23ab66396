"""Why a rule had no effect, derived from existing counts."""

from __future__ import annotations

import pytest

from checkpoints import DictHandler, tags
from checkpoints._rules.idle_rule import Reason
from checkpoints._rules.registry import Registry
from checkpoints._rules.rule import Rule
from checkpoints._rules.settings import ENVIRONMENT


@pytest.fixture
def registry():
    """A separate registry, without the names of other tests."""
    own = Registry()
    own.names.register(["shop.total", "shop.sale", "other"])
    yield own
    for rule in own.rules():
        rule.remove()


@pytest.fixture
def rule(registry):
    """Create a rule, as if from outside the program if it has a source."""

    def rule(names, *, off=False, source="", **options):
        target = None if off else DictHandler(force=True)
        made = Rule(names, target, **options)
        if source:
            made.layer, made.source = ENVIRONMENT, source
        registry.add(made)
        return made

    return rule


@pytest.fixture
def call(registry):
    def call(name, **values):
        registry.call(name, values, {})

    return call


@pytest.fixture
def why(registry):
    """Return the reason and the text, or None if there is nothing to report."""

    def why(rule):
        idle = registry.why_idle(rule)
        return None if idle is None else (idle.reason, idle.text + idle.by)

    return why


class TestUse:
    def test_a_rule_that_saved_something_is_not_idle(self, rule, call, why):
        used = rule("shop")
        call("shop.total", x=1)
        assert why(used) is None

    def test_one_of_no_names_is_not(self, rule, why):
        assert why(rule([])) is None

    def test_one_that_was_used_before_a_later_one_came_is_not(self, rule, call, why):
        used = rule("shop")
        call("shop.total", x=1)
        rule("shop")
        assert why(used) is None

    def test_one_whose_limit_was_reached_is_not(self, rule, call, why):
        used = rule("shop", every=100, limit=1)
        for _ in range(3):
            call("shop.total", x=1)
        assert why(used) is None


class TestUnknown:
    def test_a_name_that_is_like_a_known_one_is_told_with_that(self, rule, why):
        reason, text = why(rule("shop.totl"))
        assert reason is Reason.SIMILAR_NAME
        assert text.startswith("matched no checkpoint that the program knows of")
        assert "did you mean 'shop.total'?" in text

    def test_one_that_is_like_none_is_known_from_less(self, rule, why):
        reason, text = why(rule("quite.different"))
        assert reason is Reason.NO_NAME < Reason.SIMILAR_NAME
        assert text.endswith("; there are 'other', 'shop.sale', 'shop.total'")

    def test_the_name_of_a_value_is_told_as_the_option_that_it_is(self, rule, why):
        _, text = why(rule("shop.total.price", source="here"))
        assert text.endswith("did you mean 'shop.total?values=price'?")

    def test_it_is_told_as_python_writes_it_to_a_program(self, rule, why):
        _, text = why(rule("shop.total.price"))
        assert text.endswith("did you mean 'shop.total', values='price'?")

    def test_a_capture_has_no_values_to_ask_for(self, rule, why):
        made = rule("shop.total.price")
        made.takes_options = False
        assert why(made)[1].endswith("did you mean 'shop.total'?")

    def test_a_name_beside_others_is_no_value(self, registry, rule, why):
        registry.names.register(["shop.total.net"])
        _, text = why(rule("shop.total.nett", source="here"))
        assert "did you mean 'shop.total.net'?" in text

    def test_a_listed_name_is_told_that_it_is_exact(self, rule, why):
        _, text = why(rule(["shop"]))
        assert "a list takes exact names" in text

    def test_so_is_one_that_was_to_be_switched_off(self, rule, why):
        reason, _ = why(rule("shop.totl", off=True))
        assert reason is Reason.SIMILAR_NAME


class TestCovered:
    def test_the_later_rule_is_told_by_its_source(self, rule, why):
        first = rule("shop.total", source="first")
        rule("shop", source="second")
        reason, text = why(first)
        assert reason is Reason.OVERRIDDEN
        assert text == (
            "saved nothing: of the rules that cover a name the last one wins, which "
            "is second"
        )

    def test_one_without_a_source_is_told_as_it_is(self, rule, why):
        first, second = rule("shop.total"), rule("shop")
        assert why(first)[1].endswith(repr(second))

    def test_a_rule_that_keeps_one_of_its_names_is_not_covered(self, rule, call, why):
        first = rule("shop")
        rule("shop.total")
        call("shop.sale", x=1)
        assert why(first) is None

    def test_what_was_to_be_off_and_is_not_is_told(self, rule, why):
        off = rule("shop.total", off=True)
        rule("shop")
        assert why(off)[1].startswith("switched nothing off: of the rules")

    def test_what_is_off_all_the_same_is_not(self, rule, why):
        off = rule("shop.total", off=True)
        rule("shop", off=True)
        assert why(off) is None

    def test_a_later_rule_that_asks_for_tags_leaves_calls_to_it(self, rule, call, why):
        first = rule("shop")
        rule("shop", where={"day": "monday"})
        call("shop.total", x=1)
        assert why(first) is None

    def test_unless_it_took_all_that_there_were(self, rule, call, why):
        first = rule("shop")
        rule("shop", where={"day": "monday"}, source="second")
        with tags(day="monday"):
            call("shop.total", x=1)
        reason, text = why(first)
        assert reason is Reason.TAKEN
        assert text == "saved nothing: every matching call was taken by second"


class TestConditions:
    def test_on_values_that_no_call_met_are_told(self, rule, call, why):
        first = rule("shop", given={"x": 2})
        call("shop.total", x=1)
        reason, text = why(first)
        assert reason is Reason.TAGS
        assert text == "saved nothing: no call had the values that `given` asks for"

    def test_of_several_kinds_are_told_together(self, rule, call, why):
        first = rule("shop", where={"day": "monday"}, caller="elsewhere")
        call("shop.total", x=1)
        assert why(first)[1] == (
            "saved nothing: no call had the tags and caller that `where` and `caller` "
            "ask for; none had any"
        )


class TestUncalled:
    def test_a_name_that_is_known_and_was_not_called_is_told(self, rule, why):
        reason, text = why(rule("shop.total"))
        assert reason is Reason.NOT_CALLED
        assert (
            text == "saved nothing: 'shop.total' is known, but no call of it was seen"
        )

    def test_a_rule_after_the_last_call_is_told_and_likely_a_mistake(
        self, rule, call, why
    ):
        call("shop.sale", x=1)
        reason, text = why(rule("shop"))
        assert reason is Reason.TOO_LATE
        assert reason.is_likely_mistake
        assert text == "saved nothing: it came after the last call of 'shop.sale'"

    def test_many_are_told_by_their_number_and_one_of_them(self, rule, why):
        _, text = why(rule("shop"))
        assert text == (
            "saved nothing: none of the 2 names that it matches, such as 'shop.sale', "
            "was called"
        )

    def test_what_is_off_did_its_work(self, rule, call, why):
        off = rule("shop", off=True)
        assert why(off) is None
        call("shop.total", x=1)
        assert why(off) is None


class TestTags:
    def test_are_told_with_some_that_a_call_had(self, rule, call, why):
        asking = rule("shop", where={"day": "monday"})
        with tags(day="tuesday", till=3):
            call("shop.total", x=1)
        call("shop.total", x=1)
        reason, text = why(asking)
        assert reason is Reason.TAGS
        assert text == (
            "saved nothing: no call had the tags that `where` asks for; one had "
            "day='tuesday', till=3"
        )

    def test_that_no_call_had_any_of_are_told_so(self, rule, call, why):
        asking = rule("shop", where={"day": "monday"})
        call("shop.total", x=1)
        assert why(asking)[1].endswith("; none had any")

    def test_of_a_great_number_only_some_are_told(self, rule, call, why):
        asking = rule("shop", where={"day": "monday"})
        with tags(**{f"t{number}": number for number in range(7)}):
            call("shop.total", x=1)
        assert why(asking)[1].endswith("t4=4 and 2 more")

    def test_that_would_switch_off_are_told_as_that(self, rule, call, why):
        rule("shop")
        off = rule("shop", off=True, where={"day": "monday"})
        call("shop.total", x=1)
        assert why(off)[1].startswith("switched nothing off: no call had the tags")

    def test_are_asked_for_anew_in_a_forked_child(self, rule, call, why):
        asking = rule("shop", where={"day": "monday"})
        with tags(day="monday"):
            call("shop.total", x=1)
        asking.renew()
        call("shop.total", x=1)
        assert why(asking)[0] is Reason.TAGS


class TestValues:
    def test_are_told_with_some_that_a_call_had(self, rule, call, why):
        asking = rule("shop", values=["prise"])
        call("shop.total", price=1, items=2)
        reason, text = why(asking)
        assert reason is Reason.VALUES
        assert text == (
            "saved nothing: no call had a value that `values` asks for; one had "
            "'price', 'items'"
        )

    def test_that_one_call_had_are_not(self, rule, call, why):
        asking = rule("shop", values=["price"])
        call("shop.sale", items=2)
        call("shop.total", price=1)
        assert why(asking) is None

    def test_that_nobody_asked_for_are_not(self, rule, call, why):
        narrowing = rule("shop", summary=True)
        call("shop.total")
        assert why(narrowing) is None


class TestLog:
    @pytest.mark.parametrize("names", ["shop", "shop.total"])
    def test_is_not_told_of_names_that_were_not_called(self, rule, caplog, names):
        rule(names).remove()
        assert caplog.messages == []

    def test_nor_of_a_rule_below_a_later_one(self, rule, caplog):
        first = rule("shop.total")
        rule("shop")
        first.remove()
        assert caplog.messages == []
