"""An entry in a notebook: its header, and the beginning of each value."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from typing import Any, TypeAlias

from checkpoints._process.budget import Budget, within
from checkpoints._show.header import shape_of, type_of
from checkpoints._show.preview import Preview, preview_of, short_repr
from checkpoints._text import html_table, html_text
from checkpoints.errors import CheckpointError

__all__ = ["html_of"]

_COLUMNS = ("value", "kind", "of", "shape", "bytes", "begins with")
# Values of these kinds begin in their row, others below.
_IN_ROW = ("json", "text", "numpy.ndarray")
_LARGEST_IN_ROW = 1 << 16
# What is read of one value and of all, and the memory that one may take.
_LARGEST = 1 << 22
_MOST_BYTES = 1 << 24
_MEMORY = 1 << 26
_MOST_PREVIEWS = 12
# Each of them opens the file anew, and reads its header.
_MOST_ROWS = 100
_LONGEST = 1000
_ROWS = 5
_NOT_LOADED = ("pickle",)

# Loads values by name, without trust.
Load: TypeAlias = Callable[..., Mapping[str, Any]]


def html_of(title: str, meta: Mapping[str, Any], path: str, load: Load) -> str:
    """
    Return an entry as HTML.

    Args:
        title: Its title.
        meta: Its header. The fields of its values may be anything.
        path: Its path.
        load: What loads its values. Large ones are left out; pickles are never loaded.
    """
    nodes = meta["values"]
    shown = islice(nodes.items(), _MOST_ROWS)
    rows = [list(map(_cut, _row(name, node, load))) for name, node in shown]
    if len(nodes) > _MOST_ROWS:
        rows.append([f"and {len(nodes) - _MOST_ROWS} more"])
    facts = [("saved", f"{meta['time']:%Y-%m-%d %H:%M:%S} UTC")]
    facts += [
        (field, _cut(str(meta[field]))) for field in ("run", "host") if field in meta
    ]
    facts.append(("file", path))
    return "\n".join([html_table(title, _COLUMNS, rows, facts), *_below(nodes, load)])


def _row(name: str, node: Mapping[str, Any], load: Load) -> list[str]:
    texts = [node.get("kind", ""), type_of(node), shape_of(node), node.get("bytes", "")]
    begins = ""
    if node.get("kind") in _IN_ROW and _size_of(node) <= _LARGEST_IN_ROW:
        try:
            with within(Budget(name, _MEMORY), "a preview"):
                begins = short_repr(load(name)[name])
        except (CheckpointError, OSError) as error:
            begins = str(error)
    return [name, *map(str, texts), begins]


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _size_of(node: Mapping[str, Any]) -> int:
    size = node.get("bytes", 0)
    return size if isinstance(size, int) and size >= 0 else _LARGEST + 1


def _below(nodes: Mapping[str, Any], load: Load) -> Iterator[str]:
    """Yield the previews of the values that do not begin in their row."""
    left, count = _MOST_BYTES, 0
    for name, node in nodes.items():
        size = _size_of(node)
        is_known = node.get("kind") not in (*_IN_ROW, *_NOT_LOADED)
        if is_known and size <= min(left, _LARGEST) and count < _MOST_PREVIEWS:
            left, count = left - size, count + 1
            # Whatever is wrong with a value, the others are shown.
            with suppress(Exception):
                yield _preview(name, _previewed(name, load))


def _previewed(name: str, load: Load) -> Preview:
    with within(Budget(name, _MEMORY), "a preview"):
        return preview_of(load(name)[name], _ROWS)


def _preview(name: str, preview: Preview) -> str:
    facts = [(fact, str(value)) for fact, value in preview.facts.items()]
    if preview.heading:
        return html_table(name, preview.heading, preview.rows, facts)
    lines = [", ".join(map(" ".join, facts))] if facts else []
    lines += [*filter(None, [preview.bars[0]]), *preview.lines]
    inner = "\n".join(map(html_text, lines))
    return f"<div><b>{html_text(name)}</b></div>\n<pre>{inner}</pre>"
