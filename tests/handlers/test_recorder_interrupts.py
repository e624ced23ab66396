"""A recorder that is interrupted while it writes because of an error."""

from __future__ import annotations

import subprocess
import sys

import pytest

import checkpoints
from checkpoints import Recorder, checkpoint, config, stats

PROGRAM = """
import atexit, sys
import checkpoints as cp

def interrupted(key, values):
    if values["data"] == 3:
        raise KeyboardInterrupt
    print(sys.argv[1], values["data"])

recorders = [cp.Recorder(interrupted), cp.Recorder(lambda key, values: print("other"))]
for recorder in recorders:
    cp.config("interrupted", recorder)
    for number in range(10):
        cp.checkpoint("interrupted.save", number)
atexit.register(lambda: print(cp.stats().saved, cp.stats().failed))
raise KeyboardInterrupt
"""


class Interrupted:
    """A target that is interrupted once."""

    def __init__(self, at):
        self.at = at
        self.written = []

    def __call__(self, key, values):
        if len(self.written) == self.at:
            self.at = None
            raise KeyboardInterrupt
        self.written.append(values["data"])


class TestInterruptedBlocks:
    def test_what_is_not_written_is_told_and_counted(self, caplog):
        target, before = Interrupted(at=3), sys.excepthook
        with pytest.raises(KeyboardInterrupt), Recorder(target) as recorder:
            with config("interrupted", recorder):
                for number in range(10):
                    checkpoint("interrupted.save", number)
            raise ValueError
        assert target.written == [0, 1, 2]
        assert sys.excepthook is before
        assert "was interrupted: it wrote 3 saves, and keeps 7" in caplog.text
        assert (stats().saved, stats().failed) == (3, 7)

    def test_what_is_not_written_can_be_written_after_a_dump(self, caplog):
        target = Interrupted(at=3)
        recorder = Recorder(target)
        with config("interrupted", recorder):
            for number in range(10):
                checkpoint("interrupted.save", number)
            with pytest.raises(KeyboardInterrupt):
                recorder.dump()
            assert recorder.dump() == 7
        assert target.written == list(range(10))
        assert (stats().saved, stats().failed) == (10, 0)


class TestInterruptedPrograms:
    def test_the_end_of_one_tells_and_counts_it_and_other_recorders_write(self):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, "written"],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            cwd=checkpoints.__path__[0] + "/..",
        )
        assert "was interrupted: it wrote 3 saves, and keeps 7" in done.stderr
        assert done.stdout.count("written") == 3
        assert done.stdout.count("other") == 10
        assert done.stdout.endswith("13 7\n")
        assert "an interrupt ended the writing before this save" in done.stderr
