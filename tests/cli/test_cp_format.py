"""`checkpoints cp --format`: trees of one format as trees of another."""

from __future__ import annotations

import datetime
import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

import checkpoints
from checkpoints import FileHandler, index, tags
from checkpoints.storage import _case

pytest.importorskip("click")
numpy = pytest.importorskip("numpy")
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

    def test_what_is_nested_too_deep_is_a_pickle_and_that_is_told(
        self, run, tmp_path, monkeypatch
    ):
        # Julia writes any depth, and its files can be read.
        monkeypatch.setattr("checkpoints._files.julia_encoder._MOST_LEVELS", 200)
        value = "inside"
        for _ in range(120):
            value = [value]
        FileHandler(tmp_path / "julia", format="jlso").checkpoint("a", x=value, y=1)
        done = run("cp", "--format", "zip", tmp_path / "julia", tmp_path / "zip")
        assert done.code == 0
        told = "value 'x' (list: it is nested more than 100 levels deep) is saved as a "
        assert f"{told}pickle; load with trusted=True" in done.err
        (entry,) = index(tmp_path / "zip")
        node = entry.meta["values"]["x"]
        assert node["why"] == "it is nested more than 100 levels deep"
        with pytest.raises(checkpoints.UntrustedError, match="trusted=True"):
            entry.load("x")
        assert entry["y"] == 1
        assert entry.load("x", trusted=True)["x"] == value

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
        saved = f"saved 1 file again as jlso to {tmp_path / 'jlso'}"
        assert result.out == f"{saved}; 2 files not copied\n"
        assert "save it as a text" in result.err
        assert "trusted=True" in result.err
        assert [entry.name for entry in index(tmp_path / "jlso")] == ["a"]

    def test_a_value_that_cannot_be_read_does_not_cost_the_others(self, run, tmp_path):
        FileHandler(tmp_path / "zip").checkpoint("a", x=1, y=print)
        result = run("cp", "--format", "jlso", tmp_path / "zip", tmp_path / "jlso")
        assert result.code == 1
        saved = f"saved 1 file again as jlso to {tmp_path / 'jlso'}"
        assert result.out == f"{saved}; 1 value of 1 file left out\n"
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


@pytest.fixture
def mixed(tmp_path):
    """A tree with files of two formats, of which two have the same key."""
    with tags(day=1):
        FileHandler(tmp_path / "mixed").checkpoint("A.ok", x=1)
        FileHandler(tmp_path / "mixed", format="jlso").checkpoint("A.ok", x=2)
        FileHandler(tmp_path / "mixed", format="jlso").checkpoint("A.third", x=3)
    return tmp_path / "mixed"


def loaded(root):
    return {entry.name: entry.load() for entry in index(root)}


class TestMixedTree:
    @pytest.mark.parametrize("wanted", ["zip", "jlso"])
    @pytest.mark.parametrize("more", [(), ("--force",), ("--dry-run",)])
    def test_no_file_of_two_with_one_path_is_copied(
        self, run, mixed, tmp_path, wanted, more
    ):
        result = run("cp", "--format", wanted, *more, mixed, tmp_path / "goal")
        assert result.code == 1
        assert "not copied: two files would have this path" in result.err
        folder = mixed / "day=1" / "A"
        assert result.err.count(str(folder / "ok.ckpt.zip")) == 1
        assert result.err.count(str(folder / "ok.jlso")) == 1
        assert "; 2 files not copied" in result.out
        if "--dry-run" not in more:
            assert loaded(tmp_path / "goal") == {"A.third": {"x": 3}}

    def test_numbered_files_of_a_key_have_one_path_in_julia(self, run, tmp_path):
        handler = FileHandler(tmp_path / "zip", if_exists="keep")
        for x in (1, 2, 3):
            handler.checkpoint("a", x=x)
        result = run("cp", "--format", "jlso", tmp_path / "zip", tmp_path / "jlso")
        assert result.code == 1
        assert "not copied: 3 files would have this path" in result.err

    def test_numbered_files_stay_numbered_where_the_format_allows_it(
        self, run, tmp_path
    ):
        polars = pytest.importorskip("polars")
        pytest.importorskip("pyarrow")
        handler = FileHandler(tmp_path / "zip", if_exists="keep")
        for x in (1, 2):
            handler.checkpoint("a", t=polars.DataFrame({"x": [x]}))
        goal = tmp_path / "parquet"
        assert run("cp", "--format", "parquet", tmp_path / "zip", goal).code == 0
        found = {entry.number: entry["t"]["x"].to_list() for entry in index(goal)}
        assert found == {1: [1], 2: [2]}

    def test_nor_are_two_that_differ_by_case_where_that_does_not_count(
        self, run, tmp_path, monkeypatch
    ):
        for name in ("fit", "Fit"):
            FileHandler(tmp_path / "zip").checkpoint(name, x=1)
        monkeypatch.setitem(_case._known, str(tmp_path / "jlso"), True)
        command = ("cp", "--format", "jlso", "--force", tmp_path / "zip")
        result = run(*command, tmp_path / "jlso")
        assert result.code == 1
        assert "not copied: two files would have this path" in result.err
        assert run(*command, tmp_path / "other").code == 0

    def test_a_file_of_julia_keeps_the_escapes_in_its_path(self, run, tmp_path):
        place = "oven=%41/B/x.jlso"
        path = tmp_path / "julia" / place
        path.parent.mkdir(parents=True)
        path.write_bytes(FROM_JULIA)
        assert run("cp", tmp_path / "julia", tmp_path / "copy").code == 0
        assert (tmp_path / "copy" / place).read_bytes() == FROM_JULIA

    def test_a_tag_without_a_name_is_listed_and_refused(self, run, tmp_path):
        path = tmp_path / "julia" / "=" / "v=" / "q.jlso"
        path.parent.mkdir(parents=True)
        path.write_bytes(FROM_JULIA)
        assert run("ls", tmp_path / "julia").out.split()[:3] == ["name", "''", "v"]
        result = run("cp", "--format", "zip", tmp_path / "julia", tmp_path / "zip")
        assert result.code == 1
        assert "a tag without a name" in result.err


