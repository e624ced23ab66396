"""`checkpoints gc ROOT`."""

from __future__ import annotations

import datetime
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

import click

import checkpoints
from checkpoints import Entry, Index
from checkpoints.cli._header import header_of
from checkpoints.cli._leftovers import leftovers
from checkpoints.cli._progress import progress
from checkpoints.cli._quantity import as_age, size_text
from checkpoints.cli._removal import Doomed, list_doomed, remove
from checkpoints.cli._selection import chosen, selected, tell_unreadable

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
    goes. The age is that of the save, as the header tells it, or that of the file
    where the header cannot be read.

    Unfinished files go if no process of this machine has the number in their name and
    nobody touched them for a day. Folders that are empty then go too.

    The exit code is 0; 1 if something could not be listed or deleted; 2 if it cannot
    be done so.
    """
    has_rule = older_than is not None or keep_last is not None
    if (names or where) and not has_rule:
        raise click.UsageError("say which of them are old: --older-than or --keep-last")
    if per and keep_last is None:
        raise click.UsageError("--per says what --keep-last counts by: give that too")
    found = chosen(root, names, where)
    is_partial = tell_unreadable(found)
    files = _old_ones(found, older_than, keep_last, per) if has_rule else []
    files += leftovers(found.root, unfinished_for)
    list_doomed(files, lambda line: click.echo(checkpoints.printable(line)))
    if not yes:
        total = size_text(sum(each.size for each in files))
        click.echo(f"would delete {len(files):,} files, {total}" + _way_on(files))
        context.exit(int(is_partial))
    count, size, failed = remove(found.root, files)
    click.echo(f"deleted {count:,} files, {size_text(size)}")
    context.exit(int(failed or is_partial))


def _way_on(files: Sequence[object]) -> str:
    return "; --yes deletes them" if files else ""


class _Aged(NamedTuple):
    """An entry, and when it was saved."""

    saved: datetime.datetime
    entry: Entry
    file: Doomed


def _old_ones(
    found: Index,
    older_than: datetime.timedelta | None,
    keep_last: int | None,
    per: Sequence[str],
) -> list[Doomed]:
    """Return the files that are old by every rule that was given, oldest first."""
    ages = sorted(_with_age(found), key=lambda each: each.saved, reverse=True)
    if keep_last is not None:
        ages = list(_beyond(ages, keep_last, per))
    if older_than is not None:
        now = datetime.datetime.now(datetime.UTC)
        ages = [each for each in ages if now - each.saved > older_than]
    return [each.file for each in reversed(ages)]


def _with_age(entries: Index) -> Iterator[_Aged]:
    with progress("read headers", len(entries)) as advance:
        for entry in entries:
            advance(1)
            with suppress(OSError, OverflowError, ValueError):
                # Before its header is read: one that is replaced meanwhile is kept.
                file = Doomed.of(entry.path)
                yield _Aged(_saved(entry.path), entry, file)


def _saved(path: str) -> datetime.datetime:
    saved = header_of(path)[0].get("time")
    if isinstance(saved, datetime.datetime):
        return saved
    written = os.stat(path).st_mtime
    return datetime.datetime.fromtimestamp(written, datetime.UTC)


def _beyond(
    newest_first: Iterable[_Aged], count: int, per: Sequence[str]
) -> Iterator[_Aged]:
    """Yield what comes behind the first of each group."""
    seen: dict[object, int] = defaultdict(int)
    for each in newest_first:
        tags = (tuple(each.entry.tags.values_of(tag)) for tag in per)
        group = (each.entry.fullname, *tags)
        seen[group] += 1
        if seen[group] > count:
            yield each
