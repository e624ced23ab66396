"""Runs that were saved on purpose, to be compared."""

from __future__ import annotations

import pytest

from checkpoints import FileHandler, Key
from checkpoints._process.origin import Origin, current_run


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


@pytest.fixture
def runs(tmp_path):
    """Two runs, to be saved: a baseline and a candidate."""
    return SavedRun(tmp_path / "one"), SavedRun(tmp_path / "two")
