"""Background saves: frozen at the call, bounded, in order, and none lost."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
import weakref
from concurrent.futures import Future

import numpy as np
import pytest

import checkpoints
from checkpoints import (
    DictHandler,
    FileHandler,
    Handler,
    PendingError,
    Recorder,
    Session,
    checkpoint,
    config,
    index,
    stats,
    tags,
)
from checkpoints._handlers.background import Writer
from checkpoints._handlers.lane import Lane
from checkpoints._process import drain

MEGABYTE = 1 << 20


class Gate:
    """A save that continues only when it is released."""

    def __init__(self):
        self.begun = threading.Event()
        self.open = threading.Event()
        self.saved = []

    def __call__(self, values):
        self.begun.set()
        assert self.open.wait(60)
        self.saved.append(values)


@pytest.fixture
def gate():
    gate = Gate()
    yield gate
    gate.open.set()


@pytest.fixture
def make():
    """Create writers that are closed at the end."""
    made = []

    def make(*, max_pending=MEGABYTE, on_full="block", max_wait=60.0):
        made.append(Writer(max_pending=max_pending, on_full=on_full, max_wait=max_wait))
        return made[-1]

    yield make
    for writer in made:
        writer.close()


def blob(size=MEGABYTE // 2):
    return {"data": b"x" * size}


def writer_threads():
    return [it for it in threading.enumerate() if it.name == "checkpoints-writer"]


class TestSubmit:
    def test_a_value_is_saved_as_it_was_at_the_call(self, make, gate):
        writer = make(max_pending=100 * MEGABYTE)
        array = np.zeros(10)
        futures = []
        for number in range(100):
            array[:] = number
            futures.append(writer.submit({"data": array}, gate))
        array[:] = -1
        gate.open.set()
        writer.flush()
        assert [values["data"].tolist() for values in gate.saved] == [
            [number] * 10 for number in range(100)
        ]
        assert all(future.done() for future in futures)

    def test_the_outcome_is_what_the_save_returns(self, make):
        assert make().submit({}, lambda values: False).result(60) is False

    def test_the_outcome_is_what_the_save_raises(self, make):
        def fail(values):
            raise OSError("mine")

        with pytest.raises(OSError, match="mine"):
            make().submit({}, fail).result(60)

    def test_one_that_fails_hinders_no_other(self, make):
        writer, saved = make(), []

        def save(values):
            if values["data"] % 2:
                raise SystemExit(values["data"])
            saved.append(values["data"])

        outcomes = [writer.submit({"data": n}, save) for n in range(5)]
        writer.flush()
        assert saved == [0, 2, 4]
        assert [type(it.exception()) for it in outcomes] == [
            type(None),
            SystemExit,
            type(None),
            SystemExit,
            type(None),
        ]

    def test_a_value_that_cannot_be_copied_raises_and_takes_no_room(self, make):
        writer = make()
        with pytest.raises(checkpoints.FormatError, match="cannot be copied"):
            writer.submit({"data": threading.Lock()}, lambda values: None)
        assert writer.load == (0, 0)

    def test_no_thread_is_there_before_the_first_save(self, make):
        before = {*writer_threads()}
        writer = make()
        writer.flush()
        assert {*writer_threads()} <= before

    def test_the_thread_ends_when_there_is_nothing_to_do(self, make, monkeypatch):
        monkeypatch.setattr(Lane._work, "__defaults__", (0.01,))
        writer = make()
        writer.submit({}, lambda values: None).result(60)
        for thread in writer_threads():
            thread.join(60)
        assert writer_threads() == []
        assert writer.submit({}, lambda values: 7).result(60) == 7


class TestRoom:
    def test_a_save_that_finds_none_waits_for_it(self, make, gate):
        writer = make(max_pending=MEGABYTE)
        writer.submit(blob(), gate)
        returned = threading.Event()

        def second():
            writer.submit(blob(MEGABYTE - 10_000), gate)
            returned.set()

        thread = threading.Thread(target=second)
        thread.start()
        assert gate.begun.wait(60)
        assert not returned.wait(0.2)
        gate.open.set()
        thread.join(60)
        assert returned.is_set()
        writer.flush()
        assert len(gate.saved) == 2

    def test_it_does_not_wait_for_ever(self, make, gate):
        writer = make(max_pending=MEGABYTE, max_wait=0.05)
        writer.submit(blob(), gate)
        with pytest.raises(PendingError, match=r"^timed out after 0\.05 s: ") as told:
            writer.submit(blob(MEGABYTE - 10_000), gate)
        assert "background queue is full (1 save, " in str(told.value)
        assert "Raise max_pending or max_wait" in str(told.value)
        gate.open.set()

    def test_it_is_dropped_where_that_was_asked_for(self, make, gate):
        writer = make(max_pending=MEGABYTE, on_full="drop")
        first = writer.submit(blob(), gate)
        second = writer.submit(blob(MEGABYTE - 10_000), gate)
        assert second.cancelled()
        gate.open.set()
        assert first.result(60) is None
        assert len(gate.saved) == 1

    def test_what_is_larger_than_all_of_it_is_saved_by_the_call_after_the_others(
        self, make
    ):
        writer, saved = make(max_pending=MEGABYTE), []

        def save(values):
            saved.append((len(values["data"]), threading.current_thread().name))

        writer.submit(blob(1000), save)
        result = writer.submit(blob(3 * MEGABYTE), save)
        assert result is None
        assert saved == [
            (1000, "checkpoints-writer"),
            (3 * MEGABYTE, threading.current_thread().name),
        ]
        assert writer.load == (0, 0)

    def test_what_is_larger_than_all_of_it_is_dropped_where_that_was_asked_for(
        self, make, gate
    ):
        writer = make(max_pending=1000, on_full="drop")
        assert writer.submit(blob(), gate).cancelled()
        assert writer.load == (0, 0)

    def test_it_is_given_back_when_a_save_is_over(self, make, gate):
        writer = make()
        writer.submit(blob(), gate)
        count, size = writer.load
        assert count == 1
        assert size >= MEGABYTE // 2
        gate.open.set()
        writer.flush()
        assert writer.load == (0, 0)

    @pytest.mark.parametrize("chained", [False, True])
    def test_an_error_does_not_keep_the_values(self, make, chained):
        """Its traceback holds the frames of the save, which hold the values."""
        writer, seen = make(), []

        def first(values):
            raise ValueError("first")

        def fail(values):
            seen.append(weakref.ref(values["data"]))
            try:
                first(values)
            except ValueError as error:
                raise OSError("mine") from (error if chained else None)

        outcome = writer.submit({"data": np.zeros(1000)}, fail)
        writer.flush()
        assert isinstance(outcome.exception(), OSError)
        assert seen[0]() is None


class TestLanes:
    def test_saves_to_several_places_are_made_at_the_same_time(self):
        writer = Writer(max_pending=MEGABYTE, on_full="block", max_wait=60, lanes=8)
        places = {hash(str(number)) % 8: str(number) for number in range(100)}
        reached = threading.Event()
        waiting, later = list(places.values())[:2]
        first = writer.submit({}, lambda _: reached.wait(60), place=waiting)
        writer.submit({}, lambda _: reached.set(), place=later)
        assert first.result(60)
        writer.close()

    def test_saves_to_one_place_are_made_in_order(self):
        writer = Writer(max_pending=MEGABYTE, on_full="block", max_wait=60, lanes=8)
        saved = {str(place): [] for place in range(8)}
        for number in range(100):
            for place, numbers in saved.items():
                writer.submit(
                    {"n": number}, lambda it, n=numbers: n.append(it["n"]), place=place
                )
        writer.close()
        assert list(saved.values()) == [[*range(100)]] * 8

    def test_room_comes_from_whichever_save_is_over_first(self):
        writer = Writer(max_pending=MEGABYTE, on_full="block", max_wait=10, lanes=8)
        places = {hash(str(number)) % 8: str(number) for number in range(100)}
        slow, quick = list(places.values())[:2]
        me, is_submitted = threading.get_ident(), threading.Event()

        def until_i_wait(_):
            while sys._current_frames()[me].f_code.co_name != "wait":
                time.sleep(0.001)

        large, data = {"data": b"x" * 500_000}, {"data": b"x" * 300_000}
        writer.submit(large, lambda _: is_submitted.wait(60), place=slow)
        writer.submit(data, until_i_wait, place=quick)
        last = writer.submit(data, lambda _: "saved", place=quick)
        is_submitted.set()
        assert last.result(60) == "saved"
        writer.close()

    def test_an_exit_waits_for_all_of_them(self, tmp_path):
        program = """
