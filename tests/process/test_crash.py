"""What happens when an exception ends a process or a thread."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import checkpoints
from checkpoints._process import crash
from checkpoints._process.crash import on_crash, stop_on_crash

LOCATION = Path(checkpoints.__file__).parents[1]


@pytest.fixture(autouse=True)
def nobody_else_waits(monkeypatch):
    """A recorder from another test may still be alive, with its hooks installed."""
    monkeypatch.setattr(crash, "_waiting", [])
    monkeypatch.setattr(sys, "excepthook", sys.__excepthook__)
    monkeypatch.setattr(threading, "excepthook", threading.__excepthook__)


class Seen(list):
    def add(self, error):
        self.append(error)

    __hash__ = object.__hash__

    def __eq__(self, other):
        return self is other


def fails_in_thread(error):
    def fail():
        raise error

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()


class TestThreads:
    def test_tell_of_their_end_after_the_hook_that_was_there(self, monkeypatch):
        order = []
        monkeypatch.setattr(threading, "excepthook", lambda args: order.append("hook"))
        seen = Seen()
        on_crash(seen.add)
        error = LookupError("lost")
        fails_in_thread(error)
        stop_on_crash(seen.add)
        assert order == ["hook"]
        assert [each is error for each in seen] == [True]

    def test_that_exit_are_no_crash(self, monkeypatch):
        monkeypatch.setattr(threading, "excepthook", lambda args: None)
        seen = Seen()
        on_crash(seen.add)
        fails_in_thread(SystemExit(3))
        stop_on_crash(seen.add)
        assert not list(seen)


class TestHooks:
    def test_are_those_of_before_when_nobody_waits(self):
        before = sys.excepthook, threading.excepthook
        one, two = Seen(), Seen()
        on_crash(one.add)
        on_crash(two.add)
        assert sys.excepthook is not before[0]
        stop_on_crash(one.add)
        assert sys.excepthook is not before[0]
        stop_on_crash(two.add)
        assert (sys.excepthook, threading.excepthook) == before

    def test_that_were_put_above_are_left_alone(self, monkeypatch):
        seen = Seen()
        on_crash(seen.add)
        ours = sys.excepthook

        def above(*args):
            ours(*args)

        sys.excepthook = above
        stop_on_crash(seen.add)
        assert sys.excepthook is above
        sys.excepthook = ours
        other = Seen()
        on_crash(other.add)
        stop_on_crash(other.add)
        assert sys.excepthook is not ours

    def test_that_somebody_takes_away_are_put_there_again(self, monkeypatch):
        order = []
        first, second = Seen(), Seen()
        on_crash(first.add)
        for holder in (sys, threading):
            monkeypatch.setattr(holder, "excepthook", lambda *args: order.append(1))
        stop_on_crash(first.add)
        theirs = sys.excepthook, threading.excepthook
        on_crash(second.add)
        error = LookupError("lost")
        sys.excepthook(LookupError, error, None)
        fails_in_thread(error)
        assert order == [1, 1]
        assert [each is error for each in second] == [True, True]
        assert not list(first)
        stop_on_crash(second.add)
        assert (sys.excepthook, threading.excepthook) == theirs

    @pytest.mark.parametrize("holder", [sys, threading])
    def test_are_seen_to_each_by_itself(self, holder, monkeypatch):
        other = threading if holder is sys else sys
        before = other.excepthook
        seen = Seen()
        on_crash(seen.add)
        monkeypatch.setattr(holder, "excepthook", theirs := lambda *args: None)
        stop_on_crash(seen.add)
        assert (holder.excepthook, other.excepthook) == (theirs, before)

    def test_of_ours_above_and_below_another_tell_once(self, monkeypatch):
        order = []
        monkeypatch.setattr(sys, "excepthook", lambda *args: order.append("below"))
        one, two = Seen(), Seen()
        on_crash(one.add)
        ours = sys.excepthook

        def between(*args):
            order.append("between")
            ours(*args)

        sys.excepthook = between
        on_crash(two.add)
        for _ in range(2):
            sys.excepthook(LookupError, LookupError("lost"), None)
        assert order == ["between", "below"] * 2
        assert len(one) == len(two) == 2
        stop_on_crash(one.add)
        stop_on_crash(two.add)
        assert sys.excepthook is between
        sys.excepthook(LookupError, LookupError("lost"), None)
        assert len(one) == len(two) == 2

    def test_can_be_asked_for_by_many_threads_at_once(self):
        def come_and_go():
            barrier.wait()
            for _ in range(200):
                on_crash(passing.add)
                on_crash((lasting := Seen()).add)
                stop_on_crash(passing.add)
                stays.append(lasting)

        stays, passing, barrier = [], Seen(), threading.Barrier(3)
        usual = sys.getswitchinterval()
        sys.setswitchinterval(1e-6)
        try:
            threads = [threading.Thread(target=come_and_go) for _ in range(3)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        finally:
            sys.setswitchinterval(usual)
        sys.excepthook.before = lambda *args: None
        sys.excepthook(LookupError, LookupError("lost"), None)
        assert [len(each) for each in stays] == [1] * 600
        assert not list(passing)

    def test_keep_nothing_alive(self):
        gc.collect()
        seen = Seen()
        on_crash(seen.add)
        before = len([each for each in gc.get_objects() if type(each) is Seen])
        del seen
        gc.collect()
        after = len([each for each in gc.get_objects() if type(each) is Seen])
        assert (before, after) == (1, 0)
        on_crash((other := Seen()).add)
        stop_on_crash(other.add)


class TestProcess:
    def test_tells_of_its_end(self):
        program = (
            "import sys\n"
            "from checkpoints._process.crash import on_crash\n"
            "class A:\n"
            "    def told(self, error): print('told', error, file=sys.stderr)\n"
            "a = A()\n"
            "on_crash(a.told)\n"
            "1 / 0\n"
        )
        ended = subprocess.run(
            [sys.executable, "-c", program],
            check=False,
            capture_output=True,
            text=True,
            env={"PYTHONPATH": str(LOCATION)},
        )
        assert ended.returncode == 1
        assert ended.stderr.splitlines()[-2:] == [
            "ZeroDivisionError: division by zero",
            "told division by zero",
        ]
