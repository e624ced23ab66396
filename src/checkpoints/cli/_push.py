"""`checkpoints push FOLDER URL`."""

from __future__ import annotations

import click

from checkpoints._handlers.delivery import Delivery
from checkpoints._text import count_text, files_text, is_remote, printable
from checkpoints.cli._completion import complete_root
from checkpoints.cli._failures import CommandError
from checkpoints.cli._screen import progress, warn
from checkpoints.storage import open_store

__all__ = ["push"]

_EXAMPLES = """\b
Examples:
  checkpoints push kept s3://bucket/saved
  checkpoints push kept s3://bucket/saved --dry-run
"""


@click.command(epilog=_EXAMPLES)
@click.argument("folder", shell_complete=complete_root)
@click.argument("url", metavar="URL", shell_complete=complete_root)
@click.option("--force", is_flag=True, help="Replace objects that differ.")
@click.option("--dry-run", is_flag=True, help="Only print how much would be moved.")
@click.pass_context
def push(
    context: click.Context, folder: str, url: str, *, force: bool, dry_run: bool
) -> None:
    """
    Deliver what a rule with spill=FOLDER has kept while its store was away.

    Each file is moved to its place below URL, and deleted in FOLDER when it is there,
    as are folders that are empty then.
    An object that is there already is not written again; one that differs is reported,
    and the file kept, unless --force is given. So this can be repeated after an
    interruption, and several can run at once.

    The exit code is 0, also if there is nothing to deliver; 1 if something could not
    be read or moved; 2 if there is no such folder, or URL cannot be written.
    """
    if is_remote(folder) or not is_remote(url):
        raise CommandError("push takes a folder and the URL of a store; or use cp")
    delivery = _delivery(folder)
    total, there = delivery.size, f" to {printable(url)}"
    if delivery.is_empty:
        click.echo(f"nothing to deliver in {printable(folder)}")
        return
    if dry_run:
        click.echo(f"would deliver {files_text(len(delivery.saves), total)}{there}")
        return
    with progress("delivering", total) as advance:
        courier = delivery.to(
            open_store(url),
            tell=lambda reason: warn(f"not delivered: {reason}"),
            advance=advance,
            replaces=force,
        )
    parts = [f"delivered {files_text(courier.count, courier.size)}{there}"]
    if courier.same:
        parts.append(f"{courier.same:,} already there")
    if courier.failed:
        parts.append(f"{count_text(courier.failed, 'file')} kept")
    click.echo("; ".join(parts))
    context.exit(int(courier.failed > 0))


def _delivery(folder: str) -> Delivery:
    try:
        return Delivery(open_store(folder))
    except FileNotFoundError as error:
        raise CommandError(f"there is no folder {folder!r}") from error
    except NotADirectoryError as error:
        raise CommandError(f"{folder!r} is a file; give its folder") from error
