"""Rules: which calls they cover, and where the data goes."""

from __future__ import annotations

import itertools
import os
import threading
from pathlib import Path

import pytest

from checkpoints import (
    DictHandler,
    FileHandler,
    Handler,
    checkpoint,
    config,
    index,
    is_enabled,
    register,
    rules,
    stats,
    tags,
)

_numbers = itertools.count()


@pytest.fixture
def package():
    """A package name that no other test uses, because names stay registered."""
    return f"ruled{next(_numbers)}"


@pytest.fixture
def handler():
    return DictHandler(force=True)


@pytest.fixture
def saved(handler, package):
    """Return which of some names in the package a rule covers."""

    def names(*parts):
        for part in parts:
            checkpoint(f"{package}{part}", 1)
        return [path.removeprefix(package) for path in handler]

    return names


class Recorder(Handler):
    """Records what it receives, in order."""

    def __init__(self):
        self.calls = []

    def commit(self, key, staged):
        self.calls.append((key.name, key.tags, staged))

    @property
    def data(self):
        return [staged["data"] for _, _, staged in self.calls]


class Failing(Handler):
    def commit(self, key, staged):
        raise RuntimeError("this target is out of order")


@pytest.fixture
def recorder():
    return Recorder()


class TestPatterns:
    def test_an_exact_name_covers_itself_and_all_below(self, package, handler, saved):
        config(f"{package}.a", handler)
        covered = saved("", ".a", ".a.b", ".a.b.c", ".ab", ".b")
        assert covered == ["/a", "/a/b", "/a/b/c"]

    def test_a_prefix_never_covers_half_a_part(self, package, handler, saved):
        config(package, handler)
        assert saved("foo.fit", "foo", ".fit") == ["/fit"]

    @pytest.mark.parametrize(
        ("pattern", "covered"),
        [
            (".*", ["/fit", "/fat", "/sub/fit", "/sub/deep/fit"]),
            ("*", ["", "/fit", "/fat", "/sub/fit", "/sub/deep/fit", "2/fit"]),
            (".*.fit", ["/sub/fit", "/sub/deep/fit"]),
            (".f?t", ["/fit", "/fat"]),
            (".f[ao]t", ["/fat"]),
            (".f[!a]t", ["/fit"]),
            (".*deep*", ["/sub/deep/fit"]),
            ("?.fit", ["2/fit"]),
        ],
    )
    def test_a_glob_crosses_dots(self, package, handler, saved, pattern, covered):
        config(f"{package}{pattern}", handler)
        names = ("", ".fit", ".fat", ".sub.fit", ".sub.deep.fit", "2.fit")
        assert saved(*names) == covered

    def test_a_glob_minds_upper_and_lower_case(self, package, handler, saved):
        config(f"{package}.F*", handler)
        assert saved(".fit", ".Fit") == ["/Fit"]

    @pytest.mark.parametrize("collection", [list, tuple, set, iter])
    def test_a_list_is_of_exact_names(self, package, handler, saved, collection):
        names = [f"{package}.a", f"{package}.b.c"]
        register(names)
        config(collection(names), handler)
        assert saved(".a", ".a.b", ".b", ".b.c") == ["/a", "/b/c"]

    def test_names_registered_later_are_covered_as_well(self, package, handler, saved):
        config(package, handler)
        register(package, "later")
        assert is_enabled(f"{package}.later")
        assert saved(".later", ".never_registered") == ["/later", "/never_registered"]

    def test_a_name_that_was_off_before_is_covered_too(self, package, handler, saved):
        saved(".fit")
        config(package, handler)
        assert saved(".fit") == ["/fit"]

    def test_an_unknown_name_in_a_list_is_told_at_once(self, package, caplog):
        register(package, ["forecast", "backcast"])
        config([f"{package}.forecast", f"{package}.forcast"], DictHandler())
        (message,) = caplog.messages
        assert f"'{package}.forcast' is not known" in message
        assert f"did you mean '{package}.forecast'?" in message

    def test_an_unknown_name_in_a_list_stays(self, package, handler, saved):
        config([f"{package}.forecast"], handler)
        assert saved(".forecast") == ["/forecast"]

    def test_an_unknown_pattern_is_nothing_to_tell_at_once(self, package, caplog):
        config(f"{package}.nothing", DictHandler())
        config(f"{package}.n*", DictHandler())
        assert caplog.messages == []


