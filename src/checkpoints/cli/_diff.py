"""`checkpoints diff [BASELINE] [CANDIDATE]`."""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import shlex
import signal
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any

import click

import checkpoints
from checkpoints import Diff
from checkpoints._keys.condition import conditions_in
from checkpoints._show.junit import junit_of
from checkpoints._show.markdown import markdown_of
from checkpoints._show.page import page_of
from checkpoints._show.report import styled_report
from checkpoints.cli._completion import complete_root
from checkpoints.cli._failures import CommandError
from checkpoints.cli._git_bisect import BisectCommand, exit_code
from checkpoints.cli._given import given_options
from checkpoints.cli._quantity import as_size
from checkpoints.cli._screen import Screen, progress
from checkpoints.cli._selection import quiet_log, where_option
from checkpoints.cli._target import checked_target, write_target

__all__ = ["diff"]

_EXAMPLES = """\b
Examples:
  checkpoints diff
  checkpoints diff .checkpoints@before-upgrade .checkpoints@last
  checkpoints diff old/ new/ --where date=2024-03-08 --html diff.html
  checkpoints diff old/ new/ --tolerances tolerances.toml --noise old-again/
"""
# The parts of a recorded call that tell how it ended.
_OUTCOMES = ("result", "exception")
_FORMS = ("json", "jsonl", "md")
# The options that change what is printed or written, not what is found.
_OF_OUTPUT = {*_FORMS, "shows_all", "html", "junit", "suggest_tolerances", "bisect"}


# A third word that may be meant for --name.
_MAYBE_NAME = re.compile(r"[\w*?]+(\.[\w*?]+)*")


