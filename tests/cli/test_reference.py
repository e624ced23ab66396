"""The reference page of the command line contains each command's help."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"
START = "% not run: it is what the help of the command prints"


def commands():
    try:
        return importlib.import_module("checkpoints.cli._program").program.commands
    except ImportError:
        return {}


def help_of(name):
    click = pytest.importorskip("click", reason="it prints the help")
    context = click.Context(
        commands()[name],
        info_name=f"checkpoints {name}",
        terminal_width=80,
        max_content_width=80,
        help_option_names=["-h", "--help"],
    )
    return context.get_help()


def section_of(name):
    text = PAGE.read_text(encoding="utf-8")
    found = re.search(
        rf"^## `checkpoints {name}`\n.*?{START}\n```text\n(.*?)```",
        text,
        re.MULTILINE | re.DOTALL,
    )
    assert found, f"there is no section of {name}"
    return found[1]


def squeezed(text):
    # Where lines end is of the version of click.
    return re.sub(r"\s", "", text)


@pytest.mark.parametrize("name", sorted(commands()))
class TestPage:
    def test_it_has_the_help_of_each_command(self, name):
        assert squeezed(section_of(name)) == squeezed(help_of(name))

    def test_each_option_says_what_it_does(self, name):
        click = pytest.importorskip("click", reason="it reads the arguments")
        silent = [
            param.name
            for param in commands()[name].params
            if isinstance(param, click.Option) and not param.help
        ]
        assert silent == []

    def test_each_help_has_an_example(self, name):
        assert re.search(rf"\n +checkpoints {name}(\s|$)", help_of(name))

    def test_each_help_tells_the_exit_codes(self, name):
        assert "exit code" in help_of(name)


def written_anew(text):
    """Return the page with the current help; add new commands by hand."""
    for name in commands():
        section = section_of(name)
        text = text.replace(section, help_of(name).rstrip() + "\n")
    return text


# `python tests/cli/test_reference.py` writes the page anew.
if __name__ == "__main__":
    PAGE.write_text(written_anew(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    sys.exit()
