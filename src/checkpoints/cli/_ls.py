"""`checkpoints ls ROOT`."""

from __future__ import annotations

from collections.abc import Sequence

import click

from checkpoints import Index
from checkpoints.cli._printout import Printout
from checkpoints.cli._screen import tell
from checkpoints.cli._selection import (
    chosen,
    nothing_of,
    selected,
    tell_unreadable,
)

__all__ = ["ls"]

_EXAMPLES = """\b
Examples:
  checkpoints ls saved
  checkpoints ls saved 'mypkg.*' --where day='2026-03-*' --where shop='north|south'
  checkpoints ls saved --where 'step>=3' --where day=2026-03-01..2026-03-31
  checkpoints ls saved --tree
  checkpoints ls saved --long --sort saved --reverse --limit 20
"""


@click.command(epilog=_EXAMPLES)
@selected
@click.option("--tree", "as_tree", is_flag=True, help="Show folders as a tree.")
@click.option("-l", "--long", "is_long", is_flag=True, help="Read the headers too.")
@click.option("--latest", is_flag=True, help="Only the newest file of each key.")
@click.option("--sort", metavar="COLUMN", multiple=True, help="Sort by a column.")
@click.option("--reverse", is_flag=True, help="In the other order, the greatest first.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Show N.")
@click.option("--json", "as_json", is_flag=True, help="Print a list of JSON.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, times in UTC.")
@click.pass_context
def ls(  # noqa: PLR0913 - each is an option of its own
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
    List what was saved under ROOT.

    NAMES are exact names, which take all below them as well, or globs. Sizes and
    times are those of the files; --long reads the headers, and marks those that are
    damaged. Columns to sort by are name, path, size, time, a tag, and run, sequence
    or saved of the headers.

    The exit code is 0; 1 if nothing was found, a folder could not be listed or a
    header is damaged; 2 if there is no such root.
    """
    form = _one_of(json=as_json, csv=as_csv, tree=as_tree)
    if as_tree and (is_long or sort or reverse):
        raise click.UsageError("--tree goes with no --long, --sort or --reverse")
    found = chosen(root, names, where)
    is_partial = tell_unreadable(found)
    found = _sorted(found.latest() if latest else found, sort, reverse=reverse)
    if not len(found):
        nothing = nothing_of(found, filtered=bool(names or where))
        if not (as_json or as_csv):
            raise nothing
        nothing.show()
    printout = Printout(found[:limit], is_long=is_long)
    getattr(printout, f"as_{form}")()
    if limit and len(found) > limit:
        tell(f"and {len(found) - limit:,} more, without --limit")
    context.exit(1 if is_partial or printout.damaged or not len(found) else 0)


def _one_of(**asked: bool) -> str:
    """Return the form that is asked for; a table where none is."""
    forms = [form for form, is_asked in asked.items() if is_asked]
    if len(forms) > 1:
        raise click.UsageError(f"--{forms[0]} goes with no --{forms[1]}: name one")
    return forms[0] if forms else "table"


def _sorted(found: Index, sort: Sequence[str], *, reverse: bool) -> Index:
    if sort:
        return found.sort(*sort, reverse=reverse)
    return found[::-1] if reverse else found
