"""Sessions: values staged unchanged, committed together, one entry per set of tags."""

from __future__ import annotations

import gc
import importlib
import itertools
import threading
from pathlib import Path

import pytest

from checkpoints import (
    DictHandler,
    FileHandler,
    Handler,
    Session,
    available,
    config,
    deprecate,
    index,
    tags,
)

_numbers = itertools.count()


@pytest.fixture
def package():
    """A package name that no other test uses, because names stay registered."""
    return f"staged{next(_numbers)}"


@pytest.fixture
def name(package):
    return f"{package}.fit"


@pytest.fixture
def seen(package):
    handler = DictHandler()
    config(package, handler, on_error="raise")
    return handler


class Counting(Handler):
    """Has its own way of staging: it counts."""

    def __init__(self):
        self.committed = []

    def stage(self, staged, data):
        return (staged or 0) + len(data)

    def commit(self, key, staged):
        self.committed.append((key.path, staged))


class Failing(Handler):
    """Fails on the given days."""

    def __init__(self, *days):
        self.days = days
        self.saved = []

    def commit(self, key, staged):
        day = dict(key.tags).get("day")
        if day in self.days:
            raise RuntimeError(f"{day} is no day to save on")
        self.saved.append((day, staged))


class NotStaging(Counting):
    def stage(self, staged, data):
        raise RuntimeError("nothing can be staged here")


