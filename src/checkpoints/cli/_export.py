"""`checkpoints export ENTRY VALUE --to FILE`."""

from __future__ import annotations

import os
from collections.abc import Sequence

import click

from checkpoints import Entry, MissingDependencyError, TooLargeError
from checkpoints._process.budget import Budget, within
from checkpoints._show.conversion import CONVERSIONS, Conversion, UnfitError
from checkpoints._text import printable, size_text
from checkpoints.cli._completion import complete_entry
from checkpoints.cli._failures import CommandError
from checkpoints.cli._quantity import as_size
from checkpoints.cli._selection import (
    entry_at,
    load_value,
    one_entry,
    too_large,
    where_option,
)
from checkpoints.storage import open_store

__all__ = ["export"]

_EXAMPLES = """\b
Examples:
  checkpoints export saved mypkg.fit coef --where day=monday --to coef.npy
  checkpoints export saved/day=monday/mypkg/fit.ckpt.zip frame --to frame.csv
"""


@click.command(epilog=_EXAMPLES)
@click.argument(
    "entry",
    nargs=-1,
    required=True,
    metavar="ENTRY [VALUE]",
    shell_complete=complete_entry,
)
@where_option
@click.option("--latest", is_flag=True, help="Only the newest file of each key.")
@click.option(
    "--to",
    "target",
    required=True,
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help=f"The file to write; its suffix sets the format: {', '.join(CONVERSIONS)}.",
)
@click.option("--force", is_flag=True, help="Write the file even if something is lost.")
@click.option("--overwrite", is_flag=True, help="Replace an existing file.")
@click.option("--trusted", is_flag=True, help="Load pickles, which can run any code.")
@click.option(
    "--max-bytes",
    type=as_size,
    metavar="SIZE",
    help="Limit the memory for the value and the file, such as 500MB.",
)
def export(
    entry: tuple[str, ...],
    *,
    where: tuple[str, ...],
    latest: bool,
    target: str,
    force: bool,
    overwrite: bool,
    trusted: bool,
    max_bytes: int | None,
) -> None:
    """
    Write a value to a file for other tools.

    ENTRY is the path of a file, or a root, a name and --where options that select one
    entry. VALUE may be omitted if there is only one. If the format would lose
    something, such as a mask or the type of a column, the command says what, and
    writes nothing unless --force is given. That CSV holds numbers as text does not
    count as a loss.

    The exit code is 0; 1 if nothing was found; 2 if the file cannot be written.
    """
    suffix = os.path.splitext(target)[1].lower()
    if suffix not in CONVERSIONS:
        known = ", ".join(CONVERSIONS)
        message = printable(f"the suffix of {target!r} is not one of {known}")
        raise click.BadParameter(message, param_hint="'--to'")
    found, names = one_entry(entry, where, latest=latest)
    path = found.path if isinstance(found, Entry) else found
    name = _one_name(path, names)
    with within(Budget(path, max_bytes), f"what becomes {suffix}"):
        value = load_value(path, name, trusted=trusted)
        data = _converted(Conversion(value), suffix, force=force)
    _write(target, data, overwrite=overwrite)
    click.echo(printable(f"wrote {target}, {size_text(len(data))}"))


def _one_name(path: str, names: Sequence[str]) -> str:
    if len(names) > 1:
        raise CommandError("a file holds one value; name only one")
    if names:
        return names[0]
    known = list(entry_at(path).meta["values"])
    if len(known) != 1:
        raise CommandError(f"{path} has the values {', '.join(known)}; name one")
    return str(known[0])


def _converted(conversion: Conversion, suffix: str, *, force: bool) -> bytes:
    value = conversion.value
    try:
        data = CONVERSIONS[suffix](conversion)
    except Exception as error:
        # The libraries raise errors of many kinds.
        reason = _conversion_failure(value, error)
        # These have a way out of their own.
        if not isinstance(error, (MemoryError, MissingDependencyError)):
            reason = f"{reason}; {_others(conversion.suffixes, suffix)}"
        raise CommandError(reason) from error
    if conversion.lost and not force:
        lost = "; ".join(conversion.lost)
        message = f"{suffix} would lose {lost}. Use --force, or another suffix"
        raise CommandError(message)
    return data


def _conversion_failure(value: object, error: Exception) -> str:
    kind = type(value).__name__
    if isinstance(error, UnfitError):
        return str(error)
    if isinstance(error, TooLargeError):
        return too_large(error)
    if isinstance(error, MemoryError):
        return f"not enough memory to convert this {kind}: save a part of it in Python"
    return f"cannot convert a value of type {kind}: {error}"


def _others(suffixes: Sequence[str], suffix: str) -> str:
    others = [other for other in suffixes if other != suffix]
    if not others:
        return "no other format takes it: load it in Python, and convert it first"
    return "try " + " or ".join(filter(None, [", ".join(others[:-1]), others[-1]]))


def _write(target: str, data: bytes, *, overwrite: bool) -> None:
    folder, file = os.path.split(os.path.abspath(target))
    try:
        store = open_store(folder)
        store.put([file], [(0, data)], len(data), replace=overwrite)
    except FileExistsError as error:
        raise CommandError(f"{target} exists; replace it with --overwrite") from error
