"""`checkpoint()` and related functions, as a library and its users see them."""

from __future__ import annotations

import importlib
import itertools
import threading
from collections import OrderedDict
from pathlib import Path
from types import MappingProxyType

import pytest

from checkpoints import (
    ConfigError,
    DictHandler,
    available,
    capture,
    checkpoint,
    config,
    current_tags,
    rules,
    tags,
    with_checkpoint_tags,
)
from checkpoints._rules.registry import registry

_numbers = itertools.count()
BAD_NAMES = ["", "a..b", ".a", "a.", ".", None, 5, b"a", [], {}, ("a",)]


@pytest.fixture
def package():
    """A package name that no other test uses, because names stay registered."""
    return f"checked{next(_numbers)}"


@pytest.fixture
def name(package):
    return f"{package}.fit"


@pytest.fixture
def seen(package):
    with capture(package) as handler:
        yield handler


@pytest.fixture
def fakelib(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[1])
    return importlib.import_module("fakelib")


def _touched(*_, **__):
    raise AssertionError("the value was touched")


_kept = {
    *("__new__", "__init__", "__class__", "__init_subclass__", "__subclasshook__"),
    *("__name__", "__qualname__", "__module__", "__doc__", "__dict__", "__slots__"),
    *("__type_params__", "__classcell__", "__set_name__"),
}
_dunders = {
    dunder
    for kind in (object, int, float, str, list, dict, set, memoryview, type(_touched))
    for dunder in dir(kind)
    if dunder.startswith("__")
}
Untouchable = type("Untouchable", (), dict.fromkeys(_dunders - _kept, _touched))


class Speechless:
    """Cannot be converted to a string."""

    __str__ = __repr__ = _touched


class Counted(str):
    """A name that counts how often it is split for checking."""

    __slots__ = ()
    splits = 0

    def split(self, *arguments):
        type(self).splits += 1
        return super().split(*arguments)


class TestCallForms:
    def test_one_value_is_called_data(self, name, package, seen):
        checkpoint(name, [1, 2])
        assert seen == {f"{package}/fit": {"data": [1, 2]}}

    def test_two_texts_are_a_name_and_its_data(self, package, seen):
        checkpoint(package, "b")
        assert seen == {package: {"data": "b"}}

    def test_none_is_data_like_any_other(self, name, package, seen):
        checkpoint(name, None)
        assert seen[f"{package}/fit"] == {"data": None}

    def test_keywords_are_values_by_name(self, name, package, seen):
        checkpoint(name, x=1, y=None)
        assert seen[f"{package}/fit"] == {"x": 1, "y": None}

    def test_keywords_may_have_the_names_of_the_parameters(self, name, package, seen):
        values = {"name": 1, "data": 2, "nested": 3, "prefix": 4, "self": 5}
        checkpoint(name, **values)
        assert seen[f"{package}/fit"] == values

    def test_three_arguments_are_a_prefix_a_name_and_data(self, package, seen):
        checkpoint(package, "fit", "text")
        assert seen == {f"{package}/fit": {"data": "text"}}

    def test_prefix_and_name_may_be_dotted_both(self, package, seen):
        checkpoint(f"{package}.a", "b.c", None)
        assert seen == {f"{package}/a/b/c": {"data": None}}

    @pytest.mark.parametrize("kind", [dict, OrderedDict, MappingProxyType])
    def test_a_mapping_with_text_keys_is_its_values(self, name, package, seen, kind):
        checkpoint(name, kind({"x": 1, "y": 2}))
        assert seen[f"{package}/fit"] == {"x": 1, "y": 2}

    @pytest.mark.parametrize("data", [{1: "a"}, {"x": 1, 2: 3}, {("x",): 1}])
    def test_a_mapping_with_other_keys_is_one_value(self, name, package, seen, data):
        checkpoint(name, data)
        assert seen[f"{package}/fit"] == {"data": data}

    @pytest.mark.parametrize("data", [[("x", 1)], "x", {"x"}, 1.5, b"x"])
    def test_what_is_no_mapping_is_one_value(self, name, package, seen, data):
        checkpoint(name, data)
        assert seen[f"{package}/fit"] == {"data": data}

    def test_keywords_join_the_values_of_a_mapping(self, package, seen):
        checkpoint(package, "fit", {"x": 1}, y=2)
        assert seen[f"{package}/fit"] == {"x": 1, "y": 2}

    def test_keywords_join_the_one_value(self, name, package, seen):
        checkpoint(name, 5, y=2)
        assert seen[f"{package}/fit"] == {"data": 5, "y": 2}

    @pytest.mark.parametrize(("data", "twice"), [({"x": 1}, "x"), (7, "data")])
    def test_a_value_given_twice_is_an_error_that_names_it(
        self, name, seen, data, twice
    ):
        with pytest.raises(
            ConfigError, match=f"'{twice}' is given twice.*rename one of them"
        ):
            checkpoint(name, data, **{twice: 2})
        assert len(seen) == 0

    def test_it_returns_nothing_whether_on_or_off(self, name, package):
        assert checkpoint(name, 1) is None
        with capture(package):
            assert checkpoint(name, 1) is None

    def test_a_name_never_registered_is_registered_by_the_call(self, name):
        checkpoint(name, 1)
        assert name in available()

    def test_the_tags_of_the_moment_are_part_of_the_key(self, name, package, seen):
        with tags(day="monday"), tags(("fold", 1), ("fold", 2)):
            checkpoint(name, 1)
        assert list(seen) == [f"day=monday/fold=1/fold=2/{package}/fit"]


