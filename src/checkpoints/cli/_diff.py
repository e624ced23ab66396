"""`checkpoints diff [BASELINE] [CANDIDATE]`."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
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
from checkpoints.cli._quantity import as_size
from checkpoints.cli._screen import Screen, progress, warn
from checkpoints.cli._selection import quiet_log, where_option

__all__ = ["diff"]

_EXAMPLES = """\b
Examples:
  checkpoints diff
  checkpoints diff .checkpoints@before-upgrade .checkpoints@last
  checkpoints diff old/ new/ --where date=2024-03-08 --html diff.html
  checkpoints diff old/ new/ --tolerances tolerances.toml --noise old-again/
"""
# `git bisect run` takes it as: this revision cannot be tested.
_CANNOT_TEST = 125
_COULD_NOT_TELL = 2


def _pairs_of(
    context: click.Context, parameter: click.Parameter, values: Sequence[str]
) -> dict[str, str]:
    """Split each OLD=NEW."""
    pairs = {}
    for text in values:
        old, sign, new = text.partition("=")
        if not (old and sign and new):
            raise click.BadParameter(
                f"{text!r}: expected {parameter.make_metavar(context)}", context
            )
        pairs[old] = new
    return pairs


@click.command(epilog=_EXAMPLES)
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
    type=click.Path(dir_okay=False),
    metavar="FILE",
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
    help="A tag that does not count in finding partners, besides run, host, pid.",
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
    metavar="PATTERN=COLUMN,...",
    callback=_pairs_of,
    help="The columns that identify rows, for tables of checkpoints with these names.",
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
@click.option("--json", "form", flag_value="json", help="Print JSON.")
@click.option("--jsonl", "form", flag_value="jsonl", help="Print JSON, a line a pair.")
@click.option("--md", "form", flag_value="md", help="Print Markdown.")
@click.option("--html", metavar="FILE", help="Write a page that stands alone.")
@click.option("--junit", metavar="FILE", help="Write JUnit's XML.")
@click.option("--bisect", is_flag=True, help="Exit with 125 in place of 2.")
@click.pass_context
def diff(  # noqa: PLR0913 - one parameter per option
    context: click.Context,
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
    form: str | None,
    html: str | None,
    junit: str | None,
    bisect: bool,
) -> None:
    """
    Compare two runs, and name the first divergence.

    A run is a root, one of the runs under it as ROOT@RUN, or a single file. Without
    any, the last two runs under .checkpoints are compared; with one root, the last two
    runs under it. The first is the baseline.

    The exit code is 0 if the runs are equal, or within tolerance or noise; 1 if they
    differ, or an entry has no counterpart; 2 if that cannot be told, or they have
    nothing in common.
    """
    conditions: dict[str, Any] = {}
    for text in where:
        conditions |= conditions_in(text)
    with quiet_log(), progress("comparing") as advance:
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
            progress=lambda _, total: advance(total=total),
        )
    document, commands = found.as_json(), list(_next(found, runs))
    _print(document, commands, form, shows_all=shows_all)
    if html:
        _write(html, page_of(document, commands))
    if junit:
        _write(junit, junit_of(document))
    if suggest_tolerances:
        _write(suggest_tolerances, found.suggested_tolerances())
    code = document["exit"]
    context.exit(_CANNOT_TEST if bisect and code == _COULD_NOT_TELL else code)


def _two(runs: Sequence[str]) -> Sequence[str]:
    if len(runs) > 2:  # noqa: PLR2004 - two runs are compared
        raise CommandError(
            f"{len(runs)} runs were given; two are compared: a baseline, a candidate"
        )
    return runs


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
        _print_report(document, commands, shows_all=shows_all)


def _print_report(
    document: Mapping[str, Any], commands: Sequence[str], *, shows_all: bool
) -> None:
    screen = Screen()
    for line in styled_report(document, screen.width, commands, shows_all=shows_all):
        label = screen.styled(line.label, "dim")
        screen.line(label + screen.styled(line.text, line.style))


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


def _next(found: Diff, runs: Sequence[str]) -> Iterator[str]:
    """Yield the commands that show more."""
    first = found.first
    if first is None or found.verdict != "different":
        return
    worst = first.worst
    value = [worst[0]] if worst else []
    for entry in (first.baseline, first.candidate):
        if entry is not None:
            yield shlex.join(["checkpoints", "show", entry.path, *value])
    yield shlex.join(["checkpoints", "diff", *runs, "--html", "diff.html"])


def _write(path: str, text: str) -> None:
    Path(path).write_text(text, encoding="utf-8")
    warn(f"wrote {path}")