class TestOrder:
    def test_the_last_rule_that_matches_wins(self, package, recorder):
        other = Recorder()
        config(package, recorder)
        config(f"{package}.fit", other)
        checkpoint(package, "fit", 1)
        checkpoint(package, "load", 2)
        assert (recorder.data, other.data) == ([2], [1])

    def test_none_as_the_last_target_switches_off(self, package, recorder):
        config(package, recorder)
        config(f"{package}.fit", None)
        checkpoint(package, "fit", 1)
        checkpoint(package, "load", 2)
        assert recorder.data == [2]

    def test_a_rule_after_none_switches_on_again(self, package, recorder):
        config(package, None)
        config(f"{package}.fit", recorder)
        checkpoint(package, "fit", 1)
        assert recorder.data == [1]

    def test_rules_are_listed_oldest_first(self, package):
        made = [config(package, None), config("*", None), config([], None)]
        assert rules() == made

    def test_a_rule_says_what_it_does(self, package, tmp_path):
        rule = config(package, tmp_path, every=3, on_error="ignore")
        for part in (package, str(tmp_path), "every=3", "on_error='ignore'"):
            assert part in repr(rule)


class TestRemoval:
    def test_what_a_rule_covered_is_as_it_was_before(self, package, recorder):
        config(package, recorder)
        rule = config(package, None)
        checkpoint(package, "fit", 1)
        rule.remove()
        checkpoint(package, "fit", 2)
        assert recorder.data == [2]

    def test_twice_is_no_harm(self, package, recorder):
        rule, other = config(package, None), config(package, recorder)
        rule.remove()
        rule.remove()
        assert rules() == [other]

    def test_the_end_of_a_with_block_removes(self, package, recorder):
        with config(package, recorder) as rule:
            assert rules() == [rule]
            checkpoint(package, "fit", 1)
        checkpoint(package, "fit", 2)
        assert rules() == []
        assert recorder.data == [1]

    def test_an_error_in_a_with_block_removes_and_goes_on(self, package):
        with pytest.raises(ZeroDivisionError), config(package, None):
            raise ZeroDivisionError
        assert rules() == []


