"""Handlers begin with their first use and end with their last, whatever uses them."""

from __future__ import annotations

import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest

import checkpoints
from checkpoints import Handler, Recorder, checkpoint, config, deprecate, register


class Noting(Handler):
    """Notes what happens to it."""

    def __init__(self):
        self.seen = []

    def begin(self):
        self.seen.append("begin")

    def end(self):
        self.seen.append("end")

    def commit(self, key, staged):
        self.seen.append(key.name)


class TestUse:
    def test_a_handler_of_a_rule_and_of_a_recorder_begins_and_ends_once(self):
        handler = Noting()
        with config("in_use.a", handler):
            with Recorder(handler) as recorder, config("in_use.b", recorder):
                checkpoint("in_use.b", 1)
                recorder.dump()
            checkpoint("in_use.a", 2)
        assert handler.seen == ["begin", "in_use.b", "in_use.a", "end"]

    def test_a_rule_that_is_put_in_force_twice_uses_it_twice(self):
        handler = Noting()
        first, second = config("in_use.a", handler), config("in_use.b", handler)
        first.remove()
        first.remove()
        assert handler.seen == ["begin"]
        second.remove()
        assert handler.seen == ["begin", "end"]

    def test_rules_that_threads_remove_together_end_nothing_that_is_in_use(self):
        handler = Noting()
        kept = config("in_use.kept", handler)
        switching = sys.getswitchinterval()
        sys.setswitchinterval(1e-6)
        try:
            for _ in range(20):
                rules = [config(f"in_use.a{n}", handler) for n in range(64)]
                with ThreadPoolExecutor(8) as pool:
                    list(pool.map(lambda rule: rule.remove(), rules))
        finally:
            sys.setswitchinterval(switching)
        assert handler.seen == ["begin"]
        kept.remove()
        assert handler.seen == ["begin", "end"]

    def test_an_end_may_wait_for_a_thread_that_makes_a_call(self):
        called = threading.Event()

        class Waiting(Noting):
            def end(self):
                thread = threading.Thread(target=self.call)
                thread.start()
                self.seen.append(called.wait(20))
                thread.join()

            def call(self):
                checkpoint("in_use.never_met", 1)
                called.set()

        handler = Waiting()
        config("in_use.a", handler).remove()
        assert handler.seen == ["begin", True]

    def test_a_rule_whose_warning_is_an_error_is_not_in_force(self):
        register("in_use.new")
        deprecate("in_use_old", "in_use.new")
        handler = Noting()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(DeprecationWarning):
                config("in_use_old", handler)
        assert checkpoints.rules() == []
        assert handler.seen == []
