"""
The documentation is true: its blocks run, and its reference is complete.

This file runs each page as a program, in a separate process and folder.
A Python block is run unchanged; a text block directly below it is its output.
A block whose first line is a comment with a file name becomes a program of that name.
A `console` block runs in a shell: each line with a `$`, followed by its output.
Other blocks are not run, and a comment above them says why.
"""

from __future__ import annotations

import contextlib
import doctest
import importlib
import io
import os
import pkgutil
import re
import runpy
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

import pytest
from sybil.document import Document
from sybil.parsers.markdown.lexers import RawFencedCodeBlockLexer

import checkpoints
from checkpoints import FileHandler, Rule
from checkpoints._process.variables import RUN

TOP = Path(__file__).parents[1]
REFERENCE = TOP / "docs" / "reference"
PAGES = [TOP / "README.md", *sorted((TOP / "docs").rglob("*.md"))]
LOCATION = Path(checkpoints.__file__).parents[1]
# The examples are on the path, as how-to pages run them.
PATH = os.pathsep.join([str(LOCATION), str(TOP / "examples")])
# Each page is a run of its own, not a part of the run of the tests, and not of CI.
OUTSIDE = {name: text for name, text in os.environ.items() if name not in (RUN, "CI")}
# The plugin may not be installed here, and the order of tests is that of the file.
PYTEST = "-m pytest -p no:checkpoints -p checkpoints.pytest_plugin -p no:randomly"
MODULES = [
    "checkpoints",
    *(it.name for it in pkgutil.walk_packages(checkpoints.__path__, "checkpoints.")),
]

FENCE = RawFencedCodeBlockLexer(re.compile(r"(?P<language>[^\n`]*)$\n", re.MULTILINE))
REASON = re.compile(r"(?:^% not run: (.+)|^<!-- not run: (.+) -->)\n\Z", re.MULTILINE)
PROGRAM = re.compile(r"# ([a-z_]+\.py)\n")
FLAGS = doctest.ELLIPSIS


class Block(NamedTuple):
    """A fenced block of a page, and its context."""

    place: str
    language: str
    source: str
    reason: str
    is_output: bool

    @property
    def is_directive(self) -> bool:
        return self.language.startswith("{")

    @property
    def is_run(self) -> bool:
        return self.language in ("python", "console") and not self.reason


