"""Links that somebody planted in a root: `rm`, `gc` and `cp` leave it for nothing."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from checkpoints import FileHandler, load, tags
from checkpoints.cli import _removal
from tests.swapper import swapping

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="links need rights there"
)


@pytest.fixture
def outside(tmp_path):
    """A folder of somebody else, with the names of files in the root."""
    FileHandler(tmp_path / "outside").checkpoint("bakery.order", "secret")
    FileHandler(tmp_path / "outside").checkpoint("oven", "secret")
    left = tmp_path / "outside" / ".1-0123456789ab-0.ckpt.tmp"
    left.write_text("secret")
    os.utime(left, (1, 1))
    return tmp_path / "outside"


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def swap(folder, outside):
    folder.rename(folder.with_name("aside"))
    folder.symlink_to(outside, target_is_directory=True)


class TestDeleting:
    @pytest.mark.parametrize(
        "words", [("rm", "--all"), ("gc", "--older-than", "0s")], ids=["rm", "gc"]
    )
    def test_a_folder_swapped_just_before_is_told_and_nothing_outside_goes(
        self, run, root, outside, monkeypatch, words
    ):
        before, real = contents(outside), _removal._way

        def swapped(root, folder):
            place = Path(folder).parent
            if place.match("day=9/shop=north") and not place.is_symlink():
                swap(place, outside)
            return real(root, folder)

        monkeypatch.setattr(_removal, "_way", swapped)
        command, *rest = words
        done = run(command, root, *rest, "--yes")
        assert done.code == 1
        assert "Is a link, and links below a root are not followed" in done.err
        assert contents(outside) == before

    def test_beside_a_swapper_nothing_outside_goes(self, run, tmp_path, outside):
        root = tmp_path / "root"
        (tmp_path / "link").symlink_to(outside)
        before = contents(outside)
        for round_ in range(12):
            handler = FileHandler(root)
            for day in range(10):
                with tags(day=day):
                    handler.checkpoint("a.bakery.order", round_)
            FileHandler(root / "swapped").checkpoint("bakery.order", round_)
            FileHandler(root / "swapped").checkpoint("oven", round_)
            with swapping(root / "swapped", tmp_path / "link", root / "aside"):
                run("gc", root, "--older-than", "0s", "--unfinished-for", "0s", "--yes")
                run("rm", root, "--all", "--yes")
                run("cp", root, tmp_path / "kept", "--force")
            for path in (root / "aside", root / "swapped"):
                if path.is_symlink():
                    path.rename(tmp_path / "link")
            assert contents(outside) == before
        copies = contents(tmp_path / "kept") if (tmp_path / "kept").exists() else {}
        assert not set(copies.values()) & set(before.values())


class TestCopying:
    def test_a_link_to_a_file_is_left_out_and_counted(
        self, run, root, outside, tmp_path
    ):
        (root / "oven.ckpt.zip").unlink()
        (root / "oven.ckpt.zip").symlink_to(outside / "oven.ckpt.zip")
        done = run("cp", root, tmp_path / "kept")
        assert done.code == 1
        assert "copied 4 files" in done.out
        assert done.out.endswith("; 1 link left out\n")
        assert not (tmp_path / "kept" / "oven.ckpt.zip").exists()
        assert "1 link left out" in run("cp", root, tmp_path / "new", "--dry-run").out

    @pytest.mark.parametrize("force", [(), ("--force",)])
    def test_a_link_to_a_folder_in_the_target_is_told_and_not_followed(
        self, run, root, outside, tmp_path, force
    ):
        (tmp_path / "kept").mkdir()
        (tmp_path / "kept" / "day=9").symlink_to(outside)
        before = contents(outside)
        done = run("cp", root, tmp_path / "kept", *force)
        assert (done.code, done.err.count("not copied: ")) == (1, 2)
        assert "Is a link" in done.err
        assert "copied 3 files" in done.out
        assert contents(outside) == before

    def test_a_link_to_a_file_in_the_target_is_kept_or_replaced_and_not_followed(
        self, run, root, outside, tmp_path
    ):
        kept = tmp_path / "kept"
        kept.mkdir()
        (kept / "oven.ckpt.zip").symlink_to(outside / "oven.ckpt.zip")
        before = contents(outside)
        assert "cannot be compared" in run("cp", root, kept, "oven").err
        assert run("cp", root, kept, "oven", "--force").code == 0
        assert load(kept / "oven.ckpt.zip") == {"heat": 200.5}
        assert not (kept / "oven.ckpt.zip").is_symlink()
        assert contents(outside) == before

    def test_a_copy_is_not_more_open_than_its_original(self, run, root, tmp_path):
        (root / "oven.ckpt.zip").chmod(0o600)
        run("cp", root, tmp_path / "kept", "oven")
        copy = tmp_path / "kept" / "oven.ckpt.zip"
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
        assert stat.S_IMODE(copy.parent.stat().st_mode) == 0o700
