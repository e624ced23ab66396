"""`checkpoints ls ROOT`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial

import click

from checkpoints import Index
from checkpoints._text import count_text
from checkpoints.cli._printout import Printout
from checkpoints.cli._screen import warn
from checkpoints.cli._selection import (
    LAST_RUN,
    nothing_found,
    select,
    selection_arguments,
    warn_unreadable,
)

__all__ = ["ls"]

_EXAMPLES = """\b
Examples:
  checkpoints ls
  checkpoints ls saved
  checkpoints ls saved@before-upgrade --long
  checkpoints ls saved 'mypkg.*' --where day='2026-03-*' --where shop='north|south'
  checkpoints ls saved --where 'step>=3' --where day=2026-03-01..2026-03-31
  checkpoints ls saved --tree
  checkpoints ls saved --long --sort saved --reverse --limit 20
"""


@click.command(epilog=_EXAMPLES)
@partial(selection_arguments, default=LAST_RUN)
@click.option("--tree", "as_tree", is_flag=True, help="Show a tree of folders.")
@click.option(
    "-l", "--long", "is_long", is_flag=True, help="Also show what is in the headers."
)
@click.option("--latest", is_flag=True, help="Only the newest file of each key.")
@click.option(
    "--sort", metavar="COLUMN", multiple=True, help="Sort by a column. Can be repeated."
)
@click.option("--reverse", is_flag=True, help="Reverse the order.")
@click.option(
    "--limit", type=click.IntRange(min=1), metavar="N", help="Show at most N entries."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, with times in UTC.")
@click.pass_context
def ls(  # noqa: PLR0913 - one parameter per option
    context: click.Context,
    root: str,
    names: tuple[str, ...],
    *,
    where: tuple[str, ...],
    as_tree: bool,
    is_long: bool,
    latest: bool,
    sort: tuple[str, ...],
    reverse: bool,
    limit: int | None,
    as_json: bool,
    as_csv: bool,
) -> None:
    """
    List the entries under ROOT.

    ROOT@RUN are those of one run, by its id or the beginning of it, its name, `last`
    or `last~1`; without a root, the last run under .checkpoints is listed.

    NAMES are exact names, which include all names below them, or globs. Sizes and
    times are those of the files; --long reads the headers too, and marks damaged
    files. --sort takes name, path, size, time, a tag, or run, sequence and saved from
    the headers.

    The exit code is 0; 1 if nothing was found, a folder could not be listed or a
    header is damaged; 2 if there is no such root.
    """
    form = _output_format(json=as_json, csv=as_csv, tree=as_tree)
    if as_tree and (is_long or sort or reverse):
        message = "--tree cannot be combined with --long, --sort or --reverse"
        raise click.UsageError(message)
    found = select(root, names, where)
    if root == LAST_RUN:
        warn(f"{os.path.relpath(found.root)}, the last run:")
    is_partial = warn_unreadable(found)
    found = _sorted(found.latest() if latest else found, sort, reverse=reverse)
    if not len(found):
        nothing = nothing_found(found)
        if not (as_json or as_csv):
            raise nothing
        nothing.show()
    printout = Printout(found[:limit], is_long=is_long)
    getattr(printout, f"as_{form}")()
    if limit and len(found) > limit:
        more = count_text(len(found) - limit, "more entry")
        warn(f"{more} not shown because of --limit")
    context.exit(1 if is_partial or printout.damaged or not len(found) else 0)


def _output_format(**flags: bool) -> str:
    """Return the format that is asked for, a table by default."""
    forms = [form for form, is_set in flags.items() if is_set]
    if len(forms) > 1:
        raise click.UsageError(f"--{forms[0]} cannot be combined with --{forms[1]}")
    return forms[0] if forms else "table"


def _sorted(found: Index, sort: Sequence[str], *, reverse: bool) -> Index:
    if sort:
        return found.sort(*sort, reverse=reverse)
    return found[::-1] if reverse else found
