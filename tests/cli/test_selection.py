"""Selecting entries for a command: a root, names and tags, and what if none match."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from checkpoints import index

NEEDED = {
    "ls": (),
    "rm": ("--all", "--yes"),
    "gc": ("--older-than", "0s", "--yes"),
    "cp": ("kept",),
    "verify": (),
    "show": (),
    "export": ("--to", "x.json"),
}


class TestRoots:
    @pytest.mark.parametrize("command", NEEDED)
    def test_an_empty_one_is_not_the_working_folder(
        self, run, root, command, monkeypatch
    ):
        monkeypatch.chdir(root)
        done = run(command, "", *NEEDED[command])
        assert (done.code, done.out) == (2, "")
        assert "invalid root '': use '.' for the current directory" in done.err
        assert len(index(root)) == 5

    def test_a_target_that_is_empty_is_not_the_working_folder(
        self, run, root, tmp_path, monkeypatch
    ):
        (tmp_path / "here").mkdir()
        monkeypatch.chdir(tmp_path / "here")
        assert run("cp", root, "").code == 2
        assert os.listdir() == []

    @pytest.mark.parametrize("command", ["ls", "rm", "gc", "cp", "verify"])
    def test_a_file_is_told_as_such(self, run, root, tmp_path, command):
        path = root / "oven.ckpt.zip"
        done = run(command, path, *NEEDED[command])
        assert done.code == 2
        assert done.err == (
            f"Error: {str(path)!r} is a file; use `checkpoints show`, or give its "
            "folder\n"
        )

    @pytest.mark.parametrize("command", ["ls", "rm", "gc", "cp", "verify"])
    def test_one_that_is_not_there_is_told_without_words_of_python(
        self, run, tmp_path, command
    ):
        done = run(command, tmp_path / "none", *NEEDED[command])
        assert done.code == 2
        assert "none'" in done.err
        assert "()" not in done.err

    @pytest.mark.parametrize("below", ["", "/below"])
    def test_a_target_that_is_a_file_is_told_as_such(self, run, root, tmp_path, below):
        path = tmp_path / "q.py"
        path.write_text("pass")
        done = run("cp", root, f"{path}{below}")
        assert done.code == 2
        assert ".ckpt.tmp" not in done.err
        assert "q.py' is a file" in done.err
        assert path.read_text() == "pass"


class TestFiles:
    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
    @pytest.mark.parametrize("command", ["show", "export"])
    def test_a_pipe_is_told_and_not_waited_for(self, tmp_path, command, run):
        path = tmp_path / "p.ckpt.zip"
        os.mkfifo(path)
        done = subprocess.run(
            [sys.executable, "-m", "checkpoints", command, path, *NEEDED[command]],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode in (1, 2)
        assert "named pipe" in done.stderr


class TestUnreadable:
    @pytest.mark.skipif(
        os.mkdir not in os.supports_dir_fd, reason="such folders cannot be made here"
    )
    @pytest.mark.parametrize("command", ["ls", "verify"])
    def test_a_folder_is_told_once(self, root, command, run):
        folder = os.open(root, os.O_RDONLY)
        for _ in range(30):  # until the path is too long for the system
            os.mkdir("d" * 200, dir_fd=folder)
            below = os.open("d" * 200, os.O_RDONLY, dir_fd=folder)
            os.close(folder)
            folder = below
        os.close(folder)
        done = subprocess.run(
            [sys.executable, "-m", "checkpoints", command, root],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert (done.stdout + done.stderr).count("too long") == 1
