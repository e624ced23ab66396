"""`checkpoints available`: what source code declares, found without running it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import checkpoints

pytest.importorskip("click", reason="it reads the arguments")
pytest.importorskip("rich", reason="the command line needs it")

SOURCES = str(Path(checkpoints.__file__).parents[1])


@pytest.fixture
def package(tmp_path):
    """Write the files of a package whose import would fail."""

    def package(**sources):
        for name, source in {"__init__": "", **sources}.items():
            file = tmp_path / "mypkg" / (name.replace(".", "/") + ".py")
            file.parent.mkdir(parents=True, exist_ok=True)
            text = textwrap.dedent(source)
            file.write_text(f"{text}\nraise RuntimeError('it ran')\n")

    return package


@pytest.fixture
def run(tmp_path):
    def run(*arguments, **variables):
        ours = {key: it for key, it in os.environ.items() if "CHECKPOINTS" not in key}
        return subprocess.run(
            [sys.executable, "-m", "checkpoints", "available", *arguments],
            cwd=tmp_path,
            env={**ours, "PYTHONPATH": SOURCES, **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )

    return run


@pytest.fixture
def names(package, run):
    """Return the names that source code declares, `?` for undetermined ones."""

    def names(source):
        package(part=source)
        done = run("mypkg")
        assert done.returncode == 0, done.stderr
        return [line.split()[0] for line in done.stdout.splitlines()]

    return names


class TestNames:
    @pytest.mark.parametrize(
        ("source", "found"),
        [
            ("import checkpoints\ncheckpoints.checkpoint('a.b', x=1)", ["a.b"]),
            ("import checkpoints as cp\ncp.checkpoint('a.b', 1)", ["a.b"]),
            ("import checkpoints as cp\ncp.checkpoint('a', 'b', 1)", ["a.b"]),
            ("from checkpoints import checkpoint\ncheckpoint('a', 1)", ["a"]),
            ("from checkpoints import checkpoint as x\nx('a', 1)", ["a"]),
            ("from checkpoints import *\ncheckpoint('a', 1)", ["a"]),
            ("from checkpoints import Session\nSession('a', 'b')", ["a.b"]),
            ("from checkpoints import Session\nwith Session('a'): pass", ["a"]),
            ("from checkpoints import register\nregister('a')", ["a"]),
            ("from checkpoints import register\nregister(['a', 'b'])", ["a", "b"]),
            (
                "from checkpoints import register\nregister('a', ('b', 'c'))",
                ["a.b", "a.c"],
            ),
            (
                "from checkpoints import register\nregister(__name__, ['b'])",
                ["mypkg.part.b"],
            ),
            (
                "from checkpoints import register\nP='a'\nN=['b', P]\nregister(P, N)",
                ["a.a", "a.b"],
            ),
            (
                "from checkpoints import *\nP: str = 'a'\ncheckpoint(f'{P}.b', 1)",
                ["a.b"],
            ),
            (
                "from checkpoints import *\nP = 'a'\ncheckpoint(P + '.c', 1)",
                ["a.c"],
            ),
            (
                "def f():\n    import checkpoints\n    checkpoints.register('a')",
                ["a"],
            ),
        ],
    )
    def test_are_found_however_they_are_written(self, names, source, found):
        assert names(source) == found

    @pytest.mark.parametrize(
        "source",
        [
            "def f(name): checkpoint(name, 1)",
            "def f(name): checkpoint(f'a.{name}', 1)",
            "P = 'a'\ndef f(P): checkpoint(P, 1)",
            "P = 'a'\nP = 'b'\ncheckpoint(P, 1)",
            "P = P\ncheckpoint(P, 1)",
            "checkpoint(*names)",
            "checkpoint(1, 2)",
            "checkpoint(f'{1:>3}', 1)",
        ],
    )
    def test_that_are_made_when_it_runs_are_a_question_mark(self, names, source):
        assert names(f"from checkpoints import checkpoint\n{source}") == ["?"]

    @pytest.mark.parametrize(
        "source",
        [
            "from other import checkpoint\ncheckpoint('a', 1)",
            "from .checkpoints import checkpoint\ncheckpoint('a', 1)",
            "import torch\ntorch.checkpoint('a', 1)",
            "def checkpoint(name): pass\ncheckpoint('a')",
            "import checkpoints\ncheckpoints.config('a', 'b')",
        ],
    )
    def test_of_others_are_none_of_ours(self, names, source):
        assert names(source) == []


class TestPlaces:
    def test_are_the_file_and_line_of_the_call_not_of_its_registration(
        self, package, run
    ):
        package(
            part="from checkpoints import *\n\nregister('a')\n\ncheckpoint('a', 1)",
        )
        # The text of a test begins with its first line.
        (line,) = run("mypkg").stdout.splitlines()
        assert line.split() == ["a", os.path.join("mypkg", "part.py") + ":5"]

    def test_are_all_in_the_json(self, package, run):
        package(part="from checkpoints import *\nregister('a')\ncheckpoint('a', 1)")
        (point,) = json.loads(run("mypkg", "--json").stdout)
        found = [(place["line"], place["function"]) for place in point["places"]]
        assert found == [(3, "checkpoint"), (2, "register")]
        assert point["rule"] is None


class TestProbed:
    def test_functions_under_it_have_the_names_that_it_saves_under(self, names):
        found = names(
            """
            import checkpoints as cp
            from checkpoints import probed

            @probed
            def load(): ...

            class Shop:
                @classmethod
                @cp.probed
                async def open(cls):
                    @probed("shop.inner")
                    def inner(): ...

            def made():
                @probed
                def late(): ...

            @other.probed
            def plain(): ...
            """
        )
        part = "mypkg.part"
        assert found == [
            f"{part}.Shop.open",
            f"{part}.load",
            f"{part}.made.late",
            "shop.inner",
        ]


class TestPackages:
    def test_are_searched_to_the_bottom(self, package, run):
        call = "from checkpoints import register\nregister(__name__, 'x')"
        package(**{"__init__": call, "sub.__init__": call, "sub.deep": call})
        names = [line.split()[0] for line in run("mypkg").stdout.splitlines()]
        assert names == ["mypkg.sub.deep.x", "mypkg.sub.x", "mypkg.x"]

    def test_may_be_a_part_of_one_whose_parents_are_not_run(self, package, run):
        call = "from checkpoints import register\nregister(__name__, 'x')"
        package(**{"__init__": call, "sub.__init__": call, "sub.deep": call})
        names = [line.split()[0] for line in run("mypkg.sub.deep").stdout.splitlines()]
        assert names == ["mypkg.sub.deep.x"]

    @pytest.mark.parametrize("name", ["nopkg", "mypkg.none", "sys", "", "a..b"])
    def test_that_are_not_there_or_have_no_source_are_an_error(
        self, package, run, name
    ):
        package()
        done = run(name)
        assert done.returncode == 2
        assert f"no source code found for package {name!r}; check" in done.stderr
        assert "Traceback" not in done.stderr

    def test_without_a_save_point_say_so(self, package, run):
        package(part="")
        done = run("mypkg")
        assert (done.returncode, done.stdout) == (0, "")
        assert done.stderr == "no save points found in the source code of mypkg\n"

    def test_with_a_file_that_is_no_python_tell_it_and_go_on(
        self, package, run, tmp_path
    ):
        package(part="from checkpoints import *\ncheckpoint('a', 1)")
        (tmp_path / "mypkg" / "broken.py").write_text("def")
        done = run("mypkg")
        assert done.returncode == 0
        assert done.stdout.split()[0] == "a"
        broken = os.path.join("mypkg", "broken.py")
        assert done.stderr.startswith(f"skipped {tmp_path / broken}: SyntaxError: ")

    def test_show_nothing_that_moves_a_terminal(self, names):
        found = names("from checkpoints import *\ncheckpoint('a\\x1b[2Jb', 1)")
        assert found == ["a\\x1b[2Jb"]


class TestRules:
    @pytest.fixture
    def fates(self, package, run):
        call = "from checkpoints import register\nregister('a', ['x', 'y', 'z'])"
        package(part=call)

        def fates(*arguments, **variables):
            done = run("mypkg", *arguments, **variables)
            assert done.returncode == 0, done.stderr
            return [line.split(None, 2)[2] for line in done.stdout.splitlines()]

        return fates

    def test_that_would_catch_a_name_are_told_the_last_one_first(self, fates, tmp_path):
        (tmp_path / "rules.toml").write_text("[[rules]]\nnames = 'a'")
        told = fates(
            "--config", "rules.toml", "--rule", "a.x=off", CHECKPOINTS="a.x; a.y"
        )
        place = tmp_path / "rules.toml"
        assert told == [
            "switched off by command line, rule 1, 'a.x=off'",
            "saved by CHECKPOINTS, rule 2, 'a.y'",
            f"saved by {place}, line 1, rule 'a'",
        ]

    def test_that_would_catch_none_are_told_too(self, fates):
        assert fates("--rule", "b") == ["no rule"] * 3

    def test_that_cannot_be_read_are_an_error(self, package, run):
        package()
        done = run("mypkg", "--rule", "a=x?evry=1")
        assert done.returncode == 2
        assert "'evry'" in done.stderr


class TestProbes:
    def test_are_the_public_functions_and_methods_with_their_places(self, package, run):
        package(
            part="""
            import functools

            def fit(x):
                def inner(): pass

            async def _hidden(): pass

            class Model:
                def __init__(self): pass
                def fit(self): pass
                def _own(self): pass
                @property
                def size(self): pass
                class Inner:
                    @staticmethod
                    def make(): pass

            if True:
                def slow(): pass
            """
        )
        done = run("--probes", "mypkg")
        assert [line.split() for line in done.stdout.splitlines()] == [
            ["mypkg.part:fit", "mypkg/part.py:4"],
            ["mypkg.part:Model.__init__", "mypkg/part.py:10"],
            ["mypkg.part:Model.fit", "mypkg/part.py:11"],
            ["mypkg.part:Model.Inner.make", "mypkg/part.py:17"],
            ["mypkg.part:slow", "mypkg/part.py:20"],
        ]

    def test_can_be_had_as_json(self, package, run):
        package(part="def fit(): pass")
        (row,) = json.loads(run("--probes", "mypkg", "--json").stdout)
        assert (row["target"], row["line"]) == ("mypkg.part:fit", 1)

    def test_of_a_package_without_any_are_told(self, package, run):
        package()
        assert "no public functions found" in run("--probes", "mypkg").stderr
