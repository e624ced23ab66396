"""The program: its commands, and how what hinders one is told."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import click

import checkpoints
from checkpoints._text import printable
from checkpoints.cli import (
    _available,
    _cp,
    _export,
    _gc,
    _ls,
    _rm,
    _run,
    _show,
    _verify,
)

__all__ = ["program"]


# What a shell reports of a tool that wrote to nobody: 128, and the number of SIGPIPE.
_ENDED_BY_PIPE = 141


class _Hindrance(click.ClickException):
    """What hinders a command, told in one line, without a traceback."""

    exit_code = 2


class _Program(click.Group):
    """A group of commands that tells the library's errors as a program does."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        with _read_or_not():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with _read_or_not():
                return super().invoke(ctx)
        except (checkpoints.CheckpointError, OSError) as error:
            told = ". ".join([str(error), *getattr(error, "__notes__", ())])
            raise _Hindrance(printable(told)) from error


@contextmanager
def _read_or_not() -> Iterator[None]:
    """End as other tools do where nobody reads what is written."""
    try:
        yield
    except BrokenPipeError:
        _read_no_further()
        raise SystemExit(_ENDED_BY_PIPE) from None


def _read_no_further() -> None:
    """Let what is still to be written go nowhere, so that nobody complains of it."""
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


@click.group(cls=_Program)
@click.version_option(checkpoints.__version__, prog_name="checkpoints")
def program() -> None:
    """Save what a program does at its save points, and look at it."""


program.add_command(_available.available)
program.add_command(_run.run)
program.add_command(_cp.cp)
program.add_command(_export.export)
program.add_command(_gc.gc)
program.add_command(_ls.ls)
program.add_command(_rm.rm)
program.add_command(_show.show)
program.add_command(_verify.verify)
