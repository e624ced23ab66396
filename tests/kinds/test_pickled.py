"""Pickles: values without a format, and classes that a script defines."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import checkpoints
from checkpoints import index

SOURCES = str(Path(checkpoints.__file__).parents[1])

# cloudpickle takes a class of a script apart, and ends at what it refers to.
WITH_A_LOCK = """
import sys, threading
sys.path.insert(0, sys.argv[1])
from checkpoints import FileHandler, index

LOCK = threading.Lock()

class Model:
    weight = 3

    def fit(self):
        with LOCK:
            return self

try:
    import cloudpickle
    cloudpickle.dumps(Model())
except Exception as error:
    print(type(error).__name__)
FileHandler(sys.argv[2]).checkpoint("pickled.fit", Model())
(entry,) = index(sys.argv[2])
print(entry.load(trusted=True)["data"].fit().weight)
"""


class TestScripts:
    def test_a_class_that_refers_to_a_lock_of_its_script_is_saved(self, tmp_path):
        pytest.importorskip("cloudpickle")
        script = tmp_path / "script.py"
        script.write_text(WITH_A_LOCK)
        done = subprocess.run(
            [sys.executable, script, SOURCES, tmp_path / "root"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout == "TypeError\n3\n", done.stderr
        (entry,) = index(tmp_path / "root")
        assert entry.meta["values"]["data"]["kind"] == "pickle"


UNCHANGED = """
import sys
sys.path.insert(0, sys.argv[1])
from checkpoints import FileHandler

count = 0

class Model:
    def step(self):
        global count
        count += 1

step, model = Model.step, Model()
for number in range(3):
    model.step()
    FileHandler(sys.argv[2]).checkpoint(f"a.m{number}", model)
print(count, Model.step is step)
"""


def test_a_class_of_a_script_stays_as_it_is_when_its_objects_are_saved(tmp_path):
    """The proof that a pickle can be loaded happens in the program itself."""
    script = tmp_path / "script.py"
    script.write_text(UNCHANGED)
    command = [sys.executable, script, SOURCES, tmp_path / "out"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout == "3 True\n"
    assert len(index(tmp_path / "out")) == 3
