"""The index: a table of what was saved, made from paths alone."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

import checkpoints
from checkpoints import ConfigError, Entry, FileHandler, Index, index, tags

LOCATION = Path(checkpoints.__file__).parents[1]


@pytest.fixture
def root(tmp_path):
    return tmp_path / "root"


@pytest.fixture
def entries(root):
    """Three entries: two days of one name, and another name."""
    handler = FileHandler(root)
    for day in ("monday", "tuesday"):
        with tags(day=day, fold=1):
            handler.checkpoint("mypkg.sub.fit", x=day, y=1)
    with tags(week=1):
        handler.checkpoint("total", 2)
    return index(root)


def made(root, *paths):
    """Create files that are not checkpoints."""
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"no checkpoint at all")
    return index(root)


class TestIndex:
    def test_it_is_a_sequence_of_entries(self, entries):
        assert isinstance(entries, Index)
        assert all(isinstance(entry, Entry) for entry in entries)
        assert len(entries) == 3
        assert list(reversed(entries)) == [entries[2], entries[1], entries[-3]]
        assert entries[0] in entries
        assert entries[0].path not in entries
        assert (entries.index(entries[1]), entries.count(entries[2])) == (1, 1)
        with pytest.raises(ValueError):
            entries[1:].index(entries[0])

    def test_they_are_in_the_order_of_their_paths(self, root):
        found = made(root, "b.ckpt.zip", "a/c.ckpt.zip", "c/a.ckpt.zip", "c.ckpt.zip")
        paths = [Path(entry.path) for entry in found]
        assert paths == sorted(paths)

    def test_the_order_is_the_same_whatever_was_saved_first(self, root, tmp_path):
        for target, numbers in ((root, range(20)), (tmp_path / "b", range(19, -1, -1))):
            for number in numbers:
                with tags(n=number):
                    FileHandler(target).checkpoint("a", number)
        orders = [[e.tags["n"] for e in index(r)] for r in (root, tmp_path / "b")]
        assert orders[0] == orders[1]

    def test_a_slice_is_an_index_again(self, entries):
        part = entries[1:]
        assert isinstance(part, Index)
        assert list(part) == [entries[1], entries[2]]
        assert list(entries[::-1]) == list(reversed(entries))
        assert len(entries[5:]) == 0

    def test_positions_and_answers_make_an_index_again(self, entries):
        some = [entries[2], entries[0]]
        for positions in ([2, 0], (-1, -3), iter([2, 0])):
            assert list(entries[positions]) == some
        assert list(entries[[True, False, True]]) == [entries[0], entries[2]]
        assert len(entries[[]]) == 0

    @pytest.mark.parametrize(
        ("wrong", "error", "told"),
        [
            ([3], IndexError, "out of range for 3 entries"),
            (["total"], TypeError, "range indices must be integers"),
            ("total", TypeError, "'total' is not a position"),
            ([True, False], ConfigError, "boolean index has 2 values for 3 entries"),
            ([True, 1, 2], ConfigError, "boolean index has 1 value for 3 entries"),
        ],
    )
    def test_what_is_neither_is_an_error(self, entries, wrong, error, told):
        with pytest.raises(error, match=told):
            entries[wrong]

    def test_beyond_its_end_there_is_nothing(self, entries):
        with pytest.raises(IndexError):
            entries[3]

    @pytest.mark.parametrize("kind", [str, Path])
    def test_the_root_may_be_a_text_or_a_path(self, root, entries, kind):
        assert list(index(kind(root))) == list(entries)

    def test_a_relative_root_is_fixed_at_once(self, root, entries, monkeypatch):
        monkeypatch.chdir(root.parent)
        found = index("root")
        monkeypatch.chdir("/")
        assert list(found) == list(entries)
        assert [entry.load("x")["x"] for entry in found[:2]] == ["monday", "tuesday"]

    def test_an_empty_root_has_no_entries(self, tmp_path):
        assert list(index(tmp_path)) == []

    def test_a_root_that_is_not_there_is_an_error_that_names_it(self, root):
        told = "'root' does not exist: nothing was saved there"
        with pytest.raises(FileNotFoundError, match=told) as caught:
            index("root")
        (note,) = caught.value.__notes__
        for text in ("enabled()", "rules()"):
            assert text in note

    def test_a_root_beside_it_of_a_similar_name_may_be_meant(self, root):
        root.mkdir()
        with pytest.raises(FileNotFoundError, match="did you mean 'root'"):
            index(root.with_name("rot"))

    def test_a_root_that_is_a_file_is_an_error_that_names_it(self, root):
        root.write_text("in the way")
        with pytest.raises(NotADirectoryError, match="root"):
            index(root)

    def test_it_shows_how_many_and_where(self, root, entries):
        assert repr(entries) == f"<Index of 3 entries under {str(root)!r}>"

    def test_it_can_be_pickled(self, entries):
        assert list(pickle.loads(pickle.dumps(entries))) == list(entries)

    def test_no_file_is_opened(self, root):
        """Count only regular files; listing a directory must open it."""
        made(root, "day=monday/a.ckpt.zip", "b.ckpt.parquet", "c.txt")
        program = """
