"""`checkpoints ls ROOT`."""

from __future__ import annotations

import csv
import datetime
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import click

import checkpoints
from checkpoints import Entry, Index
from checkpoints.cli._header import header_of, shape_of, type_of
from checkpoints.cli._json_text import json_text
from checkpoints.cli._quantity import moment_text, size_text
from checkpoints.cli._screen import Screen, tell
from checkpoints.cli._selection import (
    chosen,
    nothing_of,
    selected,
    tell_unreadable,
)
from checkpoints.cli._table import Column, Table
from checkpoints.cli._tree import tree_lines

__all__ = ["ls"]

_EXAMPLES = """\b
Examples:
  checkpoints ls saved
  checkpoints ls saved 'mypkg.*' --where day='2026-03-*' --where shop='north|south'
  checkpoints ls saved --tree
  checkpoints ls saved --long --sort saved --reverse --limit 20
"""
# More columns than that are no table that somebody reads.
_MOST_TAGS = 8
_SIZE = Column("size", is_right=True, width=8)
_TIME = Column("written (UTC)", "dim", width=19)
_DAMAGED = "damaged: "


@click.command(epilog=_EXAMPLES)
@selected
@click.option("--tree", "as_tree", is_flag=True, help="Show folders as a tree.")
@click.option("-l", "--long", "is_long", is_flag=True, help="Read the headers too.")
@click.option("--latest", is_flag=True, help="Only the newest file of each key.")
@click.option("--sort", metavar="COLUMN", multiple=True, help="Sort by a column.")
@click.option("--reverse", is_flag=True, help="With --sort, the greatest first.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Show N.")
@click.option("--json", "form", flag_value="json", help="Print a list of JSON.")
@click.option("--csv", "form", flag_value="csv", help="Print CSV, times in UTC.")
@click.pass_context
def ls(  # noqa: PLR0913 - each is an option of its own
    context: click.Context,
    root: str,
    names: tuple[str, ...],
    *,
    where: tuple[str, ...],
    as_tree: bool,
    is_long: bool,
    latest: bool,
    sort: tuple[str, ...],
    reverse: bool,
    limit: int | None,
    form: str | None,
) -> None:
    """
    List what was saved under ROOT.

    NAMES are exact names, which take all below them as well, or globs. Sizes and
    times are those of the files; --long reads the headers, and marks those that are
    damaged. Columns to sort by are name, path, size, time, a tag, and run, sequence
    or saved of the headers.

    The exit code is 0; 1 if nothing was found, a folder could not be listed or a
    header is damaged; 2 if there is no such root.
    """
    if as_tree and (form or is_long or sort):
        raise click.UsageError("--tree goes with no --json, --csv, --long or --sort")
    found = chosen(root, names, where)
    is_partial = tell_unreadable(found)
    found = found.latest() if latest else found
    found = found.sort(*sort, reverse=reverse) if sort else found
    if not len(found) and not form:
        raise nothing_of(found, root, filtered=bool(names or where))
    listing = _Listing(found[:limit], is_long=is_long)
    {"json": listing.as_json, "csv": listing.as_csv, None: listing.as_table}[
        form
    ]() if not as_tree else listing.as_tree()
    if len(found) > len(listing.entries):
        tell(f"and {len(found) - len(listing.entries):,} more, without --limit")
    context.exit(1 if is_partial or listing.damaged or not len(found) else 0)


