"""`checkpoints rm ROOT`."""

from __future__ import annotations

import click

from checkpoints._text import files_text, printable
from checkpoints.cli._removal import confirmed, doomed, list_doomed, remove
from checkpoints.cli._selection import (
    chosen,
    nothing_of,
    selected,
    tell_unreadable,
)

__all__ = ["rm"]

_EXAMPLES = """\b
Examples:
  checkpoints rm saved mypkg.fit --where day='2026-02-*' --dry-run
  checkpoints rm saved mypkg.fit --where day='2026-02-*'
"""


@click.command(epilog=_EXAMPLES)
@selected
@click.option("--all", "takes_all", is_flag=True, help="All entries under ROOT.")
@click.option("--dry-run", is_flag=True, help="Only tell what would be deleted.")
@click.option("--yes", is_flag=True, help="Delete without asking.")
@click.pass_context
def rm(
    context: click.Context,
    root: str,
    names: tuple[str, ...],
    *,
    where: tuple[str, ...],
    takes_all: bool,
    dry_run: bool,
    yes: bool,
) -> None:
    """
    Delete entries under ROOT.

    NAMES and --where say which, as for ls; all of them have to be asked for by --all.
    Lists what it is about and asks, unless --yes is given. Folders that become
    empty go too; ROOT stays, and so does a file that was written anew meanwhile.

    The exit code is 0; 1 if nothing was found, the answer was no, or something could
    not be listed or deleted; 2 if it was not said what to delete.
    """
    if not (names or where or takes_all):
        raise click.UsageError("say what to delete: NAMES, --where, or --all")
    found = chosen(root, names, where)
    is_partial = tell_unreadable(found)
    files = list(doomed(found))
    if not files:
        raise nothing_of(found, filtered=bool(names or where))
    list_doomed(files, lambda line: click.echo(printable(line)))
    total = files_text(len(files), sum(each.size for each in files))
    if dry_run:
        click.echo(f"would delete {total}")
        context.exit(int(is_partial))
    confirmed(f"Delete {total}?", yes=yes)
    count, size, failed = remove(found.root, files)
    click.echo(f"deleted {files_text(count, size)}")
    context.exit(int(failed or is_partial))
