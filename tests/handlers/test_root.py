"""Roots as `file://` URLs: for saving, for the index and for loading."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import checkpoints
from checkpoints import FileHandler, checkpoint, config, index, load

LOCATION = str(Path(checkpoints.__file__).parents[1])


@pytest.fixture
def root(tmp_path):
    return tmp_path / "of two words, 100% ü"


@pytest.fixture
def url(root):
    url = root.as_uri()
    assert url.startswith("file:///")
    assert "%20" in url
    return url


class TestUrls:
    def test_a_handler_saves_to_the_folder(self, root, url):
        handler = FileHandler(url)
        assert handler.folder == str(root)
        handler.checkpoint("rooted", 1)
        assert (root / "rooted.ckpt.zip").exists()

    def test_a_rule_saves_to_the_folder(self, root, url):
        with config("rooted", url, on_error="raise"):
            checkpoint("rooted", 1)
        assert (root / "rooted.ckpt.zip").exists()

    def test_the_index_lists_the_folder(self, root, url):
        FileHandler(root).checkpoint("rooted", 1)
        assert list(index(url)) == list(index(root))
        (entry,) = index(url)
        assert entry.path == str(root / "rooted.ckpt.zip")
        assert entry.load() == {"data": 1}

    def test_a_file_is_loaded(self, root, url):
        FileHandler(root).checkpoint("rooted", x=1, y=2)
        assert load(f"{url}/rooted.ckpt.zip", "x") == {"x": 1}

    def test_placeholders_are_filled_in(self, tmp_path):
        handler = FileHandler(f"{tmp_path.as_uri()}/a%20b/{{run}}")
        handler.checkpoint("rooted", 1)
        (entry,) = index(tmp_path / "a b")
        assert entry.path.startswith(f"{handler.folder}/")
        assert entry.meta["run"] in handler.folder

    @pytest.mark.parametrize("run", ["..", "../up", "a/b", "."])
    def test_a_run_that_would_lead_out_of_its_folder_is_refused(self, tmp_path, run):
        program = (
            "import sys, checkpoints\n"
            "try: checkpoints.FileHandler(sys.argv[1] + '/{run}/x')\n"
            "except checkpoints.ConfigError as error: print(error)"
        )
        done = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path)],
            env={**os.environ, "PYTHONPATH": LOCATION, "CHECKPOINTS_RUN": run},
            capture_output=True,
            text=True,
            check=True,
        )
        assert f"the run is {run!r}, from CHECKPOINTS_RUN" in done.stdout

    @pytest.mark.parametrize("name", ["a{run}", "a{b}", "a{"])
    def test_an_encoded_brace_is_the_folders_own(self, tmp_path, name):
        root = tmp_path / name
        handler = FileHandler(root.as_uri())
        handler.checkpoint("rooted", 1)
        assert handler.folder == str(root)
