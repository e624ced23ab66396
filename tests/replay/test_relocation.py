"""A path of a repository is that of a worktree, if it is committed."""

from __future__ import annotations

import os

import pytest

from checkpoints._replay.relocation import Relocation


@pytest.fixture
def moved(tmp_path):
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    kept = [".venv/", "lib/made.py", ""]
    return Relocation(str(tmp_path / "here"), str(tmp_path / "there"), kept)


class TestPath:
    def test_of_the_repository_is_in_the_worktree(self, moved, tmp_path):
        for name in ("lib", "lib/a.py", "gone/b", "lib/made.pyc"):
            assert moved.of(f"{tmp_path}/here/{name}") == f"{tmp_path}/there/{name}"
        assert moved.of(f"{tmp_path}/here") == f"{tmp_path}/there"

    def test_of_elsewhere_stays(self, moved, tmp_path):
        for name in ("", "/hereafter", "/there/lib"):
            assert moved.of(f"{tmp_path}{name}") == f"{tmp_path}{name}"

    def test_that_is_not_committed_stays_unless_the_revision_has_it(
        self, moved, tmp_path
    ):
        for name in (".venv", ".venv/lib/x.py", "lib/made.py"):
            assert moved.of(f"{tmp_path}/here/{name}") == f"{tmp_path}/here/{name}"
        (tmp_path / "there" / "lib").mkdir()
        (tmp_path / "there" / "lib" / "made.py").touch()
        assert moved.of(f"{tmp_path}/here/lib/made.py").startswith(moved.worktree)

    def test_through_a_link_is_that_of_its_target(self, moved, tmp_path):
        os.symlink(tmp_path / "here", tmp_path / "link")
        assert moved.of(f"{tmp_path}/link/lib") == f"{tmp_path}/there/lib"

    def test_of_the_worktree_stays_where_temporary_folders_are_in_the_repository(
        self, tmp_path
    ):
        moved = Relocation(str(tmp_path), str(tmp_path / "tmp" / "worktree"), [])
        inner = str(tmp_path / "tmp" / "worktree" / "lib")
        assert moved.of(inner) == inner