class TestFacts:
    def test_what_julia_wrote_is_kept_and_no_run_is_added(self, run, julia, tmp_path):
        for name in ("TestPkg.bar", "TestPkg.foo"):
            run("cp", "--format", "zip", julia, tmp_path / "zip", name)
        before = {entry.name: entry.meta for entry in index(julia)}
        assert checkpoints.runs(tmp_path / "zip") == []
        for entry in index(tmp_path / "zip"):
            for field in ("time", "julia", "jlso", "packages", "image", "project"):
                assert entry.meta[field] == before[entry.name][field], field
            for field in ("run", "sequence", "host", "pid", "thread", "site", "python"):
                assert field not in entry.meta, field

    def test_absent_facts_are_not_shown(self, run, julia, tmp_path):
        run("cp", "--format", "zip", julia, tmp_path / "zip")
        shown = run("show", tmp_path / "zip", "TestPkg.bar").out
        assert "with  Julia 1.5.3, JLSO 2.7.0" in shown
        labels = [line.split()[0] for line in shown.splitlines()[1:5]]
        assert labels == ["tag", "saved", "with", "file"]
        assert "saved at" not in run("diff", julia, tmp_path / "zip").out

    def test_they_survive_the_way_back_to_julia(self, run, julia, tmp_path):
        run("cp", "--format", "zip", julia, tmp_path / "zip")
        run("cp", "--format", "jlso", tmp_path / "zip", tmp_path / "back")
        for entry in index(tmp_path / "back"):
            assert entry.meta["julia"] == "1.5.3"
            assert entry.meta["original"]["format"] == "zip"

    @pytest.mark.skipif(os.name != "posix", reason="permissions are those of POSIX")
    def test_a_copy_has_time_and_permissions_of_its_original(
        self, run, julia, tmp_path
    ):
        path = julia / "date=2017-01-01" / "TestPkg" / "bar.jlso"
        path.chmod(0o600)
        os.utime(path, (1, 1))
        run("cp", "--format", "zip", julia, tmp_path / "zip")
        (copy,) = (tmp_path / "zip").rglob("bar.ckpt.zip")
        assert copy.stat().st_mode & 0o777 == 0o600
        assert copy.stat().st_mtime == 1


class TestAgain:
    def test_a_copy_of_what_was_replaced_since_is_told(self, run, tmp_path):
        handler = FileHandler(tmp_path / "zip", if_exists="replace")
        handler.checkpoint("a", x=1)
        command = ("cp", "--format", "jlso", tmp_path / "zip", tmp_path / "jlso")
        run(*command)
        handler.checkpoint("a", x=2)
        result = run(*command)
        assert result.code == 1
        assert "a.jlso exists and differs; replace it with --force" in result.err
        assert loaded(tmp_path / "jlso") == {"a": {"x": 1}}
        assert run(*command, "--force").code == 0
        assert loaded(tmp_path / "jlso") == {"a": {"x": 2}}
        assert run(*command).out.endswith("; 1 already there\n")

    def test_a_file_from_elsewhere_is_no_copy(self, run, tmp_path):
        FileHandler(tmp_path / "zip").checkpoint("a", x=1)
        FileHandler(tmp_path / "jlso", format="jlso").checkpoint("a", x=1)
        result = run("cp", "--format", "jlso", tmp_path / "zip", tmp_path / "jlso")
        assert result.code == 1
        assert "exists and differs" in result.err

    def test_what_a_copy_lacks_is_told_again(self, run, tmp_path):
        FileHandler(tmp_path / "zip").checkpoint("a", x=1, y=2**70)
        command = ("cp", "--format", "jlso", tmp_path / "zip", tmp_path / "jlso")
        first, second = run(*command), run(*command)
        assert (second.code, second.err) == (1, first.err)
        assert "; 1 already there; 1 value of 1 file left out" in second.out


