"""The stores that there are: which one a root or a path means."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

import checkpoints
from checkpoints import ConfigError, FileHandler, index, load
from checkpoints.storage import LocalStore, open_store, split_path
from checkpoints.storage._stores import absolute_root


class TestRoots:
    def test_a_root_is_absolute_from_the_start(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        store = open_store("out")
        monkeypatch.chdir("/")
        assert store.root == str(tmp_path / "out")

    def test_a_tilde_is_the_home_folder(self, tmp_path, monkeypatch):
        monkeypatch.setenv("HOME", str(tmp_path))
        assert open_store("~/out").root == str(tmp_path / "out")

    def test_a_file_url_is_a_path(self, tmp_path):
        assert open_store(f"file://{tmp_path}/a").root == f"{tmp_path}/a"

    @pytest.mark.parametrize("root", ["", "file://"])
    def test_an_empty_one_is_not_the_working_folder(self, root):
        for take in (open_store, index):
            with pytest.raises(
                ConfigError, match=r"use '\.' for the current directory"
            ):
                take(root)

    @pytest.mark.parametrize("url", ["s4://bucket/a", "host://a"])
    def test_another_url_is_told_with_the_way_out(self, url):
        with pytest.raises(ConfigError, match="Give a path, or install fsspec"):
            open_store(url)


class TestPaths:
    @pytest.mark.parametrize(
        "path", ["a.ckpt.zip", "out/a", "/out/a", "/a", "out/", "a b"]
    )
    def test_a_path_is_the_one_that_was_given(self, path):
        store, name = split_path(path)
        assert store.path_of(name) == path

    def test_a_file_url_is_the_file(self, tmp_path):
        FileHandler(tmp_path).checkpoint("a", 1)
        assert load(f"file://{tmp_path}/a.ckpt.zip") == {"data": 1}

    def test_a_path_in_the_working_folder_needs_no_folder(self, tmp_path, monkeypatch):
        FileHandler(tmp_path).checkpoint("a", 1)
        monkeypatch.chdir(tmp_path)
        assert load("a.ckpt.zip") == {"data": 1}
        with pytest.raises(FileNotFoundError) as told:
            load("b")
        assert told.value.filename == "b"

    def test_another_url_is_told_with_the_way_out(self):
        with pytest.raises(ConfigError, match="Give a path, or install fsspec"):
            load("s4://bucket/a.ckpt.zip")


class TestAbsoluteRoots:
    def test_what_is_put_before_a_relative_one_is_escaped(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        assert absolute_root("{run}", str.upper) == f"{str(tmp_path).upper()}/{{run}}"
        assert absolute_root("/a", str.upper) == "/a"


DELETED = """
import os, sys
sys.path.insert(0, sys.argv[1])
os.chdir(sys.argv[2])
os.rmdir(sys.argv[2])
try:
    import checkpoints
except Exception as error:
    print(type(error).__name__, error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="the folder is locked there")
class TestDeletedFolder:
    @pytest.fixture
    def deleted(self, tmp_path, monkeypatch):
        (tmp_path / "gone").mkdir()
        monkeypatch.chdir(tmp_path / "gone")
        (tmp_path / "gone").rmdir()

    @pytest.mark.usefixtures("deleted")
    @pytest.mark.parametrize("take", [open_store, index, FileHandler])
    def test_a_relative_root_in_a_deleted_folder_tells_the_way_out(self, take):
        with pytest.raises(ConfigError, match=r"deleted\. Change to one"):
            take("out")

    @pytest.mark.parametrize(
        "variables", [{"CHECKPOINTS": "a"}, {"CHECKPOINTS_CONFIG": "rules.toml"}]
    )
    def test_rules_from_outside_in_a_deleted_folder_tell_it_at_import(
        self, tmp_path, variables
    ):
        (tmp_path / "gone").mkdir()
        sources = str(Path(checkpoints.__file__).parents[1])
        done = subprocess.run(
            [sys.executable, "-c", DELETED, sources, tmp_path / "gone"],
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout.startswith("ConfigError")
        assert "give an absolute path" in done.stdout


class TestPickles:
    def test_a_store_of_a_named_file_stays_one(self, tmp_path):
        FileHandler(tmp_path).checkpoint("a", 1)
        (tmp_path / "link.ckpt.zip").symlink_to(tmp_path / "a.ckpt.zip")
        store, name = split_path(str(tmp_path / "link.ckpt.zip"))
        with pickle.loads(pickle.dumps(store)).open(name) as file:
            assert file.size

    def test_a_store_is_its_root(self, tmp_path):
        store = LocalStore(str(tmp_path))
        store.put(["a"], [(0, b"text")], 4, durable=True)
        again = pickle.loads(pickle.dumps(store))
        assert again.root == store.root
        assert again.status("a").size == 4
        assert len(pickle.dumps(store)) < 100 + len(store.root)


class TestFileUrls:
    @pytest.mark.parametrize(
        "url", ["file://out/run", "file:///out/a#b", "file:///out/a?b=c"]
    )
    def test_a_part_that_has_no_meaning_there_is_an_error(self, url):
        with pytest.raises(ConfigError, match="file:///path with three slashes"):
            open_store(url)

    def test_the_local_host_may_be_named(self, tmp_path):
        assert open_store(f"file://localhost{tmp_path}").root == str(tmp_path)
