"""`checkpoints export ENTRY VALUE --to FILE`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import click

from checkpoints import Entry
from checkpoints._show.conversion import CONVERSIONS, Conversion, UnfitError
from checkpoints._text import printable, size_text
from checkpoints.cli._completion import complete_entry
from checkpoints.cli._quantity import as_size
from checkpoints.cli._selection import entry_at, loaded, one_of, where_option
from checkpoints.storage import open_store

__all__ = ["export"]

_EXAMPLES = """\b
Examples:
  checkpoints export saved mypkg.fit coef --where day=monday --to coef.npy
  checkpoints export saved/day=monday/mypkg/fit.ckpt.zip frame --to frame.csv
"""


@click.command(epilog=_EXAMPLES)
@click.argument("entry", nargs=-1, required=True, shell_complete=complete_entry)
@where_option
@click.option("--latest", is_flag=True, help="The newest file of each key.")
@click.option(
    "--to",
    "target",
    required=True,
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help=f"The file; its suffix says the kind: {', '.join(CONVERSIONS)}.",
)
@click.option("--force", is_flag=True, help="Do it though something is lost.")
@click.option("--overwrite", is_flag=True, help="Replace the file where it is there.")
@click.option("--trusted", is_flag=True, help="Load pickles, which can run any code.")
@click.option(
    "--max-bytes",
    type=as_size,
    metavar="SIZE",
    help="Load no more than that, such as 500MB.",
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
    Write a value to a file that other tools read.

    ENTRY is a path, or a root, a name and as many --where as it takes to mean one
    entry; behind it stands the VALUE, unless there is only one. What the file cannot
    tell, such as a mask or the type of a column, is told, and nothing is written
    unless --force is given. CSV is text: that numbers are written as text is its
    nature, and not counted as a loss.

    The exit code is 0; 1 if nothing was found; 2 if the file cannot be made.
    """
    suffix = os.path.splitext(target)[1].lower()
    if suffix not in CONVERSIONS:
        known = ", ".join(CONVERSIONS)
        message = f"--to {target!r}: its suffix has to be one of {known}"
        raise click.UsageError(printable(message))
    found, names = one_of(entry, where, latest=latest)
    path = found.path if isinstance(found, Entry) else found
    name = _one_name(path, names)
    value = loaded(path, name, trusted=trusted, max_bytes=max_bytes)
    data = _converted(value, suffix, force=force)
    _write(target, data, overwrite=overwrite)
    told = f"wrote {target}, {size_text(len(data))}"
    click.echo(printable(told))


def _one_name(path: str, names: Sequence[str]) -> str:
    if len(names) > 1:
        raise click.UsageError("a file takes one value; name one")
    if names:
        return names[0]
    known = list(entry_at(path).meta["values"])
    if len(known) != 1:
        message = f"{path} has the values {', '.join(known)}; name one"
        raise click.UsageError(printable(message))
    return str(known[0])


def _converted(value: Any, suffix: str, *, force: bool) -> bytes:
    conversion = Conversion(value)
    try:
        data = CONVERSIONS[suffix](conversion)
    except Exception as error:
        # Whatever the libraries make of it.
        told = str(error) if isinstance(error, UnfitError) else _unfit(value, error)
        message = f"{told}: {_others(conversion.suffixes, suffix)} may do"
        raise click.UsageError(printable(message)) from error
    if conversion.lost and not force:
        lost = "; ".join(conversion.lost)
        message = f"{suffix} would lose {lost}. Give --force, or another suffix"
        raise click.UsageError(printable(message))
    return data


def _unfit(value: object, error: Exception) -> str:
    return (
        f"a value of type {type(value).__name__} does not become such a file, {error}"
    )


def _others(suffixes: Sequence[str], suffix: str) -> str:
    others = [each for each in suffixes if each != suffix]
    return " or ".join(filter(None, [", ".join(others[:-1]), *others[-1:]]))


def _write(target: str, data: bytes, *, overwrite: bool) -> None:
    folder, file = os.path.split(os.path.abspath(target))
    try:
        store = open_store(folder)
        store.put([file], [(0, data)], len(data), replace=overwrite)
    except FileExistsError as error:
        message = f"{target} is there already; --overwrite replaces it"
        raise click.UsageError(printable(message)) from error
