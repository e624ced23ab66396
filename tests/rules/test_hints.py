"""Hints for mistyped names, and the error that is raised."""

from __future__ import annotations

import itertools

import pytest

from checkpoints import DictHandler, Handler, checkpoint, config, register, tags
from checkpoints._handlers.handler import ABSENT
from checkpoints._rules.registry import Registry
from checkpoints._rules.rule import Rule

_numbers = itertools.count()


def in_force(registry, names, target, options):
    rule = Rule(names, target, **options)
    registry.add(rule)
    return rule


@pytest.fixture
def package():
    """A package name that no other test uses, because names stay registered."""
    return f"hinted{next(_numbers)}"


@pytest.fixture
def registry():
    """A separate registry, so that no other test's names are the nearest."""
    own = Registry()
    own.names.register(["fcast.model.fit", "other"])
    yield own
    own.reset()


class Failing(Handler):
    def __init__(self, error):
        self.error = error

    def commit(self, key, staged):
        raise self.error


class TestPrefix:
    def test_a_text_that_was_meant_as_a_part_of_the_name_is_told_once(
        self, package, caplog
    ):
        register(package, "stage")
        with config(package, DictHandler(force=True)):
            for _ in range(3):
                checkpoint(package, "stage", x=1)
        (message,) = caplog.messages
        assert f"checkpoint('{package}', 'stage', ...)" in message
        assert f"'{package}.stage' is registered" in message

    def test_it_is_told_while_the_name_is_off_too(self, package, caplog):
        register(package, "stage")
        checkpoint(package, "stage", x=1)
        assert f"'{package}.stage' is registered" in caplog.text

    def test_a_text_like_no_name_is_data_as_any_other(self, package, caplog):
        register(package, "stage")
        saved = []
        with config(package, lambda key, data: saved.append(data)):
            checkpoint(package, "other", x=1)
            checkpoint(package, "stage")
        assert caplog.messages == []
        assert saved == [{"data": "other", "x": 1}, {"data": "stage"}]


class TestNearest:
    @pytest.mark.parametrize(
        ("wanted", "nearest"),
        [
            ("fcst", "fcast"),
            ("Fcast", "fcast"),
            ("FCAST.Modle", "fcast.model"),
            ("fcast.model.fitt", "fcast.model.fit"),
            ("othr", "other"),
        ],
    )
    def test_it_is_a_name_or_the_beginning_of_one(
        self, registry, caplog, wanted, nearest
    ):
        in_force(registry, [wanted], None, {})
        (message,) = caplog.messages
        assert f"{wanted!r} is not known yet" in message
        assert message.endswith(f"; did you mean {nearest!r}?")

    def test_names_with_the_same_hint_are_told_together(self, registry, caplog):
        in_force(registry, ["shop.oven", "shop.till"], None, {})
        (message,) = caplog.messages
        assert "checkpoints 'shop.oven', 'shop.till' are not known yet" in message

    def test_the_name_is_given_as_it_is_written(self, registry, caplog):
        registry.names.register(["Shop.Total"])
        in_force(registry, ["shop.totl"], None, {})
        assert "did you mean 'Shop.Total'?" in caplog.text

    def test_a_listed_name_that_others_lie_below_is_told_as_such(
        self, registry, caplog
    ):
        in_force(registry, ["fcast.model", "other"], None, {})
        (message,) = caplog.messages
        assert "a list takes exact names" in message
        assert "'fcast.model' by itself covers all below it" in message

    @pytest.mark.parametrize("names", ["out/other", "/out/*"])
    def test_a_pattern_with_a_slash_is_told(self, registry, caplog, names):
        in_force(registry, names, print, {})
        (message,) = caplog.messages
        assert repr(names) in message
        assert "config(names, target)" in message

    def test_a_slash_in_a_target_is_none_in_a_pattern(self, registry, caplog, tmp_path):
        in_force(registry, "fcast", tmp_path, {})
        assert caplog.messages == []


class TestRemoval:
    def test_a_rule_that_matched_nothing_is_told_at_once(self, registry, caplog):
        rule = in_force(registry, "fcst", print, {})
        assert caplog.messages == []
        rule.remove()
        rule.remove()
        (message,) = caplog.messages
        assert "'fcst'" in message
        assert "matched no checkpoint" in message
        assert "did you mean 'fcast'?" in message

    def test_a_rule_that_matched_is_not(self, registry, caplog):
        in_force(registry, "fcast", print, {}).remove()
        assert caplog.messages == []

    def test_a_rule_after_the_last_call_is_not_told_when_it_is_removed(
        self, registry, caplog
    ):
        registry.call("fcast.model.fit", 1, {})
        in_force(registry, "fcast", print, {}).remove()
        assert caplog.messages == []

    def test_a_where_that_no_call_had_is_told(self, package, caplog):
        with config(package, DictHandler(), where={"dya": "monday"}):
            for day in ("monday", "tuesday"):
                with tags(day=day):
                    checkpoint(package, 1)
            assert caplog.messages == []
        (message,) = caplog.messages
        assert "'dya'" in message
        assert "no call had the tags" in message

    def test_a_where_that_one_call_had_is_not(self, package, caplog):
        with config(package, DictHandler(), where={"day": "monday"}):
            for day in ("monday", "tuesday"):
                with tags(day=day):
                    checkpoint(package, 1)
        assert caplog.messages == []

    def test_a_where_that_no_call_came_to_is_not(self, package, caplog):
        register(package)
        with config(package, DictHandler(), where={"day": "monday"}):
            pass
        assert caplog.messages == []


class TestRaise:
    def test_all_handlers_get_the_data_and_the_first_error_is_raised(self, package):
        first, last = DictHandler(), DictHandler()
        errors = [ValueError("the first"), OSError("the second")]
        failing = [Failing(error) for error in errors]
        config(package, [first, failing[0], failing[1], last], on_error="raise")
        with pytest.raises(ValueError, match="the first") as told:
            checkpoint(package, 1)
        assert told.value is errors[0]
        assert first == last == {package: {"data": 1}}

    @pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
    def test_what_ends_the_program_waits_for_no_handler(self, package, error):
        last = DictHandler()
        config(package, [Failing(error()), last], on_error="raise")
        with pytest.raises(error):
            checkpoint(package, 1)
        assert len(last) == 0


class TestOldNames:
    def test_one_that_is_off_is_looked_up_and_told_once(self, registry):
        registry.deprecate("old", "other")
        with pytest.warns(DeprecationWarning, match=r"old.*other"):
            assert registry.lookup("old") == ("other", None)
        assert registry.plans["old"] is ABSENT
        # A second warning would be an error here.
        assert registry.lookup("old")[1] is None

    def test_a_rule_made_later_holds_for_it_all_the_same(self, registry):
        registry.deprecate("old", "other")
        with pytest.warns(DeprecationWarning, match="old"):
            registry.lookup("old")
        rule = in_force(registry, "other", print, {})
        for _ in range(2):
            with pytest.warns(DeprecationWarning, match="old"):
                assert registry.lookup("old") == ("other", (rule,))
        assert "old" not in registry.plans
        assert registry.is_enabled("old")
