"""Permissions of what is written: as asked for, and never wider than before."""

from __future__ import annotations

import os
import stat
import sys

import pytest

from checkpoints import ConfigError, FileHandler, tags
from checkpoints._environment import read_settings

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="they are of Unix")


@pytest.fixture(autouse=True)
def umask():
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode_of(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def saved(root, **options):
    with tags(day=9):
        FileHandler(root, **options).checkpoint("fit", 1)
    return root / "day=9" / "fit.ckpt.zip"


class TestPermissions:
    def test_they_are_those_of_the_umask_by_default(self, tmp_path):
        path = saved(tmp_path / "root")
        assert mode_of(path) == 0o644
        assert mode_of(path.parent) == mode_of(tmp_path / "root") == 0o755

    def test_they_are_set_for_the_file_and_the_folders_that_are_made(self, tmp_path):
        path = saved(tmp_path / "root", mode=0o600)
        assert mode_of(path) == 0o600
        assert mode_of(path.parent) == mode_of(tmp_path / "root") == 0o700

    def test_the_umask_narrows_them(self, tmp_path):
        path = saved(tmp_path / "root", mode=0o660)
        assert mode_of(path) == 0o640
        assert mode_of(path.parent) == 0o750

    def test_the_record_of_the_run_has_them_too(self, tmp_path):
        (tmp_path / "root").mkdir(mode=0o755)
        saved(tmp_path / "root", mode=0o600)
        (record,) = (tmp_path / "root" / ".runs").iterdir()
        assert mode_of(record) == 0o600

    def test_a_folder_that_is_there_keeps_its_own(self, tmp_path):
        (tmp_path / "root").mkdir(mode=0o755)
        saved(tmp_path / "root", mode=0o600)
        assert mode_of(tmp_path / "root") == 0o755

    @pytest.mark.parametrize("given", [{}, {"mode": 0o644}])
    def test_a_file_that_is_replaced_does_not_become_more_open(self, tmp_path, given):
        path = saved(tmp_path / "root")
        os.chmod(path, 0o600)
        saved(tmp_path / "root", **given)
        assert mode_of(path) == 0o600

    @pytest.mark.parametrize("mode", [0o400, 0o1600, -1, True, "600", 600])
    def test_what_shuts_the_owner_out_or_is_no_mode_is_an_error(self, mode):
        with pytest.raises(ConfigError, match="such as 0o600"):
            FileHandler("out", mode=mode)

    def test_a_rule_in_text_or_in_a_file_sets_them(self, tmp_path):
        (tmp_path / "rules.toml").write_text(
            "[[rules]]\nnames = 'a'\ntarget = 'out'\nmode = 0o640\n"
        )
        for setting, mode in zip(
            read_settings("a=out?mode=600", config=tmp_path / "rules.toml"),
            (0o640, 0o600),
            strict=True,
        ):
            assert setting.options == {"mode": mode}

    def test_a_handler_shows_them_as_people_write_them(self):
        assert "mode=0o600" in repr(FileHandler("out", mode=0o600))
