"""`checkpoints show ENTRY [VALUE]`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import click

from checkpoints import Entry
from checkpoints._process.budget import Budget, within
from checkpoints._show.header import fields_of, json_text, rows_of
from checkpoints._show.preview import Preview, preview_of
from checkpoints._text import hint, printable
from checkpoints.cli._completion import complete_entry
from checkpoints.cli._failures import CommandError
from checkpoints.cli._quantity import as_size
from checkpoints.cli._screen import Screen, warn
from checkpoints.cli._selection import (
    NotLoadedError,
    load_value,
    one_entry,
    read_header,
    where_option,
)
from checkpoints.cli._table import Column, Table
from checkpoints.storage import split_path

__all__ = ["show"]

_EXAMPLES = """\b
Examples:
  checkpoints show saved/day=monday/mypkg/fit.ckpt.zip
  checkpoints show saved mypkg.fit --where day=monday
  checkpoints show saved mypkg.fit coef --where day=monday
"""
_STATISTICS = ("nulls", "NaN", "Inf", "min", "max", "mean", "std", "histogram")
_COUNTS = ("nulls", "NaN", "Inf")
# Columns of these values alone are left out; in columns of counts, 0 is one of them.
_EMPTY = ((None, ""), (None, "", 0))
_INDENT = 2
_VALUES = (
    Column("value", "cyan", is_fixed=True),
    Column("kind"),
    Column("of", shrinks_first=True),
    Column("shape"),
    Column("size", is_right=True),
)


@click.command(epilog=_EXAMPLES)
@click.argument(
    "entry",
    nargs=-1,
    required=True,
    metavar="ENTRY [VALUE]...",
    shell_complete=complete_entry,
)
@where_option
@click.option("--latest", is_flag=True, help="Only the newest file of each key.")
@click.option("--values", "has_values", is_flag=True, help="Show all values.")
@click.option(
    "--rows",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    metavar="N",
    help="Show N rows of each value.",
)
@click.option("--trusted", is_flag=True, help="Load pickles, which can run any code.")
@click.option(
    "--max-bytes",
    type=as_size,
    metavar="SIZE",
    help="Limit the memory for values and previews, such as 500MB.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def show(  # noqa: PLR0913 - one parameter per option
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
    Show the header of a saved file, and its values.

    ENTRY is the path of a file, or a root, a name and --where options that select one
    entry. Each VALUE is loaded and summarised: its first rows and statistics, the
    beginning of a text, the size of a picture. A pickle is loaded only with
    --trusted.

    The exit code is 0; 1 if nothing was found, or the header or a value is damaged or
    cannot be loaded; 2 if there is no such file or value, or several entries match.
    """
    found, names = one_entry(entry, where, latest=latest)
    path = found.path if isinstance(found, Entry) else found
    if isinstance(found, str):
        _check_there(path)
    loader = _Loader(path, trusted=trusted, rows=rows)
    with within(Budget(path, max_bytes), "its header"):
        meta, error = read_header(found)
        if error:
            warn(f"{path}: cannot read the header: {error}")
            context.exit(1)
        _check_known(names, meta["values"], path)
        values = names or (list(meta["values"]) if has_values else [])
        previews = {name: loader.preview(name) for name in values}
    for name, preview in previews.items():
        _name_dtypes(preview, meta["values"][name].get("schema"))
    if as_json:
        click.echo(_as_json(meta, path, previews))
    else:
        for line in _Page(Screen()).lines(meta, path, previews):
            click.echo(line)
    context.exit(1 if loader.failed else 0)


def _check_there(path: str) -> None:
    """Raise `OSError` if a file is missing, which is no damage of it."""
    store, name = split_path(path)
    with store.open(name):
        pass


def _check_known(names: Sequence[str], known: Mapping[str, object], path: str) -> None:
    for name in names:
        if name not in known:
            raise CommandError(f"{path} has no value {name!r}; {hint(name, known)}")


def _name_dtypes(preview: Preview | str, schema: object) -> None:
    """Give columns the dtypes of the header, instead of those of the conversion."""
    if isinstance(preview, str) or not isinstance(schema, list):
        return
    known = {
        str(column[0]): str(column[1])
        for column in schema
        if isinstance(column, list) and len(column) > 1
    }
    for column in preview.columns:
        column["dtype"] = known.get(column["column"], column["dtype"])


class _Loader:
    """Loads the values of a file one by one, so that only one is in memory."""

    def __init__(self, path: str, *, trusted: bool, rows: int) -> None:
        self._path, self._rows = path, rows
        self._trusted = trusted
        self.failed = False

    def preview(self, name: str) -> Preview | str:
        """Return the preview of a value, or why there is none."""
        try:
            with within(Budget(self._path), "a preview"):
                value = load_value(self._path, name, trusted=self._trusted)
                return preview_of(value, self._rows)
        except NotLoadedError as error:
            self.failed = True
            return error.message
        except Exception as error:  # noqa: BLE001 - raised by a library or a pickle
            self.failed = True
            return f"cannot show this value: {type(error).__name__}: {error}"


class _Page:
    """A file as text."""

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
            yield f"  {screen.styled(f'{name:6}', 'dim')}{printable(text)}"
        yield ""
        yield from Table(screen, _VALUES).lines(list(rows_of(meta)))
        for name, preview in previews.items():
            yield ""
            yield screen.styled(printable(name), "bold")
            if isinstance(preview, str):
                yield "  " + screen.styled(printable(preview), "red")
            else:
                yield from (" " * _INDENT + line for line in self._of_value(preview))

    def _of_value(self, preview: Preview) -> Iterator[str]:
        screen = self._screen
        if preview.facts:
            facts = preview.facts.items()
            yield ", ".join(f"{name} {_number(fact)}" for name, fact in facts)
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
        shown = [
            field
            for field in _STATISTICS
            if any(
                column.get(field) not in _EMPTY[field in _COUNTS] for column in columns
            )
            and (field != "histogram" or self._screen.has_glyphs)
        ]
        heading = [Column("column", "cyan"), Column("dtype", "dim", shrinks_first=True)]
        heading += [Column(field, is_right=field != "histogram") for field in shown]
        rows = [
            [printable(f"{column[field]}") for field in ("column", "dtype")]
            + [_number(column.get(field, "")) for field in shown]
            for column in columns
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
