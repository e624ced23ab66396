"""Names: declared, renamed, listed, and switched on or off."""

from __future__ import annotations

import itertools

import pytest

from checkpoints import (
    ConfigError,
    DictHandler,
    available,
    capture,
    checkpoint,
    config,
    deprecate,
    deprecated,
    enabled,
    is_enabled,
    register,
    reset,
    rules,
    tags,
)
from checkpoints._rules.registry import registry

_numbers = itertools.count()


@pytest.fixture
def package():
    """A package name that no other test uses, because names stay registered."""
    return f"named{next(_numbers)}"


@pytest.fixture
def name(package):
    return f"{package}.fit"


@pytest.fixture
def seen(package):
    with capture(package) as handler:
        yield handler


class TestRegister:
    def test_a_name_is_there_before_anything_has_run(self, name):
        register(name)
        assert name in available()

    def test_it_takes_any_iterable_of_names(self, package):
        register(f"{package}.stage{number}" for number in range(3))
        register({f"{package}.set"})
        found = [known for known in available() if known.startswith(package)]
        assert found == [
            f"{package}.{n}" for n in ("set", "stage0", "stage1", "stage2")
        ]

    @pytest.mark.parametrize("names", ["fit", ["fit"], ("fit",), {"fit": 1}.keys()])
    def test_a_prefix_stands_before_each_name(self, package, names):
        register(package, names)
        assert f"{package}.fit" in available()

    def test_a_second_time_is_a_warning_that_names_it(self, name, package, caplog):
        register(name)
        assert caplog.messages == []
        register(package, "fit")
        assert len(caplog.messages) == 1
        assert repr(name) in caplog.text
        assert "is already registered" in caplog.text

    def test_a_second_time_changes_nothing(self, name, seen):
        register(name)
        before = available()
        register(name)
        assert available() == before
        assert is_enabled(name)

    def test_a_name_that_was_called_first_is_no_second_time(self, name, caplog):
        checkpoint(name, 1)
        register(name)
        assert caplog.messages == []

    def test_one_bad_name_among_several_registers_none(self, package):
        with pytest.raises(ConfigError, match=r"invalid checkpoint name '.*\.\.b'"):
            register(package, ["good", "a..b"])
        assert f"{package}.good" not in available()


