"""The demo tells its story, from a wrong number to its cause."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import checkpoints

SOURCES = str(Path(checkpoints.__file__).parents[1])


def told(*arguments, folder):
    pytest.importorskip("click", reason="it reads the arguments")
    pytest.importorskip("rich", reason="it prints the tables")
    done = subprocess.run(
        [sys.executable, "-m", "checkpoints", "demo", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": SOURCES, "CHECKPOINTS": "*=elsewhere"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


class TestDemo:
    def test_it_ends_with_the_stage_that_was_changed(self, tmp_path):
        code, out, _ = told("story", folder=tmp_path)
        assert code == 0
        assert "\ntuesday 9\n" in out
        assert "DIFFERENT  first beyond tolerance: bakery.clean  day=tuesday" in out
        assert "EARLIEST SAVED" in out
        assert len(checkpoints.runs(tmp_path / "story" / ".checkpoints")) == 2
        assert os.listdir(tmp_path) == ["story"]

    def test_it_writes_over_nothing(self, tmp_path):
        (tmp_path / "mine").touch()
        code, out, err = told(".", folder=tmp_path)
        assert (code, out) == (2, "")
        assert "'.' is not empty; name a new folder" in err
        assert os.listdir(tmp_path) == ["mine"]