class TestWhere:
    @pytest.mark.parametrize(
        "where",
        [
            {"fold": 2},
            {"fold": "2"},
            {"fold": [2, 5]},
            {"fold": {"2"}},
            {"fold": (7, "2")},
            {"fold": "[2-3]"},
            {"fold": ["x*", "2*"]},
            {"fold": 2, "day": "mon*"},
            {"day": "monday", "fold": "?"},
            {},
            lambda pairs: dict(pairs)["fold"] == 2,
            lambda pairs: ("day", "monday") in pairs,
        ],
    )
    def test_tags_that_match(self, package, recorder, where):
        config(package, recorder, where=where)
        with tags(fold=2, day="monday"):
            checkpoint(package, "fit", 1)
        assert recorder.data == [1]

    @pytest.mark.parametrize(
        "where",
        [
            {"fold": 3},
            {"fold": [3, 22]},
            {"fold": []},
            {"fold": "2?"},
            {"other": 2},
            {"fold": 2, "day": "tuesday"},
            lambda pairs: False,
            lambda pairs: [],
        ],
    )
    def test_tags_that_do_not_match(self, package, recorder, where):
        config(package, recorder, where=where)
        with tags(fold=2, day="monday"):
            checkpoint(package, "fit", 1)
        assert recorder.data == []

    def test_a_repeated_tag_matches_by_any_of_its_values(self, package, recorder):
        config(package, recorder, where={"fold": 2})
        with tags(("fold", 1), ("fold", 2)):
            checkpoint(package, "fit", 1)
        assert recorder.data == [1]

    def test_a_missing_tag_matches_nothing_not_even_a_star(self, package, recorder):
        config(package, recorder, where={"fold": "*"})
        checkpoint(package, "fit", 1)
        assert recorder.data == []

    def test_calls_that_do_not_match_are_for_the_rules_before(self, package):
        first, second, third = Recorder(), Recorder(), Recorder()
        config(package, first)
        config(package, second, where={"day": "monday"})
        config(package, third, where=lambda pairs: ("fold", 1) in pairs)
        for day, fold in (("sunday", 2), ("monday", 2), ("monday", 1)):
            with tags(day=day, fold=fold):
                checkpoint(package, "fit", (day, fold))
        assert first.data == [("sunday", 2)]
        assert second.data == [("monday", 2)]
        assert third.data == [("monday", 1)]

    def test_none_as_the_target_switches_off_where_it_matches(self, package, recorder):
        config(package, recorder)
        config(package, None, where={"day": "monday"})
        for day in ("sunday", "monday"):
            with tags(day=day):
                checkpoint(package, "fit", day)
        assert recorder.data == ["sunday"]

    def test_a_mapping_changed_afterwards_changes_no_rule(self, package, recorder):
        where = {"day": "monday"}
        config(package, recorder, where=where)
        where["day"] = "sunday"
        with tags(day="monday"):
            checkpoint(package, "fit", 1)
        assert recorder.data == [1]

    def test_a_function_that_raises_is_a_save_that_failed(self, package, caplog):
        handler = DictHandler()
        config(package, handler, where=lambda pairs: 1 / 0)
        checkpoint(package, "fit", 1)
        assert len(handler) == 0
        assert f"{package}.fit" in caplog.text
        assert "ZeroDivisionError" in caplog.text

    def test_a_function_that_raises_may_stop_the_program(self, package, recorder):
        config(package, recorder, where=lambda pairs: 1 / 0, on_error="raise")
        with pytest.raises(ZeroDivisionError):
            checkpoint(package, "fit", 1)

    @pytest.mark.parametrize("on_error", ["warn", "raise"])
    def test_a_function_that_raises_is_told_by_the_call_and_not_by_is_enabled(
        self, package, recorder, caplog, on_error
    ):
        config(package, recorder, where=lambda pairs: 1 / 0, on_error=on_error)
        before = stats()
        assert is_enabled(f"{package}.fit")
        assert (stats(), caplog.text) == (before, "")


