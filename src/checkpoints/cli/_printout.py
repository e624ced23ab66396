"""Entries as output: a table, a tree, JSON or CSV."""

from __future__ import annotations

import codecs
import csv
import datetime
import io
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from checkpoints import Entry, Index
from checkpoints._show.header import json_text, shape_of, type_of
from checkpoints._text import count_text, moment_text, printable, size_text
from checkpoints.cli._place import with_status
from checkpoints.cli._screen import Screen, progress
from checkpoints.cli._selection import read_header
from checkpoints.cli._table import Column, Table, tree_lines

__all__ = ["Printout"]

# With more tags, a column for each would be unreadable.
_MOST_TAGS = 8
# Entries between two reports of progress, which take longer than an entry.
_STEP = 1000
_SIZE = Column("size", is_right=True, width=8)
# The shorter widths end at the minute and at the day.
_TIME = Column("", "dim", width=19, shorter=(16, 10), is_optional=True)
_WRITTEN = _TIME._replace(heading="written (UTC)")
_LONG = (
    _TIME._replace(heading="saved (UTC)"),
    Column("run", shrinks_first=True, is_optional=True),
    Column("values", shrinks_first=True),
)
_DAMAGED = "damaged: "
_NANOSECONDS = 10**9
_PATH_ERRORS = "checkpoints-paths"
_FIELDS = ("kind", "type", "dtype", "shape", "bytes")


