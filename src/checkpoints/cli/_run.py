"""`checkpoints run [RULES] -- PROGRAM`."""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from typing import TextIO

import click

from checkpoints._process.variables import CONFIG, NAME, RECORD, TO
from checkpoints._rules.settings import DEFAULT_TARGET
from checkpoints._text import printable
from checkpoints.cli._plan import (
    Plan,
    Settings,
    all_probes,
    checked_name,
    compiled_modules,
)
from checkpoints.cli._process import Program
from checkpoints.cli._screen import discard, warn
from checkpoints.cli._summary import EarlierFiles, RunSummary

__all__ = ["run"]

_EXAMPLES = """\b
Examples:
  checkpoints run mypkg.fit -- script.py --day 2017-03-02
  checkpoints run 'mypkg.*=./out?every=10' -- -m mypkg.nightly
  checkpoints run --rule 'mypkg?where=date=2017-03-02' -- pytest -x
  checkpoints run mypkg --name before-upgrade -- nightly.py
  checkpoints run --config checkpoints.toml -- bash job.sh

\b
A rule is NAMES, NAMES=TARGET, NAMES=TARGET?OPTIONS or NAMES?OPTIONS. NAMES is
  mypkg      this name and all names below it
  mypkg.*    a glob
  a.b,a.c    exact names
and TARGET is a folder, or `off`. Quote characters that are special to the shell.
"""
# Seconds: the clocks of file systems can lag behind.
_CLOCK_LAG = 0.05
_SEPARATOR = "--"
_NO_RULES = (
    "no rules given, so nothing was switched on; put a rule before --, as in "
    "`checkpoints run mypkg.fit -- PROGRAM`"
)
_COMPILED = (
    "is compiled: what can be replaced in it is probed, and calls that it makes itself "
    "may go unseen"
)
_PROGRAM = "checkpoints.program"


class _ProgramCommand(click.Command):
    """A command that leaves the words after `--` as they are."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if _SEPARATOR in args:
            at = args.index(_SEPARATOR)
            ctx.meta[_PROGRAM] = args[at + 1 :]
            args = args[:at]
        return super().parse_args(ctx, args)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        return [*super().collect_usage_pieces(ctx), "-- PROGRAM [ARGUMENTS]..."]


@click.command(cls=_ProgramCommand, epilog=_EXAMPLES)
@click.argument("rules", nargs=-1, metavar="[RULE]...")
@click.option(
    "--rule",
    "more",
    multiple=True,
    metavar="RULE",
    help="Another rule. Can be repeated.",
)
@click.option(
    "--config",
    metavar="FILE",
    envvar=CONFIG,
    show_envvar=True,
    help="A TOML file with more rules.",
)
@click.option(
    "--to",
    metavar="ROOT",
    default=DEFAULT_TARGET,
    envvar=TO,
    show_default=True,
    show_envvar=True,
    help="The target of rules that have none.",
)
@click.option(
    "--name",
    envvar=NAME,
    show_envvar=True,
    callback=checked_name,
    help="A name for the run, such as before-upgrade.",
)
@click.option(
    "--probe",
    "probes",
    multiple=True,
    metavar="MODULE:FUNCTION",
    help="Save the arguments and results of a function, of a class, or of what a "
    "pattern such as 'mypkg.*:*' matches; '!MODULE:FUNCTION' leaves one out. Can be "
    "repeated.",
)
@click.option(
    "--record",
    envvar=RECORD,
    show_envvar=True,
    metavar="SIZE",
    help="Keep the last saves in memory, of all names if there are no rules, and write "
    "them when something fails.",
)
@click.option(
    "--json",
    "json_file",
    type=click.File("w", encoding="utf-8", lazy=False),
    metavar="FILE",
    help="Write the summary to a file, as JSON.",
)
@click.option("--quiet", is_flag=True, help="Do not print the summary.")
@click.pass_context
def run(  # noqa: PLR0913 - one parameter per option
    context: click.Context,
    *,
    rules: tuple[str, ...],
    more: tuple[str, ...],
    config: str | None,
    to: str,
    name: str | None,
    probes: tuple[str, ...],
    record: str | None,
    json_file: TextIO | None,
    quiet: bool,
) -> None:
    """
    Run a program with its save points switched on.

    PROGRAM is a Python script, -m and a module, or any command; the processes that it
    starts follow the same rules. Rules in the variable CHECKPOINTS apply too, and
    rules given here take precedence. Each run saves to a folder of its own, unless a
    rule or --to names one without run={run}; `checkpoints runs` lists the runs.

    The exit code is that of the program, or 128 plus the signal number if a signal
    ended it; 2 if a rule is invalid or the script does not exist, 126 if a command
    cannot be run, 127 if it is not found.
    """
    words = context.meta.get(_PROGRAM)
    if not words:
        message = "no program given; put it after --, as in `-- script.py`"
        raise click.UsageError(message)
    settings = Settings([*rules, *more], config, to)
    targets = all_probes([*settings.probes, *probes])
    plan = Plan(settings, to, targets, record, name)
    program = Program(words)
    if not plan.has_rules and not quiet:
        warn(f"checkpoints: {_NO_RULES}")
    if not quiet:
        for module in compiled_modules(targets):
            warn(printable(f"checkpoints: {module} {_COMPILED}"))
    # A process that outlives the program may write a report during the clean-up.
    with tempfile.TemporaryDirectory(
        prefix="checkpoints-", ignore_cleanup_errors=True
    ) as reports:
        since = time.time() - _CLOCK_LAG
        earlier = EarlierFiles(plan.patterns())
        code = program.run(plan.environment(reports))
        with _exit_code_kept():
            plan.record_exit(code)
            summary = RunSummary(
                plan.patterns(),
                reports,
                plan.sources,
                since,
                earlier,
                has_rules=plan.has_rules,
                has_recorder=plan.has_recorder,
            )
            if summary.own_roots:
                plan.record_exit(code, summary.own_roots)
            if json_file is not None:
                with _exit_code_kept():
                    text = json.dumps(
                        {"exit_code": code, **summary.as_dict()}, indent=2
                    )
                    json_file.write(f"{text}\n")
                    json_file.flush()
            if not quiet:
                _print([*summary.lines(), *filter(None, [plan.about_name()])])
    context.exit(code)


@contextlib.contextmanager
def _exit_code_kept() -> Iterator[None]:
    """Report what prevents the summary, so that the exit code stays the program's."""
    with contextlib.suppress(KeyboardInterrupt):
        try:
            yield
        except Exception as error:  # noqa: BLE001 - reported, whatever it is
            with contextlib.suppress(OSError):
                warn(f"checkpoints: cannot write the summary: {error}")
    try:
        sys.stderr.flush()
    except OSError:
        # Python would try again at exit, and exit with 120 then.
        discard(sys.stderr)


def _print(lines: Sequence[str]) -> None:
    for number, line in enumerate(lines):
        warn(line if number else f"checkpoints: {line}")
