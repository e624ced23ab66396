"""The report of a comparison as lines of text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from checkpoints._show.facts import Fact
from checkpoints._show.findings import findings_of
from checkpoints._show.rows import COLUMNS, Row, kept
from checkpoints._text import printable

__all__ = [
    "MOST_ROWS",
    "STYLES",
    "Line",
    "fact_lines",
    "report_of",
    "styled_report",
    "table_lines",
]

_LABEL = 11
_GAP = "  "
_RIGHT = {"order", "max rel", "x tol"}
# What is done, one after the other, until the report is narrow enough: columns are cut
# to a width, or left out.
_CUTS = (
    ("x tol", 0),
    ("value", 10),
    ("differs", 16),
    ("tags", 14),
    ("max rel", 0),
    ("point", 16),
    ("value", 0),
    ("tags", 8),
    ("differs", 8),
    ("point", 8),
)
_NARROWEST = 8
MOST_ROWS = 20
STYLES = {
    "equal": "green",
    "close": "yellow",
    "noise": "yellow",
    "different": "red",
    "unknown": "magenta",
}


class Line(NamedTuple):
    """
    A line of the report.

    Args:
        label: What it is about, padded; empty where the line is no fact.
        text: The rest of it.
        style: The colour of the text, or `"bold"`, or empty.
    """

    label: str
    text: str
    style: str = ""


def report_of(document: Mapping[str, Any], width: int = 100) -> list[str]:
    """
    Return the report of a comparison as plain lines, without options of a command line.

    Args:
        document: What `Diff.as_json` returns.
        width: The number of columns.
    """
    lines = styled_report(document, width, names_options=False)
    return [line.label + line.text for line in lines]


def styled_report(
    document: Mapping[str, Any],
    width: int | None,
    commands: Sequence[str] = (),
    *,
    shows_all: bool = False,
    names_options: bool = True,
) -> Iterator[Line]:
    """
    Yield the lines of the report, each with its style.

    Args:
        document: What `Diff.as_json` returns.
        width: The number of columns; None if it does not matter.
        commands: What to type next.
        shows_all: Whether to show a row for each pair, however many.
        names_options: Whether to name options of the command line.
    """
    findings = findings_of(document, names_options=names_options)
    style = STYLES[findings.verdict]
    yield Line("", printable(findings.headline), style)
    yield from fact_lines(findings.runs, width)
    if findings.first:
        yield Line("", "")
        yield from fact_lines(findings.first, width)
    if findings.rows:
        yield Line("", "")
        most = None if shows_all else MOST_ROWS
        yield from table_lines(findings.rows, width, most, names_options=names_options)
    yield Line("", "")
    yield from fact_lines(findings.notes, width)
    yield Line("", findings.counts)
    yield from fact_lines([Fact("next", command) for command in commands], None)


def fact_lines(facts: Sequence[Fact], width: int | None) -> Iterator[Line]:
    """Yield the lines of facts, with their labels."""
    for label, untrusted in facts:
        shown = f"  {label}".ljust(_LABEL + 1) + " "
        text = printable(untrusted)
        room = None if width is None else max(width - len(shown), _NARROWEST)
        for number, part in enumerate(_wrapped(text, room)):
            yield Line(" " * len(shown) if number else shown, part)


def _wrapped(text: str, width: int | None) -> list[str]:
    """Return a text in lines, broken at spaces; a long word stays whole."""
    if width is None or len(text) <= width:
        return [text]
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)


def table_lines(
    found: Sequence[Row],
    width: int | None,
    most: int | None,
    *,
    names_options: bool = True,
) -> Iterator[Line]:
    """
    Yield the lines of a table.

    Args:
        found: The rows.
        width: The number of columns; None if it does not matter.
        most: How many rows to show; None for all.
        names_options: Whether to name the option that shows all.
    """
    rows, left = kept(found, most)
    cells = [COLUMNS, *(tuple(map(printable, row.cells)) for row in rows)]
    used = [at for at, _ in enumerate(COLUMNS) if any(row[at] for row in cells[1:])]
    widths = {at: max(len(row[at]) for row in cells) for at in used}
    _narrow(widths, width)
    yield Line("", _row(COLUMNS, widths), "bold")
    for texts, row in zip(cells[1:], rows, strict=True):
        yield Line("", _row(texts, widths), STYLES[row.verdict])
    if left:
        advice = " (--all)" if names_options else ""
        yield Line("", f"  and {left:,} more that differ less{advice}")


def _narrow(widths: dict[int, int], width: int | None) -> None:
    """Make columns narrower, and leave some out, until the table fits."""
    for name, least in _CUTS:
        at, excess = COLUMNS.index(name), _total(widths) - (width or 0)
        if width is None or excess <= 0:
            return
        if at in widths and not least:
            del widths[at]
        elif at in widths:
            widths[at] = max(widths[at] - excess, min(widths[at], least))


def _total(widths: Mapping[int, int]) -> int:
    return sum(widths.values()) + len(_GAP) * len(widths)


def _row(cells: Sequence[str], widths: Mapping[int, int]) -> str:
    texts = []
    for at, width in widths.items():
        cell = cells[at]
        if len(cell) > width:
            cell = cell[: width - 1] + "…"
        is_right = COLUMNS[at] in _RIGHT
        texts.append(cell.rjust(width) if is_right else cell.ljust(width))
    return (_GAP + _GAP.join(texts)).rstrip()