import checkpoints._handlers.background as background, time
writer = background.Writer(max_pending=100, on_full="block", max_wait=60, lanes=4)
for number in range(40):
    writer.submit({}, lambda _: time.sleep(0.01) or print(end="."), place=str(number))
"""
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True
        )
        assert done.stdout == "." * 40


class TestReentrance:
    def test_a_save_from_inside_of_a_save_does_not_wait_for_itself(self, make):
        writer, saved = make(max_pending=3000), []

        def inner(values):
            saved.append(values["data"])

        def outer(values):
            writer.submit({"data": b"x" * 2000}, inner)
            writer.flush()

        writer.submit({}, outer).result(60)
        assert saved == [b"x" * 2000]

    def test_nor_does_one_that_is_too_large_to_wait(self, make):
        writer, saved = make(max_pending=1), []
        writer.submit({}, lambda _: writer.submit({"data": 7}, saved.append))
        assert saved == [{"data": 7}]
        assert writer.load == (0, 0)

    def test_what_a_session_stages_while_it_commits_is_kept(self):
        session = Session("writer.reentrant")
        seen = []

        def commit(key, values):
            seen.append(dict(values))
            if "x" in values:
                session.checkpoint(y=2)

        config("writer.reentrant", commit, on_error="raise")
        session.checkpoint(x=1)
        session.commit()
        session.commit()
        assert seen == [{"x": 1}, {"y": 2}]


class TestFlush:
    def test_a_timeout_of_more_than_a_float_holds_waits_to_the_end(self, make):
        writer, saved = make(), []
        writer.submit({"data": 1}, saved.append)
        writer.flush(10**400)
        assert saved == [{"data": 1}]

    @pytest.mark.parametrize("timeout", ["5", -1, float("nan"), True])
    def test_a_timeout_that_cannot_be_is_an_error(self, make, timeout):
        with pytest.raises(checkpoints.ConfigError, match="timeout"):
            make().flush(timeout)

    def test_it_says_how_many_are_left_when_the_time_is_up(self, make, gate):
        writer = make()
        writer.submit({}, gate)
        writer.submit({}, gate)
        with pytest.raises(
            PendingError, match=r"^timed out after 0\.01 s: 2 saves unfinished"
        ):
            writer.flush(0.01)
        gate.open.set()
        writer.flush(60)
        assert len(gate.saved) == 2

    def test_those_who_asked_for_an_outcome_were_called_before(self, make):
        writer, told = make(), []
        for number in range(200):
            future = writer.submit({"data": number}, lambda values: values["data"])
            future.add_done_callback(lambda it: told.append(it.result()))
        writer.flush()
        assert told == list(range(200))


class TestClose:
    def test_saves_are_made_at_once_afterwards(self, make):
        writer, saved = make(), []
        writer.close()
        result = writer.submit(
            {"data": 1}, lambda values: saved.append(threading.current_thread())
        )
        assert result is None
        assert saved == [threading.current_thread()]

    def test_what_has_not_begun_is_dropped_when_the_time_is_up(self, make, gate):
        writer = make()
        first = writer.submit({}, gate)
        second = writer.submit({}, gate)
        assert gate.begun.wait(60)
        with pytest.raises(PendingError):
            writer.close(0.01)
        assert second.cancelled()
        gate.open.set()
        assert first.result(60) is None
        assert len(gate.saved) == 1


class Later(Handler):
    """Returns futures that the test completes."""

    def __init__(self):
        self.futures, self.given = [], []

    def commit(self, key, staged):
        self.futures.append(Future())
        self.given.append((key, staged))
        return self.futures[-1]


class TestFileHandler:
    def test_what_is_saved_in_the_background_is_what_a_plain_save_writes(
        self, tmp_path
    ):
        for background in (False, True):
            root = tmp_path / str(background)
            with config("writer.a", root, background=background), tags(day="monday"):
                checkpoint("writer.a", array=np.arange(5), note="text")
        plain, late = index(tmp_path / "False")[0], index(tmp_path / "True")[0]
        assert late.tags == plain.tags
        assert late.load()["array"].tolist() == [0, 1, 2, 3, 4]
        for key in ("name", "tags", "run", "host", "pid", "thread", "values"):
            assert late.meta[key] == plain.meta[key]
        assert late.meta["site"]["function"] == plain.meta["site"]["function"]

    def test_the_end_of_a_block_waits_for_it(self, tmp_path):
        with config("writer.b", tmp_path, background=True):
            for number in range(50):
                with tags(number=number):
                    checkpoint("writer.b", np.full(1000, number))
        assert len(index(tmp_path)) == 50

    def test_a_tag_is_that_of_the_call(self, tmp_path):
        class Day:
            text = "monday"

            def __str__(self):
                return self.text

        day = Day()
        with config("writer.c", tmp_path, background=True), tags(day=day):
            for _ in range(20):
                checkpoint("writer.c", 1)
            day.text = "tuesday"
        assert {entry.tags["day"] for entry in index(tmp_path)} == {"monday"}
        assert {entry.meta["tags"] for entry in index(tmp_path)} == {
            (("day", "monday"),)
        }

    def test_a_failure_is_told_under_its_own_name(self, tmp_path, caplog):
        (tmp_path / "writer").write_text("in the way")
        with config("writer.d", tmp_path, background=True):
            checkpoint("writer.d", 1)
        (message,) = caplog.messages
        assert message.startswith("checkpoint 'writer.d' was not saved by FileHandler(")
        assert stats().by_name["writer.d"] == {"failed": 1}

    def test_where_errors_are_to_be_raised_the_next_call_raises(self):
        later = Later()
        config("writer.e", later, on_error="raise")
        checkpoint("writer.e", 1)
        later.futures[0].set_exception(OSError("mine"))
        with pytest.raises(OSError, match="mine") as told:
            checkpoint("writer.e", 2)
        assert "while checkpoint 'writer.e' was saved in the background" in (
            told.value.__notes__
        )
        # And what it was called for is saved all the same.
        assert [values for _, values in later.given] == [{"data": 1}, {"data": 2}]

    def test_so_does_the_next_commit_of_a_session(self):
        later = Later()
        config("writer.session", later, on_error="raise")
        with Session("writer.session") as session:
            session.checkpoint(1)
        later.futures[0].set_exception(OSError("mine"))
        session.checkpoint(2)
        with pytest.raises(OSError, match="mine"):
            session.commit()

    def test_an_error_under_a_rule_that_is_gone_is_told(self, caplog):
        later = Later()
        config("writer.gone", later, on_error="raise")
        checkpoint("writer.gone", 1)
        checkpoints.reset()
        later.futures[0].set_exception(OSError("mine"))
        assert "OSError: mine" in caplog.text
        checkpoints.flush()

    def test_where_errors_are_to_be_raised_a_flush_raises(self, tmp_path):
        (tmp_path / "writer").write_text("in the way")
        config("writer.f", tmp_path, background=True, on_error="raise")
        with pytest.raises(OSError, match="writer"):
            checkpoint("writer.f", 1)
            checkpoints.flush()
        checkpoints.flush()

    def test_a_flush_waits_beside_handlers_that_have_nothing_to_wait_for(
        self, tmp_path
    ):
        config("writer.h", [DictHandler(), tmp_path], background=True)
        checkpoint("writer.h", 1)
        checkpoints.flush()
        assert len(list(tmp_path.rglob("*.zip"))) == 1

    def test_where_errors_are_to_be_raised_the_end_of_the_block_raises(self, tmp_path):
        (tmp_path / "writer").write_text("in the way")
        with (
            pytest.raises(OSError, match="writer"),
            config("writer.g", tmp_path, background=True, on_error="raise"),
        ):
            checkpoint("writer.g", 1)

    def test_an_error_of_the_block_itself_is_not_hidden(self):
        with (
            pytest.raises(ZeroDivisionError),
            config("writer.h", Later(), on_error="raise"),
        ):
            checkpoint("writer.h", 1)
            for handler in checkpoints.rules()[-1].handlers:
                handler.futures[0].set_exception(OSError("mine"))
            raise ZeroDivisionError

    def test_a_session_goes_the_same_way(self, tmp_path):
        options = {"background": True}
        with config("writer.i", tmp_path, **options), Session("writer.i") as session:
            session.checkpoint(a=1)
            session.checkpoint(b=np.arange(3))
        (entry,) = index(tmp_path)
        assert entry.load()["b"].tolist() == [0, 1, 2]

    def test_skips_and_drops_and_saves_are_counted_apart(self, tmp_path):
        rule = config("writer.j", tmp_path, background=True, if_exists="skip")
        for _ in range(3):
            checkpoint("writer.j", 1)
        checkpoints.flush()
        dropping = config(
            "writer.j", tmp_path, background=True, max_pending=1, on_full="drop"
        )
        checkpoint("writer.j", 1)
        assert stats().by_name["writer.j"] == {"dropped": 1, "saved": 1, "skipped": 2}
        assert stats().pending == 0
        for it in (rule, dropping):
            it.remove()

    def test_a_drop_is_told(self, tmp_path, caplog):
        with config(
            "writer.k", tmp_path, background=True, max_pending=1, on_full="drop"
        ):
            checkpoint("writer.k", 1)
        assert "checkpoint 'writer.k' was dropped" in caplog.text
        assert "max_pending" in caplog.text

    def test_what_waits_is_in_the_stats(self, tmp_path, gate):
        handler = FileHandler(tmp_path, background=True)
        handler._writer.submit(blob(), gate)
        assert stats().pending >= 1
        assert stats().pending_bytes >= MEGABYTE // 2
        gate.open.set()
        handler.close()

    @pytest.mark.parametrize(
        ("option", "value"),
        [
            ("on_full", "spill"),
            ("max_pending", 0),
            ("max_pending", "much"),
            ("max_wait", -1),
            ("max_wait", float("nan")),
            ("max_wait", True),
            ("background", "no"),
            ("durable", "false"),
        ],
    )
    def test_an_option_that_cannot_be_is_an_error(self, tmp_path, option, value):
        with pytest.raises(checkpoints.ConfigError, match=option):
            FileHandler(tmp_path, **{"background": True, option: value})


class TestHandlersOfOthers:
    def test_a_future_is_followed_to_its_end(self, caplog):
        later = Later()
        config("writer.later", later)
        for _ in range(3):
            checkpoint("writer.later", 1)
        saved, failed, dropped = later.futures
        saved.set_result(None)
        failed.set_exception(OSError("mine"))
        dropped.cancel()
        dropped.set_running_or_notify_cancel()
        assert stats().by_name["writer.later"] == {
            "dropped": 1,
            "failed": 1,
            "saved": 1,
        }
        assert "OSError: mine" in caplog.text

    def test_a_flush_reaches_them(self):
        class Waiting(Handler):
            asked = None

            def commit(self, key, staged):
                pass

            def flush(self, timeout=None):
                self.asked = timeout

        waiting = Waiting()
        config("writer.waiting", waiting)
        checkpoints.flush(3)
        assert 0 < waiting.asked <= 3

    def test_a_flush_has_its_time_once_and_not_for_each_handler(self):
        asked = []

        class Hung(Handler):
            def commit(self, key, staged):
                pass

            def flush(self, timeout=None):
                asked.append(timeout)
                time.sleep(timeout or 0)

        for number in range(3):
            config(f"writer.hung{number}", Hung())
        checkpoints.flush(0.01)
        assert asked[0] > 0
        assert asked[1:] == [0, 0]
        checkpoints.flush()
        assert asked[3:] == [None] * 3
        recorder = Recorder([Hung(), Hung()])
        del asked[:]
        recorder.flush(0.01)
        recorder.checkpoint("writer.recorded", 1)
        recorder._dump("a signal", 0.01)
        assert asked[0] > 0
        assert asked[2] > 0
        assert (asked[1], asked[3]) == (0, 0)

    def test_a_flush_has_its_time_once_for_all_that_save_in_the_background(self):
        asked = []

        class Slow:
            """Takes all the time that it is given, and is done then."""

            is_closed = True

            def flush(self, timeout=None):
                asked.append(timeout)
                time.sleep(timeout)

        slow = [Slow(), Slow()]
        for each in slow:
            drain.add(each)
        drain.flush(0.01)
        assert (asked[0] > 0, asked[1]) == (True, 0)

    def test_a_flush_has_its_time_once_for_writers_that_no_rule_has(self, make, gate):
        writers = [make() for _ in range(3)]
        for writer in writers:
            writer.submit({}, gate)
        with pytest.raises(
            PendingError, match=r"^timed out after .* s: 1 save unfinished"
        ):
            checkpoints.flush(0.01)
        gate.open.set()
        checkpoints.flush(60)
        assert len(gate.saved) == 3

    @pytest.mark.parametrize("timeout", ["5", -1, float("nan"), True])
    def test_a_flush_for_a_time_that_cannot_be_is_an_error(self, timeout):
        with pytest.raises(checkpoints.ConfigError, match="timeout"):
            checkpoints.flush(timeout)