class TestDeprecate:
    def test_a_call_by_the_old_name_reaches_the_new_one(self, package, seen):
        deprecate(f"{package}.old", f"{package}.new")
        with pytest.warns(DeprecationWarning, match=r"old' is now .*new': use") as told:
            checkpoint(f"{package}.old", 1)
        assert seen == {f"{package}/new": {"data": 1}}
        assert [warning.filename for warning in told] == [__file__]

    def test_a_name_that_was_called_before_can_become_an_old_one(self, package):
        handler = DictHandler()
        config(f"{package}.new", handler)
        checkpoint(package, "old", 1)
        deprecate(package, "old", "new")
        with pytest.warns(DeprecationWarning, match=r"old.*new"):
            checkpoint(package, "old", 2)
        assert handler == {f"{package}/new": {"data": 2}}

    def test_a_call_by_the_old_name_that_is_off_says_so_once(self, package, recwarn):
        deprecate(package, "old", "new")
        for _ in range(3):
            checkpoint(package, "old", 1)
        (told,) = recwarn
        assert f"{package}.new" in str(told.message)

    def test_every_call_by_the_old_name_that_is_on_says_so(self, package, seen):
        deprecate(package, "old", "new")
        for _ in range(3):
            with pytest.warns(DeprecationWarning, match="old") as told:
                checkpoint(package, "old", 1)
            assert told[0].filename == __file__

    def test_chains_are_followed(self, package, seen):
        deprecate(package, "first", "second")
        deprecate(package, "second", "third")
        for old in ("first", "second"):
            with pytest.warns(DeprecationWarning, match=f"{old}' is now .*third"):
                checkpoint(f"{package}.{old}", 1)
        assert list(seen) == [f"{package}/third"]

    def test_a_chain_may_be_made_from_its_end(self, package, seen):
        deprecate(package, "second", "third")
        deprecate(package, "first", "second")
        with pytest.warns(DeprecationWarning, match=r"first.*third"):
            checkpoint(package, "first", 1)
        assert list(seen) == [f"{package}/third"]

    @pytest.mark.parametrize("chain", ["a", "ab", "abc"])
    def test_a_circle_is_an_error_and_changes_nothing(self, package, chain):
        for old, new in itertools.pairwise(chain):
            deprecate(package, old, new)
        before = deprecated()
        with pytest.raises(ConfigError, match=r"^cannot rename") as told:
            deprecate(package, chain[-1], chain[0])
        assert isinstance(told.value, ValueError)
        assert deprecated() == before

    def test_old_names_are_not_available_and_new_ones_are(self, package):
        register(package, "old")
        deprecate(package, "old", "new")
        assert f"{package}.old" not in available()
        assert f"{package}.new" in available()
        assert deprecated()[f"{package}.old"] == f"{package}.new"

    @pytest.mark.parametrize("listed", [False, True])
    def test_a_rule_made_afterwards_reaches_the_new_name(self, package, listed):
        deprecate(package, "old", "new")
        handler = DictHandler()
        old = f"{package}.old"
        with pytest.warns(DeprecationWarning, match=r"old.*is now.*new") as told:
            config([old] if listed else old, handler, on_error="raise")
        checkpoint(package, "new", 1)
        assert list(handler) == [f"{package}/new"]
        assert told[0].filename == __file__

    def test_a_rule_made_before_reaches_the_new_name(self, package):
        handler = DictHandler()
        config(f"{package}.old", handler, on_error="raise")
        with pytest.warns(DeprecationWarning, match=r"old.*is now.*new") as told:
            deprecate(package, "old", "new")
        checkpoint(package, "new", 1)
        assert list(handler) == [f"{package}/new"]
        assert told[0].filename == __file__

    def test_a_capture_by_the_old_name_points_at_who_wrote_it(self, package):
        deprecate(package, "old", "new")
        warned = pytest.warns(DeprecationWarning, match=r"old.*is now.*new")
        with warned as told, capture(f"{package}.old") as seen:
            checkpoint(package, "new", 1)
        assert list(seen) == [f"{package}/new"]
        assert told[0].filename == __file__

    def test_a_rule_is_warned_of_once_not_with_each_later_deprecation(self, package):
        config(f"{package}.old", DictHandler())
        with pytest.warns(DeprecationWarning, match="old"):
            deprecate(package, "old", "new")
        deprecate(package, "past", "present")

    def test_a_rule_over_both_names_has_nothing_to_warn_of(self, package, seen):
        deprecate(package, "old", "new")
        config(f"{package}.*", seen)

    def test_a_name_off_stays_off_by_its_old_name(self, package):
        deprecate(package, "old", "new")
        with pytest.warns(DeprecationWarning, match="old"):
            assert checkpoint(package, "old", 1) is None

    def test_a_later_rule_by_the_new_name_wins(self, package):
        deprecate(package, "old", "new")
        by_old, by_new = DictHandler(), DictHandler()
        with pytest.warns(DeprecationWarning, match="old"):
            config(f"{package}.old", by_old)
        config(f"{package}.new", by_new)
        checkpoint(package, "new", 1)
        assert (len(by_old), len(by_new)) == (0, 1)


class TestLists:
    def test_enabled_names_are_those_that_a_rule_with_a_target_covers(self, package):
        register(package, ["on", "off", "other"])
        config(package, DictHandler())
        config(f"{package}.off", None)
        ours = [known for known in enabled() if known.startswith(package)]
        assert ours == [f"{package}.on", f"{package}.other"]

    def test_is_enabled_says_what_a_call_would_do(self, name, package):
        assert not is_enabled(name)
        with config(package, DictHandler()):
            assert is_enabled(name)
            with config(name, None):
                assert not is_enabled(name)
            assert is_enabled(name)
        assert not is_enabled(name)

    def test_is_enabled_knows_the_tags_of_the_moment(self, name):
        config(name, DictHandler(), where={"day": "monday"})
        assert not is_enabled(name)
        with tags(day="monday"):
            assert is_enabled(name)

    def test_is_enabled_follows_an_old_name_without_a_warning(self, package):
        deprecate(package, "old", "new")
        config(f"{package}.new", DictHandler())
        assert is_enabled(f"{package}.old")

    def test_is_enabled_uses_up_no_limit(self, name):
        handler = DictHandler()
        config(name, handler, limit=1)
        assert is_enabled(name)
        assert is_enabled(name)
        checkpoint(name, 1)
        assert len(handler) == 1

    def test_is_enabled_marks_no_rule_as_used(self, name, monkeypatch):
        used = []
        monkeypatch.setattr(registry, "reporter", used.append)
        rule = config(name, DictHandler(), where={"day": "monday"})
        register(name)
        idle = registry.why_idle(rule).text
        assert "no call of it was seen" in idle
        assert not is_enabled(name)
        with tags(day="monday"):
            assert is_enabled(name)
        assert registry.why_idle(rule).text == idle
        assert used == []
        with tags(day="monday"):
            checkpoint(name, 1)
        assert used == [rule]

    def test_is_enabled_declares_nothing(self, name):
        is_enabled(name)
        assert name not in available()

    def test_reset_takes_back_rules_and_keeps_names(self, name, tmp_path):
        register(name)
        config(name, tmp_path)
        reset()
        assert rules() == []
        assert not is_enabled(name)
        assert name in available()
