"""`checkpoints cp SRC_ROOT DST_ROOT`."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import partial

import click

from checkpoints._keys.key import SUFFIXES
from checkpoints._keys.spelling import caseless, spelling_in
from checkpoints._rules.settings import as_run
from checkpoints._text import count_text, files_text, is_remote, printable
from checkpoints.cli._completion import complete_root, complete_source_names
from checkpoints.cli._converter import Converter
from checkpoints.cli._failures import CommandError
from checkpoints.cli._place import names_in
from checkpoints.cli._screen import progress, warn
from checkpoints.cli._selection import (
    nothing_found,
    select,
    warn_unreadable,
    where_option,
)
from checkpoints.storage import Status, Store, open_store
from checkpoints.storage._copier import Copier

__all__ = ["cp"]

_EXAMPLES = """\b
Examples:
  checkpoints cp saved kept mypkg.fit --where day=monday
  checkpoints cp saved /mnt/archive
  checkpoints cp saved s3://bucket/archive
  checkpoints cp --format zip from-julia saved
"""


@click.command(epilog=_EXAMPLES)
@click.argument("source", metavar="SRC_ROOT", shell_complete=complete_root)
@click.argument("target", metavar="DST_ROOT", shell_complete=complete_root)
@click.argument("names", nargs=-1, shell_complete=complete_source_names)
@where_option
@click.option(
    "--format",
    "wanted",
    type=click.Choice([*SUFFIXES]),
    help="Save the values again, in this format.",
)
@click.option("--force", is_flag=True, help="Replace existing files.")
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="Copy N files at a time.",
)
@click.option("--dry-run", is_flag=True, help="Only print how much would be copied.")
@click.pass_context
def cp(  # noqa: PLR0913 - one parameter per option
    context: click.Context,
    source: str,
    target: str,
    names: tuple[str, ...],
    *,
    where: tuple[str, ...],
    wanted: str | None,
    force: bool,
    jobs: int | None,
    dry_run: bool,
) -> None:
    """
    Copy entries from one root to another.

    NAMES and --where select entries as in ls. A file appears under its name only when
    it is complete. An existing file is skipped if it is the same, so an interrupted
    copy can be resumed; one that differs is reported and kept, unless --force is
    given. Capitals in paths are encoded only if the file system of DST_ROOT ignores
    case. If SRC_ROOT holds a key in both spellings, the newer file is copied.

    A copy has the time and the permissions of its original, except in an object store,
    where it has the time of the copy. Links are not followed,
    in either root: a file that is a link is left out, and counted.

    With --format, files of another format are loaded and saved again, such as .jlso
    files of Checkpoints.jl as ZIP files, with their tags and headers. An existing file
    is kept, and counted, unless --force is given. What the format cannot hold is
    reported; pickles are never loaded.

    The exit code is 0; 1 if nothing was found, or something could not be listed, read
    or copied, links among them; 2 if there is no such root, or DST_ROOT cannot be
    written.
    """
    if target.startswith("@"):
        raise CommandError(as_run(target))
    found = select(source, names, where)
    is_partial = warn_unreadable(found)
    if not len(found):
        raise nothing_found(found)
    store = open_store(target)
    _check_target(found.root, store.root)
    origin, names_there = names_in(found)
    files, links = _without_links(origin, names_there)
    chosen = _newest(origin, files)
    left_out = f"; {count_text(links, 'link')} left out" if links else ""
    total, there = sum(chosen.values()), f" to {printable(target)}"
    if dry_run:
        click.echo(f"would copy {files_text(len(chosen), total)}{there}{left_out}")
        context.exit(int(is_partial or links > 0))
    converter = None if wanted is None else Converter(store.root, wanted, force=force)
    entries = {entry.path: entry for entry in found} if converter else {}
    with progress("copying", total) as advance:
        copier = Copier(
            origin,
            store,
            spell=partial(spelling_in, store),
            advance=advance,
            tell=lambda reason: warn(f"not copied: {reason}"),
            replaces=force,
        )
        same_format = SUFFIXES[converter.format] if converter else ""
        alike = [name for name in chosen if name.endswith(same_format)]
        copier.copy_all(alike, jobs)
        for name, size in chosen.items():
            if converter and not name.endswith(same_format):
                converter.copy(entries[origin.path_of(name)])
                advance(size)
    click.echo(f"{_told(copier, converter, there)}{left_out}")
    failed = copier.failed > 0 or (converter is not None and converter.failed)
    context.exit(int(is_partial or failed or links > 0))


def _told(copier: Copier, converter: Converter | None, there: str) -> str:
    """Return what was copied, and where to, as a line."""
    same, parts = copier.same, []
    if converter is not None:
        same += converter.same
    if converter is not None and converter.count:
        of = count_text(converter.count, "file")
        parts.append(f"saved {of} again as {converter.format}")
    if copier.count or not parts:
        parts.append(f"copied {files_text(copier.count, copier.size)}")
    return "; ".join(parts) + there + (f"; {same:,} already there" if same else "")


def _check_target(source: str, target: str) -> None:
    if is_remote(source) or is_remote(target):
        one, other = f"{source}/", f"{target}/"
        if one.startswith(other) or other.startswith(one):
            raise CommandError("one root is inside the other; use separate folders")
        if is_remote(target):
            return
    existing = target
    while not os.path.lexists(existing) and os.path.dirname(existing) != existing:
        existing = os.path.dirname(existing)
    if os.path.lexists(existing) and not os.path.isdir(existing):
        raise CommandError(f"cannot copy to {target!r}: {existing!r} is a file")
    if is_remote(source):
        return
    real_source, real_target = os.path.realpath(source), os.path.realpath(target)
    with suppress(ValueError):  # on different drives
        common = os.path.commonpath([real_source, real_target])
        if common in (real_source, real_target):
            raise CommandError("one root is inside the other; use separate folders")


def _without_links(store: Store, names: list[str]) -> tuple[list[str], int]:
    """Return the names of what are no links, and how many are."""
    if is_remote(store.root):
        return names, 0
    files = [name for name in names if not os.path.islink(store.path_of(name))]
    return files, len(names) - len(files)


def _time(status: Status | None) -> int:
    return status.time if status else 0


def _newest(store: Store, names: list[str]) -> dict[str, int]:
    """Return names with sizes, without the older file of a key in both spellings."""
    found = dict(zip(names, store.statuses(names), strict=True))
    newest: dict[str, str] = {}
    for name in names:
        key = caseless(name)
        other = newest.setdefault(key, name)
        if other != name:
            older, newest[key] = sorted([other, name], key=lambda it: _time(found[it]))
            kept = store.path_of(newest[key])
            warn(
                f"skipped {store.path_of(older)}: {kept} has the same key and is newer"
            )
    sizes = {name: found[name] for name in newest.values()}
    return {name: status.size if status else 0 for name, status in sizes.items()}
