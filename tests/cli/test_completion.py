"""Shell completion, requested as bash requests it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import checkpoints
from checkpoints import FileHandler, tags

SOURCES = str(Path(checkpoints.__file__).parents[1])


@pytest.fixture
def offered(root):
    """Ask as a shell does, with the last word unfinished; return the completions."""

    def offered(*words):
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                "from checkpoints.cli import main; main([])",
            ],
            env={
                **os.environ,
                "PYTHONPATH": SOURCES,
                "_CHECKPOINTS_COMPLETE": "bash_complete",
                "COMP_WORDS": " ".join(["checkpoints", *map(str, words)]),
                "COMP_CWORD": str(len(words)),
            },
            capture_output=True,
            text=True,
            check=True,
        )
        return [line.partition(",")[2] for line in done.stdout.split()]

    pytest.importorskip("click", reason="it answers the shell")
    pytest.importorskip("rich", reason="the program is not there without it")
    return offered


class TestCompletion:
    def test_commands(self, offered):
        assert offered("sh") == ["show"]

    @pytest.mark.parametrize("command", ["ls", "rm", "gc", "cp", "verify"])
    def test_a_root_is_a_folder(self, offered, command):
        # A shell that is told so looks for them by itself.
        assert offered(command, "sav") == ["sav"]

    @pytest.mark.parametrize("command", ["ls", "rm", "gc", "show", "export"])
    def test_names_under_the_root(self, offered, root, command):
        assert offered(command, root, "o") == ["oven"]
        assert offered(command, root, "") == ["bakery.order", "oven"]

    def test_names_under_the_root_that_is_copied_from(self, offered, root):
        assert offered("cp", root, "kept", "ov") == ["oven"]

    @pytest.mark.parametrize("command", ["ls", "show", "cp"])
    def test_tags_and_their_values(self, offered, root, command):
        assert offered(command, root, "--where", "d") == ["day="]
        assert offered(command, root, "--where", "day=1") == ["day=10"]

    def test_values_of_an_entry(self, offered, root):
        path = root / "oven.ckpt.zip"
        assert offered("show", path, "") == ["heat"]
        assert offered("export", root, "bakery.order", "n") == ["note"]

    def test_what_a_shell_would_obey_is_not_offered(self, offered, tmp_path):
        handler = FileHandler(tmp_path / "odd")
        for name in ("$(reboot)", "a;b", "a b", "a'", "\x1b[2J", "good"):
            with tags({f"tag{name}": name}):
                handler.checkpoint(name, **{name: 1})
        assert offered("ls", tmp_path / "odd", "") == ["good"]

    def test_a_tag_that_a_shell_would_obey_is_offered_encoded(self, offered, tmp_path):
        with tags({"$(a)": "1", "b": "$(x), *"}):
            FileHandler(tmp_path / "odd").checkpoint("a", 1)
        where = ("ls", tmp_path / "odd", "--where")
        assert offered(*where, "") == ["%24%28a%29=", "b="]
        assert offered(*where, "b=") == ["b==%24%28x%29%2C%20%2A"]

    def test_where_nothing_is_nothing_is_offered(self, offered, tmp_path):
        assert offered("ls", tmp_path / "nowhere", "") == []
        assert offered("show", tmp_path / "nowhere.ckpt.zip", "") == []
