"""Saves and flushes inside of saves: none waits for itself, and none is lost."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest

import checkpoints
from checkpoints import checkpoint, config, flush, stats, tags
from checkpoints._handlers.background import Writer

PACKAGE = str(Path(checkpoints.__file__).parent)
FUTURES = sys.modules["concurrent.futures._base"].__file__
STEPPED_INTO = (PACKAGE, threading.__file__, FUTURES)


class SavesWhenCopied:
    """A value whose copy saves another one."""

    def __init__(self, size):
        self.size = size

    def __deepcopy__(self, memo):
        checkpoint("nested.inner", bytes(self.size))
        return 1


class SavesWhenDeleted:
    """A value that saves when it is deleted."""

    def __init__(self, deleted):
        self.deleted = deleted

    def __deepcopy__(self, memo):
        return SavesWhenDeleted(self.deleted)

    def __reduce__(self):
        return int, ()

    def __del__(self):
        checkpoint("nested.inner", bytes(200_000))
        self.deleted.append(threading.current_thread().name)


class Gate:
    """A value that the thread of the writer stops at, until it is opened."""

    def __init__(self):
        self.opened = threading.Event()

    def __deepcopy__(self, memo):
        return self

    def __reduce__(self):
        assert self.opened.wait(20)
        return int, ()


def at_each_step(interrupt, function):
    """Call a function, and something else at each step that a signal may interrupt."""
    steps = 0

    def trace(frame, event, _):
        nonlocal steps
        if not frame.f_code.co_filename.startswith(STEPPED_INTO):
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            steps += 1
            sys.settrace(None)
            try:
                interrupt(steps)
            finally:
                sys.settrace(trace)
        return trace

    # Otherwise Python 3.12 would tell only of opcodes of later calls.
    sys._getframe().f_trace_opcodes = True
    sys.settrace(trace)
    try:
        function()
    finally:
        sys.settrace(None)
    return steps


def saved(outcome="saved"):
    return {name: counts.get(outcome, 0) for name, counts in stats().by_name.items()}


class TestSavesInsideOfSaves:
    @pytest.mark.parametrize("on_full", ["block", "drop"])
    def test_one_from_a_copy_that_finds_no_room_arrives_or_is_dropped(
        self, tmp_path, on_full
    ):
        options = {"max_pending": "100kB", "on_full": on_full, "max_wait": 20}
        with config("nested", tmp_path, background=True, on_error="raise", **options):
            checkpoint("nested.outer", SavesWhenCopied(200_000))
            flush()
        outcome = "saved" if on_full == "block" else "dropped"
        assert saved(outcome)["nested.inner"] == 1
        assert saved()["nested.outer"] == 1

    def test_one_from_what_the_thread_deletes_does_not_wait_for_that_thread(
        self, tmp_path
    ):
        deleted = []
        options = {"max_pending": "100kB", "max_wait": 20}
        with config("nested", tmp_path, background=True, on_error="raise", **options):
            for _ in range(4):
                checkpoint(
                    "nested.outer", SavesWhenDeleted(deleted), bytes=bytes(50_000)
                )
            flush()
        assert "checkpoints-writer" in deleted
        assert stats().pending == 0

    def test_a_flush_inside_of_a_copy_does_not_wait_for_that_copy(self, tmp_path):
        class FlushesWhenCopied:
            def __deepcopy__(self, memo):
                flush(20)
                return 1

        with config("nested", tmp_path, background=True, on_error="raise"):
            checkpoint("nested.outer", FlushesWhenCopied())
            flush()
        assert saved()["nested.outer"] == 1


class TestTags:
    @pytest.mark.parametrize("background", [False, True])
    @pytest.mark.parametrize("method", ["__str__", "__deepcopy__"])
    def test_one_that_makes_a_save_does_not_do_so_for_ever(
        self, tmp_path, method, background, caplog
    ):
        def saves(*_):
            checkpoint("nested.inner", 1)
            return "text"

        value = type("Value", (), {"__str__": lambda _: "text", method: saves})()
        with config("nested", tmp_path, background=background), tags(value=value):
            checkpoint("nested.outer", 1)
            flush()
        assert saved()["nested.outer"] == 1
        if background or method == "__str__":
            assert saved("failed")["nested.inner"] >= 1
            assert "which has that tag itself" in caplog.text


class TestSignalHandlers:
    def test_one_that_saves_and_flushes_at_any_step_of_a_save_waits_for_nobody(
        self, tmp_path
    ):
        def handler(step):
            if step % 3 == 0:
                with tags(step=step):
                    checkpoint("nested.inner", step)
                flush(20)

        with config("nested", tmp_path, background=True, on_error="raise"):
            checkpoint("nested.first", 0)
            flush()
            steps = at_each_step(handler, lambda: checkpoint("nested.outer", 1))
            flush()
        assert steps > 1_000
        assert saved()["nested.inner"] == steps // 3
        assert saved()["nested.outer"] == 1

    def test_one_that_flushes_while_the_save_still_waits_waits_for_nobody(
        self, tmp_path
    ):
        gate = Gate()

        def handler_at(wanted):
            def handler(step):
                if step == wanted:
                    gate.opened.set()
                    flush(20)

            return handler

        step = 1
        with config("nested", tmp_path, background=True, on_error="raise"):
            while True:
                gate.opened.clear()
                checkpoint("nested.gate", gate)
                steps = at_each_step(
                    handler_at(step), lambda: checkpoint("nested.outer", 1)
                )
                gate.opened.set()
                flush()
                if step > steps:
                    break
                step += 7
        assert step > 1_000

    def test_one_that_saves_at_any_step_of_a_flush_waits_for_nobody(self, tmp_path):
        count = 0

        def handler(_):
            nonlocal count
            count += 1
            checkpoint("nested.inner", count)
            flush(20)

        with config("nested", tmp_path, background=True, on_error="raise"):
            checkpoint("nested.outer", 1)
            at_each_step(handler, flush)
        assert saved()["nested.inner"] == count > 50


class TestRoom:
    def test_it_is_given_back_while_the_lock_of_the_queue_is_held(self, tmp_path):
        ended = threading.Event()
        writer = Writer(max_pending=1_000_000, on_full="block", max_wait=20)
        with writer._lock:
            outcome = writer.submit({"a": 1}, lambda _: ended.set())
            assert ended.wait(20)
            outcome.result(20)
            writer.flush(20)
        assert writer.load == (0, 0)
        writer.close()
