"""What is done when an exception ends a process or a thread."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import checkpoints
from checkpoints import _crash
from checkpoints._crash import on_crash, stop_on_crash

LOCATION = Path(checkpoints.__file__).parents[1]


@pytest.fixture(autouse=True)
def nobody_else_waits(monkeypatch):
    """A recorder of another test may be alive, and have its hooks in place."""
    monkeypatch.setattr(_crash, "_waiting", [])
    monkeypatch.setattr(_crash, "_before", {})
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

    def test_keep_nothing_alive(self):
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
            "from checkpoints._crash import on_crash\n"
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
