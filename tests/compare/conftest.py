"""Runs that were saved on purpose, to be compared."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from checkpoints import FileHandler, Key
from checkpoints._files.run_record import end_name, put_record
from checkpoints._process.origin import Origin, current_run
from checkpoints.storage._stores import open_store


class SavedRun:
    """Saves a run, one call after the other."""

    def __init__(self, root):
        self.root = str(root)
        self._handler = FileHandler(root, if_exists="keep")
        self._sequences = {}

    def save(
        self, name, values, *, tags=(), pid=1, time=None, thread="MainThread", **origin
    ):
        """Save values under a name and tags, as a process would; return the run."""
        number = self._sequences.get(pid, 0) + 1
        self._sequences[pid] = number
        moment = 1.7e9 + pid + number / 1000 if time is None else time
        place = ("host", pid, thread, "program.py", 7, "main")
        made = Origin(current_run(), number, moment, *place, **origin)
        pairs = tuple(tags.items()) if isinstance(tags, dict) else tuple(tags)
        if not isinstance(values, dict):
            values = {"data": values}
        self._handler.commit(Key(name, pairs, made), values)
        return self

    def ended(self, *, pid=1, error="", **counted):
        """Record the end of a process, with what its rules had counted by name."""
        store = open_store(self.root)
        about = {"run": current_run(), "host": "host", "pid": pid, "error": error}
        moment = "2023-11-15T00:00:00+00:00"
        fields = {**about, "ended": moment, "counted": counted}
        put_record(store, end_name(current_run(), str(pid)), fields)
        return self


@pytest.fixture
def runs(tmp_path):
    """Two runs, to be saved: a baseline and a candidate."""
    return SavedRun(tmp_path / "one"), SavedRun(tmp_path / "two")


@pytest.fixture
def roots(tmp_path):
    """Return the roots that runs of a program have saved to, each in a new process."""

    def run(program, *arguments, **options):
        places = []
        for number, given in enumerate(arguments):
            root = tmp_path / f"run{number}"
            config = f"cp.config('*', {str(root)!r}, **{options!r})"
            lines = f"import sys\nimport checkpoints as cp\n{config}\n{program}"
            file = tmp_path / "program.py"
            file.write_text(lines)
            hidden = ("CHECKPOINTS_RUN", "CHECKPOINTS_RUN_PROCESS")
            subprocess.run(
                [sys.executable, file, given],
                check=True,
                env={k: v for k, v in os.environ.items() if k not in hidden},
            )
            places.append(str(root))
        return places

    return run


@pytest.fixture
def command():
    """Return what `checkpoints diff` prints of two roots, and its exit code."""

    def run(*arguments):
        found = subprocess.run(
            [sys.executable, "-m", "checkpoints", "diff", *arguments],
            check=False,
            capture_output=True,
            text=True,
        )
        return found.returncode, found.stdout

    return run
