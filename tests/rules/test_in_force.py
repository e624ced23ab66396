"""Handlers and rules have no effect on the process until they are in force."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import checkpoints
from checkpoints import ConfigError, DictHandler, config, reset, rules
from checkpoints._environment import read_settings

LOCATION = Path(checkpoints.__file__).parents[1]

# All that a library could leave behind in a process, before and after.
PROGRAM = """
import atexit, os, signal, sys, threading
import checkpoints, checkpoints._environment, checkpoints._handlers.recorder
from checkpoints import FileHandler, Recorder, Rule
from checkpoints._environment import read_settings
from checkpoints._process import drain

def state():
    return (
        dict(os.environ), os.listdir(), threading.active_count(), atexit._ncallbacks(),
        sys.excepthook, threading.excepthook, signal.getsignal(signal.SIGINT),
        signal.getsignal(signal.SIGTERM), len(drain._all()),
        "named_by_rule" in sys.modules,
    )

before = state()
held = []
{done}
assert len(held) == 1 and held[0]
assert state() == before, [*zip(before, state())]
"""
READING = """
text = "a=saved?background=true&transform=mypkg.named;b=other?if_exists=keep"
held.append(read_settings(text, record="1MB,signal=TERM", config="rules.toml"))
"""
MAKING = """
held.append([
    FileHandler("saved", background=True),
    Recorder("saved", background=True, signal=signal.SIGTERM),
    Rule("a", (FileHandler("saved"),)),
])
"""


class Told(DictHandler):
    """Notes when it is begun and ended."""

    def __init__(self, begins=True, ends=True):
        super().__init__()
        self.told, self.begins, self.ends = [], begins, ends

    def begin(self):
        self.told.append("begin")
        if not self.begins:
            raise OSError("no service")

    def end(self):
        self.told.append("end")
        if not self.ends:
            raise OSError("still at work")


@pytest.fixture
def folder(tmp_path):
    """A folder with a transform that is installed there, and rules in a file."""
    about = tmp_path / "mypkg-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: mypkg\nVersion: 1\n")
    (about / "entry_points.txt").write_text(
        "[checkpoints.transforms]\nmypkg.named = named_by_rule:f\n"
    )
    (tmp_path / "named_by_rule.py").write_text("def f(values):\n    return values\n")
    (tmp_path / "rules.toml").write_text('[[rules]]\nnames = "c"\ntarget = "saved"\n')
    return tmp_path


class TestNoEffect:
    @pytest.mark.skipif(os.name != "posix", reason="there are no such signals")
    @pytest.mark.parametrize("done", [READING, MAKING], ids=["reading", "making"])
    def test_of_what_is_read_or_made(self, folder, done):
        path = os.pathsep.join([str(LOCATION), str(folder)])
        program = textwrap.dedent(PROGRAM).format(done=done)
        ended = subprocess.run(
            [sys.executable, "-W", "error", "-c", program],
            check=False,
            capture_output=True,
            text=True,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        )
        assert (ended.returncode, ended.stderr) == (0, "")

    def test_a_transform_that_is_not_installed_is_told_when_it_is_read(self):
        with pytest.raises(ConfigError, match="is not installed"):
            read_settings("a=saved?transform=mypkg.none")


class TestHandlers:
    def test_are_begun_with_their_first_rule_and_ended_with_their_last(self):
        handler = Told()
        one = config("held.a", handler)
        other = config("held.b", [handler, handler])
        assert handler.told == ["begin"]
        one.remove()
        one.remove()
        assert handler.told == ["begin"]
        other.remove()
        assert handler.told == ["begin", "end"]
        with config("held.a", handler):
            assert handler.told == ["begin", "end", "begin"]
        assert handler.told == ["begin", "end"] * 2

    def test_are_told_apart_though_they_are_equal(self):
        one, other = Told(), Told()
        assert one == other
        config("held", [one, other])
        assert (one.told, other.told) == (["begin"], ["begin"])

    def test_are_ended_when_all_rules_are_taken_back(self):
        handler = Told()
        config("held", handler)
        reset()
        reset()
        assert handler.told == ["begin", "end"]

    def test_one_that_cannot_begin_keeps_its_rule_from_being_made(self):
        first, last = Told(), Told(begins=False)
        with pytest.raises(OSError, match="no service"):
            config("held", [first, last])
        assert rules() == []
        assert (first.told, last.told) == (["begin", "end"], ["begin"])

    def test_one_that_is_in_force_already_stays_so(self):
        first = Told()
        config("held.a", first)
        with pytest.raises(OSError, match="no service"):
            config("held.b", [first, Told(begins=False)])
        assert first.told == ["begin"]

    def test_one_that_cannot_end_is_told_and_the_rule_is_gone(self, caplog):
        handler = Told(ends=False)
        config("held", handler).remove()
        assert rules() == []
        assert "still at work" in caplog.text
