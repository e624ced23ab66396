"""Tables and single columns, compared column by column."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from typing import Any

from checkpoints._compare.columns import Column
from checkpoints._compare.difference import Comparer, Difference, unlike
from checkpoints._compare.dtypes import compare_dtypes
from checkpoints._compare.frames import Table, name_key
from checkpoints._compare.items import Items
from checkpoints._compare.reordering import are_reordered
from checkpoints._compare.rows import (
    Rows,
    Unkeyed,
    label_at,
    rows_by_index,
    rows_by_key,
)
from checkpoints._compare.tally import Place, Tally
from checkpoints._compare.vectors import Vector, compare_vectors
from checkpoints._kinds.same import same
from checkpoints._text import count_text, shown, text_of

__all__ = ["compare_tables"]

_KEYS = "keys= (--key NAME=COLUMN) says which columns identify the rows"
_REORDERED = f"each column has the same values in another order: {_KEYS}"
_BY_POSITION = f"rows are compared by position: {_KEYS}"
_FORM = "differs in what is no cell, such as metadata or the order of categories"


def compare_tables(one: Table, other: Table, comparer: Comparer) -> Difference:
    """
    Compare two tables.

    Args:
        one: The baseline.
        other: The candidate.
        comparer: What is allowed, by column perhaps, and the key columns. Without
            these, rows are compared by position, or by the labels of an index that
            says where rows were added or removed.
    """
    keys = comparer.keys
    # A single column beside the tables has rows too, but perhaps no such names.
    is_keyed = one.has_columns or set(keys) <= one.names() & other.names()
    sides = [[*table.columns, *table.levels] for table in (one, other)]
    try:
        rows = rows_by_key(sides[0], sides[1], keys) if keys and is_keyed else None
    except Unkeyed as error:
        if error.is_of_one:
            return unlike(f"{error}; in the other they are unique")
        return Difference(verdict="unknown", why=str(error))
    found = _Comparison(one, other, comparer, rows).result()
    if rows is None and found.verdict == "different":
        rows = rows_by_index(one.levels, other.levels)
        if rows is not None:
            found = _Comparison(one, other, comparer, rows).result()
    if rows is None and one.has_columns and 2 * found.beyond > found.cells:
        if are_reordered(one, other):
            found = replace(found, notes=(*found.notes, _REORDERED))
        elif one.rows != other.rows:
            found = replace(found, notes=(*found.notes, _BY_POSITION))
    if found.verdict != "equal" or same(one.form, other.form):
        return found
    return replace(found, verdict="close", notes=(*found.notes, _FORM))


class _Comparison:
    """The comparison of two tables."""

    def __init__(
        self, one: Table, other: Table, comparer: Comparer, rows: Rows | None
    ) -> None:
        self._tables = one, other
        self._comparer = comparer
        self._rows = rows
        self._tally = Tally(comparer.tolerance)
        self._common = min(one.rows, other.rows)

    def result(self) -> Difference:
        """Compare all columns."""
        one, other = self._tables
        self._tally.shape = _shape(one), _shape(other)
        if one.library != other.library:
            self._tally.note(f"{one.library} against {other.library}", "close")
        if one.has_columns != other.has_columns:
            self._tally.note("a table against a single column", "different")
        names = [[name_key(it.name) for it in table.columns] for table in self._tables]
        if names[0] != names[1] and Counter(names[0]) == Counter(names[1]):
            self._tally.note("other order of columns", "close")
        self._compare_row_counts()
        for number, pair in _paired(one, other):
            self._column(number, pair)
        if one.levels and other.levels:
            self._compare_indexes()
        if one.library == other.library and (one.attrs or other.attrs):
            part = self._comparer.compare(dict(one.attrs), dict(other.attrs))
            self._tally.include(replace(part, name="attrs"))
        return self._tally.result()

    def _compare_row_counts(self) -> None:
        one, other = self._tables
        if self._rows is not None:
            places = self._rows.places[1]
            if (places[1:] < places[:-1]).any():
                self._tally.note("other order of rows", "close")
            for number, side in enumerate(("baseline", "candidate")):
                self._only(self._rows.only[number], number, side)
        elif one.rows != other.rows:
            longer, side = (
                (one, "baseline") if one.rows > other.rows else (other, "candidate")
            )
            more = count_text(longer.rows - self._common, "row")
            self._tally.note(f"{more} at the end of the {side} only", "different")
            width = max(1, len(longer.columns))
            self._lost((longer.rows - self._common) * width)

    def _only(self, places: Any, number: int, side: str) -> None:
        rows = self._rows
        if rows is None or not len(places):
            return
        self._tally.note(
            f"{count_text(len(places), 'row')} in the {side} only, such as "
            f"{rows.label(number, int(places[0]))}",
            "different",
        )
        self._lost(len(places) * max(1, len(self._tables[number].columns)))

    def _lost(self, cells: int) -> None:
        self._tally.cells += cells
        self._tally.lose(cells)

    def _column(self, number: int, pair: tuple[Column | None, Column | None]) -> None:
        one, other = pair
        if one is None or other is None:
            self._one_sided(pair)
            return
        title = f"{one.title} ({number + 1})" if number else one.title
        label = str(one.name) if one.title else ""
        tolerance = self._comparer.for_column(label)
        part = self._cells(one, other, replace(self._comparer, tolerance=tolerance))
        if not one.title:
            self._single(part, (one, other))
            return
        self._tally.include(replace(part, name=title, column=label))

    def _single(self, part: Difference, columns: tuple[Column, Column]) -> None:
        """Take the only column of a value that is a column itself."""
        self._tally.dtype = part.dtype
        self._tally.include(part, keep=False)
        names = [column.name for column in columns]
        if not _is_same_name(*names):
            self._tally.note(
                f"name {shown(names[0])} against {shown(names[1])}", "different"
            )

    def _one_sided(self, pair: tuple[Column | None, Column | None]) -> None:
        side = "candidate" if pair[0] is None else "baseline"
        column = pair[0] or pair[1]
        table = self._tables[pair[0] is None]
        if column is None:
            return
        dtypes = (column.dtype, "absent") if pair[0] else ("absent", column.dtype)
        self._tally.include(
            Difference(
                verdict="different",
                name=column.title,
                column=str(column.name),
                dtype=dtypes,
                cells=table.rows,
                bits=table.rows,
                beyond=table.rows,
                excess=math.inf,
                texts=dtypes,
                notes=(f"in the {side} only",),
            )
        )

    def _cells(self, one: Column, other: Column, comparer: Comparer) -> Difference:
        tally = Tally(comparer.tolerance)
        tally.dtype = one.dtype, other.dtype
        try:
            vectors = self._vectors(one, other)
            self._compare_dtypes(vectors, tally)
            _compare_categories(one, other, tally)
            compare_vectors(*vectors, tally, self._where, Items(comparer).compare)
        except Exception as error:  # noqa: BLE001 - the other columns can be compared
            tally.cannot_tell(f"{type(error).__name__}: {text_of(error)}")
        return tally.result()

    def _compare_dtypes(self, vectors: tuple[Vector, Vector], tally: Tally) -> None:
        """Compare dtypes, in two libraries only by what they hold."""
        names = vectors[0].dtype, vectors[1].dtype
        is_one = self._tables[0].library == self._tables[1].library
        one, other = tally.dtype if is_one or names[0] != names[1] else names
        compare_dtypes((names[0], one), (names[1], other), tally)

    def _vectors(self, one: Column, other: Column) -> tuple[Vector, Vector]:
        if self._rows is not None:
            taken = self._rows.taken(0), self._rows.taken(1)
            return one.vector(taken[0]), other.vector(taken[1])
        vectors = one.vector(None), other.vector(None)
        return _Head(vectors[0], self._common), _Head(vectors[1], self._common)

    def _where(self, place: int) -> Place:
        if self._rows is None:
            levels = self._tables[0].levels, self._tables[1].levels
            return Place(f"row {label_at(*levels, place)}", (place,))
        at = int(self._rows.places[0][place])
        return Place(f"row {self._rows.label(0, at)}", (at,))

    def _compare_indexes(self) -> None:
        if self._rows is not None and not self._rows.are_of_index:
            return
        indexes = self._tables[0].levels, self._tables[1].levels
        if len(indexes[0]) != len(indexes[1]):
            levels = " against ".join(f"{len(index)} levels" for index in indexes)
            self._tally.note(f"index of {levels}", "different")
            return
        for one, other in zip(*indexes, strict=True):
            if not _is_same_name(one.name, other.name):
                names = f"{shown(one.name)} against {shown(other.name)}"
                self._tally.note(f"index name {names}", "different")
            if one.steps is not None and one.steps == other.steps:
                continue
            part = self._cells(one, other, self._comparer)
            # Labels are no cells, unless they differ.
            cells = part.cells if part.bits else 0
            self._tally.include(replace(part, name=one.title, cells=cells))


def _compare_categories(one: Column, other: Column, tally: Tally) -> None:
    categories = one.categories, other.categories
    if any(it is None for it in categories) or categories[0].equals(categories[1]):
        return
    is_order = set(categories[0]) == set(categories[1])
    tally.note(f"other {'order of ' if is_order else ''}categories", "close")


class _Head:
    """The first cells of a vector."""

    def __init__(self, vector: Vector, length: int) -> None:
        self.dtype, self.length = vector.dtype, length
        self.chunk = vector.chunk


def _shape(table: Table) -> str:
    return str((table.rows, len(table.columns)) if table.has_columns else (table.rows,))


def _paired(
    one: Table, other: Table
) -> list[tuple[int, tuple[Column | None, Column | None]]]:
    """Return pairs of columns by name, and which of those of one name each is."""
    if not one.has_columns and not other.has_columns:
        return [(0, (one.columns[0], other.columns[0]))]
    sides = [_numbered(table) for table in (one, other)]
    return [
        (key[1], (sides[0].get(key), sides[1].get(key)))
        for key in dict.fromkeys([*sides[0], *sides[1]])
    ]


def _numbered(table: Table) -> dict[tuple[Any, int], Column]:
    seen: Counter[Any] = Counter()
    found = {}
    for column in table.columns:
        key = name_key(column.name)
        found[key, seen[key]] = column
        seen[key] += 1
    return found


def _is_same_name(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(name_key(one) == name_key(other))
