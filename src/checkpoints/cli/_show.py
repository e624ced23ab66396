"""`checkpoints show ENTRY [VALUE]`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import click

from checkpoints import Entry
from checkpoints._show.header import fields_of, json_text, rows_of
from checkpoints._show.preview import Preview, preview_of
from checkpoints._text import printable
from checkpoints.cli._completion import complete_entry
from checkpoints.cli._quantity import as_size
from checkpoints.cli._screen import Screen, tell
from checkpoints.cli._selection import (
    NotLoaded,
    header_of,
    loaded,
    one_of,
    where_option,
)
from checkpoints.cli._table import Column, Table

__all__ = ["show"]

_EXAMPLES = """\b
Examples:
  checkpoints show saved/day=monday/mypkg/fit.ckpt.zip
  checkpoints show saved mypkg.fit --where day=monday
  checkpoints show saved mypkg.fit coef --where day=monday
"""
_STATISTICS = ("nulls", "NaN", "Inf", "min", "max", "mean", "std", "histogram")
_COUNTS = ("nulls", "NaN", "Inf")
# A count is worth its column where there is something to count.
_NOTHING = ((None, ""), (None, "", 0))
_INDENT = 2
_VALUES = (
    Column("value", "cyan", stays=True),
    Column("kind"),
    Column("of", gives_way=True),
    Column("shape"),
    Column("size", is_right=True),
)


@click.command(epilog=_EXAMPLES)
@click.argument("entry", nargs=-1, required=True, shell_complete=complete_entry)
@where_option
@click.option("--latest", is_flag=True, help="The newest file of each key.")
@click.option("--values", "has_values", is_flag=True, help="Look into all values.")
@click.option(
    "--rows",
    type=click.IntRange(min=0),
    default=10,
    metavar="N",
    help="Show N rows of each value; 10 unless given.",
)
@click.option("--trusted", is_flag=True, help="Load pickles, which can run any code.")
@click.option(
    "--max-bytes",
    type=as_size,
    metavar="SIZE",
    help="Load no more than that, such as 500MB.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def show(  # noqa: PLR0913 - each is an option of its own
    context: click.Context,
    entry: tuple[str, ...],
    *,
    where: tuple[str, ...],
    latest: bool,
    has_values: bool,
    rows: int,
    trusted: bool,
    max_bytes: int | None,
    as_json: bool,
) -> None:
    """
    Show the header of one saved file, and the values that are named.

    ENTRY is a path, or a root, a name and as many --where as it takes to mean one
    entry. Behind it may stand VALUEs, which are loaded: their first rows, statistics,
    the beginning of a text, the size of a picture. A pickle is loaded only with
    --trusted.

    The exit code is 0; 1 if nothing was found, or a header or a value is damaged or
    cannot be loaded; 2 if there is no such file, no such value, or several entries.
    """
    found, names = one_of(entry, where, latest=latest)
    path = found.path if isinstance(found, Entry) else found
    if isinstance(found, str):
        os.stat(path)  # one that is not there is told as such
    meta, error = header_of(path)
    if error:
        tell(f"{path}: its header cannot be read: {error}")
        context.exit(1)
    checked = _checked(names, meta["values"], path) or (
        list(meta["values"]) if has_values else []
    )
    loaded = _Loaded(path, trusted=trusted, max_bytes=max_bytes, rows=rows)
    previews = {name: loaded.preview(name) for name in checked}
    if as_json:
        click.echo(_as_json(meta, path, previews))
    else:
        for line in _Page(Screen()).lines(meta, path, previews):
            click.echo(line)
    context.exit(1 if loaded.failed else 0)


def _checked(
    names: Sequence[str], known: Mapping[str, object], path: str
) -> Sequence[str]:
    for name in names:
        if name not in known:
            message = f"{path} holds no value {name!r}; there are {', '.join(known)}"
            raise click.UsageError(printable(message))
    return names


class _Loaded:
    """The values of a file, one by one, so that one alone is in memory."""

    def __init__(
        self, path: str, *, trusted: bool, max_bytes: int | None, rows: int
    ) -> None:
        self._path, self._rows = path, rows
        self._trusted, self._max_bytes = trusted, max_bytes
        self.failed = False

    def preview(self, name: str) -> Preview | str:
        """Return what is shown of a value, or why it cannot be."""
        try:
            value = loaded(
                self._path, name, trusted=self._trusted, max_bytes=self._max_bytes
            )
            return preview_of(value, self._rows)
        except NotLoaded as error:
            self.failed = True
            return error.message
        except Exception as error:  # noqa: BLE001 - of its library, or of its pickle
            self.failed = True
            return f"it cannot be shown: {type(error).__name__}: {error}"


class _Page:
    """A file, as it is printed."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen

    def lines(
        self,
        meta: Mapping[str, Any],
        path: str,
        previews: Mapping[str, Preview | str],
    ) -> Iterator[str]:
        screen = self._screen
        yield screen.styled(printable(str(meta["name"])), "bold")
        for name, text in fields_of(meta, path):
            told = printable(text)
            yield f"  {screen.styled(f'{name:6}', 'dim')}{told}"
        yield ""
        yield from Table(screen, _VALUES).lines(list(rows_of(meta)))
        for name, preview in previews.items():
            yield ""
            yield screen.styled(printable(name), "bold")
            if isinstance(preview, str):
                yield "  " + screen.styled(printable(preview), "red")
            else:
                yield from (" " * _INDENT + it for it in self._of_value(preview))

    def _of_value(self, preview: Preview) -> Iterator[str]:
        screen = self._screen
        if preview.facts:
            told = [f"{name} {_number(it)}" for name, it in preview.facts.items()]
            yield ", ".join(told)
        bars, meaning = preview.bars
        if bars and screen.has_glyphs:
            yield f"{screen.styled(bars, 'cyan')}  {screen.styled(meaning, 'dim')}"
        yield from preview.lines
        if preview.heading:
            columns = [Column(name) for name in preview.heading]
            yield from Table(screen, columns, _INDENT).lines(preview.rows)
        if preview.columns:
            yield ""
            yield from self._of_columns(preview.columns)

    def _of_columns(self, columns: Sequence[Mapping[str, Any]]) -> Iterator[str]:
        told = [
            field
            for field in _STATISTICS
            if any(
                each.get(field) not in _NOTHING[field in _COUNTS] for each in columns
            )
            and (field != "histogram" or self._screen.has_glyphs)
        ]
        heading = [Column("column", "cyan"), Column("dtype", "dim", gives_way=True)]
        heading += [Column(it, is_right=it != "histogram") for it in told]
        rows = [
            [printable(f"{each[it]}") for it in ("column", "dtype")]
            + [_number(each.get(it, "")) for it in told]
            for each in columns
        ]
        yield from Table(self._screen, heading, _INDENT).lines(rows)


def _number(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _as_json(
    meta: Mapping[str, Any], path: str, previews: Mapping[str, Preview | str]
) -> str:
    shown = {
        name: {"error": preview} if isinstance(preview, str) else asdict(preview)
        for name, preview in previews.items()
    }
    return json_text({"path": path, **meta, "previews": shown})
