"""Threads that are daemons: what they were saving at the exit leaves no litter."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import checkpoints

SOURCES = str(Path(checkpoints.__file__).parents[1])

# Ends while a daemon is in the middle of a save: its pieces come once and never again.
STOPPED = """
import sys, threading, time
sys.path.insert(0, sys.argv[1])
import checkpoints
from checkpoints.storage import LocalStore
begun = threading.Event()

def pieces():
    yield 0, b"some"
    begun.set()
    while True:
        time.sleep(0.001)

store = LocalStore(sys.argv[2])
save = lambda: store.put(["a/x.txt"], pieces(), 8)
threading.Thread(target=save, daemon=True).start()
begun.wait()
"""

FORKED = """
import os, sys, threading, time
sys.path.insert(0, sys.argv[1])
from checkpoints.storage import LocalStore
begun, goes_on = threading.Event(), threading.Event()

def pieces():
    yield 0, b"some"
    begun.set()
    goes_on.wait()
    yield 4, b"more"

store = LocalStore(sys.argv[2])
thread = threading.Thread(target=lambda: store.put(["a/x.txt"], pieces(), 8))
thread.start()
begun.wait()
child = os.fork()
if not child:
    goes_on.set()
    sys.exit()
os.waitpid(child, 0)
goes_on.set()
thread.join()
"""


def run(program, root):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, SOURCES, root],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")


class TestDaemons:
    def test_a_save_that_the_exit_stops_leaves_no_unfinished_file(self, tmp_path):
        run(STOPPED, tmp_path / "root")
        assert os.listdir(tmp_path / "root" / "a") == []

    def test_a_child_leaves_the_unfinished_file_of_its_parent_alone(self, tmp_path):
        run(FORKED, tmp_path / "root")
        assert (tmp_path / "root" / "a" / "x.txt").read_bytes() == b"somemore"