class _Listing:
    """Entries to be printed, those that vanish meanwhile left out."""

    def __init__(self, entries: Index, *, is_long: bool) -> None:
        self.entries = entries
        self.damaged = 0
        self._is_long = is_long
        self._screen = Screen()

    def as_table(self) -> None:
        tags = list(
            dict.fromkeys(name for each in self.entries for name, _ in each.tags)
        )
        tags = tags if len(tags) <= _MOST_TAGS else []
        told = [Column(checkpoints.printable(tag)) for tag in tags] or [Column("tags")]
        if not any(each.tags for each in islice(self.entries, None)):
            told = []
        long = [Column("saved (UTC)", "dim", width=19), Column("run"), Column("values")]
        last = long if self._is_long else [_TIME]
        table = Table(self._screen, [Column("name", "cyan"), *told, _SIZE, *last])
        rows = self._rows(tags, has_tags=bool(told))
        if self._is_long:
            rows = iter(list(rows))
            rows = self._measured(table, rows)
        else:
            for each in self.entries:
                table.measure(_texts_of(each, tags, has_tags=bool(told)))
        table.fit()
        self._screen.line(table.heading())
        count, total = 0, 0
        for cells, size in rows:
            is_damaged = cells[-1].startswith(_DAMAGED)
            self._screen.line(table.row(cells, "red" if is_damaged else ""))
            count, total = count + 1, total + size
        if self._screen.is_terminal:
            line = f"{count:,} entries, {size_text(total)}"
            self._screen.line(self._screen.styled(line, "dim"))

    def _measured(
        self, table: Table, rows: Iterable[tuple[list[str], int]]
    ) -> Iterator[tuple[list[str], int]]:
        known = list(rows)
        for cells, _ in known:
            table.measure(cells)
        return iter(known)

    def as_tree(self) -> None:
        screen = self._screen
        screen.line(screen.styled(checkpoints.printable(self.entries.root), "bold"))
        entries = (
            (entry, f"{size_text(status.st_size)}, {moment_text(status.st_mtime)}")
            for entry, status in _there(self.entries)
        )
        lines = tree_lines(entries, has_glyphs=screen.has_glyphs)
        for drawn, label, told in lines:
            told = told and "  " + screen.styled(told, "dim")
            label = screen.styled(label, "cyan" if told else "")
            screen.line(screen.styled(drawn, "dim") + label + told)

    def as_json(self) -> None:
        start = "[\n"
        for record in self._records():
            self._screen.line(start + json_text(record, indent=None))
            start = ", "
        self._screen.line("[]" if start == "[\n" else "]")

    def as_csv(self) -> None:
        tags = list(
            dict.fromkeys(name for each in self.entries for name, _ in each.tags)
        )
        fields = ["name", "path", "number", "size", "time"]
        fields += ["run", "sequence", "saved", "error"] if self._is_long else []
        # What is read by a program is to be as it was; only people are in danger.
        shown = checkpoints.printable if self._screen.is_terminal else str
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(errors="surrogateescape")
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(map(shown, [*fields, *(f"tag_{tag}" for tag in tags)]))
        for record in self._records():
            pairs = dict(record["tags"])
            cells = [record[field] for field in fields] + [pairs.get(it) for it in tags]
            writer.writerow("" if it is None else shown(str(it)) for it in cells)

    def _records(self) -> Iterator[dict[str, Any]]:
        for entry, status in _there(self.entries):
            record: dict[str, Any] = {
                "name": entry.fullname,
                "path": entry.path,
                "number": entry.number,
                "tags": list(entry.tags),
                "size": status.st_size,
                "time": _iso(status.st_mtime),
            }
            if self._is_long:
                record |= self._long_record(entry)
            yield record

    def _long_record(self, entry: Entry) -> dict[str, Any]:
        meta, error = header_of(entry.path)
        self.damaged += bool(error)
        return {
            "run": meta.get("run"),
            "sequence": meta.get("sequence"),
            "saved": meta.get("time"),
            "values": {
                name: {"kind": node.get("kind"), "bytes": node.get("bytes")}
                for name, node in meta.get("values", {}).items()
            },
            "error": error or None,
        }

    def _rows(
        self, tags: Sequence[str], *, has_tags: bool
    ) -> Iterator[tuple[list[str], int]]:
        for entry, status in _there(self.entries):
            cells = _texts_of(entry, tags, has_tags=has_tags)
            cells.append(size_text(status.st_size))
            if self._is_long:
                cells += self._long_cells(entry)
            else:
                cells.append(moment_text(status.st_mtime))
            yield cells, status.st_size

    def _long_cells(self, entry: Entry) -> list[str]:
        meta, error = header_of(entry.path)
        if error:
            self.damaged += 1
            return ["", "", checkpoints.printable(_DAMAGED + error)]
        values = ", ".join(map(_value_text, *zip(*meta["values"].items(), strict=True)))
        saved = moment_text(meta["time"].timestamp())
        return [saved, *map(checkpoints.printable, [str(meta.get("run")), values])]


def _value_text(name: str, node: Mapping[str, Any]) -> str:
    kind = " ".join(filter(None, [type_of(node), shape_of(node)]))
    return f"{name} ({kind})"


def _texts_of(entry: Entry, tags: Sequence[str], *, has_tags: bool) -> list[str]:
    number = f" ({entry.number})" if entry.number > 1 else ""
    texts = [entry.fullname + number]
    if tags:
        texts += [", ".join(entry.tags.values_of(tag)) for tag in tags]
    elif has_tags:
        texts.append(" ".join(f"{name}={value}" for name, value in entry.tags))
    return list(map(checkpoints.printable, texts))


def _there(entries: Iterable[Entry]) -> Iterator[tuple[Entry, os.stat_result]]:
    for entry in entries:
        try:
            yield entry, os.stat(entry.path)
        except OSError:  # it vanished since the folder was listed
            continue


def _iso(seconds: float) -> str | None:
    try:
        return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return None
