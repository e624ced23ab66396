"""Rules that narrow their data: which values, in which form, and up to which size."""

from __future__ import annotations

import itertools
import json
import logging
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy
import pytest

import checkpoints
from checkpoints import (
    ConfigError,
    DictHandler,
    FileHandler,
    FormatError,
    Handler,
    Session,
    checkpoint,
    config,
    flush,
    index,
    rules,
    stats,
    tags,
)

_numbers = itertools.count()
KILOBYTE = "x" * 1000
LOCATION = Path(checkpoints.__file__).parents[1]

# Lets one allocation after the other fail, and prints what was stored meanwhile.
WITHOUT_MEMORY = """
import contextlib, json
from _testcapi import remove_mem_hooks, set_nomemory
from checkpoints import DictHandler, checkpoint, config, stats

seen = DictHandler(force=True, copy=False)
given = []
config("a", [seen, lambda key, data: given.append(data)],
       transform=lambda values: dict.fromkeys(values, "redacted"))
for number in range(200):
    with contextlib.suppress(MemoryError):
        try:
            set_nomemory(number, number + 1)
            checkpoint("a", x="s3cret")
        finally:
            remove_mem_hooks()
    given.extend(seen.objects.values())
    seen.objects.clear()
print(json.dumps([stats().failed, *given]))
"""


@pytest.fixture
def name():
    """A name that no other test uses, because names stay registered."""
    return f"narrowed{next(_numbers)}"


@pytest.fixture
def seen():
    return DictHandler(force=True)


class Gathering(Handler):
    """Keeps every save, in order, with its own way of staging."""

    def __init__(self):
        self.saves = []

    def stage(self, staged, data):
        return [*(staged or []), *data.items()]

    def commit(self, key, staged):
        self.saves.append(dict(staged))


class Failing(Handler):
    def commit(self, key, staged):
        raise OSError("no disk")


class Recovering(Handler):
    """Fails the first time."""

    saved = None
    turns = 0

    def commit(self, key, staged):
        self.turns += 1
        if self.turns == 1:
            raise OSError("no disk")
        self.saved = staged


def by_call(name, **values):
    checkpoint(name, **values)


def by_mapping(name, **values):
    checkpoint(name, values)


def by_session(name, **values):
    by_pieces(name, [values])


def by_session_in_pieces(name, **values):
    by_pieces(name, [{piece: value} for piece, value in values.items()])


def by_pieces(name, pieces):
    session = Session(name)
    try:
        for piece in pieces:
            session.checkpoint(piece)
        session.commit()
    finally:
        session.discard()


def drop_secret(values):
    return {name: value for name, value in values.items() if name != "secret"}


@pytest.fixture(params=[by_call, by_mapping, by_session, by_session_in_pieces])
def save(request):
    """The ways to save several values under one name."""
    return request.param


class TestValues:
    @pytest.mark.parametrize(
        ("wanted", "saved"),
        [
            ("x", {"x": 1}),
            (["x", "y1"], {"x": 1, "y1": 2}),
            (("z", "y1"), {"y1": 2}),
            ("y*", {"y1": 2, "y2": 3}),
            (["y[2]", "x"], {"x": 1, "y2": 3}),
            ({"x"}, {"x": 1}),
        ],
    )
    def test_only_those_asked_for_are_saved(self, name, seen, save, wanted, saved):
        config(name, seen, values=wanted)
        save(name, x=1, y1=2, y2=3)
        assert dict(seen) == {name: saved}

    def test_a_name_with_the_signs_of_a_glob_is_found_as_it_is(self, name, seen):
        config(name, seen, values="a[0]")
        checkpoint(name, {"a[0]": 1, "b": 2})
        assert seen[name] == {"a[0]": 1}

    def test_data_that_is_no_mapping_is_called_data(self, name, seen):
        config(name, seen, values="data")
        checkpoint(name, 5, other=6)
        assert seen[name] == {"data": 5}

    def test_a_call_without_any_saves_nothing_and_is_counted(self, name, save, seen):
        config(name, seen, values="z")
        save(name, x=1, y=2)
        assert dict(seen) == {}
        assert stats().by_name[name] == {"skipped": 1}
        assert stats().by_reason == {"values": 1}

    def test_a_rule_that_never_met_one_is_told(self, name, seen, caplog):
        rule = config(name, seen, values="coeff")
        checkpoint(name, coef=1)
        rule.remove()
        (told,) = caplog.messages
        assert "no call had a value that `values` asks for" in told
        assert "values=('coeff',)" in told

    def test_a_rule_that_asks_for_none_is_not(self, name, seen, caplog):
        rule = config(name, seen, max_bytes="1MB")
        checkpoint(name)
        rule.remove()
        assert caplog.messages == []

    def test_a_rule_that_met_one_is_not(self, name, seen, caplog):
        rule = config(name, seen, values="coef")
        checkpoint(name, other=1)
        checkpoint(name, coef=1)
        rule.remove()
        assert caplog.messages == []

    def test_what_is_not_asked_for_need_not_be_copied(self, name, seen):
        config(name, seen, values="x")
        with Session(name) as session:
            session.checkpoint(x=1, lock=threading.Lock())
        assert seen[name] == {"x": 1}

    @pytest.mark.parametrize("values", ["", [], [""], 3, ["a", 1], None.__class__])
    def test_what_cannot_be_names_is_an_error(self, name, values):
        with pytest.raises(
            ConfigError, match=r"^invalid values=.*leave it out to save all"
        ):
            config(name, DictHandler(), values=values)


