"""No fork comes in the middle of an import that a save or a load needs."""

from __future__ import annotations

import datetime
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import checkpoints

SOURCES = str(Path(checkpoints.__file__).parents[1])

# Reports every library that is imported while a fork would not wait.
WATCH = """
import checkpoints
from checkpoints._process.forks import _blocks

class Watch:
    def find_spec(self, name, path=None, target=None):
        if name in LIBRARIES:
            print(name, "waits" if _blocks._depths else "does not wait", flush=True)

LIBRARIES = sys.argv[3].split()
sys.meta_path.insert(0, Watch())
"""
LOAD = """
for name in checkpoints.load(sys.argv[2], "names")["names"]:
    checkpoints.load(sys.argv[2], name, trusted=True)
"""
# A library comes before those that import it.
MADE = {
    "numpy": lambda it: it.arange(3),
    "numpy.ma": lambda it: it.array([1, 2], mask=[0, 1]),
    "scipy.sparse": lambda it: it.csr_array([[1, 0]]),
    "PIL.Image": lambda it: it.new("L", (2, 2)),
    "pyarrow": lambda it: it.table({"a": [1]}),
    "polars": lambda it: it.DataFrame({"a": [1]}),
    "zoneinfo": lambda it: datetime.datetime(2026, 1, 1, tzinfo=it.ZoneInfo("UTC")),
    "pandas": lambda it: it.DataFrame({"a": [1]}),
    "torch": lambda it: it.arange(3),
    "jax": lambda it: it.numpy.arange(3),
}


def imports(program, path, *libraries, before=""):
    """Return the imports of these libraries in another process, and what it prints."""
    arguments = [SOURCES, str(path), " ".join(libraries)]
    start = f"import sys\nsys.path.insert(0, sys.argv[1])\n{before}\n"
    done = subprocess.run(
        [sys.executable, "-c", start + WATCH + program, *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )
    return done.stdout.splitlines()


def value_of(library):
    """Return a value of the library, None if it or the time zone is not installed."""
    try:
        return MADE[library](importlib.import_module(library))
    except (ImportError, KeyError):
        return None


class TestLoading:
    def test_a_fork_waits_for_the_library_of_each_value(self, tmp_path):
        values = {name: value_of(name) for name in MADE}
        values = {name: value for name, value in values.items() if value is not None}
        checkpoints.FileHandler(tmp_path).checkpoint(
            "imports", names=list(values), **values
        )
        found = imports(LOAD, tmp_path / "imports.ckpt.zip", *values)
        assert sorted({*found}) == sorted(f"{name} waits" for name in values)


class TestSaving:
    def test_a_fork_waits_for_cloudpickle(self, tmp_path):
        pytest.importorskip("cloudpickle", reason="it pickles what pickle cannot")
        program = "checkpoints.FileHandler(sys.argv[2]).checkpoint('a', lambda: 1)"
        found = imports(program, tmp_path, "cloudpickle")
        assert found == ["cloudpickle waits"]

    def test_a_fork_waits_for_pyarrow_where_polars_needs_it(self, tmp_path):
        for library in ("polars", "pyarrow"):
            pytest.importorskip(library, reason="it holds the frame")
        program = (
            "handler = checkpoints.FileHandler(sys.argv[2], format='parquet')\n"
            "handler.checkpoint('a', polars.DataFrame({'a': [1]}))\n"
        )
        # Polars looks for pyarrow as it is imported itself.
        found = imports(program, tmp_path, "pyarrow", before="import polars")
        assert found == ["pyarrow waits"]

    def test_a_fork_waits_for_the_plugins_of_pillow(self, tmp_path):
        pytest.importorskip("PIL.Image", reason="its pictures are saved")
        program = (
            "import PIL.Image\n"
            "picture = PIL.Image.new('L', (2, 2))\n"
            "checkpoints.FileHandler(sys.argv[2]).checkpoint('a', picture)\n"
        )
        plugins = ("PIL.PngImagePlugin", "PIL.BmpImagePlugin")
        found = imports(program, tmp_path, *plugins)
        assert sorted(found) == sorted(f"{name} waits" for name in plugins)
