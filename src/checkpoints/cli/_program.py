"""The program: its commands, and how it reports the errors of the library."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

import checkpoints
from checkpoints.cli import (
    _available,
    _bisect,
    _cp,
    _diff,
    _export,
    _gc,
    _ls,
    _replay,
    _rm,
    _run,
    _runs,
    _show,
    _verify,
)
from checkpoints.cli._failures import failure_of
from checkpoints.cli._screen import discard

__all__ = ["program"]


# The code that shells report for a tool killed by SIGPIPE: 128 and the signal's number.
_CLOSED_PIPE = 141


class _Program(click.Group):
    """A group of commands that prints the library's errors in one line."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        with _exits_on_closed_pipe():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with _exits_on_closed_pipe():
                return super().invoke(ctx)
        except (checkpoints.CheckpointError, OSError) as error:
            raise failure_of(error) from error


@contextmanager
def _exits_on_closed_pipe() -> Iterator[None]:
    """Exit as other tools do if the reader of the output has closed the pipe."""
    try:
        yield
    except BrokenPipeError:
        discard(sys.stdout)
        raise SystemExit(_CLOSED_PIPE) from None


@click.group(cls=_Program)
@click.version_option(checkpoints.__version__, prog_name="checkpoints")
def program() -> None:
    """Switch on the save points of a program, and explore what was saved."""


program.add_command(_available.available)
program.add_command(_bisect.bisect)
program.add_command(_run.run)
program.add_command(_cp.cp)
program.add_command(_diff.diff)
program.add_command(_export.export)
program.add_command(_gc.gc)
program.add_command(_ls.ls)
program.add_command(_replay.replay)
program.add_command(_rm.rm)
program.add_command(_runs.runs)
program.add_command(_show.show)
program.add_command(_verify.verify)