class TestOff:
    def test_the_value_of_the_tests_cannot_be_touched(self):
        for touch in (repr, bool, len, hash, iter, type(_touched).__call__, dir):
            with pytest.raises((AssertionError, TypeError)):
                touch(Untouchable())

    def test_no_value_is_touched(self, name, package):
        for _ in range(2):
            checkpoint(name, Untouchable())
            checkpoint(name, x=Untouchable())
            checkpoint(package, "fit", Untouchable(), y=Untouchable())

    def test_no_value_is_touched_under_a_rule_that_switches_off(self, name, package):
        with config("*", _touched), config(package, None):
            for _ in range(2):
                checkpoint(name, Untouchable(), x=Untouchable())

    def test_no_file_and_no_folder_is_made(self, name, package, tmp_path):
        with config(f"{package}.other", tmp_path / "root"):
            checkpoint(name, 1)
        assert list(tmp_path.iterdir()) == []

    def test_only_the_first_call_looks_at_the_name(self, name):
        counted = Counted(name)
        Counted.splits = 0
        checkpoint(counted, 1)
        first = Counted.splits
        for _ in range(5):
            checkpoint(counted, 1)
        assert first > 0
        assert Counted.splits == first

    def test_no_lock_is_waited_for(self, name):
        checkpoint(name, 1)
        thread = threading.Thread(target=checkpoint, args=(name, 1))
        with registry.lock:
            thread.start()
            thread.join(20)
            assert not thread.is_alive()

    def test_a_call_is_off_again_when_its_rule_is_gone(self, name):
        handler = DictHandler()
        with config(name, handler):
            checkpoint(name, 1)
        checkpoint(name, Untouchable())
        assert len(handler) == 1


class TestBadName:
    @pytest.mark.parametrize("bad", BAD_NAMES, ids=repr)
    def test_it_does_nothing_without_a_rule(self, bad, caplog):
        checkpoint(bad, 1)
        checkpoint(bad, x=1)
        assert bad not in available()
        assert caplog.messages == []

    @pytest.mark.parametrize("bad", BAD_NAMES, ids=repr)
    def test_it_is_told_where_there_is_a_rule(self, bad, caplog, tmp_path):
        config("something.else", tmp_path)
        checkpoint(bad, 1)
        (message,) = caplog.messages
        is_short = isinstance(bad, str | tuple | int | None)
        given = repr(bad) if is_short else f"of type {type(bad).__name__}"
        assert f"invalid checkpoint name {given}: " in message
        assert "such as 'mypkg.fit'" in message

    @pytest.mark.parametrize("bad", BAD_NAMES, ids=repr)
    def test_it_raises_where_the_newest_rule_raises(self, bad, tmp_path):
        config("something.else", tmp_path, on_error="raise")
        with pytest.raises(ConfigError, match="invalid checkpoint name"):
            checkpoint(bad, 1)

    def test_it_does_not_raise_where_only_an_older_rule_does(self, caplog, tmp_path):
        config("something.else", tmp_path, on_error="raise")
        config("something.other", tmp_path)
        checkpoint("a..b", 1)
        assert len(caplog.messages) == 1

    @pytest.mark.parametrize(
        ("prefix", "bad"),
        [("", "fit"), ("a", ""), ("a.", "fit"), (None, "fit"), (5, "fit"), ("a", 5)],
    )
    def test_each_half_of_the_long_form_has_to_be_a_name(
        self, prefix, bad, caplog, tmp_path
    ):
        config("something.else", tmp_path)
        checkpoint(prefix, bad, 1)
        assert f"{prefix}.{bad}" not in available()
        assert [text for text in caplog.messages if "invalid checkpoint name" in text]

    def test_a_name_that_cannot_even_be_shown_takes_nobody_down(self, tmp_path):
        config("something.else", tmp_path)
        checkpoint(Speechless(), 1)
        checkpoint(Speechless(), "fit", 1)
        checkpoint("fit", Speechless(), 1)


