"""`checkpoints rm ROOT`."""

from __future__ import annotations

import click

from checkpoints._text import files_text
from checkpoints.cli._removal import (
    candidates,
    confirm,
    files_json,
    list_candidates,
    remove,
)
from checkpoints.cli._selection import (
    nothing_found,
    select,
    selection_arguments,
    warn_unreadable,
)

__all__ = ["rm"]

_EXAMPLES = """\b
Examples:
  checkpoints rm saved mypkg.fit --where day='2026-02-*' --dry-run
  checkpoints rm saved mypkg.fit --where day='2026-02-*'
"""


@click.command(epilog=_EXAMPLES)
@selection_arguments
@click.option("--all", "takes_all", is_flag=True, help="Select all entries under ROOT.")
@click.option("--dry-run", is_flag=True, help="Only print what would be deleted.")
@click.option("--yes", is_flag=True, help="Delete without asking.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print JSON; with --dry-run or --yes."
)
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
    as_json: bool,
) -> None:
    """
    Delete entries under ROOT.

    NAMES and --where select entries as in ls; --all selects all of them. The files are
    listed, and are deleted after confirmation, or at once with --yes. Folders that
    become empty are deleted too, except ROOT. A file that is rewritten in the meantime
    is kept.

    The exit code is 0; 1 if nothing was found, the answer was no, or something could
    not be listed or deleted; 2 if the command could not run.
    """
    if not (names or where or takes_all):
        raise click.UsageError("nothing selected; give NAMES, --where or --all")
    if as_json and not (dry_run or yes):
        raise click.UsageError("--json needs --dry-run or --yes")
    found = select(root, names, where)
    is_partial = warn_unreadable(found)
    files = [file for _, file in candidates(found)]
    if not files:
        raise nothing_found(found)
    if not as_json:
        list_candidates(files)
    total = files_text(len(files), sum(file.size for file in files))
    if dry_run:
        click.echo(files_json(files, deleted=0) if as_json else f"would delete {total}")
        context.exit(int(is_partial))
    confirm(f"Delete {total}?", yes=yes)
    count, size, failed = remove(found.root, files)
    told = f"deleted {files_text(count, size)}"
    click.echo(files_json(files, deleted=count) if as_json else told)
    context.exit(int(failed or is_partial))
