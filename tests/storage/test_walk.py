"""A walk: the folders it enters, and those it cannot enter."""

from __future__ import annotations

import errno
import shutil

import pytest

from checkpoints.storage import LocalStore


def made(root, *paths):
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("")


class TestWalk:
    def test_a_folder_that_is_not_to_be_entered_is_not_listed(self, tmp_path):
        made(tmp_path, "a/b/c.txt", "a/d.txt", "e/f.txt")
        asked = []

        def enters(segments):
            asked.append(segments)
            return segments != ("a",)

        assert list(LocalStore(str(tmp_path)).walk(enters)) == [(("e",), ["f.txt"])]
        assert asked == [("a",), ("e",)]

    def test_it_goes_on_past_a_folder_that_is_not_entered(self, tmp_path):
        made(tmp_path, "a.txt", "b/c.txt", "d.txt")
        found = list(LocalStore(str(tmp_path)).walk(lambda _: False))
        assert found == [((), ["a.txt", "d.txt"])]

    def test_a_folder_that_cannot_be_listed_is_told_and_the_rest_goes_on(
        self, tmp_path, make_unlistable
    ):
        made(tmp_path, "a/b.txt", "z.txt")
        make_unlistable(tmp_path)
        errors = []
        found = list(LocalStore(str(tmp_path)).walk(on_error=errors.append))
        assert found == [(("a",), ["b.txt"]), ((), ["z.txt"])]
        (error,) = errors
        assert error.errno == errno.ENAMETOOLONG
        assert str(tmp_path) in str(error)

    def test_a_folder_that_vanishes_is_no_error(self, tmp_path):
        made(tmp_path, "a/b.txt", "c/d.txt")
        errors, found = [], []
        for folder, _ in LocalStore(str(tmp_path)).walk(on_error=errors.append):
            found.append(folder)
            shutil.rmtree(tmp_path / "c", ignore_errors=True)
        assert found == [("a",)]
        assert errors == []

    def test_a_root_that_vanished_is_an_error_however_late(self, tmp_path):
        root = tmp_path / "root"
        root.mkdir()
        store = LocalStore(str(root))
        store.check_root()
        root.rmdir()
        with pytest.raises(FileNotFoundError):
            list(store.walk())
        with pytest.raises(FileNotFoundError):
            store.check_root()