class TestTransform:
    def test_what_it_returns_is_saved(self, name, seen, save):
        config(name, seen, transform=drop_secret)
        save(name, x=1, secret="s3cret")
        assert dict(seen) == {name: {"x": 1}}

    def test_every_handler_of_a_list_gets_it(self, name, seen, tmp_path):
        given, gathering = [], Gathering()

        def function(key, data):
            given.append(data)

        background = FileHandler(tmp_path / "b", background=True)
        targets = [seen, function, gathering, tmp_path / "f", background]
        config(name, targets, transform=drop_secret)
        checkpoint(name, x=1, secret="s3cret")
        with Session(name) as session, tags(by="session"):
            session.checkpoint(x=1, secret="s3cret")
        flush()
        expected = [{"x": 1}] * 2
        assert list(seen.values()) == expected
        assert given == expected
        assert gathering.saves == expected
        assert [entry.load() for entry in index(tmp_path / "f")] == expected
        assert [entry.load() for entry in index(tmp_path / "b")] == expected

    def test_it_is_called_once_whatever_the_number_of_handlers(self, name):
        calls = []

        def counting(values):
            calls.append(values)
            return values

        config(name, [DictHandler(), DictHandler()], transform=counting)
        checkpoint(name, x=1)
        assert calls == [{"x": 1}]

    def test_it_does_not_reach_the_callers_dict(self, name, seen):
        def emptying(values):
            values.pop("x")
            values["y"] = 2
            return values

        config(name, seen, transform=emptying)
        given = {"x": 1}
        checkpoint(name, given)
        assert given == {"x": 1}
        assert seen[name] == {"y": 2}

    def test_what_it_keeps_and_changes_later_reaches_no_other_handler(self, name):
        kept = []

        def keeping(values):
            kept.append(values)
            return values

        def meddling(key, data):
            kept[0]["x"] = data["x"] = "changed"

        last = DictHandler()
        config(name, [meddling, last], transform=keeping)
        checkpoint(name, x=1)
        assert last[name] == {"x": 1}

    def test_it_comes_after_values_and_before_summary(self, name, seen):
        given = []

        def widening(values):
            given.append(dict(values))
            return {**values, "more": "abc"}

        config(name, seen, values="x", transform=widening, summary=True)
        checkpoint(name, x=numpy.zeros(3), y=1)
        assert list(given[0]) == ["x"]
        assert seen[name]["x"]["shape"] == [3]
        assert seen[name]["more"]["length"] == 3

    def test_in_a_session_it_sees_all_the_values_at_once(self, name, seen):
        def total(values):
            return {"total": sum(values.values())}

        config(name, seen, transform=total)
        with Session(name) as session:
            session.checkpoint(a=1)
            session.checkpoint(b=2)
        assert seen[name] == {"total": 3}

    def test_in_a_session_it_sees_them_as_they_were(self, name, seen):
        config(name, seen, transform=lambda values: values)
        array = numpy.zeros(2)
        with Session(name) as session:
            session.checkpoint(array=array)
            array[:] = 1
        assert seen[name]["array"].tolist() == [0, 0]

    def test_one_that_leaves_nothing_saves_nothing_and_is_counted(
        self, name, seen, save
    ):
        config(name, seen, transform=lambda _: {})
        save(name, x=1)
        assert dict(seen) == {}
        assert stats().by_name[name] == {"skipped": 1}
        assert stats().by_reason == {"transform": 1}


