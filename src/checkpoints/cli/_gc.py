"""`checkpoints gc ROOT`."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import click

from checkpoints import Entry, Index
from checkpoints._text import count_text, files_text, hint
from checkpoints.cli._failures import CommandError
from checkpoints.cli._old_runs import files_of_runs, old_runs
from checkpoints.cli._quantity import as_age
from checkpoints.cli._removal import (
    Candidate,
    candidates,
    files_json,
    leftovers,
    list_candidates,
    remove,
)
from checkpoints.cli._screen import progress, warn
from checkpoints.cli._selection import (
    nothing_found,
    read_header,
    select,
    selection_arguments,
    warn_unreadable,
)

__all__ = ["gc"]

_EXAMPLES = """\b
Examples:
  checkpoints gc saved --older-than 14d
  checkpoints gc saved 'mypkg.*' --keep-last 5 --per shop --older-than 2w --yes
  checkpoints gc .checkpoints --keep-runs 10 --yes
  checkpoints gc saved
"""


@click.command(epilog=_EXAMPLES)
@selection_arguments
@click.option(
    "--older-than",
    type=as_age,
    metavar="AGE",
    help="Delete entries saved longer ago than this, such as 14d.",
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
    help="With --keep-last, keep N for each value of this tag. Can be repeated.",
)
@click.option(
    "--keep-runs",
    type=click.IntRange(min=1),
    metavar="N",
    help="Delete runs, except the last N and those that have a name.",
)
@click.option(
    "--named", is_flag=True, help="With --keep-runs, delete runs with a name as well."
)
@click.option(
    "--unfinished-for",
    type=as_age,
    default="1d",
    show_default=True,
    metavar="AGE",
    help="Delete unfinished files that were not touched for this long.",
)
@click.option("--yes", is_flag=True, help="Delete, instead of only reporting.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def gc(  # noqa: PLR0913 - one parameter per option
    context: click.Context,
    root: str,
    names: tuple[str, ...],
    *,
    where: tuple[str, ...],
    older_than: datetime.timedelta | None,
    keep_last: int | None,
    per: tuple[str, ...],
    keep_runs: int | None,
    named: bool,
    unfinished_for: datetime.timedelta,
    yes: bool,
    as_json: bool,
) -> None:
    """
    Delete old entries and leftovers of killed processes.

    Without --yes it only reports what it would delete. An entry is deleted if it
    matches NAMES and --where, is older than --older-than, and is not among the newest
    that --keep-last keeps. Without these options no entry is deleted.

    --keep-last counts entries, whatever run they are of. --keep-runs counts runs, and
    deletes the entries of all but the last N, which stay whole; with --older-than only
    those of runs that began longer ago. A run that has a name, or is running, stays.

    The age is the time since the save, from the header. A file with an unreadable
    header does not count for --keep-last, which reports and keeps it; --older-than
    alone uses the age of the file. Only headers are read: run `checkpoints verify` to
    find damage in the values.

    An unfinished file is deleted if no process of this machine has the id in its name,
    and it was not touched for the time of --unfinished-for. Folders that become empty
    are deleted too.

    The exit code is 0; 1 if NAMES or --where match nothing, or something could not be
    listed, read or deleted; 2 if the command could not run.
    """
    has_rule = older_than is not None or keep_last is not None
    _check_options(
        has_filter=bool(names or where),
        has_rule=has_rule,
        keep_last=keep_last,
        keep_runs=keep_runs,
        per=per,
        named=named,
    )
    found = select(root, names, where)
    is_partial = warn_unreadable(found)
    if (names or where) and not len(found):
        nothing_found(found).show()
        is_partial = True
    _check_tags(per, found)
    ages = list(_with_age(found)) if has_rule and not keep_runs else []
    if keep_last is not None:
        known = list(_with_readable_header(ages))
        is_partial |= len(known) < len(ages)
        ages = list(_beyond_newest(known, keep_last, per))
        _warn_of_fragments(known, ages)
    files = _old_files(ages, older_than)
    if keep_runs:
        old = old_runs(root, keep_runs, older_than, named=named)
        files += files_of_runs(found, old, with_records=not (names or where))
    files += leftovers(found.root, unfinished_for)
    if not as_json:
        list_candidates(files)
    if not yes:
        if not (files or has_rule or keep_runs):
            warn("no entry is old without --older-than, --keep-last or --keep-runs")
        total = files_text(len(files), sum(file.size for file in files))
        told = f"would delete {total}" + ("; use --yes to delete" if files else "")
        click.echo(files_json(files, deleted=0) if as_json else told)
        context.exit(int(is_partial))
    count, size, failed = remove(found.root, files)
    told = f"deleted {files_text(count, size)}"
    click.echo(files_json(files, deleted=count) if as_json else told)
    context.exit(int(failed or is_partial))


def _check_options(
    *,
    has_filter: bool,
    has_rule: bool,
    keep_last: int | None,
    keep_runs: int | None,
    per: tuple[str, ...],
    named: bool,
) -> None:
    """
    Check that the options go together.

    Raises:
        click.UsageError: If they do not.
    """
    if has_filter and not (has_rule or keep_runs):
        message = "NAMES and --where need --older-than, --keep-last or --keep-runs"
        raise click.UsageError(message)
    if keep_runs and keep_last:
        raise click.UsageError("--keep-runs cannot be combined with --keep-last")
    if per and keep_last is None:
        raise click.UsageError("--per needs --keep-last")
    if named and keep_runs is None:
        raise click.UsageError("--named needs --keep-runs")


def _warn_of_fragments(known: Sequence[_Aged], old: Sequence[_Aged]) -> None:
    """Say so if runs are to keep a part of their entries."""
    paths = {aged.file.path for aged in old}
    kept = {aged.run for aged in known if aged.file.path not in paths}
    partly = kept & {aged.run for aged in old}
    if partly and len({aged.run for aged in known}) > 1:
        count = count_text(len(partly), "run")
        warn(f"{count} would keep only a part; --keep-runs N keeps runs whole")


def _check_tags(per: Sequence[str], found: Index) -> None:
    """Check that some entry has each tag: a mistyped one would keep fewer entries."""
    known = list({tag: None for entry in found for tag in entry.tags}) if per else []
    for tag in per:
        if len(found) and tag not in known:
            raise CommandError(
                f"--per {tag}: no entry has this tag; {hint(tag, known)}"
            )


class _Aged(NamedTuple):
    """An entry, its run, when it was saved, and what is wrong with its header."""

    saved: datetime.datetime
    sequence: int
    entry: Entry
    file: Candidate
    damage: str
    run: str

    @property
    def rank(self) -> tuple[datetime.datetime, int, int]:
        """What orders entries from old to new, as in `Index.latest`."""
        return self.saved, self.sequence, self.entry.number


def _old_files(
    ages: Iterable[_Aged], older_than: datetime.timedelta | None
) -> list[Candidate]:
    """Return the files that are old enough, oldest first."""
    now = datetime.datetime.now(datetime.UTC)
    return [
        aged.file
        for aged in sorted(ages, key=lambda aged: aged.rank)
        if older_than is None or now - aged.saved > older_than
    ]


def _with_age(entries: Index) -> Iterator[_Aged]:
    with progress("reading headers", len(entries)) as advance:
        # Its state is taken before the header is read, so that a file replaced in the
        # meantime is kept.
        for entry, file in candidates(entries):
            advance(1)
            yield _aged(entry, file)


def _aged(entry: Entry, file: Candidate) -> _Aged:
    meta, damage = read_header(entry)
    try:
        saved = meta["time"].astimezone(datetime.UTC)
    except (KeyError, ValueError, OverflowError) as error:
        damage = damage or f"{entry.path}: the time in its header is invalid: {error}"
        saved = _datetime(file.written)
    number = meta.get("sequence")
    sequence = number if isinstance(number, int) else 0
    return _Aged(saved, sequence, entry, file, damage, str(meta.get("run")))


def _datetime(seconds: float) -> datetime.datetime:
    try:
        return datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    except (ValueError, OverflowError, OSError):
        # The time of a file can be out of range; then the file does not count as old.
        return datetime.datetime.max.replace(tzinfo=datetime.UTC)


def _with_readable_header(ages: Iterable[_Aged]) -> Iterator[_Aged]:
    """Yield the entries whose age is known; report the others, which are kept."""
    for aged in ages:
        if aged.damage:
            warn(f"kept, not counted: {aged.damage}")
        else:
            yield aged


def _beyond_newest(
    ages: Iterable[_Aged], count: int, per: Sequence[str]
) -> Iterator[_Aged]:
    """Yield all but the newest entries of each group."""
    seen: dict[object, int] = defaultdict(int)
    for aged in sorted(ages, key=lambda aged: aged.rank, reverse=True):
        tags = (tuple(aged.entry.tags.values_of(tag)) for tag in per)
        group = (aged.entry.name, *tags)
        seen[group] += 1
        if seen[group] > count:
            yield aged
