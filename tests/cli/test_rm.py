"""`checkpoints rm` and `checkpoints cp`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import checkpoints
from checkpoints import index, load


def files_in(root):
    return sorted(path.relative_to(root) for path in root.rglob("*.ckpt.zip"))


class TestRm:
    def test_it_deletes_what_is_asked_for_and_folders_that_are_empty_then(
        self, run, root
    ):
        done = run("rm", root, "bakery", "--where", "day=9", "--yes")
        assert done.code == 0
        assert "deleted 2 files" in done.out
        assert len(files_in(root)) == 3
        assert not (root / "day=9").exists()

    def test_the_root_stays(self, run, root):
        assert run("rm", root, "--all", "--yes").code == 0
        assert os.listdir(root) == []

    def test_folders_with_something_else_stay(self, run, root):
        (root / "day=9" / "notes.txt").write_text("sunny")
        run("rm", root, "--where", "day=9", "--yes")
        assert os.listdir(root / "day=9") == ["notes.txt"]

    def test_a_dry_run_only_tells(self, run, root):
        done = run("rm", root, "oven", "--dry-run")
        assert done.code == 0
        assert "oven.ckpt.zip" in done.out
        assert "would delete 1 file" in done.out
        assert len(files_in(root)) == 5

    def test_all_of_a_root_has_to_be_asked_for(self, run, root):
        done = run("rm", root, "--yes")
        assert done.code == 2
        assert "--all" in done.err
        assert len(files_in(root)) == 5

    def test_where_nobody_can_answer_nothing_is_deleted(self, run, root):
        done = run("rm", root, "oven")
        assert done.code == 2
        assert "--yes" in done.err
        assert len(files_in(root)) == 5

    @pytest.mark.skipif(sys.platform == "win32", reason="it has no such terminals")
    @pytest.mark.parametrize(("answer", "code", "left"), [("y", 0, 4), ("n", 1, 5)])
    def test_it_asks(self, run, root, answer, code, left):
        ours, theirs = os.openpty()
        os.write(ours, f"{answer}\n".encode())
        done = subprocess.run(
            [sys.executable, "-m", "checkpoints", "rm", str(root), "oven"],
            env={
                **os.environ,
                "PYTHONPATH": str(Path(checkpoints.__file__).parents[1]),
            },
            stdin=theirs,
            capture_output=True,
            check=False,
        )
        os.close(ours)
        os.close(theirs)
        assert done.returncode == code
        assert b"Delete 1 file" in done.stdout
        assert len(files_in(root)) == left

    def test_nothing_found_ends_with_1(self, run, root):
        done = run("rm", root, "nothing", "--yes")
        assert (done.code, done.out) == (1, "")

    def test_a_file_that_is_written_anew_meanwhile_stays(self, run, root, monkeypatch):
        path = root / "oven.ckpt.zip"
        unlink = os.unlink

        def meanwhile(other, **options):
            # What another process does between the look and the deletion.
            if Path(other).name == "order.ckpt.zip":
                checkpoints.FileHandler(root).checkpoint("oven", heat=1.5)
            return unlink(other, **options)

        monkeypatch.setattr(os, "unlink", meanwhile)
        done = run("rm", root, "--all", "--yes")
        assert "kept: " in done.err
        assert load(path) == {"heat": 1.5}

    def test_of_a_link_only_the_link_is_deleted(self, run, root, tmp_path):
        kept = tmp_path / "kept.ckpt.zip"
        (root / "oven.ckpt.zip").rename(kept)
        (root / "oven.ckpt.zip").symlink_to(kept)
        run("rm", root, "oven", "--yes")
        assert not (root / "oven.ckpt.zip").is_symlink()
        assert kept.exists()


class TestCp:
    def test_the_copy_is_as_the_original(self, run, root, tmp_path):
        done = run("cp", root, tmp_path / "kept", "bakery", "--where", "shop=north")
        assert done.code == 0
        assert "copied 2 files" in done.out
        assert len(files_in(tmp_path / "kept")) == 2
        for path in files_in(tmp_path / "kept"):
            copy, original = tmp_path / "kept" / path, root / path
            assert copy.read_bytes() == original.read_bytes()
            assert copy.stat().st_mtime_ns == original.stat().st_mtime_ns

    def test_again_there_is_nothing_to_do(self, run, root, tmp_path):
        run("cp", root, tmp_path / "kept", "oven")
        done = run("cp", root, tmp_path / "kept")
        assert done.code == 0
        assert "copied 4 files" in done.out
        assert "1 were there already" in done.out

    def test_another_file_of_that_name_stays_unless_forced(self, run, root, tmp_path):
        there = tmp_path / "kept" / "oven.ckpt.zip"
        there.parent.mkdir()
        there.write_text("another")
        done = run("cp", root, tmp_path / "kept", "oven")
        assert done.code == 1
        assert "--force" in done.err
        assert there.read_text() == "another"
        assert run("cp", root, tmp_path / "kept", "oven", "--force").code == 0
        assert load(there) == {"heat": 200.5}

    def test_a_dry_run_only_tells(self, run, root, tmp_path):
        done = run("cp", root, tmp_path / "kept", "--dry-run")
        assert "would copy 5 files" in done.out
        assert not (tmp_path / "kept").exists()

    @pytest.mark.parametrize("target", [".", "below", ".."])
    def test_one_root_in_the_other_is_an_error_of_usage(self, run, root, target):
        assert run("cp", root, root / target).code == 2
        assert len(files_in(root)) == 5

    def test_a_file_that_is_cut_short_meanwhile_is_no_copy(
        self, run, root, tmp_path, monkeypatch
    ):
        read = checkpoints.storage.LocalFile.read_into
        monkeypatch.setattr(
            checkpoints.storage.LocalFile,
            "read_into",
            lambda file, offset, buffer: read(file, offset, buffer) - 1,
        )
        done = run("cp", root, tmp_path / "kept", "oven")
        assert done.code == 1
        assert "cut short" in done.err
        assert list((tmp_path / "kept").iterdir()) == []

    def test_nothing_found_ends_with_1(self, run, root, tmp_path):
        assert run("cp", root, tmp_path / "kept", "nothing").code == 1

    def test_the_copy_is_a_root(self, run, root, tmp_path):
        run("cp", root, tmp_path / "kept")
        found = [repr(entry) for entry in index(tmp_path / "kept")]
        assert found == [repr(entry) for entry in index(root)]