import os, stat, sys
opened = []
def note(event, arguments):
    if event == "open" and str(arguments[0]).endswith((".zip", ".parquet", ".txt")):
        opened.append(arguments[0])
import checkpoints
sys.addaudithook(note)
entries = list(checkpoints.index(sys.argv[1], all_files=True))
assert [(e.name, e.tags, e.number) for e in entries]
assert len(entries) == 3 and opened == [], opened
try:
    entries[0].meta
except ValueError:
    assert opened
"""
        subprocess.run(
            [sys.executable, "-c", program, str(root)],
            check=True,
            timeout=100,
            env={**os.environ, "PYTHONPATH": str(LOCATION)},
        )

    def test_files_of_both_containers_are_listed(self, root):
        found = made(root, "a/b.ckpt.zip", "a/c.ckpt.parquet", "a/d.parquet", "e.zip")
        assert [entry.name for entry in found] == ["a.b", "a.c"]

    def test_all_files_are_listed_when_asked_for(self, root):
        made(root, "a/b.ckpt.zip", "a/notes.txt", "day=monday/LICENSE", "table.parquet")
        found = {entry.name: entry for entry in index(root, all_files=True)}
        assert set(found) == {"a.b", "a.notes", "LICENSE", "table"}
        assert found["LICENSE"].tags["day"] == "monday"

    def test_a_file_that_is_being_written_is_not_listed(self, root):
        made(root, ".12-ab-0.ckpt.tmp", "a.ckpt.zip")
        for all_files in (False, True):
            found = index(root, all_files=all_files)
            assert [entry.name for entry in found] == ["a"]

    def test_links_to_folders_are_not_followed(self, root, entries):
        try:
            (root / "link").symlink_to(root, target_is_directory=True)
        except OSError:
            pytest.skip("links cannot be made here")
        assert list(index(root)) == list(entries)

    @pytest.mark.skipif(
        os.mkdir not in os.supports_dir_fd, reason="such folders cannot be made here"
    )
    def test_a_folder_that_cannot_be_read_is_told_and_the_rest_is_listed(
        self, root, entries, caplog
    ):
        assert len(entries) == 3
        folder = os.open(root, os.O_RDONLY)
        for _ in range(30):  # until the path is too long for the system
            os.mkdir("d" * 200, dir_fd=folder)
            below = os.open("d" * 200, os.O_RDONLY, dir_fd=folder)
            os.close(folder)
            folder = below
        os.close(folder)
        found = index(root)
        assert list(found) == list(entries)
        (error,) = found.unreadable
        assert str(root) in str(error)
        (record,) = caplog.records
        for text in (
            "1 of its folders",
            "not in the index",
            "attribute unreadable",
            "too long",
        ):
            assert text in record.getMessage()
        assert "1 of its folders unreadable" in repr(found)
        for same in (
            found[:1],
            found.where("total"),
            pickle.loads(pickle.dumps(found)),
        ):
            assert len(same.unreadable) == 1
        # Before anybody has looked at it.
        assert len(pickle.loads(pickle.dumps(index(root))).unreadable) == 1
        assert entries.unreadable == ()
