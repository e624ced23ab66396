"""Ctrl-C while a file is read: nothing stays open, no thread stays behind."""

from __future__ import annotations

import os
import sys
import threading
import time
import warnings
from pathlib import Path

import pytest

import checkpoints
from checkpoints import FileHandler, load

PACKAGE = Path(checkpoints.__file__).parent
READING = {
    str(PACKAGE / name)
    for name in ("_local_file.py", "_checksum.py", "_archive.py", "_load.py")
}
OPEN_FILES = Path("/proc/self/fd")
STEP = 11

pytestmark = [
    pytest.mark.skipif(not OPEN_FILES.exists(), reason="open files cannot be listed"),
    # An interrupted file is closed by the object that owns it, which Python tells.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


class Interrupter:
    """Raises KeyboardInterrupt before the n-th byte-code of the files that read."""

    def __init__(self, number):
        self.number = number
        self.seen = 0

    def trace(self, frame, event, _):
        if frame.f_code.co_filename not in READING:
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            self.seen += 1
            if self.seen == self.number:
                raise KeyboardInterrupt
        return self.trace

    def run(self, work):
        """Return whether the interrupt came."""
        before = sys.gettrace()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            sys.settrace(self.trace)
            try:
                work()
            except KeyboardInterrupt:
                return True
            finally:
                sys.settrace(before)
            return False


def left_behind():
    """Descriptors and threads of this process; a thread may be on its way out."""
    for _ in range(100):
        threads = [it for it in threading.enumerate() if it.name == "checkpoints-crc"]
        if not threads:
            break
        time.sleep(0.01)
    return len(os.listdir(OPEN_FILES)), len(threads)


@pytest.fixture
def path(tmp_path):
    """A file large enough for a thread that takes its checksum."""
    FileHandler(tmp_path).checkpoint("a", large=bytes(2 << 20), small=[1, "two"])
    return tmp_path / "a.ckpt.zip"


def leaking(path):
    """What a reader does that keeps a bare descriptor."""
    handle = os.open(path, os.O_RDONLY)
    noted = [handle]
    os.close(noted[0])


class TestInterrupts:
    def test_none_leaves_a_descriptor_or_a_thread(self, path, full, record):
        counter = Interrupter(0)
        load(path)
        counter.run(lambda: load(path))
        assert counter.seen > 1000
        before = left_behind()
        broken, cases = [], 0
        for number in range(1, counter.seen + 1, 1 if full else STEP):
            interrupter = Interrupter(number)
            cases += interrupter.run(lambda: load(path))
            if left_behind() != before:
                broken.append(number)
                before = left_behind()
        assert broken == []
        record(
            "an interrupt while reading leaves nothing behind",
            cases=cases,
            breaches=len(broken),
            control=self.leaks(path),
        )

    def leaks(self, path):
        """How many interrupts make the reader with a bare descriptor leak it."""
        before = set(os.listdir(OPEN_FILES))
        READING.add(__file__)
        try:
            for number in range(1, 40):
                Interrupter(number).run(lambda: leaking(path))
        finally:
            READING.discard(__file__)
        leaked = set(os.listdir(OPEN_FILES)) - before
        # The listing itself has one open, which is closed by now.
        still = [it for it in leaked if (OPEN_FILES / it).exists()]
        for handle in still:
            os.close(int(handle))
        return len(still)
