"""The index: a table of what was saved, made from paths alone."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

import checkpoints
from checkpoints import Entry, FileHandler, Index, index, tags

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
    """Make files that hold no checkpoint."""
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
        with pytest.raises(FileNotFoundError, match="root") as told:
            index(root)
        (note,) = told.value.__notes__
        for text in ("made by the first save", "enabled()", "rules()"):
            assert text in note

    def test_a_root_that_is_a_file_is_an_error_that_names_it(self, root):
        root.write_text("in the way")
        with pytest.raises(NotADirectoryError, match="root"):
            index(root)

    def test_it_shows_how_many_and_where(self, root, entries):
        assert repr(entries) == f"<Index of 3 entries under {str(root)!r}>"

    def test_it_can_be_pickled(self, entries):
        assert list(pickle.loads(pickle.dumps(entries))) == list(entries)

    def test_no_file_is_opened(self, root):
        """Only regular files count; a directory has to be opened to be listed."""
        made(root, "day=monday/a.ckpt.zip", "b.ckpt.parquet", "c.txt")
        program = """
import os, stat, sys
opened = []
def note(event, arguments):
    if event == "open" and str(arguments[0]).startswith(sys.argv[1]):
        opened.append(arguments[0])
import checkpoints
sys.addaudithook(note)
entries = list(checkpoints.index(sys.argv[1], all_files=True))
assert [(e.fullname, e.tags, e.number) for e in entries]
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
        assert [entry.fullname for entry in found] == ["a.b", "a.c"]

    def test_all_files_are_listed_when_asked_for(self, root):
        made(root, "a/b.ckpt.zip", "a/notes.txt", "day=monday/LICENSE", "table.parquet")
        found = {entry.fullname: entry for entry in index(root, all_files=True)}
        assert set(found) == {"a.b", "a.notes", "LICENSE", "table"}
        assert found["LICENSE"].tags["day"] == "monday"

    def test_a_file_that_is_being_written_is_not_listed(self, root):
        made(root, ".12-ab-0.ckpt.tmp", "a.ckpt.zip")
        for all_files in (False, True):
            found = index(root, all_files=all_files)
            assert [entry.fullname for entry in found] == ["a"]

    def test_links_to_folders_are_not_followed(self, root, entries):
        try:
            (root / "link").symlink_to(root, target_is_directory=True)
        except OSError:
            pytest.skip("links cannot be made here")
        assert list(index(root)) == list(entries)


class TestEntry:
    def test_it_knows_its_name_by_parts(self, entries):
        entry = entries[0]
        assert entry.name == "fit"
        assert entry.prefixes == ("mypkg", "sub")
        assert entry.fullname == "mypkg.sub.fit"
        assert entries[2].name == entries[2].fullname == "total"
        assert entries[2].prefixes == ()

    def test_it_knows_its_path(self, root, entries):
        path = root / "day=monday" / "fold=1" / "mypkg" / "sub" / "fit.ckpt.zip"
        assert entries[0].path == str(path)

    def test_it_shows_its_name_and_tags(self, entries):
        assert repr(entries[0]) == "<Entry mypkg.sub.fit, day=monday, fold=1>"

    def test_names_and_tags_come_back_however_odd(self, root):
        name, value = "my pkg.Fit/1.%41", "a=b/../c: é\0"
        with tags(("the tag", value), ("the tag", "")):
            FileHandler(root).checkpoint(name, 1)
        (entry,) = index(root)
        assert entry.fullname == name
        assert tuple(entry.tags) == (("the tag", value), ("the tag", ""))

    def test_its_number_counts_the_files_of_one_key(self, root):
        handler = FileHandler(root, if_exists="keep")
        for number in range(1, 4):
            handler.checkpoint("a", number)
        assert {entry.number: entry.load()["data"] for entry in index(root)} == {
            1: 1,
            2: 2,
            3: 3,
        }
        assert {entry.fullname for entry in index(root)} == {"a"}

    def test_those_of_one_key_are_in_the_order_of_their_numbers(self, root):
        handler = FileHandler(root, if_exists="keep")
        for name in ("fit", "fit-2", "a"):
            for number in range(1, 13 if name == "fit" else 2):
                handler.checkpoint(name, number)
        found = [(entry.fullname, entry.load()["data"]) for entry in index(root)]
        assert found[0] == ("a", 1)
        assert [number for name, number in found if name == "fit"] == [*range(1, 13)]
        numbers = [entry.number for entry in index(root) if entry.fullname == "fit"]
        assert numbers == [*range(1, 13)]

    def test_a_file_that_is_no_checkpoint_has_no_number_of_its_own(self, root):
        made(root, "notes.2024.txt")
        (entry,) = index(root, all_files=True)
        assert (entry.name, entry.number) == ("notes.2024", 1)

    def test_it_can_be_pickled(self, entries):
        for entry in entries:
            copied = pickle.loads(pickle.dumps(entry))
            assert copied == entry
            assert copied.load() == entry.load()

    def test_equal_ones_are_one_in_a_set(self, root, entries):
        again = index(root)
        assert list(again) == list(entries)
        assert {*entries, *again} == set(entries)
        assert len({*entries}) == 3
        assert entries[0] != entries[1]
        assert entries[0] != entries[0].path

    def test_equal_ones_are_one_in_a_set_from_a_folder_below_too(self, root, entries):
        (below, *_) = index(root / "day=monday")
        assert (below == entries[0]) == (len({below, entries[0]}) == 1)

    def test_load_reads_all_values_or_those_that_are_named(self, entries):
        assert entries[0].load() == {"x": "monday", "y": 1}
        assert entries[0].load("y") == {"y": 1}

    def test_meta_is_the_header_of_the_file(self, entries):
        meta = entries[0].meta
        assert meta["name"] == "mypkg.sub.fit"
        assert meta["tags"] == (("day", "monday"), ("fold", 1))
        assert list(meta["values"]) == ["x", "y"]


class TestTags:
    @pytest.fixture
    def found(self, root):
        with tags(("model", "ridge"), ("seen", "b"), ("seen", "a"), fold=1):
            FileHandler(root).checkpoint("a", 1)
        (entry,) = index(root)
        return entry.tags

    def test_they_are_pairs_of_texts_in_order(self, found):
        assert tuple(found) == (
            ("model", "ridge"),
            ("seen", "b"),
            ("seen", "a"),
            ("fold", "1"),
        )
        assert found[0] == ("model", "ridge")
        assert found[-1] == ("fold", "1")

    def test_the_one_value_of_a_tag_is_found_by_name(self, found):
        assert (found["model"], found["fold"]) == ("ridge", "1")

    def test_a_tag_that_is_not_there_is_an_error_that_lists_the_others(self, found):
        with pytest.raises(LookupError, match=r"no tag 'day'.*model, seen, fold"):
            found["day"]

    def test_a_tag_with_several_values_is_an_error_that_says_what_to_use(self, found):
        with pytest.raises(LookupError, match=r"2 values.*b, a.*values_of\('seen'\)"):
            found["seen"]
        assert found.values_of("seen") == ["b", "a"]
        assert found.values_of("day") == []
