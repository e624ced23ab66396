"""What an installation guarantees before anything is saved."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import checkpoints
from checkpoints._process.variables import OUTSIDE

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"
LOCATION = Path(checkpoints.__file__).parents[1]

# What `site` has loaded before is not ours to answer for.
IMPORT = """
import json, sys, threading
sys.path.insert(0, sys.argv[1])
before = set(sys.modules)
import checkpoints
print(json.dumps({
    "file": checkpoints.__file__,
    "loaded": sorted(set(sys.modules) - before),
    "threads": [thread.name for thread in threading.enumerate()],
}))
"""


@pytest.fixture(scope="module")
def project() -> dict[str, object]:
    return tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def imported() -> dict[str, object]:
    """What `import checkpoints` does in a fresh process."""
    run = subprocess.run(
        [sys.executable, "-I", "-W", "error", "-c", IMPORT, str(LOCATION)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env={key: it for key, it in os.environ.items() if key not in OUTSIDE},
    )
    return json.loads(run.stdout)


class TestImport:
    def test_takes_the_package_under_test(self, imported):
        assert Path(imported["file"]) == Path(checkpoints.__file__)

    def test_loads_nothing_beyond_the_standard_library(self, imported):
        packages = {name.partition(".")[0] for name in imported["loaded"]}
        assert packages - sys.stdlib_module_names == {"checkpoints"}

    def test_loads_nothing_that_only_a_save_or_a_load_needs(self, imported):
        """Together, they take longer than the rest of a program's start."""
        heavy = {"ast", "concurrent", "copy", "dataclasses", "datetime", "decimal"}
        heavy |= {"difflib", "hashlib", "html", "inspect", "json", "pickle", "platform"}
        heavy |= {"queue", "signal", "socket", "subprocess", "urllib", "uuid", "zlib"}
        heavy |= {
            f"checkpoints.{name}"
            for name in ("_kinds", "_files", "storage", "_rules.rule")
        }
        assert heavy & set(imported["loaded"]) == set()

    def test_starts_no_thread(self, imported):
        assert imported["threads"] == ["MainThread"]


class TestMetadata:
    def test_the_version_is_the_same_in_both_places(self, project):
        assert checkpoints.__version__ == project["version"]

    def test_nothing_else_has_to_be_installed(self, project):
        assert project.get("dependencies", []) == []
        assert "dependencies" not in project.get("dynamic", [])

    def test_its_types_are_shipped(self):
        assert Path(checkpoints.__file__).with_name("py.typed").is_file()

    def test_the_extra_all_leaves_out_only_torch_and_jax(self, project):
        extras = project["optional-dependencies"]
        (everything,) = extras["all"]
        named = (
            everything.removeprefix("named-checkpoints[").removesuffix("]").split(",")
        )
        assert set(named) == set(extras) - {"all", "torch", "jax"}
