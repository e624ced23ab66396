"""`checkpoints enable-env`."""

from __future__ import annotations

import click

from checkpoints._text import printable
from checkpoints.cli._start_file import StartFile

__all__ = ["enable_env"]

_EXAMPLES = """\b
Examples:
  checkpoints enable-env
  CHECKPOINTS=mypkg CHECKPOINTS_PROBES=mypkg.mod:fit mytool --its-options
"""
_TOLD = """\
Wrote {path}
Every Python of {environment} now begins with `import checkpoints` if a variable such
as CHECKPOINTS, CHECKPOINTS_CONFIG or CHECKPOINTS_PROBES is set. Without them it loads
nothing. `checkpoints disable-env` removes the file again."""


@click.command("enable-env", epilog=_EXAMPLES)
@click.pass_context
def enable_env(context: click.Context) -> None:
    """
    Let all programs of this environment follow the variables.

    Writes one file into the environment that this command is installed in. After that,
    each of its Pythons begins with `import checkpoints` if CHECKPOINTS,
    CHECKPOINTS_CONFIG or CHECKPOINTS_PROBES is set, whether or not its program ever
    imports the library. Without these variables it loads nothing. What goes wrong is
    told on stderr, and the program runs. It reaches `python -I`, but not `python -S`.

    `checkpoints disable-env` removes the file again. `checkpoints run` needs none.

    The exit code is 0, or 2 if this is no virtual environment, or the file cannot be
    written.
    """
    file = StartFile()
    told = _TOLD if file.write() else "{path} is there already"
    text = told.format(path=file.path, environment=file.environment)
    for line in text.splitlines():
        click.echo(printable(line))
    context.exit(0)