class _DiffCommand(BisectCommand):
    """A command that says how tolerances are given."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            if error.option_name not in ("--rtol", "--atol"):
                raise
            way = f"tolerances={{{error.option_name.removeprefix('--')!r}: ...}}"
            message = (
                f"no such option {error.option_name}; write the limits to a file and "
                f"give it by --tolerances FILE, or in Python {way}"
            )
            raise click.UsageError(message, ctx) from error


_SUCH_AS = {"rename": "mypkg.old=mypkg.new", "keys": "mypkg.*=id"}


def _pairs_of(
    context: click.Context, parameter: click.Parameter, values: Sequence[str]
) -> dict[str, str]:
    """Split each OLD=NEW."""
    pairs: dict[str, str] = {}
    for text in values:
        old, sign, new = text.partition("=")
        if not (old and sign and new):
            wanted = parameter.make_metavar(context)
            example = _SUCH_AS[str(parameter.name)]
            message = f"{text!r}: expected {wanted}, such as '{example}'"
            raise click.BadParameter(message, context)
        if pairs.setdefault(old, new) != new:
            raise click.BadParameter(f"{old!r} is given twice; give it once", context)
    return pairs


@click.command(cls=_DiffCommand, epilog=_EXAMPLES)
@click.argument("runs", nargs=-1, shell_complete=complete_root)
@where_option
@click.option(
    "--name", "names", metavar="PATTERN", help="Only checkpoints with a name."
)
@click.option("--first", is_flag=True, help="Stop at the first that differs.")
@click.option("--all", "shows_all", is_flag=True, help="Show every pair that differs.")
@click.option(
    "--tolerances",
    type=click.Path(exists=True, dir_okay=False),
    help="A TOML file that says how far values may be apart.",
)
@click.option(
    "--suggest-tolerances",
    metavar="FILE",
    callback=checked_target,
    help="Write the tolerances with which this would just pass.",
)
@click.option(
    "--noise",
    multiple=True,
    metavar="RUN",
    help="A repeat of the baseline: up to five times its differences are noise.",
)
@click.option(
    "--ignore-tag",
    "ignored",
    multiple=True,
    metavar="TAG",
    help=(
        "A tag that does not count in finding partners, besides run, host, pid, "
        "process, and the call of recorded or probed functions. Can be repeated."
    ),
)
@click.option(
    "--rename",
    multiple=True,
    metavar="OLD=NEW",
    callback=_pairs_of,
    help="A name or tag of the baseline, and what the candidate calls it.",
)
@click.option(
    "--key",
    "keys",
    multiple=True,
    metavar="NAMES=COLUMN,...",
    callback=_pairs_of,
    help="The columns that identify rows, for tables of checkpoints with these names: "
    f"'{_SUCH_AS['keys']}'.",
)
@click.option("--exact", is_flag=True, help="Compare files of equal checksums too.")
@click.option("--trusted", is_flag=True, help="Load pickles, which can run any code.")
@click.option(
    "--memory",
    type=as_size,
    default="512MB",
    show_default=True,
    metavar="SIZE",
    help="The memory that the values of one pair may take.",
)
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(min=1),
    default=1,
    metavar="N",
    help="Compare in N processes, each with that memory.",
)
@click.option("--json", is_flag=True, help="Print JSON.")
@click.option("--jsonl", is_flag=True, help="Print JSON, a line a pair.")
@click.option("--md", is_flag=True, help="Print Markdown.")
@click.option(
    "--html",
    metavar="FILE",
    callback=checked_target,
    help="Write a page that stands alone.",
)
@click.option(
    "--junit", metavar="FILE", callback=checked_target, help="Write JUnit's XML."
)
@click.option(
    "--bisect",
    is_flag=True,
    help="Exit with 125 in place of 2, for `git bisect run`.",
)
@click.pass_context
def diff(  # noqa: PLR0913 - one parameter per option
    context: click.Context,
    /,
    *,
    runs: tuple[str, ...],
    where: tuple[str, ...],
    names: str | None,
    first: bool,
    shows_all: bool,
    tolerances: str | None,
    suggest_tolerances: str | None,
    noise: tuple[str, ...],
    ignored: tuple[str, ...],
    rename: dict[str, str],
    keys: dict[str, str],
    exact: bool,
    trusted: bool,
    memory: int,
    jobs: int,
    html: str | None,
    junit: str | None,
    bisect: bool,
    **forms: bool,
) -> None:
    """
    Compare two runs, and name the first divergence.

    A run is a root, one of the runs under it as ROOT@RUN, or a single file. Without
    any, the last two runs under .checkpoints are compared; with one root, the last two
    runs under it. The first is the baseline.

    The exit code is 0 if the runs are equal, or within tolerance or noise; 1 if they
    differ, or an entry has no counterpart; 2 if that cannot be told, or they have
    nothing in common, or there was an error.
    """
    form = _one_form(forms)
    _check_targets(html, junit, suggest_tolerances)
    conditions: dict[str, Any] = {}
    for text in where:
        conditions |= conditions_in(text)
    with quiet_log(), progress("comparing") as advance, _pool(jobs) as pool:
        found = checkpoints.diff(
            *_two(runs),
            names=names,
            where=conditions,
            tolerances=tolerances,
            noise=noise,
            ignore_tags=ignored,
            rename=rename,
            keys={name: columns.split(",") for name, columns in keys.items()},
            first_only=first,
            exact=exact,
            trusted=trusted,
            memory=memory,
            with_grids=bool(html),
            executor=pool,
            progress=lambda _, total: advance(total=total),
        )
    document, commands = found.as_json(), list(_next(found, context))
    _print(document, commands, form, shows_all=shows_all)
    if html:
        write_target(html, page_of(document, commands))
    if junit:
        write_target(junit, junit_of(document))
    if suggest_tolerances:
        write_target(suggest_tolerances, found.suggested_tolerances())
    context.exit(exit_code(document["exit"], is_bisecting=bisect))


@contextmanager
def _pool(jobs: int) -> Iterator[ProcessPoolExecutor | None]:
    """Yield a pool of processes that an interrupt ends at once; None for a single."""
    if jobs == 1:
        yield None
        return
    # A child that is forked would have the threads of this process without their locks.
    spawn = multiprocessing.get_context("spawn")
    ignore = signal.signal, signal.SIGINT, signal.SIG_IGN
    pool = ProcessPoolExecutor(jobs, spawn, initializer=ignore[0], initargs=ignore[1:])
    try:
        yield pool
    except BaseException:
        for child in multiprocessing.active_children():
            child.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _two(runs: Sequence[str]) -> Sequence[str]:
    if len(runs) > 2:  # noqa: PLR2004 - two runs are compared
        message = (
            f"{len(runs)} runs were given; two are compared: a baseline, a candidate"
        )
        third = runs[2]
        if _MAYBE_NAME.fullmatch(third) and not os.path.exists(third):
            message += f"; did you mean --name {shlex.quote(third)}?"
        raise CommandError(message)
    return runs


def _one_form(forms: Mapping[str, bool]) -> str | None:
    given = [form for form in _FORMS if forms[form]]
    if len(given) > 1:
        named = " and ".join(f"--{form}" for form in given)
        raise click.UsageError(f"{named} exclude each other; give one of them")
    return given[0] if given else None


def _check_targets(*paths: str | None) -> None:
    targets = [os.path.realpath(path) for path in paths if path]
    for target in targets:
        if targets.count(target) > 1:
            raise CommandError(f"two reports would be written to {target!r}; name two")


def _print(
    document: Mapping[str, Any],
    commands: Sequence[str],
    form: str | None,
    *,
    shows_all: bool,
) -> None:
    if form == "json":
        click.echo(json.dumps(document, indent=1))
    elif form == "jsonl":
        for record in _records(document):
            click.echo(json.dumps(record))
    elif form == "md":
        click.echo(markdown_of(document, commands), nl=False)
    else:
        screen = Screen()
        screen.report(
            styled_report(document, screen.width, commands, shows_all=shows_all)
        )


def _records(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the parts of a document, each with its type."""
    listed = ("pairs", "unpaired")
    yield {
        "type": "diff",
        **{field: found for field, found in document.items() if field not in listed},
    }
    for pair in document["pairs"]:
        yield {"type": "pair", **pair}
    for pair in document["unpaired"]:
        yield {"type": "unpaired", **pair}


def _next(found: Diff, context: click.Context) -> Iterator[str]:
    """Yield the commands that show more."""
    first = found.first
    if first is None or found.verdict != "different":
        return
    worst = first.worst
    value = [worst[0]] if worst else []
    for entry in (first.baseline, first.candidate):
        if entry is not None:
            yield shlex.join(["checkpoints", "show", entry.path, *value])
    if first.part in _OUTCOMES and first.candidate is not None:
        path = first.candidate.path
        yield shlex.join(["checkpoints", "replay", path, "--trusted", "--pdb"])
    if not context.params["html"]:
        again = [
            "checkpoints",
            "diff",
            *context.params["runs"],
            *given_options(context, {"runs", "jobs", *_OF_OUTPUT}),
        ]
        yield shlex.join([*again, "--html", "diff.html"])