class TestTransformThatFails:
    @staticmethod
    def failing(values):
        raise LookupError("no such column")

    def test_nothing_is_stored_and_the_log_is_told(self, name, save, tmp_path, caplog):
        seen, gathering = DictHandler(), Gathering()
        background = FileHandler(tmp_path / "b", background=True)
        targets = [seen, gathering, tmp_path / "f", background]
        config(name, targets, transform=self.failing)
        save(name, secret="s3cret")
        flush()
        assert dict(seen) == {}
        assert gathering.saves == []
        assert list(tmp_path.rglob("*")) == []
        (told,) = caplog.messages
        assert "was not saved: LookupError: no such column" in told
        assert "raised by transform=" in told
        assert "s3cret" not in told
        assert stats().by_name[name] == {"failed": 1}

    def test_it_raises_where_that_was_asked_for(self, name, save, seen):
        config(name, seen, transform=self.failing, on_error="raise")
        with pytest.raises(LookupError, match="no such column"):
            save(name, x=1)
        assert dict(seen) == {}

    def test_it_is_passed_over_where_that_was_asked_for(self, name, save, seen, caplog):
        config(name, seen, transform=self.failing, on_error="ignore")
        save(name, x=1)
        assert dict(seen) == {}
        assert caplog.messages == []

    def test_what_ends_the_program_passes_through(self, name, save, seen):
        def interrupted(values):
            raise KeyboardInterrupt

        config(name, seen, transform=interrupted)
        with pytest.raises(KeyboardInterrupt):
            save(name, x=1)
        assert dict(seen) == {}

    @pytest.mark.parametrize("error", [MemoryError, RecursionError])
    def test_one_without_memory_takes_nothing_down(self, name, save, seen, error):
        def hungry(values):
            raise error

        config(name, seen, transform=hungry)
        save(name, x=1)
        assert dict(seen) == {}
        assert stats().failed == 1

    @pytest.mark.usefixtures("failing_allocations")
    def test_wherever_memory_runs_out_what_it_was_to_change_is_not_stored(self):
        ended = subprocess.run(
            [sys.executable, "-c", WITHOUT_MEMORY],
            check=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=100,
            env={**os.environ, "PYTHONPATH": str(LOCATION)},
        )
        failed, *stored = json.loads(ended.stdout)
        assert failed > 0
        assert len(stored) > 100
        assert all(values == {"x": "redacted"} for values in stored)

    @pytest.mark.parametrize(
        ("returned", "told"),
        [
            (None, "a NoneType"),
            (["s3cret"], "a list"),
            ({1: "s3cret"}, "keys that are not texts"),
        ],
    )
    def test_what_is_no_dict_of_values_is_an_error_that_shows_none(
        self, name, save, seen, returned, told
    ):
        config(name, seen, transform=lambda _: returned, on_error="raise")
        with pytest.raises(FormatError, match=told) as caught:
            save(name, x="s3cret")
        assert "s3cret" not in str(caught.value)
        assert dict(seen) == {}

    def test_a_session_that_raised_can_be_committed_again(self, name, seen):
        turns = iter([LookupError("not yet")])

        def late(values):
            for error in turns:
                values.clear()
                raise error
            return values

        config(name, seen, transform=late, on_error="raise")
        session = Session(name)
        session.checkpoint(x=1)
        with pytest.raises(LookupError):
            session.commit()
        session.checkpoint(y=2)
        session.commit()
        assert seen[name] == {"x": 1, "y": 2}

    def test_a_session_that_is_committed_again_is_narrowed_once(self, name, seen):
        calls = []

        def counting(values):
            calls.append(values)
            return values

        handler = Recovering()
        targets = [seen, handler]
        config(
            name, targets, transform=counting, max_total_bytes=4000, on_error="raise"
        )
        session = Session(name)
        session.checkpoint(text=KILOBYTE)
        with pytest.raises(OSError, match="no disk"):
            session.commit()
        session.commit()
        assert len(calls) == 1
        assert seen[name] == handler.saved == {"text": KILOBYTE}


