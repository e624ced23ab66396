"""`checkpoints cp SRC_ROOT DST_ROOT`."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import partial

import click

from checkpoints._handlers.options import Format
from checkpoints._keys.julia_path import JULIA
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
@click.option("--dry-run", is_flag=True, help="Only print what would be copied.")
@click.pass_context
def cp(  # noqa: PLR0913 - one parameter per option
    context: click.Context,
    source: str,
    target: str,
    names: tuple[str, ...],
    *,
    where: tuple[str, ...],
    wanted: Format | None,
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
    files of Checkpoints.jl as ZIP files, with their tags and what their headers say of
    the save. An existing file is skipped if it was made of the same original. A value
    that the format cannot hold is left out and reported, pickles among them, which are
    never loaded. Files that would have the same path are reported, and none of them is
    copied. With --dry-run, they are loaded too, and all of this is reported.

    The exit code is 0; 1 if nothing was found, or something could not be listed, read
    or copied, links and values that are left out among them; 2 if there is no such
    root, or DST_ROOT cannot be written.
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
    converter, copies = None, [*chosen]
    if wanted is not None:
        converter = Converter(origin, store, wanted, force=force, is_trial=dry_run)
        entries = zip(names_there, found, strict=True)
        copies = converter.plan({name: it for name, it in entries if name in chosen})
    with progress("copying", sum(chosen.values())) as advance:
        copier = Copier(
            origin,
            store,
            spell=partial(_spelled, store),
            advance=advance,
            tell=lambda reason: warn(f"not copied: {reason}"),
            replaces=force,
        )
        if dry_run:
            copier.count, copier.size = len(copies), sum(chosen[it] for it in copies)
        else:
            copier.copy_all(copies, jobs)
        if converter is not None:
            converter.save_all(lambda name: advance(chosen[name]))
    told = _told(copier, converter, f" to {printable(target)}", dry_run=dry_run)
    left_out = f"; {count_text(links, 'link')} left out" if links else ""
    click.echo(f"{told}{left_out}")
    is_lossy = converter is not None and converter.failed + converter.left_out > 0
    context.exit(int(is_partial or copier.failed > 0 or is_lossy or links > 0))


def _told(
    copier: Copier, converter: Converter | None, there: str, *, dry_run: bool
) -> str:
    """Return what was copied, and where to, and what was not, as a line."""
    save, copied = ("would save", "would copy") if dry_run else ("saved", "copied")
    same, failed, parts, lost = copier.same, copier.failed, [], ""
    if converter is not None:
        same, failed = same + converter.same, failed + converter.failed
        if converter.count:
            of = count_text(converter.count, "file")
            parts.append(f"{save} {of} again as {converter.format}")
        if converter.left_out:
            values = count_text(converter.left_out, "value")
            lost = f"; {values} of {count_text(converter.partial, 'file')} left out"
    if copier.count or not parts:
        parts.append(f"{copied} {files_text(copier.count, copier.size)}")
    told = "; ".join(parts) + there + (f"; {same:,} already there" if same else "")
    missing = f"; {count_text(failed, 'file')} not copied" if failed else ""
    return f"{told}{lost}{missing}"


def _spelled(store: Store, name: str) -> str:
    """Return the name of a copy; Checkpoints.jl escapes nothing in those of its own."""
    return name if name.endswith(JULIA) else spelling_in(store, name)


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
    if not os.access(existing, os.W_OK | os.X_OK):
        raise CommandError(f"cannot copy to {target!r}: {existing!r} is not writable")
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
        key = name if name.endswith(JULIA) else caseless(name)
        other = newest.setdefault(key, name)
        if other != name:
            older, newest[key] = sorted([other, name], key=lambda it: _time(found[it]))
            kept = store.path_of(newest[key])
            warn(
                f"skipped {store.path_of(older)}: {kept} has the same key and is newer"
            )
    sizes = {name: found[name] for name in newest.values()}
    return {name: status.size if status else 0 for name, status in sizes.items()}
