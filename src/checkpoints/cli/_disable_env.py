"""`checkpoints disable-env`."""

from __future__ import annotations

import click

from checkpoints._text import printable
from checkpoints.cli._start_file import StartFile

__all__ = ["disable_env"]

_EXAMPLES = """\b
Examples:
  checkpoints disable-env
"""


@click.command("disable-env", epilog=_EXAMPLES)
@click.pass_context
def disable_env(context: click.Context) -> None:
    """
    Undo `checkpoints enable-env`.

    Removes the one file that it has written. Programs that run go on as they are.

    The exit code is 0, also if there is no such file, or 2 if it cannot be removed.
    """
    file = StartFile()
    told = "Removed {path}" if file.remove() else "There is no {path}"
    click.echo(printable(told.format(path=file.path)))
    context.exit(0)
