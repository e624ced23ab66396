"""A worker with other versions tells it."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import checkpoints as cp

METHODS = ["fork", "spawn"]
SOURCE = Path(cp.__file__).parents[1]


class TestVersions:
    def test_a_worker_with_another_version_tells_it(self, tmp_path):
        shutil.copytree(SOURCE / "checkpoints", tmp_path / "checkpoints")
        file = tmp_path / "checkpoints/_process/installation.py"
        own = f'__version__ = "{cp.__version__}"'
        file.write_text(file.read_text().replace(own, '__version__ = "99.0"'))
        told = self._in_worker(sys.executable, tmp_path)
        assert "has checkpoints 99.0, and its work comes from checkpoints" in told

    def test_a_worker_with_another_python_tells_it(self):
        for minor in range(11, 16):
            other = shutil.which(f"python3.{minor}")
            if minor == sys.version_info[1] or other is None:
                continue
            if not _fails(other):
                told = self._in_worker(other, SOURCE)
                assert f"has Python 3.{minor}, and its work comes from Python" in told
                return
        pytest.skip("there is no other Python here")

    def _in_worker(self, python, source):
        code = "import pickle, sys; pickle.load(sys.stdin.buffer)()"
        done = subprocess.run(
            [python, "-c", code],
            input=pickle.dumps(cp.carry(cp.current_tags)),
            capture_output=True,
            env={**os.environ, "PYTHONPATH": str(source)},
            check=True,
        )
        return done.stderr.decode()


def _fails(python):
    words = [python, "-c", ""]
    return subprocess.run(words, check=False, capture_output=True).returncode