class TestLeftOut:
    def test_that_the_bytes_of_a_value_have_changed_is_told_of_it(self, run, tmp_path):
        FileHandler(tmp_path / "zip").checkpoint("a", x=b"text" * 2000, y=1)
        path = tmp_path / "zip" / "a.ckpt.zip"
        path.write_bytes(path.read_bytes().replace(b"texttext", b"texttEXT", 1))
        result = run("cp", "--format", "jlso", tmp_path / "zip", tmp_path / "jlso")
        assert result.err.startswith(f"not copied: {path}: value 'x' is damaged")
        assert loaded(tmp_path / "jlso") == {"a": {"y": 1}}

    def test_each_value_is_named_with_its_reason(self, run, tmp_path):
        FileHandler(tmp_path / "zip").checkpoint("a", x=1, y=2**70, z=print, w=3)
        FileHandler(tmp_path / "zip").checkpoint("b", x=1, y=2**70)
        command = ("cp", "--format", "jlso", tmp_path / "zip", tmp_path / "jlso")
        trial = run(*command, "--dry-run")
        assert not (tmp_path / "jlso").exists()
        assert trial.out.startswith("would save 2 files again as jlso to ")
        result = run(*command)
        assert (result.code, result.err) == (trial.code, trial.err)
        lines = result.err.splitlines()
        assert [line.partition("value ")[2][:3] for line in lines] == [
            "'z'",
            "'y'",
            "'y'",
        ]
        assert result.out.endswith("; 3 values of 2 files left out\n")
        assert loaded(tmp_path / "jlso") == {"a": {"x": 1, "w": 3}, "b": {"x": 1}}

    def test_what_a_library_raises_about_one_value_is_told(
        self, run, tmp_path, monkeypatch
    ):
        FileHandler(tmp_path / "zip").checkpoint("a", x=1, day=datetime.date(1, 1, 1))
        FileHandler(tmp_path / "zip").checkpoint("b", x=2)

        def fails(value):
            raise OverflowError(f"{value} is too early")

        from checkpoints._files import julia_encoder

        monkeypatch.setitem(julia_encoder._STRUCTS, datetime.date, fails)
        result = run("cp", "--format", "jlso", tmp_path / "zip", tmp_path / "jlso")
        assert result.code == 1
        assert "value 'day': OverflowError: 0001-01-01 is too early" in result.err
        assert loaded(tmp_path / "jlso") == {"a": {"x": 1}, "b": {"x": 2}}

    def test_a_table_is_left_of_a_file_for_parquet(self, run, tmp_path):
        polars = pytest.importorskip("polars")
        pytest.importorskip("pyarrow")
        table = polars.DataFrame({"x": [1]})
        FileHandler(tmp_path / "zip").checkpoint("a", t=table, n=1)
        FileHandler(tmp_path / "zip").checkpoint("b", t=table, u=table)
        goal = tmp_path / "parquet"
        result = run("cp", "--format", "parquet", tmp_path / "zip", goal)
        assert result.code == 1
        assert "value 'n' of type int" in result.err
        assert "2 values cannot be saved as Parquet" in result.err
        assert [list(values) for values in loaded(goal).values()] == [["t"]]


class TestErrors:
    def test_what_nobody_has_foreseen_of_one_file_does_not_end_the_others(
        self, run, root, tmp_path, monkeypatch
    ):
        read = checkpoints.storage.LocalFile.read_into

        def odd(file, offset, buffer):
            if "oven" in file.path:
                raise OverflowError("too large")
            return read(file, offset, buffer)

        monkeypatch.setattr(checkpoints.storage.LocalFile, "read_into", odd)
        result = run("cp", "--format", "jlso", root, tmp_path / "jlso")
        assert result.code == 1
        assert result.err.count("OverflowError: too large") == 1
        assert result.out.startswith("saved 4 files again")
        assert result.out.endswith("; 1 file not copied\n")

    @pytest.mark.parametrize("more", [[], ["--force"]])
    def test_what_is_wrong_with_the_place_of_a_copy_is_told_of_it(
        self, run, tmp_path, more
    ):
        FileHandler(tmp_path / "zip").checkpoint("a", x=1)
        place = tmp_path / "jlso" / "a.jlso"
        place.mkdir(parents=True)
        folders = tmp_path / "zip", tmp_path / "jlso"
        result = run("cp", "--format", "jlso", *more, *folders)
        assert (result.code, f"{place}: Is a directory" in result.err) == (1, True)

    def test_a_full_disk_ends_the_work(self, run, root, tmp_path, monkeypatch):
        def full(*arguments, **options):
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(checkpoints.storage.LocalStore, "put", full)
        result = run("cp", "--format", "jlso", root, tmp_path / "jlso")
        assert result.code == 2
        assert result.err.count("No space left on device") == 1