class Printout:
    """
    Entries to print; files that are deleted in the meantime are left out.

    Args:
        entries: The entries.
        is_long: Whether to read their headers.
    """

    def __init__(self, entries: Index, *, is_long: bool) -> None:
        self.entries = entries
        self.damaged = 0
        self._is_long = is_long
        self._screen = Screen()
        tags = (name for entry in entries for name in entry.tags)
        self._tags = list(dict.fromkeys(tags))

    def as_table(self) -> None:
        """Print a table."""
        table = Table(self._screen, self._columns())
        rows: list[tuple[list[str], int]] = []
        with progress("listing", len(self.entries)) as advance:
            entries = _counted(self.entries, advance)
            if self._is_long:
                # Kept in memory, so that each header is read only once.
                rows = list(self._rows(entries))
                for cells, _ in rows:
                    table.measure(cells)
            else:
                for entry in entries:
                    table.measure(self._texts_of(entry))
        table.fit()
        self._print(table, rows or self._rows(self.entries))

    def _print(self, table: Table, rows: Iterable[tuple[list[str], int]]) -> None:
        screen = self._screen
        screen.line(table.heading())
        count = total = 0
        for cells, size in rows:
            is_damaged = cells[-1].startswith(_DAMAGED)
            screen.line(table.row(cells, "red" if is_damaged else ""))
            count, total = count + 1, total + size
        if screen.is_terminal:
            line = f"{count_text(count, 'entry')}, {size_text(total)}"
            screen.line(screen.styled(line, "dim"))

    def _columns(self) -> list[Column]:
        # Julia's folders may be tags without a name.
        tags = [Column(printable(tag) or "''") for tag in self._tags]
        if len(tags) > _MOST_TAGS:
            tags = [Column("tags")]
        last = _LONG if self._is_long else (_WRITTEN,)
        return [Column("name", "cyan", is_fixed=True), *tags, _SIZE, *last]

    def as_tree(self) -> None:
        """Print a tree."""
        screen = self._screen
        screen.line(screen.styled(printable(self.entries.root), "bold"))
        entries = (
            (
                entry,
                f"{size_text(status.size)}, {moment_text(status.time / _NANOSECONDS)}",
            )
            for entry, status in with_status(self.entries)
        )
        lines = tree_lines(entries, has_glyphs=screen.has_glyphs)
        for branch, label, details in lines:
            line = screen.styled(branch, "dim")
            line += screen.styled(label, details and "cyan")
            screen.line(line + (details and "  " + screen.styled(details, "dim")))

    def as_json(self) -> None:
        """Print a JSON array, one entry per line."""
        start = "[\n"
        for record in self._records():
            self._screen.line(start + json_text(record, indent=None))
            start = ", "
        self._screen.line("[]" if start == "[\n" else "]")

    def as_csv(self) -> None:
        """Print CSV."""
        fields = ["name", "path", "number", "size", "time"]
        fields += ["run", "sequence", "saved", "error"] if self._is_long else []
        # Other programs get the exact text; only a terminal needs escapes.
        as_cell = printable if self._screen.is_terminal else str
        if isinstance(sys.stdout, io.TextIOWrapper):
            codecs.register_error(_PATH_ERRORS, _path_or_escaped)
            sys.stdout.reconfigure(errors=_PATH_ERRORS)
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(map(as_cell, [*fields, *(f"tag_{tag}" for tag in self._tags)]))
        for record in self._records():
            pairs = record["tags"]
            cells = [record[field] for field in fields] + [
                pairs.get(tag) for tag in self._tags
            ]
            writer.writerow("" if it is None else as_cell(str(it)) for it in cells)

    def _records(self) -> Iterator[dict[str, Any]]:
        for entry, status in with_status(self.entries):
            record: dict[str, Any] = {
                "name": entry.name,
                "path": entry.path,
                "number": entry.number,
                "tags": dict(entry.tags.items()),
                "tag_pairs": entry.tags.items(),
                "size": status.size,
                "time": _iso(status.time / _NANOSECONDS),
            }
            if self._is_long:
                record |= self._long_record(entry)
            yield record

    def _long_record(self, entry: Entry) -> dict[str, Any]:
        meta, error = read_header(entry)
        self.damaged += bool(error)
        return {
            "run": meta.get("run"),
            "sequence": meta.get("sequence"),
            "saved": meta.get("time"),
            "values": {
                name: {field: node.get(field) for field in _FIELDS}
                for name, node in meta.get("values", {}).items()
            },
            "error": error or None,
        }

    def _rows(self, entries: Iterable[Entry]) -> Iterator[tuple[list[str], int]]:
        for entry, status in with_status(self.entries, entries):
            cells = self._texts_of(entry)
            cells.append(size_text(status.size))
            if self._is_long:
                cells += self._long_cells(entry)
            else:
                cells.append(moment_text(status.time / _NANOSECONDS))
            yield cells, status.size

    def _texts_of(self, entry: Entry) -> list[str]:
        number = f" ({entry.number})" if entry.number > 1 else ""
        if len(self._tags) > _MOST_TAGS:
            tags = [" ".join(f"{name}={value}" for name, value in entry.tags.items())]
        else:
            tags = [", ".join(entry.tags.values_of(tag)) for tag in self._tags]
        return list(map(printable, [entry.name + number, *tags]))

    def _long_cells(self, entry: Entry) -> list[str]:
        meta, error = read_header(entry)
        if error:
            self.damaged += 1
            return ["", "", printable(_DAMAGED + error)]
        values = ", ".join(_value_text(*pair) for pair in meta["values"].items())
        saved = moment_text(meta["time"].timestamp())
        return [saved, *map(printable, [str(meta.get("run", "")), values])]


def _path_or_escaped(error: UnicodeError) -> tuple[str | bytes, int]:
    """Restore the undecodable bytes of a path; escape anything else."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    start, context = error.start, (error.encoding, error.object)
    first = UnicodeEncodeError(*context, start, start + 1, error.reason)
    try:
        return codecs.lookup_error("surrogateescape")(first)
    except UnicodeError:
        return codecs.backslashreplace_errors(first)


def _value_text(name: str, node: Mapping[str, Any]) -> str:
    # The columns of a table would not fit in a line.
    kind = str(node.get("kind")) if "schema" in node else type_of(node)
    text = " ".join(filter(None, [kind or str(node.get("kind")), shape_of(node)]))
    return f"{name} ({text})"


def _counted(entries: Iterable[Entry], advance: Callable[..., None]) -> Iterator[Entry]:
    """Yield entries, and tell from time to time how many there were."""
    for number, entry in enumerate(entries):
        if number % _STEP == 0:
            advance(min(number, _STEP))
        yield entry


def _iso(seconds: float) -> str | None:
    try:
        return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return None
