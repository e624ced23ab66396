"""The start file, by which programs follow variables that never import the library."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import checkpoints
from checkpoints import index

pytest.importorskip("click", reason="it reads the arguments")
pytest.importorskip("rich", reason="the program is not there without it")
pytest.importorskip("wrapt", reason="probes need it")

# The library, and what it needs, wherever that is installed.
FOUND = [str(Path(checkpoints.__file__).parents[1])]
FOUND += [
    str(Path(find_spec(name).origin).parents[1])
    for name in ("click", "rich", "markdown_it", "mdurl", "pygments", "wrapt")
    if find_spec(name)
]
FOUND = [*dict.fromkeys(FOUND)]
BIN = "Scripts" if os.name == "nt" else "bin"
PROGRAM = "import textwrap; print(textwrap.shorten('Hello world', 7))"
LOADED = "import sys; print([it for it in sys.modules if 'checkpoints' in it])"


class Environment:
    """A virtual environment in which the library and what it needs are found."""

    def __init__(self, folder):
        command = [sys.executable, "-m", "venv", "--without-pip", folder]
        subprocess.run(command, check=True)
        (self.packages,) = folder.rglob("site-packages")
        (self.packages / "library.pth").write_text("\n".join(FOUND))
        self._python = str(folder / BIN / "python")

    def python(self, *words, **variables):
        ours = {
            name: it for name, it in os.environ.items() if "CHECKPOINTS" not in name
        }
        return subprocess.run(
            [self._python, *words],
            env={**ours, **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )

    def command(self, *words):
        return self.python("-m", "checkpoints", *words)

    def files(self):
        return sorted(os.listdir(self.packages))


@pytest.fixture
def environment(tmp_path):
    return Environment(tmp_path / "env")


@pytest.fixture
def enabled(environment):
    environment.command("enable-env")
    return environment


@pytest.fixture
def probing(tmp_path):
    return {
        "CHECKPOINTS": f"textwrap={tmp_path / 'saved'}",
        "CHECKPOINTS_PROBES": "textwrap:shorten",
    }


class TestEnabled:
    @pytest.mark.parametrize("words", [[], ["-I"], ["-E"]])
    def test_a_program_that_never_imports_the_library_follows_the_variables(
        self, enabled, probing, tmp_path, words
    ):
        done = enabled.python(*words, "-c", PROGRAM, **probing)
        assert (done.returncode, done.stdout, done.stderr) == (0, "[...]\n", "")
        names = sorted(entry.name for entry in index(tmp_path / "saved"))
        assert names == ["textwrap.shorten", "textwrap.shorten.result"]

    def test_it_does_not_without_the_start_file(self, environment, probing):
        assert environment.python("-c", LOADED, **probing).stdout == "[]\n"

    def test_nothing_is_loaded_without_variables_or_without_the_site(
        self, enabled, probing
    ):
        assert enabled.python("-c", LOADED).stdout == "[]\n"
        assert enabled.python("-c", LOADED, CHECKPOINTS_TO="x").stdout == "[]\n"
        assert enabled.python("-S", "-c", LOADED, **probing).stdout == "[]\n"

    def test_it_counts_a_program_under_run_once(self, enabled, tmp_path):
        (tmp_path / "program.py").write_text(PROGRAM)
        words = ["run", "--to", tmp_path / "saved", "--probe", "textwrap:shorten"]
        done = enabled.command(*words, "--", tmp_path / "program.py")
        assert done.returncode == 0
        assert "saved 2 files" in done.stderr
        assert len(index(tmp_path / "saved")) == 2

    def test_an_invalid_rule_is_told_in_a_line_and_the_program_runs(self, enabled):
        done = enabled.python("-c", PROGRAM, CHECKPOINTS="a?evry=1")
        assert (done.returncode, done.stdout) == (0, "[...]\n")
        (line,) = done.stderr.splitlines()
        assert line.startswith("checkpoints: not started: ConfigError: ")
        assert "did you mean 'every'?" in line

    def test_what_is_told_is_escaped(self, enabled):
        done = enabled.python("-c", PROGRAM, CHECKPOINTS_CONFIG="a\x1b[2J\nb")
        assert done.returncode == 0
        assert done.stderr.count("\n") == 1
        assert "\x1b" not in done.stderr

    def test_a_library_that_is_gone_is_told_in_a_line(self, enabled, probing):
        (enabled.packages / "library.pth").unlink()
        done = enabled.python("-c", PROGRAM, **probing)
        assert (done.returncode, done.stdout) == (0, "[...]\n")
        assert done.stderr == (
            "checkpoints: not started: ModuleNotFoundError: No module named "
            "'checkpoints'\n"
        )

    @pytest.mark.skipif(os.name != "posix", reason="it closes a descriptor")
    def test_a_closed_standard_error_does_no_harm(self, enabled):
        words = [
            "-c",
            "import os, sys; os.close(2); os.execv(sys.argv[1], sys.argv[1:])",
        ]
        python = [str(enabled.packages.parents[2] / BIN / "python"), "-c", PROGRAM]
        done = enabled.python(*words, *python, CHECKPOINTS="a?evry=1")
        assert (done.returncode, done.stdout) == (0, "[...]\n")


class TestCommands:
    def test_they_say_what_they_do_and_the_second_undoes_the_first(self, environment):
        before = environment.files()
        done = environment.command("enable-env")
        assert done.returncode == 0
        (name,) = set(environment.files()) - set(before)
        assert str(environment.packages / name) in done.stdout
        assert "if a variable such\nas CHECKPOINTS" in done.stdout
        assert "`checkpoints disable-env` removes" in done.stdout
        done = environment.command("disable-env")
        assert done.stdout == f"Removed {environment.packages / name}\n"
        assert environment.files() == before

    def test_repeated_they_say_so(self, environment):
        assert "There is no " in environment.command("disable-env").stdout
        environment.command("enable-env")
        assert "is there already" in environment.command("enable-env").stdout

    def test_the_file_of_another_version_is_written_anew(self, enabled):
        (file,) = enabled.packages.glob("zz_*")
        text = file.read_text()
        file.write_text(text.replace("exec", "eval"))
        assert "Wrote" in enabled.command("enable-env").stdout
        assert file.read_text() == text

    def test_a_file_of_somebody_else_is_left_alone(self, environment):
        file = environment.packages / "zz_checkpoints_start.pth"
        file.write_text("# mine\n")
        for command in ("enable-env", "disable-env"):
            done = environment.command(command)
            assert (done.returncode, done.stdout) == (2, "")
            assert f"{file} was not made by `checkpoints enable-env`" in done.stderr
        assert file.read_text() == "# mine\n"

    def test_a_folder_that_cannot_be_written_is_refused(self, environment):
        (environment.packages / "library.pth").unlink()
        environment.packages.rmdir()
        words = ["-m", "checkpoints", "enable-env"]
        done = environment.python(*words, PYTHONPATH=os.pathsep.join(FOUND))
        assert (done.returncode, done.stdout) == (2, "")
        assert f"cannot write {environment.packages}" in done.stderr

    def test_a_python_of_the_system_is_refused(self):
        done = subprocess.run(
            [sys._base_executable, "-m", "checkpoints", "enable-env"],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(FOUND)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout) == (2, "")
        assert "belongs to no virtual environment" in done.stderr

    def test_an_environment_of_conda_is_one(self, tmp_path, monkeypatch):
        from checkpoints.cli._start_file import StartFile

        monkeypatch.setattr(sys, "prefix", str(tmp_path))
        monkeypatch.setattr(sys, "base_prefix", str(tmp_path))
        (tmp_path / "conda-meta").mkdir()
        assert StartFile().environment == str(tmp_path)
