"""Entries as a tree: tags outermost, then the parts of their names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

import checkpoints
from checkpoints import Entry

__all__ = ["tree_lines"]

# By label, and whether it is a folder.
_Tree: TypeAlias = "dict[tuple[str, bool], _Tree | str]"

_LINES = ("├── ", "└── ", "│   ")
_LETTERS = ("|-- ", "`-- ", "|   ")


def tree_lines(
    entries: Iterable[tuple[Entry, str]], *, has_glyphs: bool
) -> Iterator[tuple[str, str, str]]:
    """
    Yield the lines of a tree.

    Args:
        entries: Entries, each with what is told of it.
        has_glyphs: Whether lines can be drawn.

    Yields:
        The lines that are drawn, the label, and what is told of an entry.
    """
    tree: _Tree = {}
    for entry, told in entries:
        inner = tree
        for name, value in entry.tags:
            inner = _below(inner, f"{name}={value}")
        for prefix in entry.prefixes:
            inner = _below(inner, f"{prefix}.")
        number = f" ({entry.number})" if entry.number > 1 else ""
        inner[checkpoints.printable(entry.name + number), False] = told
    yield from _drawn(tree, _LINES if has_glyphs else _LETTERS)


def _below(tree: _Tree, label: str) -> _Tree:
    inner = tree.setdefault((checkpoints.printable(label), True), {})
    return inner if isinstance(inner, dict) else {}


def _drawn(tree: _Tree, glyphs: tuple[str, str, str]) -> Iterator[tuple[str, str, str]]:
    between, last, through = glyphs
    # Folders may lie deeper than functions can call themselves.
    open_ones = [("", iter(tree.items()), len(tree))]
    while open_ones:
        start, items, left = open_ones.pop()
        found = next(items, None)
        if found is None:
            continue
        (label, _), inner = found
        open_ones.append((start, items, left - 1))
        is_last = left == 1
        line = start + (last if is_last else between)
        if isinstance(inner, str):
            yield line, label, inner
        else:
            yield line, label, ""
            below = start + (" " * len(through) if is_last else through)
            open_ones.append((below, iter(inner.items()), len(inner)))
