"""Shell completion: roots, names, tags, values."""

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
from checkpoints._index.runs import run_in, split_run
from checkpoints._keys.condition import condition_of
from checkpoints._keys.key import SUFFIXES
from checkpoints.storage import open_store, split_path

__all__ = [
    "complete_entry",
    "complete_names",
    "complete_root",
    "complete_source_names",
    "complete_where",
]

# Seconds: the user waits for the answer, however large the tree is.
_TIME_LIMIT = 1.0
# A shell would interpret anything else, and anyone can choose a name.
_SAFE = re.compile(r"[\w@%+=:,./-]+", re.ASCII)


def complete_root(
    _: click.Context, __: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Complete a folder."""
    return [CompletionItem(incomplete, type="dir")]


def complete_names(
    context: click.Context, _: click.Parameter, incomplete: str
) -> list[str]:
    """Complete a name under the root."""
    entries = _entries(context.params.get("root"))
    return _completions((entry.name for entry in entries), incomplete)


def complete_source_names(
    context: click.Context, _: click.Parameter, incomplete: str
) -> list[str]:
    """Complete a name under the root to copy from."""
    entries = _entries(context.params.get("source"))
    return _completions((entry.name for entry in entries), incomplete)


def complete_where(
    context: click.Context, _: click.Parameter, incomplete: str
) -> list[str]:
    """Complete a tag, or its value after the `=`."""
    # While the option has no value, click has not assigned all arguments yet.
    given = [_first(context.args), _first(context.params.get("entry"))]
    given += [context.params.get(name) for name in ("root", "source")]
    root = next(filter(None, given), None)
    pairs = [pair for entry in _entries(root) for pair in entry.tags.items()]
    if "=" in incomplete:
        return _completions((condition_of(*pair) for pair in pairs), incomplete)
    return _completions((condition_of(name, "") for name, _ in pairs), incomplete)


def complete_entry(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[Any]:
    """Complete a file or a root, then under a root a name, then a value."""
    words = list(context.params.get(parameter.name or "") or ())
    if not words:
        return [CompletionItem(incomplete, type="file")]
    path = os.path.expanduser(words[0])
    is_run = split_run(words[0])[1] is not None and not os.path.exists(path)
    if not (is_run or os.path.isdir(path)):
        return _values_of(path, incomplete)
    if len(words) == 1:
        entries = _entries(words[0])
        return _completions((entry.name for entry in entries), incomplete)
    for entry in _entries(words[0]):
        if entry.name == words[1]:
            return _values_of(entry.path, incomplete)
    return []


def _values_of(path: str, incomplete: str) -> list[str]:
    with suppress(checkpoints.CheckpointError, OSError):
        store, file = split_path(path)
        return _completions(Entry(store, (), file).meta["values"], incomplete)
    return []


def _first(words: Any) -> str | None:
    return words[0] if words else None


def _completions(texts: Iterable[str], incomplete: str) -> list[str]:
    return sorted(
        {
            text
            for text in texts
            if text.startswith(incomplete) and _SAFE.fullmatch(text)
        }
    )


def _entries(root: str | None) -> Iterator[Entry]:
    """Yield the entries under a root that are found within the time limit."""
    if not root:
        return
    end = time.monotonic() + _TIME_LIMIT
    suffixes = tuple(SUFFIXES.values())
    with suppress(checkpoints.CheckpointError, OSError):
        is_run = split_run(root)[1] is not None
        store = open_store(run_in(root)[0].root if is_run else root)
        for folder, files in store.walk(lambda _: time.monotonic() < end):
            for file in files:
                if file.endswith(suffixes):
                    yield Entry(store, folder, file)
            if time.monotonic() > end:
                return
