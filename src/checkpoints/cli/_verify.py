"""`checkpoints verify ROOT`."""

from __future__ import annotations

import dataclasses
import json

import click

import checkpoints
from checkpoints.cli._completion import complete_root
from checkpoints.cli._screen import Screen, progress, warn
from checkpoints.cli._selection import quiet_log, root_index

__all__ = ["verify"]

_EXAMPLE = """\b
Example:
  checkpoints verify saved -j 4
"""


@click.command(epilog=_EXAMPLE)
@click.argument("root", shell_complete=complete_root)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="Read N files at a time.",
)
@click.option("--quiet", is_flag=True, help="Print only damage.")
@click.pass_context
def verify(
    context: click.Context,
    root: str,
    *,
    as_json: bool,
    jobs: int | None,
    quiet: bool,
) -> None:
    """
    Check every byte of the checkpoint files under ROOT.

    The exit code is 0 if all files are intact; 1 if one is damaged or could not be
    read, or if there are none; 2 if there is no such folder.
    """
    with quiet_log():
        found = _verified(
            root_index(root).root, jobs, shows_progress=not (quiet or as_json)
        )
    if as_json:
        click.echo(json.dumps({**dataclasses.asdict(found), "ok": found.ok}, indent=2))
    elif not (quiet and found.ok):
        screen = Screen()
        # The report escapes paths and error texts itself.
        screen.line(screen.styled(str(found), "green" if found.ok else "red"))
    is_empty = not found.checked and not found.unreadable
    if is_empty:
        warn("no checkpoint files found; is this the right root?")
    context.exit(1 if is_empty or not found.ok else 0)


def _verified(
    root: str, jobs: int | None, *, shows_progress: bool
) -> checkpoints.Verification:
    if not shows_progress:
        return checkpoints.verify(root, max_workers=jobs)
    with progress("verifying") as advance:
        told = [0]

        def tell(done: int, total: int) -> None:
            told.append(done)
            advance(done - told.pop(0), total=total)

        return checkpoints.verify(root, max_workers=jobs, progress=tell)
