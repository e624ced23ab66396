"""`checkpoints gc ROOT`."""

from __future__ import annotations

import datetime
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

import click

from checkpoints import Entry, Index
from checkpoints._text import files_text, nearest, printable
from checkpoints.cli._quantity import as_age
from checkpoints.cli._removal import Doomed, leftovers, list_doomed, remove
from checkpoints.cli._screen import progress, tell
from checkpoints.cli._selection import (
    chosen,
    header_of,
    nothing_of,
    selected,
    tell_unreadable,
)

__all__ = ["gc"]

_EXAMPLES = """\b
Examples:
  checkpoints gc saved --older-than 14d
  checkpoints gc saved 'mypkg.*' --keep-last 5 --per shop --older-than 2w --yes
  checkpoints gc saved
"""


@click.command(epilog=_EXAMPLES)
@selected
@click.option(
    "--older-than", type=as_age, metavar="AGE", help="Saved before that: 14d."
)
@click.option(
    "--keep-last",
    type=click.IntRange(min=1),
    metavar="N",
    help="Keep the N newest entries of each name.",
)
@click.option(
    "--per",
    multiple=True,
    metavar="TAG",
    help="With --keep-last, of each name and value of this tag.",
)
@click.option(
    "--unfinished-for",
    type=as_age,
    default="1d",
    metavar="AGE",
    help="Unfinished files that nobody touched for so long; 1d unless given.",
)
@click.option("--yes", is_flag=True, help="Delete it.")
@click.pass_context
def gc(  # noqa: PLR0913 - each is an option of its own
    context: click.Context,
    root: str,
    names: tuple[str, ...],
    *,
    where: tuple[str, ...],
    older_than: datetime.timedelta | None,
    keep_last: int | None,
    per: tuple[str, ...],
    unfinished_for: datetime.timedelta,
    yes: bool,
) -> None:
    """
    Delete old entries, and what killed processes left, under ROOT.

    Without --yes it only tells what it would delete, and how much. An entry goes if
    it is of the NAMES and tags, is older than --older-than, and is none of the newest
    that --keep-last keeps; one of the two options has to be there, else no entry
    goes. The age is that of the save, as the header tells it. A file whose header
    cannot be read takes no place of --keep-last and is not deleted by it, but told;
    --older-than alone takes the age of the file. Headers alone are read: `checkpoints
    verify` finds what is damaged behind them.

    Unfinished files go if no process of this machine has the number in their name and
    nobody touched them for a day. Folders that become empty go too.

    The exit code is 0; 1 if NAMES or tags match nothing, or something could not be
    listed, read or deleted; 2 if it cannot be done so.
    """
    has_rule = older_than is not None or keep_last is not None
    if (names or where) and not has_rule:
        raise click.UsageError("say which of them are old: --older-than or --keep-last")
    if per and keep_last is None:
        raise click.UsageError("--per says what --keep-last counts by: give that too")
    found = chosen(root, names, where)
    is_partial = tell_unreadable(found)
    if (names or where) and not len(found):
        tell(nothing_of(found, filtered=True).message)
        is_partial = True
    _check_tags(per, found)
    ages = list(_with_age(found)) if has_rule else []
    if keep_last is not None:
        known = list(_readable(ages))
        is_partial |= len(known) < len(ages)
        ages = list(_beyond(known, keep_last, per))
    files = _old_ones(ages, older_than)
    files += leftovers(found.root, unfinished_for)
    list_doomed(files, lambda line: click.echo(printable(line)))
    if not yes:
        total = files_text(len(files), sum(each.size for each in files))
        click.echo(f"would delete {total}" + _way_on(files))
        context.exit(int(is_partial))
    count, size, failed = remove(found.root, files)
    click.echo(f"deleted {files_text(count, size)}")
    context.exit(int(failed or is_partial))


def _way_on(files: Sequence[object]) -> str:
    return "; --yes deletes them" if files else ""


def _check_tags(per: Sequence[str], found: Index) -> None:
    """Check that somebody has each tag: without one of them fewer are kept."""
    known = {tag: None for entry in found for tag in entry.tags} if per else {}
    for tag in per:
        if len(found) and tag not in known:
            near = filter(None, [nearest(tag, known)])
            there = ", ".join(dict.fromkeys([*near, *known])) or "none at all"
            message = f"--per {tag}: no entry has this tag; there are {there}"
            raise click.UsageError(printable(message))


class _Aged(NamedTuple):
    """An entry, when it was saved, and why nobody knows if its header is damaged."""

    saved: datetime.datetime
    sequence: int
    entry: Entry
    file: Doomed
    damage: str

    @property
    def rank(self) -> tuple[datetime.datetime, int, int]:
        """What is greater of the newer of two, as `Index.latest` has it."""
        return self.saved, self.sequence, self.entry.number


def _old_ones(
    ages: Iterable[_Aged], older_than: datetime.timedelta | None
) -> list[Doomed]:
    """Return the files that are old enough, oldest first."""
    now = datetime.datetime.now(datetime.UTC)
    return [
        each.file
        for each in sorted(ages, key=lambda each: each.rank)
        if older_than is None or now - each.saved > older_than
    ]


def _with_age(entries: Index) -> Iterator[_Aged]:
    with progress("read headers", len(entries)) as advance:
        for entry in entries:
            advance(1)
            with suppress(OSError):  # it vanished since the folder was listed
                # Before its header is read: one that is replaced meanwhile is kept.
                yield _aged(entry, Doomed.of(entry.path))


def _aged(entry: Entry, file: Doomed) -> _Aged:
    meta, damage = header_of(entry.path)
    written = os.stat(entry.path).st_mtime
    try:
        saved = meta["time"].astimezone(datetime.UTC)
    except (KeyError, ValueError, OverflowError) as error:
        damage = damage or f"its time is that of no calendar: {error}"
        saved = _moment(written)
    number = meta.get("sequence")
    sequence = number if isinstance(number, int) else 0
    return _Aged(saved, sequence, entry, file, damage)


def _moment(seconds: float) -> datetime.datetime:
    try:
        return datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    except (ValueError, OverflowError, OSError):
        # A file can have any time, and one that nobody can read is not old.
        return datetime.datetime.max.replace(tzinfo=datetime.UTC)


def _readable(ages: Iterable[_Aged]) -> Iterator[_Aged]:
    """Yield those whose age is known, and tell the others, which stay."""
    for each in ages:
        if each.damage:
            tell(f"kept, and not counted: {each.damage}")
        else:
            yield each


def _beyond(ages: Iterable[_Aged], count: int, per: Sequence[str]) -> Iterator[_Aged]:
    """Yield what comes behind the newest of each group."""
    seen: dict[object, int] = defaultdict(int)
    for each in sorted(ages, key=lambda each: each.rank, reverse=True):
        tags = (tuple(each.entry.tags.values_of(tag)) for tag in per)
        group = (each.entry.name, *tags)
        seen[group] += 1
        if seen[group] > count:
            yield each
