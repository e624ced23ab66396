"""`checkpoints run [RULES] -- PROGRAM`."""

from __future__ import annotations

import contextlib
import json
import tempfile
import time
from collections.abc import Iterator
from typing import TextIO

import click

from checkpoints._process.variables import RECORD, TO
from checkpoints._text import printable
from checkpoints.cli._found import Found
from checkpoints.cli._plan import (
    DEFAULT_ROOT,
    Plan,
    Settings,
    probes_asked_for,
)
from checkpoints.cli._process import Program

__all__ = ["run"]

_EXAMPLES = """\b
Examples:
  checkpoints run mypkg.fit -- script.py --day 2017-03-02
  checkpoints run 'mypkg.*=./out?every=10' -- -m mypkg.nightly
  checkpoints run --rule 'mypkg?where=date=2017-03-02' -- pytest -x
  checkpoints run --config checkpoints.toml -- bash job.sh

\b
A rule is NAMES, NAMES=TARGET, NAMES=TARGET?OPTIONS or NAMES?OPTIONS. NAMES is
  mypkg      that name and all below it
  mypkg.*    a glob
  a.b,a.c    exact names
and TARGET is a folder, or `off`. Quote what the shell would take for its own.
"""
# Seconds: clocks of file systems run behind.
_COARSE = 0.05
_BETWEEN = "--"
_PROGRAM = "checkpoints.program"


class _WithProgram(click.Command):
    """A command that leaves what stands behind `--` as it is."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if _BETWEEN in args:
            place = args.index(_BETWEEN)
            ctx.meta[_PROGRAM] = args[place + 1 :]
            args = args[:place]
        return super().parse_args(ctx, args)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        return [*super().collect_usage_pieces(ctx), "-- PROGRAM [ARGUMENTS]..."]


@click.command(cls=_WithProgram, epilog=_EXAMPLES)
@click.argument("rules", nargs=-1, metavar="[RULE]...")
@click.option("--rule", "more", multiple=True, metavar="RULE", help="One more rule.")
@click.option("--config", metavar="FILE", help="Take rules from a TOML file as well.")
@click.option(
    "--to",
    metavar="ROOT",
    default=DEFAULT_ROOT,
    envvar=TO,
    show_default=True,
    help="Where rules without a target save to.",
)
@click.option(
    "--probe",
    "probes",
    multiple=True,
    metavar="MODULE:FUNCTION",
    help="Save the arguments and results of a function.",
)
@click.option(
    "--record",
    envvar=RECORD,
    metavar="SIZE",
    help="Keep the last saves in memory, and write them when something fails; of "
    "every name, unless there are rules.",
)
@click.option(
    "--json",
    "summary",
    type=click.File("w", encoding="utf-8", lazy=False),
    metavar="FILE",
    help="Write what was saved to a file, as JSON.",
)
@click.option("--quiet", is_flag=True, help="Do not say what was saved.")
@click.pass_context
def run(  # noqa: PLR0913 - each is an option of the command line
    context: click.Context,
    *,
    rules: tuple[str, ...],
    more: tuple[str, ...],
    config: str | None,
    to: str,
    probes: tuple[str, ...],
    record: str | None,
    summary: TextIO | None,
    quiet: bool,
) -> None:
    """
    Run a program with save points switched on, by rules from outside.

    The program is a Python script, -m and a module, or any command; the processes
    that it starts follow the same rules. The exit code is its own, and 128 and the
    number of the signal where one ended it; 2 if a rule cannot be read or the script
    is not there, 126 and 127 if a command cannot be run or found.
    """
    words = context.meta.get(_PROGRAM)
    if not words:
        message = "there is no program: write it behind --, as in `-- script.py`"
        raise click.UsageError(message)
    settings = Settings([*rules, *more], config, to)
    plan = Plan(settings, to, probes_asked_for(probes), record)
    program = Program(words)
    # A process that outlives the program may begin a report while they are removed.
    with tempfile.TemporaryDirectory(
        prefix="checkpoints-", ignore_cleanup_errors=True
    ) as reports:
        since = time.time() - _COARSE
        code = program.run(plan.environment(reports))
        with _harmless():
            found = Found(
                plan.patterns(),
                reports,
                plan.written,
                since,
                asks=plan.asks,
                records=plan.records,
            )
            if summary is not None:
                with _harmless():
                    text = json.dumps({"exit_code": code, **found.as_dict()}, indent=2)
                    summary.write(f"{text}\n")
                    summary.flush()
            if not quiet:
                _tell(found)
    context.exit(code)


@contextlib.contextmanager
def _harmless() -> Iterator[None]:
    """Let what hinders the summary be told, and leave the exit code the program's."""
    with contextlib.suppress(KeyboardInterrupt):
        try:
            yield
        except Exception as error:  # noqa: BLE001 - it says so, whatever it is
            with contextlib.suppress(OSError):
                message = f"checkpoints: the summary cannot be written: {error}"
                click.echo(printable(message), err=True)


def _tell(found: Found) -> None:
    for number, line in enumerate(found.lines()):
        start = "" if number else "checkpoints: "
        click.echo(start + printable(line), err=True)
