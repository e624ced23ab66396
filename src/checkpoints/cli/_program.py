"""The program: its commands, and how it reports the errors of the library."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

import checkpoints
from checkpoints._process.installation import other_project
from checkpoints.cli import (
    _available,
    _bisect,
    _completion_scripts,
    _cp,
    _demo,
    _diff,
    _disable_env,
    _enable_env,
    _export,
    _gc,
    _ls,
    _push,
    _replay,
    _rm,
    _run,
    _runs,
    _show,
    _verify,
)
from checkpoints.cli._failures import failure_of
from checkpoints.cli._screen import discard, warn

__all__ = ["program"]


# The codes that shells report for a tool killed by SIGPIPE or SIGINT: 128 and the
# signal's number.
_CLOSED_PIPE, _INTERRUPTED = 141, 130


# What other tools call these commands.
_OTHERWISE = {
    "list": "ls",
    "load": "show",
    "compare": "diff",
    "copy": "cp",
    **dict.fromkeys(("delete", "remove"), "rm"),
    **dict.fromkeys(("clean", "prune"), "gc"),
    "check": "verify",
}


class _Program(click.Group):
    """A group of commands that prints the library's errors in one line."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if meant := _OTHERWISE.get(args[0]):
            ctx.fail(f"No such command {args[0]!r}. Did you mean {meant!r}?")
        return super().resolve_command(ctx, args)

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        with _exits_as_killed():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with _exits_as_killed():
                return super().invoke(ctx)
        except (checkpoints.CheckpointError, OSError) as error:
            raise failure_of(error) from error


@contextmanager
def _exits_as_killed() -> Iterator[None]:
    """Exit as other tools do if the output is closed, or the user interrupts."""
    try:
        yield
    except BrokenPipeError:
        discard(sys.stdout)
        raise SystemExit(_CLOSED_PIPE) from None
    except KeyboardInterrupt:
        # 1 would be an answer.
        raise SystemExit(_INTERRUPTED) from None


def _print_version(context: click.Context, _: click.Parameter, asked: object) -> None:
    if asked:
        click.echo(f"checkpoints {checkpoints.__version__}")
        if warning := other_project():
            warn(warning)
        context.exit()


_EPILOG = """\b
Without `run`, these variables switch the save points of a program on that imports
checkpoints, and after `checkpoints enable-env` those of any other:
  CHECKPOINTS='mypkg=./out'   rules, as for `run`
  CHECKPOINTS_CONFIG=FILE     rules in a TOML file
  CHECKPOINTS_TO=ROOT         where they save by default
  CHECKPOINTS_PROBES='a:f;b:g'  functions to probe
  CHECKPOINTS_RECORD=64MB     in memory, until something fails
  CHECKPOINTS_NAME=TEXT       a name for the run
  CHECKPOINTS_SUMMARY=1       say at the end what was saved; 0 for not

\b
Completion: eval "$(checkpoints completion bash)", also for zsh and fish
"""


@click.group(
    cls=_Program,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version and exit.",
)
def program() -> None:
    """Switch on the save points of a program, and explore what was saved."""


program.add_command(_available.available)
program.add_command(_bisect.bisect)
program.add_command(_run.run)
program.add_command(_completion_scripts.completion)
program.add_command(_cp.cp)
program.add_command(_demo.demo)
program.add_command(_diff.diff)
program.add_command(_disable_env.disable_env)
program.add_command(_enable_env.enable_env)
program.add_command(_export.export)
program.add_command(_gc.gc)
program.add_command(_ls.ls)
program.add_command(_push.push)
program.add_command(_replay.replay)
program.add_command(_rm.rm)
program.add_command(_runs.runs)
program.add_command(_show.show)
program.add_command(_verify.verify)