class TestCapture:
    def test_it_sees_what_is_saved_inside_the_block_only(self, name, package):
        checkpoint(name, 0)
        with capture(package) as seen:
            checkpoint(name, 1)
        checkpoint(name, 2)
        assert seen == {f"{package}/fit": {"data": 1}}

    def test_everything_is_captured_unless_told_otherwise(self, name, package):
        with capture() as seen:
            checkpoint(name, 1)
        assert seen == {f"{package}/fit": {"data": 1}}

    def test_rules_made_before_do_not_see_these_names_meanwhile(self, name, package):
        before = DictHandler()
        config(package, before)
        with capture(name):
            checkpoint(name, 1)
            checkpoint(package, "other", 1)
        assert list(before) == [f"{package}/other"]

    def test_what_is_kept_does_not_change_with_the_original(self, name, package, seen):
        data = {"x": [1]}
        checkpoint(name, data)
        data["x"].append(2)
        assert seen[f"{package}/fit"] == {"x": [1]}

    def test_a_save_that_fails_raises(self, name, seen):
        with pytest.raises(ConfigError, match="given twice"):
            checkpoint(name, {"x": 1}, x=2)

    def test_a_key_saved_twice_keeps_the_last_with_a_warning(self, name, seen, caplog):
        checkpoint(name, 1)
        checkpoint(name, 2)
        assert [*seen.values()] == [{"data": 2}]
        assert "only the last save is kept" in caplog.text

    def test_its_rule_is_gone_after_an_error_too(self, name):
        with pytest.raises(ZeroDivisionError), capture(name):
            raise ZeroDivisionError
        assert rules() == []

    def test_a_library_is_switched_on_by_its_name(self, fakelib):
        with capture("fakelib") as seen:
            rows = fakelib.load(3)
            fakelib.fit(rows)
        assert seen == {
            "fakelib/load": {"data": [0, 2, 4]},
            "fakelib/fit": {"rows": [0, 2, 4], "total": 6},
        }

    def test_a_library_that_calls_an_old_name_is_told_where(self, fakelib):
        warned = pytest.warns(DeprecationWarning, match=r"fakelib\.train")
        with capture("fakelib.fit") as seen, warned as told:
            fakelib.old_fit([1])
        assert seen == {"fakelib/fit": {"rows": [1]}}
        assert told[0].filename == fakelib.__file__


class TestWithCheckpointTags:
    def test_the_function_runs_under_the_tags(self):
        pairs = with_checkpoint_tags(current_tags, ("a", 1), {"a": 2}, b=3)
        assert pairs == (("a", 1), ("a", 2), ("b", 3))

    def test_it_returns_what_the_function_returns(self):
        assert with_checkpoint_tags(lambda: [5], day="monday") == [5]

    def test_the_tags_add_to_those_outside_and_end_with_it(self):
        with tags(outer=1):
            pairs = with_checkpoint_tags(current_tags, inner=2)
            assert current_tags() == (("outer", 1),)
        assert pairs == (("outer", 1), ("inner", 2))

    def test_the_tags_end_with_an_error_too(self):
        with pytest.raises(ZeroDivisionError):
            with_checkpoint_tags(lambda: 1 / 0, a=1)
        assert current_tags() == ()

    def test_what_the_function_saves_has_the_tags(self, name, package, seen):
        with_checkpoint_tags(lambda: checkpoint(name, 1), day="monday")
        assert list(seen) == [f"day=monday/{package}/fit"]
