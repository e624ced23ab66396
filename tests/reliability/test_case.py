"""Keys that differ by their case, on file systems that fold it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from faultlab.mount import Disk

from checkpoints import FileHandler, Key, index, tags
from checkpoints._keys.spelling import caseless
from checkpoints.storage import LocalStore

MODELS = ("Ridge", "ridge", "RIDGE", "rIdge", "%52idge", "A/b", "a/B")

SAVER = """
import sys
from checkpoints import FileHandler, tags
for model in sys.argv[2:]:
    with tags(model=model):
        FileHandler(sys.argv[1]).checkpoint("MyPkg.Fit", model)
"""


@pytest.fixture(params=["casefold", "vfat", "ntfs"])
def folding(request, full, tmp_path):
    """A folder on a file system that folds case."""
    if not full:
        pytest.skip("mounts file systems, so only in make reliability")
    try:
        disk = Disk(tmp_path / request.param, request.param)
    except OSError as error:
        pytest.skip(str(error))
    with disk:
        folder = disk.path / "folding"
        folder.mkdir()
        if request.param == "casefold":
            subprocess.run(["chattr", "+F", folder], check=True)
        yield folder


class TestCase:
    def test_no_two_keys_share_a_file_and_each_comes_back(self, folding, record):
        root, plain = folding / "root", folding / "plain"
        programs = [
            subprocess.Popen([sys.executable, "-c", SAVER, root, *MODELS])
            for _ in range(3)
        ]
        assert [program.wait() for program in programs] == [0, 0, 0]
        found = {entry.tags["model"]: entry.load()["data"] for entry in index(root)}
        assert LocalStore(str(plain)).folds_case
        assert os.listdir(plain) == []
        record(
            "no two keys share a path where case is folded",
            cases=len(MODELS),
            breaches=[it for it in MODELS if found.get(it) != it],
            control=len(MODELS) - len(_paths_without_encoding(plain)),
            note=f"{folding.parent.parent.name}; control: the readable spelling",
        )

    def test_a_key_that_came_in_the_readable_spelling_keeps_its_file(self, folding):
        """Only where the case that a name was given is kept, if not told apart."""
        with tags(model="Ridge"):
            FileHandler(folding).checkpoint("fit", 1)
        plain = folding / "model=Ridge"
        os.rename(folding / "model=%52idge", plain)
        if "model=Ridge" not in os.listdir(folding):
            pytest.skip("this file system forgets the case of names")
        for model in ("Ridge", "rIdge", "Ridge"):
            with tags(model=model):
                FileHandler(folding).checkpoint("fit", model)
        found = {entry.tags["model"]: entry.load()["data"] for entry in index(folding)}
        assert (found, len(index(folding))) == ({"Ridge": "Ridge", "rIdge": "rIdge"}, 2)


def _paths_without_encoding(folder):
    for model in MODELS:
        path = Key("MyPkg.Fit", (("model", model),)).path
        assert caseless(path) != path
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    return [path for path in folder.rglob("*") if path.is_file()]
