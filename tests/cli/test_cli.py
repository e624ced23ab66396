"""The command line: its output and its exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import checkpoints
from checkpoints import FileHandler, tags

SOURCES = str(Path(checkpoints.__file__).parents[1])

WITHOUT_CLICK = """
import sys
sys.path.insert(0, sys.argv[1])
sys.modules[sys.argv[2]] = None
from checkpoints.cli import main
main(["verify", "."])
"""


def run(*arguments, more=(), **options):
    return subprocess.run(
        [sys.executable, "-m", "checkpoints", *arguments],
        env={**os.environ, "PYTHONPATH": SOURCES, "COLUMNS": "80", **dict(more)},
        capture_output=True,
        check=False,
        **{"text": True, **options},
    )


@pytest.fixture
def closed_pipe():
    """Yield the write end of a pipe without a reader."""
    end, start = os.pipe()
    os.close(end)
    yield start
    os.close(start)


@pytest.fixture
def root(tmp_path):
    pytest.importorskip("click", reason="it reads the arguments")
    pytest.importorskip("rich", reason="it prints the report")
    FileHandler(tmp_path / "root").checkpoint("shop.total", items=3, note="text")
    return tmp_path / "root"


@pytest.fixture
def broken(root):
    path = root / "shop" / "total.ckpt.zip"
    data = bytearray(path.read_bytes())
    data[-100] ^= 1
    path.write_bytes(data)
    return path


class TestEncoding:
    @pytest.fixture
    def foreign(self, tmp_path):
        pytest.importorskip("click", reason="it reads the arguments")
        pytest.importorskip("rich", reason="it prints the report")
        with tags(place="東", odd="\ud800ü"):
            FileHandler(tmp_path / "東").checkpoint("shop.total", items=3)
        return str(tmp_path / "東")

    @pytest.mark.parametrize(
        ("encoding", "command"),
        [
            ("utf-8", "ls --csv"),
            ("latin-1", "ls --csv"),
            ("latin-1", "ls --long"),
            ("latin-1", "rm --all --dry-run"),
            ("latin-1", "gc --keep-last 1"),
            ("latin-1", "verify"),
            ("latin-1", "export --to 東.json"),
        ],
    )
    def test_what_it_lacks_is_escaped(self, foreign, tmp_path, command, encoding):
        name, *options = command.split()
        more = {"PYTHONIOENCODING": f"{encoding}:strict"}
        done = run(name, foreign, *options, more=more, text=False, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, b"")
        assert done.stdout.decode(encoding)

    @pytest.mark.skipif(sys.platform != "linux", reason="paths are bytes there")
    def test_csv_has_the_bytes_of_paths(self, foreign):
        os.rename(foreign, os.fsencode(foreign) + b"\xff")
        done = run("ls", os.fsencode(foreign) + b"\xff", "--csv", text=False)
        assert done.stdout.count("東".encode() + b"\xff/") == 1
        assert b"\\ud800\xc3\xbc" in done.stdout


class TestProgram:
    def test_without_a_command_it_lists_them(self, root):
        done = run("--help")
        assert done.returncode == 0
        assert "verify" in done.stdout

    def test_it_knows_its_version(self, root):
        assert checkpoints.__version__ in run("--version").stdout

    @pytest.mark.parametrize(("word", "meant"), [("list", "ls"), ("compare", "diff")])
    def test_a_command_of_other_tools_is_called_otherwise_here(self, root, word, meant):
        done = run(word, str(root))
        assert done.returncode == 2
        assert f"No such command {word!r}. Did you mean {meant!r}?" in done.stderr

    def test_a_command_that_is_not_there_is_an_error_of_usage(self, root):
        done = run("verfy")
        assert done.returncode == 2
        assert "verfy" in done.stderr

    @pytest.mark.parametrize("library", ["click", "rich"])
    def test_without_its_libraries_it_says_how_to_get_them(self, library, tmp_path):
        done = subprocess.run(
            [sys.executable, "-c", WITHOUT_CLICK, SOURCES, library],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )
        assert done.returncode == 2
        assert done.stdout == ""
        (line,) = done.stderr.splitlines()
        assert "pip install 'named-checkpoints[cli]'" in line

    @pytest.mark.parametrize("words", [["verify", "."], ["--help"], ["ls", "--help"]])
    def test_where_nobody_reads_at_all_it_ends_as_other_tools_do(
        self, root, closed_pipe, words
    ):
        done = subprocess.run(
            [sys.executable, "-m", "checkpoints", *words],
            cwd=root,
            env={**os.environ, "PYTHONPATH": SOURCES},
            stdout=closed_pipe,
            stderr=subprocess.PIPE,
            check=False,
            timeout=100,
        )
        assert (done.returncode, done.stderr) == (141, b"")

    def test_where_nobody_reads_on_it_ends_as_other_tools_do(self, root, closed_pipe):
        done = subprocess.run(
            [sys.executable, "-m", "checkpoints", "ls", root],
            env={**os.environ, "PYTHONPATH": SOURCES},
            stdout=closed_pipe,
            stderr=subprocess.PIPE,
            check=False,
        )
        assert (done.returncode, done.stderr) == (141, b"")

    def test_the_library_does_not_load_it(self):
        code = "import sys, checkpoints; print('click' in sys.modules)"
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONPATH": SOURCES},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == "False\n"


class TestVerify:
    def test_whole_files_end_with_0(self, root):
        done = run("verify", str(root))
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith(f"{root}: 1 file, ")

    def test_damage_ends_with_1_and_names_the_file(self, root, broken):
        done = run("verify", str(root), "-j", "2")
        assert done.returncode == 1
        assert f"damaged: {broken} is damaged" in done.stdout.replace("\n", " ")

    def test_no_file_at_all_ends_with_1_and_says_so(self, tmp_path):
        ended = run("verify", tmp_path, "--quiet")
        assert ended.returncode == 1
        assert ended.stderr == "no checkpoint files found; is this the right root?\n"

    def test_a_root_that_is_not_there_ends_with_2_and_no_traceback(self, root):
        done = run("verify", str(root / "no\x1bwhere"))
        assert done.returncode == 2
        assert done.stdout == ""
        assert "no\\x1bwhere" in done.stderr
        assert "Traceback" not in done.stderr
        assert "\x1b" not in done.stderr

    @pytest.mark.parametrize("wrong", [(), ("a", "b"), ("-j", "0", "a"), ("--no", "a")])
    def test_wrong_arguments_end_with_2(self, root, wrong):
        done = run("verify", *wrong)
        assert done.returncode == 2
        assert "Usage: checkpoints verify" in done.stderr

    def test_as_json_it_can_be_read_by_programs(self, root, broken):
        done = run("verify", "--json", str(root))
        assert done.returncode == 1
        found = json.loads(done.stdout)
        assert (found["ok"], found["checked"]) == (False, 1)
        ((path, text),) = found["damaged"]
        assert path == str(broken)
        assert text

    def test_quiet_prints_damage_alone(self, root):
        assert run("verify", "--quiet", str(root)).stdout == ""

    def test_quiet_still_prints_damage(self, root, broken):
        assert "damaged" in run("verify", "--quiet", str(root)).stdout

    def test_paths_are_no_markup_and_no_escapes(self, root, broken):
        odd = root / "[bold]\x1b[31m\u202e"
        os.rename(root / "shop", odd)
        done = run("verify", str(root))
        shown = done.stdout.replace("\n", "")
        assert "[bold]\\x1b[31m\\u202e" in shown
        assert "\x1b" not in shown
        assert "\u202e" not in shown

    def test_help_has_an_example(self, root):
        done = run("verify", "--help")
        assert done.returncode == 0
        assert "checkpoints verify saved" in done.stdout