class TestSummary:
    def test_statistics_are_saved_and_no_data(self, name, save, tmp_path):
        config(name, tmp_path, summary=True)
        save(name, array=numpy.arange(100_000.0), text=KILOBYTE)
        (entry,) = index(tmp_path)
        found = entry.load()
        assert found["array"]["shape"] == [100_000]
        assert found["array"]["mean"] == 49999.5
        assert found["text"]["length"] == 1000
        assert os.path.getsize(entry.path) < 5000

    def test_it_is_of_the_value_as_it_was(self, name, seen):
        config(name, seen, summary=True)
        array = numpy.zeros(2)
        with Session(name) as session:
            session.checkpoint(array=array)
            array[:] = 1
        assert seen[name]["array"]["max"] == 0

    def test_a_value_that_cannot_be_copied_has_one(self, name, save, seen):
        config(name, seen, summary=True)
        save(name, lock=threading.Lock())
        assert seen[name]["lock"]["kind"] == "_thread.lock"

    def test_a_table_of_them_cannot_be_had(self, name, tmp_path):
        with pytest.raises(ConfigError, match="use format='zip'"):
            config(name, tmp_path, summary=True, format="parquet")
        handler = FileHandler(tmp_path, format="parquet")
        with pytest.raises(ConfigError, match="use format='zip'"):
            config(name, [DictHandler(), handler], summary=True)

    def test_it_is_yes_or_no(self, name):
        with pytest.raises(
            ConfigError, match=r"^invalid summary='yes': expected True or False"
        ):
            config(name, DictHandler(), summary="yes")


class TestMaxBytes:
    def test_a_larger_save_is_not_made_and_is_counted(self, name, save, seen):
        config(name, seen, max_bytes=1500)
        save(name, text=KILOBYTE, more="y" * 1000)
        assert dict(seen) == {}
        assert stats().by_name[name] == {"dropped": 1}
        assert stats().by_reason == {"max_bytes": 1}

    def test_one_that_fits_is(self, name, save, seen):
        config(name, seen, max_bytes=1500)
        save(name, text=KILOBYTE)
        assert seen[name] == {"text": KILOBYTE}

    def test_small_values_fit_in_few_bytes(self, name, save, seen):
        config(name, seen, max_bytes=100)
        save(name, n=1)
        assert seen[name] == {"n": 1}

    def test_it_may_be_written_with_a_unit(self, name, seen):
        config(name, seen, max_bytes="1.5 kB")
        checkpoint(name, text=KILOBYTE)
        checkpoint(name, text=KILOBYTE * 2)
        assert seen[name] == {"text": KILOBYTE}
        assert stats().dropped == 1

    def test_what_the_other_options_left_counts(self, name, seen):
        config(name, seen, max_bytes=1500, values="a")
        checkpoint(name, a="a", b=KILOBYTE * 2)
        assert seen[name] == {"a": "a"}
        config(name, seen, max_bytes=1500, transform=lambda _: {"c": KILOBYTE * 2})
        checkpoint(name, a="a")
        assert stats().by_reason == {"max_bytes": 1}

    def test_a_summary_fits_where_its_value_does_not(self, name, save, seen):
        config(name, seen, max_bytes=4000, summary=True)
        save(name, array=numpy.zeros(1_000_000))
        assert seen[name]["array"]["shape"] == [1_000_000]

    def test_it_is_told_the_1st_and_10th_time(self, name, seen, caplog):
        config(name, seen, max_bytes=10)
        for _ in range(11):
            checkpoint(name, text=KILOBYTE)
        first, tenth = caplog.messages
        assert "more than max_bytes=10. Raise max_bytes" in first
        assert ", for the 10th time. " in tenth

    def test_it_is_no_error(self, name, save, seen):
        config(name, seen, max_bytes=10, on_error="raise")
        save(name, text=KILOBYTE)
        assert dict(seen) == {}


