"""The program: its commands, and how what hinders one is told."""

from __future__ import annotations

from typing import Any

import click

import checkpoints
from checkpoints.cli import _available, _run, _verify

__all__ = ["program"]


class _Hindrance(click.ClickException):
    """What hinders a command, told in one line, without a traceback."""

    exit_code = 2


class _Program(click.Group):
    """A group of commands that tells the library's errors as a program does."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise  # click ends quietly where nobody reads on
        except (checkpoints.CheckpointError, OSError) as error:
            raise _Hindrance(checkpoints.printable(str(error))) from error


@click.group(cls=_Program)
@click.version_option(checkpoints.__version__, prog_name="checkpoints")
def program() -> None:
    """Save what a program does at its save points, and look at it."""


program.add_command(_available.available)
program.add_command(_run.run)
program.add_command(_verify.verify)
