"""`checkpoints rm` and `checkpoints cp`."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

import checkpoints
from checkpoints import FileHandler, index, load, tags
from checkpoints.storage import _case
from checkpoints.storage._folder import Folder


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
        assert done.err == ("Error: no terminal to ask for confirmation; use --yes\n")
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

    @pytest.mark.parametrize(
        ("at", "before", "after", "told"),
        [
            ("day=9/shop=north/bakery/order.ckpt.zip", 1, 0, "kept: "),
            ("oven.ckpt.zip", 1, 0, "kept: "),
            ("oven.ckpt.zip", 0, 1, ""),
        ],
        ids=["earlier", "just before", "just after"],
    )
    def test_a_file_that_is_written_anew_meanwhile_stays(
        self, run, root, monkeypatch, at, before, after, told
    ):
        rename = Folder.rename

        def save(times):
            for heat in range(times):
                checkpoints.FileHandler(root).checkpoint("oven", heat=heat)

        def meanwhile(folder, old, new):
            # What another process does between the look and the deletion.
            is_then = Path(folder.path) / old == root / at
            save(before * is_then)
            rename(folder, old, new)
            save(2 * after * is_then)

        monkeypatch.setattr(Folder, "rename", meanwhile)
        done = run("rm", root, "--all", "--yes")
        assert done.err.startswith(told)
        assert bool(done.err) is bool(told)
        assert load(root / "oven.ckpt.zip") == {"heat": after}
        assert sorted(os.listdir(root)) == [".runs", "oven.ckpt.zip"]

    def test_of_two_that_come_meanwhile_both_stay(self, run, root, monkeypatch):
        rename = Folder.rename

        def meanwhile(folder, old, new):
            monkeypatch.setattr(Folder, "rename", rename)
            handler = checkpoints.FileHandler(root, if_exists="error")
            folder.unlink(old)
            handler.checkpoint("oven", heat=1)
            rename(folder, old, new)
            handler.checkpoint("oven", heat=2)

        monkeypatch.setattr(Folder, "rename", meanwhile)
        done = run("rm", root, "oven", "--yes")
        assert done.code == 1
        (aside,) = root.glob("*.aside")
        assert f"rewritten twice in the meantime; the first is now {aside}" in done.err
        assert load(root / "oven.ckpt.zip") == {"heat": 2}
        assert load(aside) == {"heat": 1}

    def test_a_file_that_cannot_be_deleted_keeps_its_name(self, run, root, monkeypatch):
        def unlink(path, **options):
            raise PermissionError(errno.EACCES, "Permission denied", path)

        with monkeypatch.context() as patched:
            patched.setattr(os, "unlink", unlink)
            done = run("rm", root, "oven", "--yes")
        assert done.code == 1
        assert "oven.ckpt.zip: Permission denied" in done.err
        assert load(root / "oven.ckpt.zip") == {"heat": 200.5}

    def test_where_there_are_no_links_a_file_is_put_back_all_the_same(
        self, run, root, monkeypatch
    ):
        rename = Folder.rename

        def meanwhile(folder, old, new):
            monkeypatch.setattr(Folder, "rename", rename)
            checkpoints.FileHandler(root).checkpoint("oven", heat=1.5)
            rename(folder, old, new)

        def link(*paths, **_):
            raise PermissionError(errno.EPERM, "Operation not permitted", *paths[:1])

        monkeypatch.setattr(Folder, "rename", meanwhile)
        monkeypatch.setattr(os, "link", link)
        assert "kept: " in run("rm", root, "oven", "--yes").err
        assert load(root / "oven.ckpt.zip") == {"heat": 1.5}
        assert len(os.listdir(root)) == 4

    def test_of_a_link_only_the_link_is_deleted(self, run, root, tmp_path):
        kept = tmp_path / "kept.ckpt.zip"
        (root / "oven.ckpt.zip").rename(kept)
        (root / "oven.ckpt.zip").symlink_to(kept)
        run("rm", root, "oven", "--yes")
        assert not (root / "oven.ckpt.zip").is_symlink()
        assert kept.exists()


@pytest.fixture
def folding(monkeypatch):
    """Tell the store of a root whether its file system folds case."""

    def folding(root, answer):
        monkeypatch.setitem(_case._known, str(root), answer)

    return folding


@pytest.fixture
def both(tmp_path, folding):
    """A root with a key in both spellings, the readable one the newer."""
    root = tmp_path / "both"
    for folds, place in ((True, root), (False, tmp_path / "plain")):
        folding(place, folds)
        with tags(shop="North"):
            FileHandler(place).checkpoint("Order", encoded=folds)
    (tmp_path / "plain" / "shop=North").rename(root / "shop=North")
    os.utime(root / "shop=%4Eorth" / "%4Frder.ckpt.zip", (1, 1))
    return root


class TestSpellings:
    def test_rm_takes_both(self, run, both):
        done = run("rm", both, "Order", "--where", "shop=North", "--yes")
        assert (done.code, "deleted 2 files" in done.out) == (0, True)
        assert list(both.iterdir()) == []

    @pytest.mark.parametrize(
        ("folds", "copy"),
        [
            (True, "shop=%4Eorth/%4Frder.ckpt.zip"),
            (False, "shop=North/Order.ckpt.zip"),
        ],
    )
    def test_cp_spells_as_the_target_needs_it(
        self, run, both, tmp_path, folding, folds, copy
    ):
        """Of a key in both spellings it copies the newer file, and tells of both."""
        folding(tmp_path / "kept", folds)
        done = run("cp", both, tmp_path / "kept")
        assert (done.code, "copied 1 file" in done.out) == (0, True)
        assert done.err.startswith("skipped ")
        assert done.err.endswith(" has the same key and is newer\n")
        assert files_in(tmp_path / "kept") == [Path(copy)]
        assert load(tmp_path / "kept" / copy) == {"encoded": False}

    def test_cp_meets_the_other_spelling_at_the_target(
        self, run, both, tmp_path, folding
    ):
        kept = tmp_path / "kept"
        folding(kept, True)
        run("cp", both, kept)
        there = files_in(kept)
        folding(kept, False)
        done = run("cp", both, kept)
        assert (done.code, "1 already there" in done.out) == (0, True)
        os.utime(both / "shop=%4Eorth" / "%4Frder.ckpt.zip")
        assert run("cp", both, kept).code == 1
        assert run("cp", both, kept, "--force").code == 0
        assert files_in(kept) == there
        assert load(kept / there[0]) == {"encoded": True}

    def test_a_dry_run_tries_nothing_at_the_target(self, run, both, tmp_path):
        assert run("cp", both, tmp_path / "kept", "--dry-run").code == 0
        assert not (tmp_path / "kept").exists()


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
        assert "1 already there" in done.out

    def test_another_file_of_that_name_stays_unless_forced(self, run, root, tmp_path):
        there = tmp_path / "kept" / "oven.ckpt.zip"
        there.parent.mkdir()
        there.write_text("another")
        done = run("cp", root, tmp_path / "kept", "oven")
        assert done.code == 1
        assert f"{there} exists and differs; replace it with --force" in done.err
        assert there.read_text() == "another"
        assert run("cp", root, tmp_path / "kept", "oven", "--force").code == 0
        assert load(there) == {"heat": 200.5}

    def test_a_dry_run_only_tells(self, run, root, tmp_path):
        done = run("cp", root, tmp_path / "kept", "--dry-run")
        assert "would copy 5 files" in done.out
        assert not (tmp_path / "kept").exists()

    @pytest.mark.parametrize("target", [".", "below", ".."])
    def test_one_root_in_the_other_is_refused(self, run, root, target):
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
        assert "truncated while it was read" in done.err
        assert list((tmp_path / "kept").iterdir()) == []

    def test_a_file_that_cannot_be_read_does_not_hinder_the_others(
        self, run, root, tmp_path, monkeypatch
    ):
        read = checkpoints.storage.LocalFile.read_into

        def broken(file, offset, buffer):
            if "day=9" in file.path and "north" in file.path:
                raise OSError(errno.EIO, "Input/output error")
            return read(file, offset, buffer)

        monkeypatch.setattr(checkpoints.storage.LocalFile, "read_into", broken)
        done = run("cp", root, tmp_path / "kept")
        assert done.code == 1
        assert done.err.count("not copied: ") == 1
        assert "Input/output error" in done.err
        assert "copied 4 files" in done.out
        assert len(files_in(tmp_path / "kept")) == 4

    def test_nor_does_an_error_that_nobody_has_foreseen(
        self, run, root, tmp_path, monkeypatch
    ):
        read = checkpoints.storage.LocalFile.read_into

        def odd(file, offset, buffer):
            if "oven" in file.path:
                raise OverflowError("too large")
            return read(file, offset, buffer)

        monkeypatch.setattr(checkpoints.storage.LocalFile, "read_into", odd)
        goal = tmp_path / "kept"
        done = run("cp", root, goal)
        assert done.code == 1
        assert done.err.count("OverflowError: too large") == 1
        assert "copied 4 files" in done.out
        done = run("verify", root)
        assert done.code == 1
        assert "OverflowError: too large" in done.out
        done = run("gc", root, "--keep-last", "1")
        assert "OverflowError: too large" in done.err
        done = run("ls", "--long", root)
        assert "OverflowError: too large" in done.out
        assert run("ls", "--sort", "saved", root).code in (0, 1)

    @pytest.mark.skipif(sys.platform == "win32", reason="it has no such limits")
    def test_nor_does_a_file_that_is_too_large_for_the_target(
        self, run, root, tmp_path
    ):
        import resource

        FileHandler(root).checkpoint("large", x=b"0" * 100_000)
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
        try:
            done = run("cp", root, tmp_path / "kept")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert done.code == 1
        assert "copied 5 files" in done.out
        assert done.err.count("not copied: ") == 1

    @pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
    def test_what_stands_in_the_way_of_one_does_not_hinder_the_others(
        self, run, root, tmp_path
    ):
        kept = tmp_path / "kept"
        (kept / "day=9/shop=north/bakery").mkdir(parents=True)
        (kept / "day=9/shop=north/bakery/order.ckpt.zip").symlink_to(kept / "nowhere")
        (kept / "day=9/shop=south").write_text("no folder")
        (kept / "oven.ckpt.zip").mkdir()
        done = run("cp", root, kept, "--force")
        assert (done.code, done.err.count("not copied: ")) == (1, 2)
        assert "copied 3 files" in done.out
        (kept / "oven.ckpt.zip").rmdir()
        (kept / "oven.ckpt.zip").symlink_to(kept / "nowhere")
        done = run("cp", root, kept)
        assert (done.code, done.err.count("not copied: ")) == (1, 2)
        assert "cannot be compared" in done.err

    def test_nothing_found_ends_with_1(self, run, root, tmp_path):
        assert run("cp", root, tmp_path / "kept", "nothing").code == 1

    def test_the_copy_is_a_root(self, run, root, tmp_path):
        run("cp", root, tmp_path / "kept")
        found = [repr(entry) for entry in index(tmp_path / "kept")]
        assert found == [repr(entry) for entry in index(root)]
