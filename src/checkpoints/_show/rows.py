"""The rows of a report: a pair each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from checkpoints._show.facts import (
    cells_text,
    moved_text,
    number_text,
    role_text,
    tags_text,
)

__all__ = ["COLUMNS", "Row", "kept", "row_of", "rows_of"]

COLUMNS = ("order", "point", "tags", "value", "differs", "max rel", "x tol", "verdict")

_SHORTER = {
    "possibly inherited": "inherited?",
    "earliest saved": "earliest",
    "earliest selected": "earliest",
}
# What is longer, such as an error with a path, would push the verdict off the screen.
_LONGEST_REASON = 60
# What says most comes first.
_ORDER = ("different", "unpaired", "unknown", "noise", "close", "equal")


class Row(NamedTuple):
    """
    A row of a report.

    Args:
        pair: The pair, as in the document.
        verdict: Its verdict.
        cells: The cells, under `COLUMNS`.
        is_first: Whether it is the first divergence.
    """

    pair: Mapping[str, Any]
    verdict: str
    cells: tuple[str, ...]
    is_first: bool


def rows_of(document: Mapping[str, Any], *, with_unpaired: bool = False) -> list[Row]:
    """Return a row for each pair that is not equal, in the order of the program."""
    first = document["first"]
    number = first["number"] if first else None
    rows = [row_of(it, is_first=it["number"] == number) for it in document["pairs"]]
    if with_unpaired:
        rows += [
            Row(it, "unpaired", _unpaired(it), it["number"] == number)
            for it in document["unpaired"]
        ]
        rows.sort(key=lambda row: row.pair["number"])
    return rows


def row_of(pair: Mapping[str, Any], *, is_first: bool = False) -> Row:
    """Return the row for a pair of a document."""
    return Row(pair, pair["verdict"], _cells(pair), is_first)


def kept(rows: Sequence[Row], most: int | None) -> tuple[list[Row], int]:
    """
    Return the rows that say most, in the order of the program, and how many are left.

    Args:
        rows: All rows.
        most: How many there may be; None for all.
    """
    if most is None or len(rows) <= most:
        return [*rows], 0
    ranked = sorted(range(len(rows)), key=lambda at: _rank(rows[at]))
    return [rows[at] for at in sorted(ranked[:most])], len(rows) - most


def _rank(row: Row) -> tuple[bool, int, float]:
    excess = max((float(it["excess"]) for it in _values(row)), default=0.0)
    return not row.is_first, _ORDER.index(row.verdict), -excess


def _values(row: Row) -> Iterable[Mapping[str, Any]]:
    found: Iterable[Mapping[str, Any]] = row.pair.get("values", ())
    return found


def _cells(pair: Mapping[str, Any]) -> tuple[str, ...]:
    value = pair["values"][0] if pair["values"] else None
    tags = tags_text(pair)
    which, count = pair["occurrence"]
    point = f"{pair['name']} #{which}" if count > 1 else pair["name"]
    verdict = role_text(pair) or pair["verdict"]
    verdict = _SHORTER.get(verdict, verdict)
    if value is None:
        why = _in_a_cell(pair["why"].partition("; ")[0] or moved_text(pair))
        return (str(pair["number"]), point, tags, "", why, "", "", verdict)
    more = len(pair["values"]) - 1
    name = f"{value['value']} +{more}" if more else value["value"]
    excess = number_text(value["excess"]) if value["bits"] else "-"
    return (
        str(pair["number"]),
        point,
        tags,
        name,
        _in_a_cell(cells_text(value)),
        number_text(value["max_rel"]),
        excess,
        verdict,
    )


def _in_a_cell(reason: str) -> str:
    """Return a reason, or that there is one: in full it stands below the table."""
    return reason if len(reason) <= _LONGEST_REASON else "could not be compared"


def _unpaired(pair: Mapping[str, Any]) -> tuple[str, ...]:
    place = (str(pair["number"]), pair["name"], tags_text(pair))
    return (*place, "", "", "", "", pair["why"])
