"""An entry: the name and tags read from its path."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Iterable

import pytest

from checkpoints import ConfigError, FileHandler, Key, UnknownValueError, index, tags


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


class TestEntry:
    def test_it_knows_its_name_by_parts(self, entries):
        entry = entries[0]
        assert entry.stem == "fit"
        assert entry.prefixes == ("mypkg", "sub")
        assert entry.name == "mypkg.sub.fit"
        assert entries[2].name == entries[2].stem == "total"
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
        assert entry.name == name
        assert entry.tags.items() == (("the tag", value), ("the tag", ""))

    def test_its_number_counts_the_files_of_one_key(self, root):
        handler = FileHandler(root, if_exists="keep")
        for number in range(1, 4):
            handler.checkpoint("a", number)
        assert {entry.number: entry.load()["data"] for entry in index(root)} == {
            1: 1,
            2: 2,
            3: 3,
        }
        assert {entry.name for entry in index(root)} == {"a"}

    def test_those_of_one_key_are_in_the_order_of_their_numbers(self, root):
        handler = FileHandler(root, if_exists="keep")
        for name in ("fit", "fit-2", "a"):
            for number in range(1, 13 if name == "fit" else 2):
                handler.checkpoint(name, number)
        found = [(entry.name, entry.load()["data"]) for entry in index(root)]
        assert found[0] == ("a", 1)
        assert [number for name, number in found if name == "fit"] == [*range(1, 13)]
        numbers = [entry.number for entry in index(root) if entry.name == "fit"]
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

    def test_its_pickle_is_loaded_by_a_process_that_has_imported_nothing(self, entries):
        read = "import pickle, sys; print(pickle.load(sys.stdin.buffer).load()['x'])"
        done = subprocess.run(
            [sys.executable, "-c", read],
            input=pickle.dumps(entries[0]),
            stdout=subprocess.PIPE,
            check=True,
        )
        assert done.stdout.split() == [b"monday"]

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

    def test_one_value_is_loaded_by_its_name(self, entries):
        assert entries[0]["x"] == "monday"

    @pytest.mark.parametrize(
        ("name", "told"),
        [("xx", r"no value 'xx'; did you mean 'x'\?"), (0, "names must be strings")],
    )
    def test_one_that_is_not_there_is_told_as_by_load(self, entries, name, told):
        for ask in (lambda: entries[0][name], lambda: entries[0].load(name)):
            with pytest.raises(UnknownValueError, match=told):
                ask()

    def test_it_is_no_sequence_of_its_values(self, entries):
        with pytest.raises(TypeError, match="not iterable"):
            list(entries[0])
        with pytest.raises(TypeError, match="iterable"):
            assert "x" in entries[0]
        assert not isinstance(entries[0], Iterable)

    def test_its_key_is_what_the_path_tells(self, entries):
        key = entries[0].key
        assert key == Key("mypkg.sub.fit", (("day", "monday"), ("fold", "1")))
        assert entries[0].path.endswith(key.path.replace("/", os.sep) + ".ckpt.zip")

    def test_the_key_has_long_texts_as_they_were_cut(self, root):
        with tags(day="d" * 300):
            FileHandler(root).checkpoint("n" * 300, 1)
        (entry,) = index(root)
        assert entry.key.name.startswith("nnn")
        assert len(entry.key.name) < 300
        assert entry.key.tags[0][1].startswith("ddd")
        assert entry.meta["name"] == "n" * 300
        assert entry.meta["tags"] == (("day", "d" * 300),)

    def test_a_file_whose_name_none_can_have_has_no_key(self, root):
        made(root, "a..b.txt")
        (entry,) = index(root, all_files=True)
        with pytest.raises(ConfigError, match="use non-empty parts"):
            _ = entry.key

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
        assert found.items() == (
            ("model", "ridge"),
            ("seen", "b"),
            ("seen", "a"),
            ("fold", "1"),
        )

    def test_the_one_value_of_a_tag_is_found_by_name(self, found):
        assert (found["model"], found["fold"]) == ("ridge", "1")

    def test_a_tag_that_is_not_there_is_an_error_that_lists_the_others(self, found):
        with pytest.raises(
            LookupError, match="no tag 'day'; there are 'model', 'seen', 'fold'"
        ):
            found["day"]

    def test_a_tag_with_several_values_is_an_error_that_says_what_to_use(self, found):
        with pytest.raises(LookupError, match=r"2 values.*b, a.*values_of\('seen'\)"):
            found["seen"]
        assert found.values_of("seen") == ["b", "a"]
        assert found.values_of("day") == []


class TestMany:
    def test_a_pickled_entry_brings_its_folder_along(self, root, entries):
        copied = pickle.loads(pickle.dumps(list(entries)))
        assert [it.tags for it in copied] == [it.tags for it in entries]
        assert [it.path for it in copied] == [it.path for it in entries]
