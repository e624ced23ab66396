"""Whether case is folded: found out once, by a trial that leaves nothing behind."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import checkpoints
from checkpoints.storage import LocalStore, Status, _case

SOURCES = str(Path(checkpoints.__file__).parents[1])

# Has its trial, and is killed where the file of it is there.
KILLED = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from checkpoints.storage import LocalStore, _case
_case._is_there = lambda path: os.kill(os.getpid(), signal.SIGKILL)
LocalStore(sys.argv[2]).folds_case
"""


@pytest.fixture
def store(tmp_path):
    return LocalStore(str(tmp_path / "root"))


@pytest.fixture
def trials(monkeypatch):
    """The roots that were tried."""
    tried = []
    real = _case._tried

    def recorded(root, create):
        tried.append(root)
        return real(root, create)

    monkeypatch.setattr(_case, "_tried", recorded)
    return tried


def folds_in_truth(folder):
    """What this file system does, found out by names of people."""
    (folder / "Ridge").touch()
    folds = (folder / "ridge").exists()
    (folder / "Ridge").unlink()
    return folds


class TestTrial:
    def test_tells_what_the_file_system_does(self, store, tmp_path):
        assert store.folds_case is folds_in_truth(tmp_path)

    def test_leaves_nothing_but_the_root(self, store):
        assert store.folds_case in (True, False)
        assert os.listdir(store.root) == []

    def test_is_made_once_for_each_root(self, store, tmp_path, trials):
        for _ in range(3):
            assert LocalStore(store.root).folds_case is store.folds_case
        assert trials == [store.root]
        assert LocalStore(str(tmp_path / "other")).folds_case is store.folds_case
        assert len(trials) == 2

    def test_is_made_by_no_save_of_small_letters(self, store, trials):
        store.put(["a/b.txt"], [(0, b"text")], 4)
        checkpoints.FileHandler(store.root).checkpoint("mypkg.fit", 1)
        assert trials == []

    def test_is_safe_with_many_at_once(self, store):
        with ThreadPoolExecutor(8) as pool:
            found = list(
                pool.map(lambda _: _case._tried(store.root, store._create), [0] * 40)
            )
        assert len(set(found)) == 1
        assert os.listdir(store.root) == []

    @pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
    def test_that_is_killed_leaves_what_gc_knows(self, store):
        command = [sys.executable, "-c", KILLED, SOURCES, store.root]
        done = subprocess.run(command, check=False)
        assert done.returncode < 0
        (left,) = os.listdir(store.root)
        assert re.fullmatch(r"\.[0-9]+-[0-9a-f]{12}-[0-9]+\.ckpt\.tmp", left)
        assert list(store.walk()) == []


class TestWithoutTrial:
    @pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc")
    def test_names_that_are_there_tell_it(self):
        assert LocalStore("/proc/self").folds_case is False

    def test_where_nothing_tells_it_capitals_are_encoded(self, tmp_path, trials):
        (tmp_path / "file").touch()
        store = LocalStore(str(tmp_path / "file" / "root"))
        assert store.folds_case is True
        assert store.folds_case is True
        assert len(trials) == 2


class TestExactNames:
    def test_a_file_is_there_under_its_own_name_alone(self, store):
        store.put(["Model/Fit.txt"], [(0, b"")], 0)
        assert store.has("Model/Fit.txt")
        assert not store.has("model/fit.txt")
        assert not store.has("Model/other.txt")

    def test_where_case_is_folded_each_part_is_looked_at(self, store, monkeypatch):
        monkeypatch.setitem(_case._known, store.root, True)
        monkeypatch.setattr(LocalStore, "status", lambda *_: Status(1, 0))
        store.put(["Model/Fit.txt"], [(0, b"")], 0)
        assert store.has("Model/Fit.txt")
        assert not store.has("model/Fit.txt")
        assert not store.has("Model/fit.txt")
        assert not store.has("Other/fit.txt")