class TestCounting:
    @pytest.mark.parametrize(
        ("options", "saved"),
        [
            ({"every": 1}, [0, 1, 2, 3, 4, 5, 6, 7, 8]),
            ({"every": 3}, [0, 3, 6]),
            ({"every": 100}, [0]),
            ({"limit": 2}, [0, 1]),
            ({"limit": 100}, [0, 1, 2, 3, 4, 5, 6, 7, 8]),
            ({"every": 3, "limit": 2}, [0, 3]),
        ],
    )
    def test_every_and_limit(self, package, recorder, options, saved):
        config(package, recorder, **options)
        for number in range(9):
            checkpoint(package, "fit", number)
        assert recorder.data == saved

    def test_each_name_is_counted_on_its_own(self, package, recorder):
        config(package, recorder, every=2, limit=2)
        for number in range(5):
            checkpoint(package, "a", f"a{number}")
            checkpoint(package, "b", f"b{number}")
        assert recorder.data == ["a0", "b0", "a2", "b2"]

    def test_each_rule_counts_on_its_own(self, package, recorder):
        for number in range(2):
            with config(package, recorder, limit=1):
                checkpoint(package, "fit", number)
                checkpoint(package, "fit", "too many")
        assert recorder.data == [0, 1]

    def test_only_calls_that_match_are_counted(self, package, recorder):
        config(package, recorder, where={"day": "monday"}, limit=1)
        checkpoint(package, "fit", 1)
        with tags(day="monday"):
            checkpoint(package, "fit", 2)
            checkpoint(package, "fit", 3)
        assert recorder.data == [2]

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
    def test_a_forked_child_counts_from_zero(self, package, tmp_path):
        config(package, tmp_path / "{pid}", every=2, limit=2, if_exists="keep")
        for _ in range(4):
            checkpoint(package, 1)
        child = os.fork()
        if not child:
            try:
                for _ in range(6):
                    checkpoint(package, 1)
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        assert len(index(tmp_path / str(child))) == 2

    def test_calls_of_many_threads_are_counted_each_once(self, package, recorder):
        config(package, recorder, every=3, limit=50)
        start = threading.Barrier(8)

        def work():
            start.wait()
            for number in range(100):
                checkpoint(package, "fit", number)

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(recorder.calls) == 50

    def test_calls_over_the_limit_are_not_for_the_rules_before(self, package, recorder):
        config(package, recorder)
        config(package, DictHandler(), limit=1)
        for number in range(3):
            checkpoint(package, "fit", number)
        assert recorder.data == []


class TestTargets:
    @pytest.mark.parametrize("kind", [str, Path])
    def test_a_path_becomes_a_file_handler(self, package, tmp_path, kind):
        rule = config(package, kind(tmp_path), compression="gzip", if_exists="keep")
        (made,) = rule.handlers
        assert isinstance(made, FileHandler)
        assert (made.compression, made.if_exists) == ("gzip", "keep")
        checkpoint(package, "fit", 1)
        assert [entry.name for entry in index(tmp_path)] == [f"{package}.fit"]

    def test_a_function_gets_the_key_and_the_data(self, package):
        calls = []
        config(package, lambda key, data: calls.append((key.name, key.tags, data)))
        with tags(fold=1):
            checkpoint(f"{package}.fit", x=1, y=2)
        assert calls == [(f"{package}.fit", (("fold", 1),), {"x": 1, "y": 2})]

    @pytest.mark.parametrize("collection", [list, tuple])
    def test_all_of_several_targets_get_the_data(self, package, tmp_path, collection):
        recorder, calls = Recorder(), []
        targets = [tmp_path, recorder, lambda key, data: calls.append(data), None]
        config(package, collection(targets), durable=True)
        checkpoint(package, "fit", 1)
        assert recorder.data == [1]
        assert calls == [{"data": 1}]
        assert [entry.load() for entry in index(tmp_path)] == [{"data": 1}]

    def test_one_target_that_fails_hinders_no_other(self, package, recorder, caplog):
        config(package, [Failing(), recorder])
        checkpoint(package, "fit", 1)
        assert recorder.data == [1]
        (message,) = caplog.messages
        assert "Failing" in message
        assert "out of order" in message

    def test_handler_and_names_may_stand_the_other_way_round(self, package, recorder):
        rule = config(recorder, package, limit=1)
        checkpoint(package, "fit", 1)
        checkpoint(package, "fit", 2)
        assert recorder.data == [1]
        assert (rule.names, rule.handlers) == (package, (recorder,))

    def test_a_handler_that_is_a_mapping_may_stand_first_too(self, package, handler):
        config(handler, [package])
        checkpoint(package, 1)
        assert list(handler) == [package]

    def test_options_of_files_go_to_each_path_among_the_targets(self, tmp_path):
        rule = config("*", [tmp_path / "a", print, tmp_path / "b"], if_exists="skip")
        files = [made for made in rule.handlers if isinstance(made, FileHandler)]
        assert [made.if_exists for made in files] == ["skip", "skip"]
