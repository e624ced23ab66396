"""`checkpoints cp --format`: trees of one format as trees of another."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import checkpoints
from checkpoints import FileHandler, index, tags

numpy = pytest.importorskip("numpy")
pytest.importorskip("click")

FROM_JULIA = (
    Path(__file__).parents[1] / "golden/julia/v4_julia_serialize_gzip_fastest.jlso"
).read_bytes()

NAMED = checkpoints.Record("Core.NamedTuple", {"a": 1, "b": "x"})


@pytest.fixture
def julia(tmp_path):
    """A tree that Julia wrote."""
    for place in ("date=2017-01-01/TestPkg/bar.jlso", "oven=50%25/TestPkg/foo.jlso"):
        path = tmp_path / "julia" / place
        path.parent.mkdir(parents=True)
        path.write_bytes(FROM_JULIA)
    return tmp_path / "julia"


def test_several_files_at_a_time_are_the_same_copy(run, root, tmp_path):
    done = run("cp", "-j", "3", root, tmp_path / "copy")
    assert (done.code, done.err) == (0, "")
    assert checkpoints.diff(root, tmp_path / "copy").verdict == "equal"


class TestFromJulia:
    def test_a_tree_becomes_one_of_this_library(self, run, julia, tmp_path):
        result = run("cp", "--format", "zip", julia, tmp_path / "zip")
        assert result.out == f"saved 2 files again as zip to {tmp_path / 'zip'}\n"
        found = {entry.name: entry for entry in index(tmp_path / "zip")}
        assert found["TestPkg.bar"].meta["tags"] == (("date", "2017-01-01"),)
        assert found["TestPkg.foo"].tags.items() == (("oven", "50%25"),)
        loaded = found["TestPkg.bar"].load()
        assert loaded["matrix"].tolist() == [[1, 2, 3], [4, 5, 6]]
        assert loaded["named"] == NAMED
        assert checkpoints.diff(julia, tmp_path / "zip").verdict == "equal"

    def test_a_second_copy_keeps_what_is_there(self, run, julia, tmp_path):
        run("cp", "--format", "zip", julia, tmp_path / "zip")
        result = run("cp", "--format", "zip", julia, tmp_path / "zip")
        assert result.out.endswith("; 2 already there\n")
        again = run("cp", "--format", "zip", "--force", julia, tmp_path / "zip")
        assert again.out == f"saved 2 files again as zip to {tmp_path / 'zip'}\n"

    def test_files_of_that_format_are_copied_as_they_are(self, run, julia, tmp_path):
        result = run("cp", "--format", "jlso", julia, tmp_path / "same")
        assert result.out.startswith("copied 2 files")
        copy = tmp_path / "same" / "oven=50%25" / "TestPkg" / "foo.jlso"
        assert copy.read_bytes() == FROM_JULIA


class TestToJuliaAndBack:
    def test_a_tree_keeps_its_tags_run_and_values(self, run, tmp_path):
        with tags(day=1, model="a b"):
            FileHandler(tmp_path / "zip").checkpoint("shop.total", x=numpy.arange(3.0))
        (before,) = index(tmp_path / "zip")
        run("cp", "--format", "jlso", tmp_path / "zip", tmp_path / "jlso")
        assert (
            tmp_path / "jlso" / "day=1" / "model=a b" / "shop" / "total.jlso"
        ).exists()
        run("cp", "--format", "zip", tmp_path / "jlso", tmp_path / "back")
        (after,) = index(tmp_path / "back")
        for field in ("name", "tags", "run", "sequence", "time", "host", "pid", "site"):
            assert after.meta[field] == before.meta[field], field
        assert after["x"].tolist() == [0, 1, 2]

    def test_a_copy_equals_its_original_and_is_no_run_of_its_own(
        self, run, tmp_path, monkeypatch
    ):
        FileHandler(tmp_path / "zip").checkpoint("shop.total", x=1)
        # Processes that a run has started belong to it.
        monkeypatch.delenv("CHECKPOINTS_RUN", raising=False)
        command = [sys.executable, "-m", "checkpoints", "cp", "--format", "jlso"]
        goal = tmp_path / "jlso"
        subprocess.run([*command, tmp_path / "zip", goal], check=True)
        (entry,) = index(goal)
        assert [*index(goal).runs()] == [entry.meta["run"]]
        result = run("diff", tmp_path / "zip", goal)
        assert result.code == 0, result.out

    def test_what_julia_has_no_word_for_is_reported(self, run, tmp_path):
        handler = FileHandler(tmp_path / "zip")
        handler.checkpoint("a", x=1)
        handler.checkpoint("b", x=2**70)
        handler.checkpoint("c", x=print)
        result = run("cp", "--format", "jlso", tmp_path / "zip", tmp_path / "jlso")
        assert result.code == 1
        assert result.out == f"saved 1 file again as jlso to {tmp_path / 'jlso'}\n"
        assert "save it as a text" in result.err
        assert "trusted=True" in result.err
        assert [entry.name for entry in index(tmp_path / "jlso")] == ["a"]

    def test_a_value_that_cannot_be_read_does_not_cost_the_others(self, run, tmp_path):
        FileHandler(tmp_path / "zip").checkpoint("a", x=1, y=print)
        result = run("cp", "--format", "jlso", tmp_path / "zip", tmp_path / "jlso")
        assert result.code == 1
        assert result.out == f"saved 1 file again as jlso to {tmp_path / 'jlso'}\n"
        assert result.err.count("not copied: ") == 1
        assert "'y'" in result.err
        (entry,) = index(tmp_path / "jlso")
        assert entry.load() == {"x": 1}

    def test_the_path_of_what_was_not_copied_is_told_once(self, run, tmp_path):
        FileHandler(tmp_path / "zip").checkpoint("a", x=print)
        (entry,) = index(tmp_path / "zip")
        result = run("cp", "--format", "jlso", tmp_path / "zip", tmp_path / "jlso")
        assert result.err.count(entry.path) == 1

    def test_a_named_tuple_of_julia_goes_there_and_back(self, run, julia, tmp_path):
        run("cp", "--format", "zip", julia, tmp_path / "zip")
        before = {entry.path: entry["named"] for entry in index(tmp_path / "zip")}
        assert set(map(repr, before.values())) == {repr(NAMED)}
        FileHandler(tmp_path / "named").checkpoint("a", x=NAMED)
        result = run("cp", "--format", "jlso", tmp_path / "named", tmp_path / "back")
        assert (result.code, result.err) == (0, "")
        (entry,) = index(tmp_path / "back")
        assert entry["x"] == NAMED

    def test_nothing_is_written_in_a_trial(self, run, tmp_path):
        FileHandler(tmp_path / "zip").checkpoint("a", x=1)
        run("cp", "--format", "jlso", "--dry-run", tmp_path / "zip", tmp_path / "jlso")
        assert not (tmp_path / "jlso").exists()
