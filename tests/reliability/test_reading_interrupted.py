"""Ctrl-C while a file is read: no file stays open, and no thread keeps running."""

from __future__ import annotations

import os
import sys
import threading
import time
import warnings
from pathlib import Path

import pytest

import checkpoints
from checkpoints import CorruptFileError, FileHandler, load
from checkpoints._files.archive import Archive
from checkpoints.storage._local_file import LocalFile

PACKAGE = Path(checkpoints.__file__).parent
# What opens and what starts is in these; all points of the others are the full part.
OWNING = {
    str(PACKAGE / name) for name in ("storage/_local_file.py", "_files/checksum.py")
}
READING = {
    str(PACKAGE / "_files" / name)
    for name in ("archive.py", "load.py", "zip_container.py")
}
# Thousands of byte-codes that hold nothing but numbers.
ARITHMETIC = {"_multiply", "_shift"}
OPEN_FILES = Path("/proc/self/fd")

pytestmark = [
    pytest.mark.skipif(not OPEN_FILES.exists(), reason="open files cannot be listed"),
    # An interrupted file is closed by the object that owns it, which Python tells.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


class Interrupter:
    """Raises KeyboardInterrupt before the n-th bytecode of the reading modules."""

    def __init__(self, number, files):
        self.number = number
        self.files = files
        self.seen = 0

    def trace(self, frame, event, _):
        code = frame.f_code
        if code.co_filename not in self.files or code.co_name in ARITHMETIC:
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
            # Otherwise Python 3.12 would tell only of opcodes of later calls.
            sys._getframe().f_trace_opcodes = True
            sys.settrace(self.trace)
            try:
                work()
            except KeyboardInterrupt:
                return True
            finally:
                sys.settrace(before)
            return False


def left_behind():
    """Descriptors and threads of this process; a thread may still be ending."""
    for _ in range(100):
        threads = [it for it in threading.enumerate() if it.name == "checkpoints-crc"]
        if not threads:
            break
        time.sleep(0.01)
    return len(os.listdir(OPEN_FILES)), len(threads)


@pytest.fixture
def path(tmp_path):
    """A file large enough for its checksum to use a thread."""
    FileHandler(tmp_path).checkpoint("a", large=bytes(2 << 20), small=[1, "two"])
    return tmp_path / "a.ckpt.zip"


def leaking(path):
    """A reader that keeps a bare descriptor."""
    handle = os.open(path, os.O_RDONLY)
    noted = [handle]
    os.close(noted[0])


class TestInterrupts:
    def test_none_leaves_a_descriptor_or_a_thread(self, path, full, record):
        files = OWNING | READING if full else OWNING
        counter = Interrupter(0, files)
        load(path)
        counter.run(lambda: load(path))
        assert counter.seen > 200
        before = left_behind()
        broken, cases = [], 0
        for number in range(1, counter.seen + 1):
            interrupter = Interrupter(number, files)
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

    def test_none_does_where_the_reading_fails_as_well(self, path, record):
        """The checksum was not requested then: its thread does only one cleanup."""
        with LocalFile(str(path)) as file:
            archive = Archive(file)
            os.truncate(path, 3 << 19)

            def work():
                with pytest.raises(CorruptFileError, match="it is truncated"):
                    archive.read("large.bin")

            counter = Interrupter(0, OWNING)
            counter.run(work)
            before = left_behind()
            broken, cases = [], 0
            for number in range(1, counter.seen + 1):
                cases += Interrupter(number, OWNING).run(work)
                if left_behind() != before:
                    broken.append(number)
                    before = left_behind()
        assert broken == []
        record(
            "an interrupt while a read fails leaves nothing behind",
            cases=cases,
            breaches=len(broken),
            control=self.leaks(path),
        )

    def leaks(self, path):
        """The number of interrupts that leak the bare descriptor."""
        before = set(os.listdir(OPEN_FILES))
        for number in range(1, 40):
            Interrupter(number, {__file__}).run(lambda: leaking(path))
        leaked = set(os.listdir(OPEN_FILES)) - before
        # The listing itself has one open, which is closed by now.
        still = [it for it in leaked if (OPEN_FILES / it).exists()]
        for handle in still:
            os.close(int(handle))
        return len(still)
