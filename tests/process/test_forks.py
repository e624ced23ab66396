"""What is made anew in a forked child, and what a fork waits for."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
import weakref

import pytest

from checkpoints._process import forks
from checkpoints._process.forks import after_fork_in_child, forks_wait
from checkpoints._process.libraries import imported

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks")

SLOW = """
import sys
sys.checkpoints_test_began.set()
sys.checkpoints_test_goes_on.wait(20)
"""

INTERRUPTED = """
import os, signal, threading, time
from checkpoints._process.forks import forks_wait

def stay():
    with forks_wait():
        inside.set()
        may_leave.wait(20)

inside, may_leave = threading.Event(), threading.Event()
thread = threading.Thread(target=stay)
thread.start()
inside.wait(20)
os.register_at_fork(after_in_parent=lambda: time.sleep(0.5))
main = threading.main_thread().ident
threading.Timer(0.2, signal.pthread_kill, (main, signal.SIGINT)).start()
try:
    if os.fork() == 0:
        os._exit(0)
    time.sleep(20)
except KeyboardInterrupt:
    print("interrupted", flush=True)
may_leave.set()
"""


def python(source: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-W", "ignore", "-c", source]
    return subprocess.run(
        words, capture_output=True, text=True, timeout=60, check=False
    )


def forked(child) -> int:
    """Fork; return the exit code of a child that does what is given, or is killed."""
    with warnings.catch_warnings():
        # From 3.12 on, a fork of a process that has threads is warned of.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        signal.alarm(20)
        try:
            os._exit(0 if child() else 1)
        finally:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


class Counted:
    def __init__(self):
        self.count = 0

    def renew(self):
        self.count += 1


class TestAfterForkInChild:
    def test_a_method_is_called_in_the_child_and_not_in_the_parent(self):
        one = Counted()
        after_fork_in_child(one.renew)
        assert forked(lambda: one.count == 1) == 0
        assert one.count == 0

    def test_the_object_is_not_kept_alive(self):
        one = Counted()
        gone = weakref.ref(one)
        after_fork_in_child(one.renew)
        del one
        gc.collect()
        assert gone() is None
        assert forked(lambda: True) == 0

    def test_objects_that_are_gone_leave_nothing_behind(self):
        known = len(forks._methods)
        for _ in range(100):
            after_fork_in_child(Counted().renew)
        gc.collect()
        after_fork_in_child(Counted().renew)
        assert len(forks._methods) <= known + 2


class TestErrors:
    def test_one_that_fails_does_not_keep_the_others_from_their_turn(self):
        class Failing:
            def renew(self):
                raise MemoryError("no room")

        failing, one = Failing(), Counted()
        after_fork_in_child(failing.renew)
        after_fork_in_child(one.renew)
        assert forked(lambda: one.count == 1) == 0


class TestForksWait:
    @pytest.fixture
    def block(self):
        """A thread inside of a block, and what lets it go on."""
        inside, may_leave = threading.Event(), threading.Event()

        def stay():
            with forks_wait():
                inside.set()
                may_leave.wait(20)

        thread = threading.Thread(target=stay)
        thread.start()
        assert inside.wait(20)
        yield may_leave
        may_leave.set()
        thread.join()

    def test_a_fork_waits_for_the_block_of_another_thread(self, block):
        codes = []
        forking = threading.Thread(target=lambda: codes.append(forked(lambda: True)))
        forking.start()
        forking.join(0.3)
        assert codes == []
        block.set()
        forking.join(20)
        assert codes == [0]

    def test_it_does_not_wait_for_ever_and_says_so(self, block, monkeypatch, caplog):
        monkeypatch.setattr(forks, "_PATIENCE", 0.05)
        assert forked(lambda: True) == 0
        assert "a fork waited 0.05 s for an import in another thread" in caplog.text

    def test_an_interrupt_of_the_wait_reaches_the_program(self, block):
        main = threading.main_thread().ident
        interrupt = threading.Timer(0.2, signal.pthread_kill, (main, signal.SIGINT))
        interrupt.start()
        with pytest.raises(KeyboardInterrupt):
            assert forked(lambda: True) == 0
            # It comes soon after the fork, which is done all the same.
            for _ in range(100):
                time.sleep(0.05)

    def test_an_interrupt_is_not_lost_in_what_others_do_after_a_fork(self):
        found = python(INTERRUPTED)
        assert (found.stdout, found.stderr) == ("interrupted\n", "")

    def test_threads_inside_of_blocks_do_not_wait_for_each_other(self, block):
        with forks_wait():
            assert forked(lambda: True) == 0

    def test_a_thread_does_not_wait_for_itself(self):
        with forks_wait(), forks_wait():
            assert forked(lambda: True) == 0

    def test_the_child_has_blocks_of_its_own(self, block, monkeypatch):
        monkeypatch.setattr(forks, "_PATIENCE", 0.05)

        def child():
            # The thread that was in the block is not there any more.
            forks._PATIENCE = 20.0
            with forks_wait():
                pass
            return forked(lambda: True) == 0

        assert forked(child) == 0


class TestImports:
    def test_a_child_can_import_what_a_thread_was_importing(
        self, tmp_path, monkeypatch
    ):
        name = "checkpoints_test_slow"
        (tmp_path / f"{name}.py").write_text(SLOW)
        monkeypatch.syspath_prepend(tmp_path)
        began, goes_on = threading.Event(), threading.Event()
        monkeypatch.setattr(sys, "checkpoints_test_began", began, raising=False)
        monkeypatch.setattr(sys, "checkpoints_test_goes_on", goes_on, raising=False)
        thread = threading.Thread(target=lambda: imported(name))
        thread.start()
        assert began.wait(20)
        threading.Timer(0.2, goes_on.set).start()
        try:
            assert forked(lambda: imported(name) is sys.modules[name]) == 0
        finally:
            goes_on.set()
            thread.join()
            sys.modules.pop(name, None)
