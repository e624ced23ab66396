"""Links below a root: nothing is read, written or deleted through one."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import pytest

import checkpoints
from checkpoints import FileHandler, Key, index, load
from checkpoints.storage import LocalStore, _folder, _local
from tests.swapper import swapping

SOURCES = str(Path(checkpoints.__file__).parents[1])

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="links need rights there"
)


@pytest.fixture(params=["descriptors", "paths"])
def way(request, monkeypatch):
    """With descriptors of folders, and as on a system that has none."""
    if request.param == "paths":
        monkeypatch.setattr(_folder, "_HAS_DESCRIPTORS", False)
    monkeypatch.setattr(_folder, "_known", {})


@pytest.fixture
def outside(tmp_path):
    """A folder that belongs to somebody else, with a file that must stay."""
    FileHandler(tmp_path / "outside").checkpoint("fit", "secret")
    return tmp_path / "outside"


@pytest.fixture
def store(tmp_path):
    return LocalStore(str(tmp_path / "root"))


def put(store, name, **options):
    return store.put([name], [(0, b"text")], 4, **options)


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.usefixtures("way")
class TestPlanted:
    @pytest.mark.parametrize("name", ["a/fit.ckpt.zip", "a/b/fit.ckpt.zip"])
    @pytest.mark.parametrize("replace", [True, False])
    def test_a_save_through_a_link_to_a_folder_is_an_error_that_names_it(
        self, store, outside, name, replace
    ):
        os.mkdir(store.root)
        os.symlink(outside, store.path_of("a"))
        before = contents(outside)
        with pytest.raises(NotADirectoryError, match="Is a link") as told:
            put(store, name, replace=replace)
        assert told.value.filename == store.path_of("a")
        assert contents(outside) == before

    def test_a_link_that_replaces_a_known_folder_is_noticed(self, store, outside):
        put(store, "a/x.txt")
        put(store, "a/y.txt")
        os.rename(store.path_of("a"), store.path_of("b"))
        os.symlink(outside, store.path_of("a"))
        before = contents(outside)
        for act in (
            lambda: put(store, "a/z.txt"),
            lambda: store.open("a/fit.ckpt.zip"),
            lambda: store.delete("a/fit.ckpt.zip"),
        ):
            with pytest.raises(NotADirectoryError, match="Is a link"):
                act()
        assert contents(outside) == before

    def test_a_folder_that_is_made_again_takes_saves_again(self, store):
        put(store, "a/x.txt")
        os.rename(store.path_of("a"), store.path_of("b"))
        put(store, "a/y.txt")
        assert os.listdir(store.path_of("a")) == ["y.txt"]

    def test_the_root_and_what_is_above_may_be_links(self, tmp_path):
        (tmp_path / "real").mkdir()
        (tmp_path / "link").symlink_to(tmp_path / "real")
        for root in (tmp_path / "link", tmp_path / "link" / "root"):
            put(LocalStore(str(root)), "a/x.txt")
            with LocalStore(str(root)).open("a/x.txt") as file:
                assert file.size == 4
        assert (tmp_path / "real" / "a" / "x.txt").exists()

    def test_a_file_that_is_a_link_is_listed_but_only_its_path_reads_it(
        self, tmp_path, outside
    ):
        root = tmp_path / "root"
        root.mkdir()
        (root / "fit.ckpt.zip").symlink_to(outside / "fit.ckpt.zip")
        (entry,) = index(root)
        with pytest.raises(OSError, match="Is a link, not a regular file"):
            entry.load()
        assert load(entry.path) == {"data": "secret"}

    def test_a_file_that_is_a_link_is_deleted_and_not_what_it_leads_to(
        self, store, outside
    ):
        os.mkdir(store.root)
        os.symlink(outside / "fit.ckpt.zip", store.path_of("fit.ckpt.zip"))
        store.delete("fit.ckpt.zip")
        assert os.listdir(store.root) == []
        assert (outside / "fit.ckpt.zip").exists()


@pytest.mark.skipif(
    not _folder._HAS_DESCRIPTORS, reason="there is no guarantee without descriptors"
)
class TestRaces:
    def test_a_folder_swapped_after_it_was_opened_takes_the_file_with_it(
        self, store, outside, monkeypatch
    ):
        put(store, "a/x.txt")
        before = contents(outside)
        write = _local.Temporary.write

        def swapped(temporary, pieces, size):
            os.rename(store.path_of("a"), store.path_of("b"))
            os.symlink(outside, store.path_of("a"))
            write(temporary, pieces, size)

        monkeypatch.setattr(_local.Temporary, "write", swapped)
        put(store, "a/y.txt")
        assert sorted(os.listdir(store.path_of("b"))) == ["x.txt", "y.txt"]
        assert contents(outside) == before

    def test_a_folder_swapped_while_its_parent_is_listed_is_left_out(
        self, store, outside, monkeypatch
    ):
        put(store, "a/x.txt")
        in_order = _local._in_order

        def swapped(*arguments):
            found = list(in_order(*arguments))
            if not os.path.islink(store.path_of("a")):
                os.rename(store.path_of("a"), store.path_of("b"))
                os.symlink(outside, store.path_of("a"))
            return found

        monkeypatch.setattr(_local, "_in_order", swapped)
        assert list(store.walk()) == []

    def test_saves_reads_and_walks_beside_a_swapper_touch_nothing_outside(
        self, tmp_path, outside
    ):
        root = tmp_path / "root"
        handler = FileHandler(root)
        handler.commit(Key("a.fit"), {"v": "ours"})
        (tmp_path / "link").symlink_to(outside)
        before = contents(outside)
        refused = set()
        with swapping(root / "a", tmp_path / "link", root / "aside"):
            for number in range(400):
                try:
                    handler.commit(Key("a.fit"), {"v": "ours"})
                    handler.commit(Key(f"a.new{number}"), {"v": "ours"})
                    found = [entry.load()["v"] for entry in index(root).where("a.fit")]
                    assert found in ([], ["ours"])
                except OSError as error:
                    refused.add(type(error))
        assert refused <= {FileNotFoundError, NotADirectoryError}
        assert contents(outside) == before

    def test_no_descriptor_stays_open(self, store, outside):
        if not os.path.isdir("/dev/fd"):
            pytest.skip("open descriptors cannot be listed")
        before = len(os.listdir("/dev/fd"))
        put(store, "a/b/x.txt", durable=True)
        os.symlink(outside, store.path_of("a/c"))
        with pytest.raises(NotADirectoryError):
            put(store, "a/c/x.txt")
        with store.open("a/b/x.txt"):
            pass
        list(store.walk())
        assert len(os.listdir("/dev/fd")) == before

    def test_an_error_while_one_is_closed_keeps_none_open(self, store, monkeypatch):
        if not os.path.isdir("/dev/fd"):
            pytest.skip("open descriptors cannot be listed")
        before, close = len(os.listdir("/dev/fd")), os.close

        def failing(handle):
            close(handle)
            raise OSError("mine")

        os.makedirs(store.path_of("a/b/c"))
        folder = _folder.Folder(store.root, "a/b/c")
        with monkeypatch.context() as broken:
            broken.setattr(os, "close", failing)
            with folder, folder:
                folder.open()
        assert len(os.listdir("/dev/fd")) == before

    def test_a_folder_that_may_be_entered_but_not_listed_takes_saves(self, store):
        put(store, "a/x.txt")
        os.chmod(store.path_of("a"), 0o300)
        threads = [
            threading.Thread(target=put, args=(store, f"a/{n}.txt")) for n in range(2)
        ]
        for thread in threads:
            thread.start()
            thread.join()
        os.chmod(store.path_of("a"), 0o700)
        assert sorted(os.listdir(store.path_of("a"))) == ["0.txt", "1.txt", "x.txt"]