def blocks_of(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    document = Document(text, str(page))
    blocks: list[Block] = []
    end = 0
    for region in sorted(FENCE(document), key=lambda region: region.start):
        between = text[end : region.start]
        found = REASON.search(between)
        language = region.lexemes["language"].strip()
        source = str(region.lexemes["source"])
        follows = bool(blocks) and blocks[-1].is_run and not between.strip()
        line = text.count("\n", 0, region.start) + 2
        blocks.append(
            Block(
                f"{page.name}:{line}",
                language,
                source,
                (found[1] or found[2]).strip() if found else "",
                is_output=language == "text" and follows,
            )
        )
        end = region.end
    return blocks


def printed_by(block: Block, namespace: dict[str, object]) -> str:
    """Run a block; return its output, including logged warnings."""
    program = PROGRAM.match(block.source)
    if program:
        Path(program[1]).write_text(block.source, encoding="utf-8")
        command = [sys.executable, "-W", "error", program[1]]
        run = subprocess.run(
            command,
            check=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        return run.stdout
    told = io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
        if block.source.startswith(">>>"):
            test = doctest.DocTestParser().get_doctest(
                block.source, namespace, block.place, block.place, 0
            )
            failed, _ = doctest.DocTestRunner(optionflags=FLAGS).run(
                test, out=sys.__stdout__.write, clear_globs=False
            )
            if failed:
                sys.exit(1)
            namespace.update(test.globs)
        else:
            exec(compile(block.source, block.place, "exec"), namespace)
    return told.getvalue()


def typed(source: str) -> str:
    """Run the commands of a block again; return the block with their current output."""
    lines = [line for line in source.splitlines() if line.startswith("$ ")]
    with tempfile.TemporaryDirectory() as folder:
        for name, arguments in (
            ("python", ""),
            ("checkpoints", "-m checkpoints"),
            ("pytest", PYTEST),
        ):
            script = Path(folder, name)
            script.write_text(f'#!/bin/sh\nexec {sys.executable} {arguments} "$@"\n')
            script.chmod(0o700)
        path = os.pathsep.join([folder, os.environ["PATH"]])
        return "".join(
            f"{line}\n"
            + subprocess.run(
                ["sh", "-c", line.removeprefix("$ ")],
                check=False,
                env={**os.environ, "PATH": path, "COLUMNS": "80"},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
            ).stdout
            for line in lines
        )


def run_page(page: Path) -> Iterator[tuple[Block, str]]:
    """Run the blocks of a page; yield each whose output differs, with that output."""
    namespace = vars(importlib.import_module("__main__"))
    blocks = blocks_of(page)
    checker = doctest.OutputChecker()
    for block, following in zip_longest(blocks, blocks[1:]):
        if not block.is_run:
            continue
        if block.language == "console":
            found = typed(block.source)
            if not checker.check_output(block.source, found, FLAGS):
                yield block, found
            continue
        try:
            found = printed_by(block, namespace)
        except BaseException as error:
            error.add_note(f"in the block at {block.place}")
            raise
        wanted = following.source if following and following.is_output else ""
        if not checker.check_output(wanted, found, FLAGS):
            yield block, found


@pytest.fixture(params=PAGES, ids=lambda page: page.relative_to(TOP).as_posix())
def page(request) -> Path:
    return request.param


class TestPages:
    def test_run_from_top_to_bottom_and_print_what_they_say(self, page, tmp_path):
        """Pages without blocks are run as well: they may get some later."""
        run = subprocess.run(
            [sys.executable, "-P", "-W", "error", __file__, str(page)],
            check=False,
            cwd=tmp_path,
            env={**OUTSIDE, "PYTHONPATH": PATH, "PYTHONUTF8": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        assert run.returncode == 0, run.stdout

    def test_say_why_a_block_is_not_run(self, page):
        silent = [
            block.place
            for block in blocks_of(page)
            if not (block.is_run or block.is_output or block.is_directive)
            and len(block.reason.split()) < 3
        ]
        assert silent == []

    def test_say_so_only_right_above_such_a_block(self, page):
        text = page.read_text(encoding="utf-8")
        reasons = [block.reason for block in blocks_of(page) if block.reason]
        assert len(reasons) == text.count("not run: ")

    def test_the_tutorial_can_be_copied_into_an_interactive_session(self, tmp_path):
        blocks = blocks_of(TOP / "docs" / "tutorial.md")
        pasted = [it for it in blocks if it.is_run and it.language == "python"]
        typed = "\n\n".join(block.source for block in pasted)
        run = subprocess.run(
            [sys.executable, "-P", "-q", "-i"],
            input=typed + "\n",
            check=True,
            cwd=tmp_path,
            env={**OUTSIDE, "PYTHONPATH": str(LOCATION), "PYTHONUTF8": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        printed = re.sub(r">>> |\.\.\. ", "", run.stdout)
        outputs = [block.source for block in blocks if block.is_output]
        missing = [output for output in outputs if output not in printed]
        assert "Error" not in run.stdout
        assert missing == []


class TestFirstPage:
    README = (TOP / "README.md").read_text(encoding="utf-8")

    def test_its_numbers_are_those_of_the_benchmarks(self):
        """A new measurement is not done before the first page shows it."""
        table = (TOP / "benchmarks" / "README.md").read_text(encoding="utf-8")
        times = {
            tuple(cells[:2]): cells[-2:]
            for line in table.splitlines()
            if line.startswith("| ")
            and (cells := [cell.strip() for cell in line.strip("| ").split("|")])
        }
        off, debug = times["off, two values", '`logging.debug("%s %s", x, y)`, off']
        _, logger = times["off, two values", '`logger.debug("%s %s", x, y)`, off']
        start, _ = times["start of a program", "40 ms, added"]
        save, numpy = times["64 MB float64, with `fast`: save", "`np.save`"]
        for shown in (
            f"| {off} | `logging.debug`, off: {debug}; `logger.debug`, off: {logger} |",
            f"| {start} | |",
            f"| {save} | `np.save`: {numpy} |",
        ):
            assert shown in self.README

    def test_its_picture_is_what_the_command_prints(self):
        """`python docs/picture.py` draws it anew."""
        namespace = runpy.run_path(str(TOP / "docs" / "picture.py"))
        for path, drawn in namespace["pictures"]().items():
            assert path.read_text(encoding="utf-8") == drawn

    def test_the_installed_name_is_that_of_the_project(self):
        project = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))
        assert f"pip install '{project['project']['name']}[" in self.README
        wrong = r"pip install '?checkpoints\b"
        assert [
            page for page in PAGES if re.search(wrong, page.read_text("utf-8"))
        ] == []


class TestDocstrings:
    @pytest.mark.parametrize("name", MODULES)
    def test_have_examples_that_run(self, name, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        module = importlib.import_module(name)
        try:
            result = doctest.testmod(module, optionflags=FLAGS)
        finally:
            checkpoints.reset()
        assert result.failed == 0

    def test_are_looked_at_in_every_module(self):
        """The examples of the public functions are run too."""
        finder = doctest.DocTestFinder()
        modules = [importlib.import_module(name) for name in MODULES]
        examples = {
            test.name.rpartition(".")[2]
            for module in modules
            for test in finder.find(module)
            if test.examples
        }
        assert {"checkpoint", "config", "load", "FileHandler"} <= examples


def all_of(folder: Path) -> str:
    pages = sorted(folder.rglob("*.md"))
    return "\n".join(page.read_text(encoding="utf-8") for page in pages)


class TestReference:
    @pytest.mark.parametrize("name", checkpoints.__all__)
    def test_has_every_public_name(self, name):
        documented = rf"^\.\. auto\w+:: checkpoints\.{name}$"
        assert re.search(documented, all_of(REFERENCE), re.MULTILINE)

    @pytest.mark.parametrize("name", checkpoints.errors.__all__)
    def test_tells_of_every_error(self, name):
        text = (REFERENCE / "errors.md").read_text(encoding="utf-8")
        assert f"`{name}`" in text

    @pytest.mark.parametrize("module", ["storage"])
    def test_has_every_name_of_the_public_modules(self, module):
        names = importlib.import_module(f"checkpoints.{module}").__all__
        text = all_of(REFERENCE)
        assert [name for name in names if f"`{name}`" not in text] == []

    @pytest.mark.parametrize(
        "option",
        [*Rule.OPTIONS, *FileHandler.OPTIONS],
    )
    def test_tells_of_every_option(self, option):
        text = (REFERENCE / "api.md").read_text(encoding="utf-8")
        assert f"| `{option}` |" in text
        assert f"{option}=" in all_of(TOP / "docs" / "how-to")


if __name__ == "__main__":
    wrong = list(run_page(Path(sys.argv[1])))
    for block, found in wrong:
        print(f"{block.place} prints\n\n{found}")
    sys.exit(bool(wrong))