class TestMaxTotalBytes:
    def test_it_holds_for_all_saves_of_the_rule(self, name, save, seen, caplog):
        config(name, seen, max_total_bytes=7000)
        for part in "abcd":
            save(f"{name}.{part}", text=KILOBYTE)
        assert list(seen) == [f"{name}/a", f"{name}/b"]
        assert stats().dropped == 2
        assert stats().by_reason == {"max_total_bytes": 2}
        (told,) = caplog.messages
        size = 2048 + sys.getsizeof(KILOBYTE)
        assert f"'{name}.c' was dropped: it needs about {size} bytes, and" in told
        assert "left of max_total_bytes=7000 in this process" in told

    def test_each_rule_has_its_own_and_tells_of_its_own(self, name, seen, caplog):
        for _ in range(2):
            config(name, seen, max_total_bytes=4000)
            for _ in range(3):
                checkpoint(name, text=KILOBYTE)
        assert stats().by_name[name] == {"dropped": 4, "saved": 2}
        assert len(caplog.messages) == 2

    def test_what_still_fits_is_saved(self, name, seen):
        config(name, seen, max_total_bytes=10_000)
        checkpoint(name, text=KILOBYTE * 20)
        checkpoint(name, text="small")
        assert seen[name] == {"text": "small"}

    def test_saves_without_data_use_it_up_as_well(self, name, seen):
        config(name, seen, max_total_bytes=100_000)
        for _ in range(1000):
            checkpoint(name, n=1)
        assert 1 < stats().saved < 100

    def test_it_counts_the_values_once_for_all_handlers(self, name, seen):
        config(name, [seen, DictHandler(force=True)], max_total_bytes=7000)
        for _ in range(2):
            checkpoint(name, text=KILOBYTE)
        assert stats().by_name[name] == {"saved": 4}

    def test_it_holds_with_many_threads(self, name):
        gathering = Gathering()
        config(name, gathering, max_total_bytes=40_000)
        start = threading.Barrier(8)

        def work():
            start.wait()
            for _ in range(20):
                checkpoint(name, text=KILOBYTE)

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        found = stats()
        assert len(gathering.saves) == found.saved == 12
        assert found.dropped == 148

    def test_it_is_summed_up_at_the_end(self, name, seen):
        from checkpoints._handlers.outcomes import outcomes

        config(name, seen, max_total_bytes=1)
        for _ in range(5):
            checkpoint(name, 1)
        told = outcomes._summary()
        assert f"of 5 saves: 5 dropped ('{name}' 5). The first: " in told

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
    def test_a_forked_child_has_all_of_it(self, name, tmp_path):
        config(name, tmp_path / "{pid}", max_total_bytes=4000, if_exists="keep")
        checkpoint(name, text=KILOBYTE)
        checkpoint(name, text=KILOBYTE)
        child = os.fork()
        if not child:
            try:
                checkpoint(name, text=KILOBYTE)
                checkpoint(name, text=KILOBYTE)
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        assert len(index(tmp_path / str(os.getpid()))) == 1
        assert len(index(tmp_path / str(child))) == 1

    @pytest.mark.parametrize("option", ["max_bytes", "max_total_bytes"])
    @pytest.mark.parametrize("size", [0, -1, True, 1.5, "lots"])
    def test_what_is_no_budget_is_an_error(self, name, option, size):
        with pytest.raises(
            ConfigError, match=f"^invalid {option}=.* number of bytes from 1 up"
        ):
            config(name, DictHandler(), **{option: size})


class TestRule:
    def test_it_says_what_it_narrows(self, name):
        rule = config(
            name,
            DictHandler(),
            values="x*",
            transform=drop_secret,
            summary=True,
            max_bytes="2kB",
            max_total_bytes=5,
        )
        shown = repr(rule)
        assert ", values=('x*',), transform=<function drop_secret at" in shown
        assert ", summary=True, max_bytes=2000, max_total_bytes=5>" in shown

    def test_one_that_cannot_be_is_not_in_force(self, name):
        with pytest.raises(ConfigError):
            config(name, DictHandler(), max_bytes=0)
        assert rules() == []

    def test_a_save_that_is_given_twice_is_one_that_failed(self, name, seen, caplog):
        config(name, seen, values="x")
        checkpoint(name, {"x": 1}, x=2)
        assert dict(seen) == {}
        assert "given twice" in caplog.text

    def test_a_handler_that_fails_hinders_no_other(self, name, save, seen, caplog):
        caplog.set_level(logging.ERROR)
        config(name, [Failing(), seen], values="x")
        save(name, x=1, y=2)
        assert seen[name] == {"x": 1}
        assert stats().by_name[name] == {"failed": 1, "saved": 1}