class TestStaging:
    @pytest.mark.parametrize("parts", [("{}.fit",), ("{}", "fit")])
    def test_values_are_gathered_into_one_entry(self, package, seen, parts):
        session = Session(*(part.format(package) for part in parts))
        session.checkpoint(1, y=2)
        session.checkpoint({"z": 3})
        assert len(seen) == 0
        session.commit()
        assert seen == {f"{package}/fit": {"data": 1, "y": 2, "z": 3}}

    def test_each_set_of_tags_is_an_entry_of_its_own(self, name, package, seen):
        with Session(name) as session:
            for value in ("x", "y"):
                for fold in (1, 2):
                    with tags(fold=fold):
                        session.checkpoint({value: fold})
            session.checkpoint(total=3)
        assert seen == {
            f"fold=1/{package}/fit": {"x": 1, "y": 1},
            f"fold=2/{package}/fit": {"x": 2, "y": 2},
            f"{package}/fit": {"total": 3},
        }

    def test_the_tags_are_those_of_the_staging_not_of_the_commit(self, name, seen):
        with tags(at="commit"), Session(name) as session, tags(at="staging"):
            session.checkpoint(1)
        (path,) = seen
        assert path.startswith("at=commit/at=staging/")

    def test_a_mapping_with_other_keys_is_one_value(self, name, seen):
        with Session(name) as session:
            session.checkpoint({1: 2})
        assert [*seen.values()] == [{"data": {1: 2}}]

    def test_a_value_staged_twice_is_told_and_the_last_one_kept(
        self, name, seen, caplog
    ):
        with Session(name) as session:
            session.checkpoint(x=1)
            session.checkpoint(y=1)
            session.checkpoint(x=2)
        assert [*seen.values()] == [{"x": 2, "y": 1}]
        (message,) = caplog.messages
        for text in (name, "'x'", "staged twice", "only the last one is kept"):
            assert text in message

    def test_under_other_tags_it_is_not_twice(self, name, seen, caplog):
        with Session(name) as session:
            for fold in (1, 2):
                with tags(fold=fold):
                    session.checkpoint(x=1)
        assert caplog.messages == []
        assert len(seen) == 2

    def test_an_old_name_reaches_the_new_one(self, package, seen):
        deprecate(package, "old", "new")
        with Session(package, "old") as session:
            with pytest.warns(DeprecationWarning, match=r"old.*new") as told:
                session.checkpoint(1)
            assert told[0].filename == __file__
        assert seen == {f"{package}/new": {"data": 1}}

    def test_it_can_be_filled_from_many_threads(self, name, seen):
        session = Session(name)

        def fill(number):
            for step in range(50):
                with tags(thread=number):
                    session.checkpoint({f"step{step}": step})

        threads = [threading.Thread(target=fill, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        session.commit()
        assert [len(values) for values in seen.values()] == [50] * 4


class TestCommit:
    def test_a_second_commit_has_nothing_to_save(self, name):
        saved = []
        config(name, lambda key, data: saved.append(data))
        session = Session(name)
        session.checkpoint(1)
        session.commit()
        session.commit()
        assert saved == [{"data": 1}]

    def test_a_session_may_begin_anew(self, name, caplog):
        saved = []
        config(name, lambda key, data: saved.append(data))
        session = Session(name)
        for number in (1, 2):
            session.checkpoint(number)
            session.commit()
        assert saved == [{"data": 1}, {"data": 2}]
        assert caplog.messages == []

    def test_nothing_staged_is_nothing_saved(self, name, tmp_path):
        config(name, tmp_path)
        with Session(name):
            pass
        assert list(tmp_path.iterdir()) == []

    def test_a_clean_exit_commits(self, name, tmp_path):
        config(name, tmp_path)
        with Session(name) as session:
            session.checkpoint(x=1)
            assert list(tmp_path.iterdir()) == []
        assert [entry.load() for entry in index(tmp_path)] == [{"x": 1}]

    @pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
    def test_an_error_discards_and_goes_on(self, name, seen, error):
        session = Session(name)
        with pytest.raises(error), session:
            session.checkpoint(1)
            raise error
        session.commit()
        assert len(seen) == 0

    def test_what_is_discarded_is_not_saved_and_not_twice(self, name, seen, caplog):
        session = Session(name)
        session.checkpoint(x=1)
        session.discard()
        session.checkpoint(x=2)
        session.commit()
        assert [*seen.values()] == [{"x": 2}]
        assert caplog.messages == []

    def test_a_library_commits_line_by_line_as_it_was(self, monkeypatch):
        monkeypatch.syspath_prepend(Path(__file__).parents[1])
        fakelib = importlib.import_module("fakelib")
        seen = DictHandler()
        config("fakelib.report", seen)
        fakelib.report([5, 6])
        assert seen == {"fakelib/report": {"line0": [5], "line1": [5, 6]}}


class TestOff:
    def test_nothing_is_touched_and_nothing_saved(self, name, tmp_path):
        class Uncopyable:
            def __deepcopy__(self, memo):
                raise AssertionError("the value was touched")

        config(f"{name}.other", tmp_path)
        with Session(name) as session:
            session.checkpoint(Uncopyable())
        assert list(tmp_path.iterdir()) == []

    def test_the_name_is_known_afterwards(self, name):
        Session(name).checkpoint(1)
        assert name in available()

    def test_tags_that_no_rule_asks_for_stage_nothing(self, name):
        handler = Counting()
        config(name, handler, where={"day": "monday"})
        with Session(name) as session:
            for day in ("sunday", "monday"):
                with tags(day=day):
                    session.checkpoint(1)
        assert [path for path, _ in handler.committed] == [
            "day=monday/" + name.replace(".", "/")
        ]

    def test_a_limit_counts_entries_not_calls(self, name):
        handler = Counting()
        config(name, handler, limit=1)
        for _ in range(2):
            with Session(name) as session:
                session.checkpoint(x=1)
                session.checkpoint(y=1)
        assert [staged for _, staged in handler.committed] == [2]


class TestHandlers:
    def test_each_handler_stages_in_its_own_way(self, name, package, seen, tmp_path):
        counting = Counting()
        config(name, [seen, counting, FileHandler(tmp_path)])
        with Session(name) as session:
            session.checkpoint(x=1, y=2)
            session.checkpoint(z=3)
        values = {"x": 1, "y": 2, "z": 3}
        assert seen == {f"{package}/fit": values}
        assert counting.committed == [(f"{package}/fit", 3)]
        assert [entry.load() for entry in index(tmp_path)] == [values]

    @pytest.mark.parametrize("failing", [Failing(None), NotStaging()])
    def test_one_that_fails_hinders_no_other(self, name, failing, caplog):
        counting = Counting()
        config(name, [failing, counting])
        with Session(name) as session:
            session.checkpoint(x=1)
        assert [staged for _, staged in counting.committed] == [1]
        assert caplog.messages
        assert all(name in message for message in caplog.messages)

    def test_warn_tells_and_drops_what_was_not_saved(self, name, caplog):
        handler = Failing("monday")
        config(name, handler)
        session = Session(name)
        for day in ("monday", "tuesday"):
            with tags(day=day):
                session.checkpoint(day)
        session.commit()
        handler.days = ()
        session.commit()
        assert handler.saved == [("tuesday", {"data": "tuesday"})]
        assert "monday is no day" in caplog.text

    def test_raise_keeps_what_was_not_saved(self, name):
        handler = Failing("tuesday")
        config(name, handler, on_error="raise")
        session = Session(name)
        for day in ("monday", "tuesday", "friday"):
            with tags(day=day):
                session.checkpoint(day)
        with pytest.raises(RuntimeError, match="tuesday"):
            session.commit()
        handler.days = ()
        session.commit()
        days = [day for day, _ in handler.saved]
        assert sorted(days) == ["friday", "monday", "tuesday"]

    def test_raise_saves_nothing_twice_to_the_handlers_that_worked(self, name):
        counting, failing = Counting(), Failing(None)
        config(name, [counting, failing], on_error="raise")
        session = Session(name)
        session.checkpoint(1)
        with pytest.raises(RuntimeError, match="no day"):
            session.commit()
        failing.days = ()
        session.commit()
        assert len(counting.committed) == len(failing.saved) == 1

    def test_after_an_error_that_was_raised_later_data_reaches_all(self, name):
        counting, failing = Counting(), Failing(None)
        config(name, [counting, failing], on_error="raise")
        session = Session(name)
        session.checkpoint(x=1)
        with pytest.raises(RuntimeError, match="no day"):
            session.commit()
        failing.days = ()
        session.checkpoint(y=2, z=3)
        session.commit()
        assert [staged for _, staged in counting.committed] == [1, 2]
        assert failing.saved == [(None, {"x": 1, "y": 2, "z": 3})]

    def test_a_value_that_cannot_be_copied_is_a_save_that_failed(self, name, caplog):
        class Uncopyable:
            def __deepcopy__(self, memo):
                raise ValueError("there is only one of it")

        handler = Counting()
        config(name, handler)
        with Session(name) as session:
            session.checkpoint(x=Uncopyable())
            session.checkpoint(y=1)
        assert [staged for _, staged in handler.committed] == [1]
        assert "only one of it" in caplog.text

    def test_a_tag_without_a_text_is_a_save_that_failed(self, name, caplog):
        class Wordless:
            def __str__(self):
                raise ValueError("this tag has no text")

        config(name, Counting())
        with Session(name) as session, tags(day=Wordless()):
            session.checkpoint(1)
        assert "this tag has no text" in caplog.text
        assert name in caplog.text


class TestDropped:
    def test_one_that_goes_with_data_staged_is_told(self, name, seen, caplog):
        session = Session(name)
        session.checkpoint(x=1)
        del session
        gc.collect()
        (message,) = caplog.messages
        assert repr(name) in message
        assert "uncommitted data" in message
        assert "commit()" in message
        assert len(seen) == 0

    @pytest.mark.parametrize("end", [Session.commit, Session.discard])
    def test_one_that_came_to_an_end_goes_in_silence(self, name, seen, caplog, end):
        session = Session(name)
        session.checkpoint(x=1)
        end(session)
        del session
        gc.collect()
        assert caplog.messages == []

    def test_one_with_nothing_staged_goes_in_silence(self, name, caplog):
        config(name, Counting(), where={"day": "monday"})
        session = Session(name)
        session.checkpoint(x=1)
        del session
        gc.collect()
        assert not any("uncommitted data" in message for message in caplog.messages)
