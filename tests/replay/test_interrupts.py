"""What a function raises is an outcome; what the user interrupts is at an end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from checkpoints import replay

QUITS = """
import asyncio, os, signal, time


def quit(kind):
    if kind == "exit":
        raise SystemExit(3)
    raise KeyboardInterrupt


async def quit_later(kind):
    await asyncio.sleep(0)
    quit(kind)


def wait(marker):
    if marker:
        open(marker, "w").close()
        time.sleep(60)


def interrupted(pid):
    if pid:
        os.kill(pid, signal.SIGINT)
        time.sleep(60)
"""


@pytest.fixture
def quits(repository):
    repository.commit(QUITS, "first")
    return repository


class TestFunction:
    @pytest.mark.parametrize("kind", ["exit", "interrupt"])
    @pytest.mark.parametrize("name", ["quit", "quit_later"])
    def test_may_raise_what_ends_a_program(self, quits, command, name, kind):
        entry = quits.call(kind, name=f"stand.fees:{name}")
        assert replay(entry, trusted=True).verdict == "equal"
        code, out, err = command("replay", entry.path, "--trusted")
        assert (code, err) == (0, "")
        assert out.startswith("EQUAL")

    def test_that_the_user_interrupts_has_no_outcome(self, quits):
        entry = quits.call(0, name="stand.fees:interrupted")
        before = signal.getsignal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            replay(entry, trusted=True, set={"pid": os.getpid()})
        assert signal.getsignal(signal.SIGINT) is before


class TestCommand:
    def test_that_the_user_interrupts_exits_with_130(self, quits, tmp_path):
        entry = quits.call("", name="stand.fees:wait")
        words = ("replay", entry.path, "--trusted", "--set", f"marker={tmp_path}/here")
        with subprocess.Popen(
            [sys.executable, "-P", "-m", "checkpoints", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            while not (tmp_path / "here").exists():
                assert process.poll() is None
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate()
        assert (process.returncode, out) == (130, "")
