"""`checkpoints verify`: its progress bar. Its report is tested with the program."""

from __future__ import annotations

import pytest

pytest.importorskip("rich", reason="it draws the bar")


class TestProgress:
    @pytest.fixture
    def slow(self, run, monkeypatch):
        """Behave as after two seconds, on a terminal."""
        from checkpoints.cli import _screen

        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setattr(_screen, "_PROGRESS_DELAY", -1)
        return run

    def test_a_bar_counts_the_bytes_on_stderr(self, slow, root):
        done = slow("verify", root)
        assert done.code == 0
        assert "verifying" in done.err
        assert "100%" in done.err
        assert "━" not in done.out

    @pytest.mark.parametrize("option", ["--quiet", "--json"])
    def test_programs_and_quiet_calls_get_none(self, slow, root, option):
        assert slow("verify", root, option).err == ""

    def test_a_short_run_shows_none(self, run, root, monkeypatch):
        monkeypatch.setenv("FORCE_COLOR", "1")
        assert run("verify", root).err == ""

    def test_where_nobody_looks_there_is_none(self, run, root, monkeypatch):
        from checkpoints.cli import _screen

        monkeypatch.setattr(_screen, "_PROGRESS_DELAY", -1)
        assert run("verify", root).err == ""
