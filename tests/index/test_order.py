"""The order of entries: by column, age and run; and the existing names and tags."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import checkpoints
from checkpoints import ConfigError, FileHandler, index, tags

LOCATION = Path(checkpoints.__file__).parents[1]


@pytest.fixture
def root(tmp_path):
    return tmp_path / "root"


@pytest.fixture
def handler(root):
    return FileHandler(root)


def save(handler, name, data=1, **tagged):
    with tags(tagged):
        handler.checkpoint(name, data)


class TestSort:
    def test_tags_that_are_numbers_are_compared_as_numbers(self, root, handler):
        for day in (10, 9, 2, 1.5):
            save(handler, "a", day=day)
        found = index(root)
        assert [e.tags["day"] for e in found.sort("day")] == ["1.5", "2", "9", "10"]
        backwards = found.sort("day", reverse=True)
        assert [e.tags["day"] for e in backwards] == ["10", "9", "2", "1.5"]

    def test_tags_that_are_not_all_numbers_are_compared_as_texts(self, root, handler):
        for value in ("10", "9", "nan"):
            save(handler, "a", value=value)
        found = index(root).sort("value")
        assert [e.tags["value"] for e in found] == ["10", "9", "nan"]

    def test_an_entry_without_the_tag_comes_last_either_way(self, root, handler):
        save(handler, "a")
        save(handler, "b", n=1)
        save(handler, "c", n=2)
        found = index(root)
        assert [e.name for e in found.sort("n")] == ["b", "c", "a"]
        assert [e.name for e in found.sort("n", reverse=True)] == ["c", "b", "a"]

    def test_by_several_columns_the_first_counts_most(self, root, handler):
        for n in (1, 2):
            for m in (1, 2):
                save(handler, "a", n=n, m=m)
        found = index(root).sort("m", "n")
        assert [(e.tags["m"], e.tags["n"]) for e in found] == [
            ("1", "1"),
            ("1", "2"),
            ("2", "1"),
            ("2", "2"),
        ]

    def test_by_name_path_size_and_time(self, root, handler):
        save(handler, "b.x", "long" * 99, n=1)
        save(handler, "a.y", n=2)
        found = index(root)
        first, second = found
        assert list(found.sort("name")) == [second, first]
        assert list(found.sort("size")) == [second, first]
        assert list(found.sort("size").sort("path")) == [first, second]
        os.utime(first.path, (9, 9))
        os.utime(second.path, (5, 5))
        assert list(found.sort("time")) == [second, first]

    def test_by_what_the_headers_tell(self, root, handler):
        for name in ("c", "a", "b"):
            save(handler, name)
        found = index(root)
        assert [entry.name for entry in found.sort("sequence")] == ["c", "a", "b"]
        assert [entry.name for entry in found.sort("run", "saved")] == ["c", "a", "b"]

    def test_a_damaged_file_comes_last(self, root, handler):
        for name in ("b", "a"):
            save(handler, name)
        found = index(root)
        Path(found[1].path).write_bytes(b"")
        assert [entry.name for entry in found.sort("sequence")] == ["a", "b"]

    def test_a_tag_that_is_called_as_a_column_is_sorted_by_its_columns_name(
        self, root, handler
    ):
        for size in (2, 1):
            save(handler, "a", "x" * 99 * size, size=size, n=-size)
        found = index(root)
        assert [e.tags["size"] for e in found.sort("tag_size")] == ["1", "2"]

    @pytest.mark.parametrize(
        ("column", "hint"),
        [
            ("dya", r"did you mean 'day'\?"),
            ("x", "there are 'day', 'name', 'path', 'size', 'time', 'run', 'sequence'"),
        ],
    )
    def test_what_is_no_column_is_an_error_that_tells_the_columns(
        self, root, handler, column, hint
    ):
        save(handler, "a", day=1)
        with pytest.raises(ConfigError, match=f"^cannot sort by '{column}'; {hint}"):
            index(root).sort(column)

    def test_only_the_values_that_are_there_say_what_is_compared(self, root, handler):
        save(handler, "a", step="first")
        for step in (9, 10):
            save(handler, "a", step=step)
        found = index(root)
        assert len(found) == 3
        numbers = found.where(step=range(99)).sort("step")
        assert [e.tags["step"] for e in numbers] == ["9", "10"]

    def test_where_nothing_is_left_there_is_nothing_to_sort(self, root, handler):
        save(handler, "a", step=1)
        assert list(index(root).where(step=2).sort("step")) == []

    def test_nothing_to_sort_by_leaves_the_order(self, root, handler):
        save(handler, "b")
        save(handler, "a")
        assert list(index(root).sort()) == list(index(root))


class TestLatest:
    def test_it_is_the_last_one_of_each_key(self, root):
        handler = FileHandler(root, if_exists="keep")
        for number in (1, 2, 3):
            save(handler, "a", number, n=1)
        save(handler, "a", 4, n=2)
        save(handler, "b", 5)
        latest = index(root).latest()
        assert sorted(entry.load()["data"] for entry in latest) == [3, 4, 5]

    def test_a_number_that_was_given_again_is_the_latest(self, root):
        handler = FileHandler(root, if_exists="keep")
        for number in (1, 2, 3):
            save(handler, "a", number)
        os.unlink(index(root)[1].path)
        save(handler, "a", 4)
        (latest,) = index(root).latest()
        assert (latest.number, latest.load()["data"]) == (2, 4)

    def test_a_damaged_file_is_not_the_latest(self, root):
        handler = FileHandler(root, if_exists="keep")
        for number in (1, 2):
            save(handler, "a", number)
        Path(index(root)[1].path).write_bytes(b"")
        (latest,) = index(root).latest()
        assert latest.number == 1

    def test_files_that_are_no_checkpoints_are_all_kept(self, root):
        root.mkdir()
        for name in ("notes.txt", "notes.md"):
            (root / name).write_text("")
        assert len(index(root, all_files=True).latest()) == 2

    def test_the_order_stays(self, root):
        handler = FileHandler(root, if_exists="keep")
        for name in ("b", "a", "b"):
            save(handler, name)
        # The newest of all, and so behind what its key began with.
        found = index(root).sort("saved").latest()
        assert [(e.name, e.number) for e in found] == [("a", 1), ("b", 2)]


class TestRuns:
    def test_each_has_its_entries_and_the_first_comes_first(self, root):
        program = (
            "import sys; from checkpoints import FileHandler;"
            "FileHandler(sys.argv[1]).checkpoint(sys.argv[2], 1)"
        )
        for run, name in (("y", "b"), ("z", "a"), ("y", "c")):
            env = {**os.environ, "PYTHONPATH": str(LOCATION), "CHECKPOINTS_RUN": run}
            command = [sys.executable, "-c", program, str(root), name]
            subprocess.run(command, check=True, timeout=100, env=env)
        runs = index(root).runs()
        assert {run: part.names() for run, part in runs.items()} == {
            "y": ["b", "c"],
            "z": ["a"],
        }
        assert list(runs) == ["y", "z"]

    def test_a_damaged_file_is_of_no_run(self, root, handler):
        save(handler, "a")
        save(handler, "b")
        found = index(root)
        Path(found[0].path).write_bytes(b"")
        (part,) = found.runs().values()
        assert part.names() == ["b"]


class TestNamesAndTagValues:
    def test_names_are_full_sorted_and_each_once(self, root, handler):
        for n in (1, 2):
            save(handler, "pkg.b", n=n)
            save(handler, "pkg.a", n=n)
        assert index(root).names() == ["pkg.a", "pkg.b"]
        assert index(root).where(n=3).names() == []

    def test_tag_values_are_all_that_there_are_sorted(self, root, handler):
        for n in (10, 9, 9.5):
            save(handler, "a", n=n)
        with tags(("n", 1), ("n", 2)):
            handler.checkpoint("a", 1)
        assert index(root).tag_values("n") == ["1", "2", "9", "9.5", "10"]
        assert index(root).where(n=9).tag_values("n") == ["9"]
        assert index(root).tag_values("m") == []
