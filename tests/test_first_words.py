"""What the library says on its own: at the end of a program, and of mistakes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import checkpoints
from checkpoints import DictHandler, FileHandler, index, tags
from checkpoints._process import installation
from checkpoints._process.installation import other_project

SOURCES = str(Path(checkpoints.__file__).parents[1])
PROGRAM = "import checkpoints\ncheckpoints.checkpoint('a.b', 1)\n"


def run(folder, program, **variables):
    """Run a program; return what it says on stderr."""
    clean = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith("CHECKPOINTS")
    }
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env={**clean, "PYTHONPATH": SOURCES, **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stderr


class TestLastLine:
    def test_it_says_what_was_saved_and_where_to_look(self, tmp_path):
        said = run(tmp_path, PROGRAM, CHECKPOINTS="a=out", CHECKPOINTS_SUMMARY="1")
        assert said == "checkpoints: 1 save, under out; next: checkpoints ls out\n"

    def test_it_is_silent_where_no_terminal_is_or_zero_is_asked_for(self, tmp_path):
        assert run(tmp_path, PROGRAM, CHECKPOINTS="a=out") == ""
        silent = {"CHECKPOINTS": "a=again", "CHECKPOINTS_SUMMARY": "0"}
        assert run(tmp_path, PROGRAM, **silent) == ""

    def test_processes_that_the_program_starts_say_nothing(self, tmp_path):
        program = (
            "import os, subprocess, sys\n"
            f"{PROGRAM}"
            f"subprocess.run([sys.executable, '-c', {PROGRAM!r}])\n"
            "if os.fork() == 0: sys.exit()\n"
            "os.wait()\n"
        )
        said = run(tmp_path, program, CHECKPOINTS="a=out", CHECKPOINTS_SUMMARY="1")
        assert said.count("checkpoints: ") == 1

    def test_a_program_that_saves_nothing_says_so(self, tmp_path):
        said = run(
            tmp_path, "import checkpoints", CHECKPOINTS="a", CHECKPOINTS_SUMMARY="1"
        )
        assert "checkpoints: saved nothing\n" in said


class TestVariables:
    def test_one_that_was_set_after_the_import_is_told(self, tmp_path):
        program = (
            "import os, checkpoints\n"
            "os.environ['CHECKPOINTS'] = 'a=out'\n"
            "checkpoints.register('a.c')\n"
            "checkpoints.checkpoint('a.b', 1)\n"
        )
        said = run(tmp_path, program)
        assert said.count("set after checkpoints was imported") == 1

    def test_one_of_a_likely_other_name_is_told(self, tmp_path):
        said = run(tmp_path, "import checkpoints", CHECKPOINTS_RULES="a=out")
        assert "CHECKPOINTS_RULES has no effect; use CHECKPOINTS\n" in said


class TestInstallation:
    @pytest.fixture
    def installed(self, tmp_path, monkeypatch):
        """Install a distribution of this name, with the entry points given."""

        def installed(name, points=""):
            about = tmp_path / f"{name}-9.dist-info"
            about.mkdir()
            metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 9\n"
            (about / "METADATA").write_text(metadata)
            (about / "entry_points.txt").write_text(points)
            monkeypatch.setattr(sys, "path", [str(tmp_path)])

        return installed

    def test_another_project_of_the_import_name_is_told_with_the_way_out(
        self, installed
    ):
        installed("checkpoints")
        assert "pip uninstall --yes checkpoints; " in other_project()
        assert installation.DISTRIBUTION in other_project()

    def test_this_library_under_its_former_name_is_no_other_project(self, installed):
        points = "[console_scripts]\ncheckpoints = checkpoints.cli:main"
        installed("checkpoints", points)
        assert other_project() == ""

    def test_it_is_told_where_a_file_of_ours_is_missing(self, installed, monkeypatch):
        installed("checkpoints")
        monkeypatch.setitem(checkpoints._LATER, "absent", "_absent")
        with pytest.raises(ModuleNotFoundError) as told:
            checkpoints.absent
        assert "pip uninstall --yes checkpoints" in told.value.__notes__[0]

    def test_alone_nothing_is_told(self, installed):
        installed("named_checkpoints")
        assert other_project() == ""


class Printer:
    """As IPython's: it takes text."""

    def __init__(self):
        self.said = ""

    def text(self, text):
        self.said += text


class TestIPython:
    def test_an_index_is_a_short_table(self, tmp_path):
        for number in range(22):
            with tags(number=number, mark="\x1b"):
                FileHandler(tmp_path).checkpoint("a.b", 1)
        printer = Printer()
        index(tmp_path)._repr_pretty_(printer, False)
        title, heading, *rows = printer.said.splitlines()
        assert title == repr(index(tmp_path))
        assert heading == "name  number  mark"
        assert rows[0] == "a.b   0       \\x1b"
        assert [len(rows), rows[-1]] == [21, "and 2 more"]
        assert str(index(tmp_path)) == printer.said

    def test_an_empty_index_is_its_repr(self, tmp_path):
        printer = Printer()
        index(tmp_path)._repr_pretty_(printer, False)
        assert printer.said == repr(index(tmp_path))


class TestCard:
    def html_of(self, tmp_path, **values):
        FileHandler(tmp_path).checkpoint("a", **values)
        return index(tmp_path)[0]._repr_html_()

    def test_a_frame_has_its_first_rows_and_is_no_markup(self, tmp_path):
        pandas = pytest.importorskip("pandas", reason="it saves a frame")
        pytest.importorskip("pyarrow", reason="it saves a frame")
        frame = pandas.DataFrame({"<b>": ["<script>"] * 9})
        html = self.html_of(tmp_path, frame=frame)
        assert html.count("<td") == 6 + 5
        assert "<script" not in html
        assert "&lt;script&gt;" in html

    def test_a_pickle_is_never_loaded(self, tmp_path):
        html = self.html_of(tmp_path, odd=DictHandler)
        assert "pickle" in html
        assert html.count("<table") == 1

    def test_a_large_value_is_not_read(self, tmp_path):
        numpy = pytest.importorskip("numpy", reason="it saves an array")
        html = self.html_of(tmp_path, wide=bytes(5_000_000), one=numpy.zeros(3))
        assert html.count("<pre>") == 0
        assert "array([0., 0., 0.])" in html


class TestTable:
    def test_pandas_prints_name_and_tags_in_a_narrow_terminal(self, tmp_path):
        pandas = pytest.importorskip("pandas", reason="it prints the table")
        pytest.importorskip("pyarrow", reason="it makes the table")
        with tags(day=1, shop="north"):
            FileHandler(tmp_path).checkpoint("mypkg.fit", 1)
        with pandas.option_context("display.width", 80):
            table = index(tmp_path).to_pandas()
        assert list(table)[:3] == ["name", "day", "shop"]
        assert list(table)[-2:] == ["size", "time"]
