"""Storage: what is listed, read and deleted."""

from __future__ import annotations

import os
import shutil

import pytest

from checkpoints import index
from checkpoints.storage import LocalFile, LocalStore
from checkpoints.storage._local import is_temporary


@pytest.fixture
def store(tmp_path):
    return LocalStore(str(tmp_path / "root"))


def put(store, *names):
    for name in names:
        store.put([name], [(0, b"text")], 4)


def listed(store):
    return [
        "/".join((*folder, name)) for folder, names in store.walk() for name in names
    ]


class TestListing:
    NAMES = ("a-b/3.txt", "a/1.txt", "a/b/2.txt", "a.txt", "z.txt", "B/4.txt")

    def test_every_file_is_listed(self, store):
        put(store, *self.NAMES)
        assert set(listed(store)) == set(self.NAMES)

    def test_the_names_are_sorted_segment_by_segment(self, store):
        put(store, *self.NAMES)
        expected = sorted(self.NAMES, key=lambda name: name.split("/"))
        assert listed(store) == expected

    def test_folders_come_between_the_files_before_and_behind_them(self, store):
        put(store, *self.NAMES)
        assert list(store.walk()) == [
            (("B",), ["4.txt"]),
            (("a",), ["1.txt"]),
            (("a", "b"), ["2.txt"]),
            (("a-b",), ["3.txt"]),
            ((), ["a.txt", "z.txt"]),
        ]

    def test_a_folder_without_files_is_not_told_of(self, store):
        os.makedirs(store.path_of("empty/inner"))
        put(store, "full/a.txt")
        assert list(store.walk()) == [(("full",), ["a.txt"])]

    def test_unfinished_files_are_not_seen(self, store):
        put(store, "a/b.txt")
        seen = []

        def pieces():
            seen.append((os.listdir(store.path_of("a")), listed(store)))
            yield 0, b"text"

        store.put(["a/c.txt"], pieces(), 4)
        ((on_disk, found),) = seen
        assert len(on_disk) == 2
        assert found == ["a/b.txt"]

    def test_only_unfinished_files_are_taken_for_such(self):
        assert is_temporary(".1-ab-0.ckpt.tmp")
        assert not is_temporary("1-ab-0.ckpt.tmp")
        assert not is_temporary(".hidden")

    def test_links_to_folders_are_not_followed_and_links_to_files_are(
        self, store, tmp_path
    ):
        put(store, "a/b.txt")
        os.symlink(store.root, store.path_of("a/up"))
        os.symlink(store.path_of("a"), store.path_of("again"))
        os.symlink(store.path_of("a/b.txt"), store.path_of("a/c.txt"))
        os.symlink(tmp_path / "nowhere", store.path_of("a/dangling.txt"))
        assert listed(store) == ["a/b.txt", "a/c.txt"]

    def test_a_link_to_itself_hides_nothing_else(self, store):
        put(store, "a/b.txt", "c.txt")
        os.symlink("loop", store.path_of("a/loop"))
        assert set(listed(store)) == {"a/b.txt", "c.txt"}
        os.symlink("loop", store.path_of("loop"))
        assert set(listed(store)) == {"a/b.txt", "c.txt"}

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
    def test_a_pipe_is_not_listed(self, store):
        put(store, "a.txt")
        os.mkfifo(store.path_of("pipe"))
        assert listed(store) == ["a.txt"]

    def test_a_folder_that_vanishes_meanwhile_is_no_error(self, store):
        put(store, *self.NAMES)
        found = []
        for folder, _ in store.walk():
            found.append(folder)
            shutil.rmtree(store.path_of("a"), ignore_errors=True)
        assert set(found) == {(), ("B",), ("a-b",)}

    def test_a_root_that_is_not_there_is_an_error(self, store, tmp_path):
        with pytest.raises(FileNotFoundError):
            listed(store)
        with pytest.raises(FileNotFoundError):
            index(tmp_path / "nowhere")

    def test_a_root_that_is_a_file_is_an_error(self, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.raises(NotADirectoryError):
            listed(LocalStore(str(tmp_path / "file")))

    def test_an_empty_root_has_no_files(self, tmp_path):
        assert listed(LocalStore(str(tmp_path))) == []


class TestOneFile:
    def test_it_is_there_until_it_is_deleted(self, store):
        put(store, "a/b.txt")
        assert store.status("a/b.txt").size == 4
        store.delete("a/b.txt")
        assert store.status("a/b.txt") is None
        with pytest.raises(FileNotFoundError):
            store.delete("a/b.txt")

    def test_any_part_of_it_can_be_read(self, store):
        put(store, "a.txt")
        buffer = bytearray(b"......")
        with store.open("a.txt") as file:
            assert file.size == 4
            assert file.read_into(1, memoryview(buffer)) == 3
            assert file.read_into(10, memoryview(buffer)) == 0
        assert buffer == b"ext..."

    def test_what_is_mapped_outlives_the_closing(self, store):
        put(store, "a.txt")
        with store.open("a.txt") as file:
            mapped = file.map()
        assert mapped[:] == b"text"
        mapped.close()

    def test_one_that_is_not_there_is_an_error(self, store):
        with pytest.raises(FileNotFoundError):
            store.open("a.txt")

    def test_a_folder_is_no_file(self, tmp_path):
        with pytest.raises(OSError), LocalFile(str(tmp_path)) as file:
            file.read_into(0, memoryview(bytearray(1)))
