"""What the shell offers: roots, names, tags, values."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

import click
from click.shell_completion import CompletionItem

import checkpoints
from checkpoints import Entry
from checkpoints._keys.condition import condition_of
from checkpoints.storage import open_store, split_path

__all__ = [
    "complete_entry",
    "complete_names",
    "complete_root",
    "complete_source_names",
    "complete_where",
]

# Whoever pressed a key waits for it, however large the tree is.
_SECONDS = 1.0
_SUFFIXES = (".ckpt.zip", ".ckpt.parquet")
# A shell would obey anything else, and a name can come from anybody.
_HARMLESS = re.compile(r"[\w@%+=:,./-]+", re.ASCII)


def complete_root(
    _: click.Context, __: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Complete a folder."""
    return [CompletionItem(incomplete, type="dir")]


def complete_names(
    context: click.Context, _: click.Parameter, incomplete: str
) -> list[str]:
    """Complete a name of those under the root."""
    entries = _entries(context.params.get("root"))
    return _offered((each.name for each in entries), incomplete)


def complete_source_names(
    context: click.Context, _: click.Parameter, incomplete: str
) -> list[str]:
    """Complete a name of those under the root that is copied from."""
    entries = _entries(context.params.get("source"))
    return _offered((each.name for each in entries), incomplete)


def complete_where(
    context: click.Context, _: click.Parameter, incomplete: str
) -> list[str]:
    """Complete a tag, or its value behind the `=`."""
    # An option without its value stops click before it has sorted the words.
    given = [context.params.get(name) for name in ("root", "source")]
    given += [_first(context.params.get("entry")), _first(context.args)]
    root = next(filter(None, given), None)
    pairs = [pair for each in _entries(root) for pair in each.tags.items()]
    if "=" in incomplete:
        return _offered((condition_of(*pair) for pair in pairs), incomplete)
    return _offered((condition_of(name, "") for name, _ in pairs), incomplete)


def complete_entry(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[Any]:
    """Complete a file or a root first, then a name where it is a root, then a value."""
    words = list(context.params.get(parameter.name or "") or ())
    if not words:
        return [CompletionItem(incomplete, type="file")]
    place = os.path.expanduser(words[0])
    if not os.path.isdir(place):
        return _values_of(place, incomplete)
    if len(words) == 1:
        entries = _entries(words[0])
        return _offered((each.name for each in entries), incomplete)
    for each in _entries(words[0]):
        if each.name == words[1]:
            return _values_of(each.path, incomplete)
    return []


def _values_of(path: str, incomplete: str) -> list[str]:
    with suppress(checkpoints.CheckpointError, OSError):
        store, file = split_path(path)
        return _offered(Entry(store, (), file).meta["values"], incomplete)
    return []


def _first(words: Any) -> str | None:
    return words[0] if words else None


def _offered(texts: Iterable[str], incomplete: str) -> list[str]:
    return sorted(
        {
            text
            for text in texts
            if text.startswith(incomplete) and _HARMLESS.fullmatch(text)
        }
    )


def _entries(root: str | None) -> Iterator[Entry]:
    """Yield entries under a root, those that are found in time."""
    if not root:
        return
    until = time.monotonic() + _SECONDS
    with suppress(checkpoints.CheckpointError, OSError):
        store = open_store(root)
        for folder, files in store.walk(lambda _: time.monotonic() < until):
            for file in files:
                if file.endswith(_SUFFIXES):
                    yield Entry(store, folder, file)
            if time.monotonic() > until:
                return
