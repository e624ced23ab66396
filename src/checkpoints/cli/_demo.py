"""`checkpoints demo`."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator

import click

from checkpoints.cli._completion import complete_root
from checkpoints.cli._failures import CommandError
from checkpoints.cli._screen import Screen

__all__ = ["demo"]

_EXAMPLES = """\b
Examples:
  checkpoints demo
  checkpoints demo story
"""
_FILE = "nightly.py"
_PROGRAM = """\
import checkpoints as cp

SALES = {"monday": [20, 22, 21], "tuesday": [21, None, 20], "wednesday": [19, 23, 21]}


def clean(sales):
    cleaned = [loaves for loaves in sales if loaves is not None]
    cp.checkpoint("bakery.clean", before=sales, after=cleaned)
    return cleaned


def forecast(sales):
    expected = sum(sales) / len(sales)
    cp.checkpoint("bakery.forecast", expected=expected)
    return expected


def order(expected, stock):
    wanted = round(expected) - stock
    cp.checkpoint("bakery.order", wanted=wanted)
    return wanted


for day, sales in SALES.items():
    with cp.tags(day=day):
        print(day, order(forecast(clean(sales)), stock=5))
"""
_BEFORE = "[loaves for loaves in sales if loaves is not None]"
_AFTER = "[loaves or 0 for loaves in sales]"
_RUN = "run bakery --name {} -- nightly.py"


@click.command(epilog=_EXAMPLES)
@click.argument("folder", default="", shell_complete=complete_root)
def demo(folder: str) -> None:
    """
    Tell a short story: two runs, one line changed, and the way to it.

    A program is written to FOLDER, run, changed and run again, and what it saved is
    looked at and compared. Without FOLDER it all happens in a temporary folder, which
    is removed.

    The exit code is 0, or 2 if FOLDER is not empty.
    """
    if folder:
        os.makedirs(folder, exist_ok=True)
        if os.listdir(folder):
            raise CommandError(f"{folder!r} is not empty; name a new folder")
        _tell(folder)
        click.echo(f"\nThe program and what it saved are in {folder}.")
        return
    with tempfile.TemporaryDirectory(prefix="checkpoints-demo-") as temporary:
        _tell(temporary)
    click.echo("\n`checkpoints demo FOLDER` keeps the files.")


def _tell(folder: str) -> None:
    screen = Screen()
    path = os.path.join(folder, _FILE)
    _write(path, _PROGRAM)
    for text, commands in _steps(screen, path):
        if text:
            click.echo(f"\n{text}")
        for command in commands:
            click.echo("\n" + screen.styled(f"$ checkpoints {command}", "bold"))
            sys.stdout.flush()
            words = [sys.executable, "-m", "checkpoints", *shlex.split(command)]
            subprocess.run(words, cwd=folder, env=_environment(), check=False)  # noqa: S603 - our own words


def _steps(screen: Screen, path: str) -> Iterator[tuple[str, list[str]]]:
    named = f"available {_FILE}"
    yield "A program plans how much to bake. It names what can be saved:", [named]
    yield "It runs with all of that switched on:", [_RUN.format("before")]
    _write(path, _PROGRAM.replace(_BEFORE, _AFTER))
    removed = screen.styled(f"-    cleaned = {_BEFORE}", "red")
    added = screen.styled(f"+    cleaned = {_AFTER}", "green")
    changed = f"Somebody changes one line, and it runs again:\n\n{removed}\n{added}"
    yield changed, [_RUN.format("after")]
    shown = "show @last bakery.forecast expected --where day=tuesday"
    yield "Tuesday has moved. What was saved, and what was the forecast?", ["ls", shown]
    yield "Which stage moved first, and did it begin there?", ["diff"]


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def _environment() -> dict[str, str]:
    """Return the environment without rules and runs of others."""
    return {
        name: text
        for name, text in os.environ.items()
        if not name.startswith("CHECKPOINTS")
    }
