"""Where the entries of a command are: in folders, or in an object store."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress

from checkpoints import Entry, Index
from checkpoints._keys.key import SUFFIXES
from checkpoints._text import is_remote
from checkpoints.storage import Status, Store, open_store

__all__ = [
    "names_in",
    "names_object",
    "shown_root",
    "with_status",
]


def names_object(path: str) -> bool:
    """Tell whether a path is the URL of a file, by its suffix."""
    return is_remote(path) and path.endswith(tuple(SUFFIXES.values()))


def shown_root(root: str) -> str:
    """Return a root as seen from this folder."""
    return root if is_remote(root) else os.path.relpath(root)


def names_in(found: Index) -> tuple[Store, list[str]]:
    """Return the store of entries, and their names in it."""
    store = open_store(found.root)
    start = len(store.path_of(""))
    return store, [entry.path[start:].replace(os.sep, "/") for entry in found]


def with_status(
    found: Index, entries: Iterable[Entry] | None = None
) -> Iterator[tuple[Entry, Status]]:
    """
    Yield entries with their status, without those deleted since they were listed.

    Args:
        found: The entries.
        entries: The same, for who has to notice when each is looked at.
    """
    entries = found if entries is None else entries
    if is_remote(found.root):
        store, names = names_in(found)
        for entry, status in zip(entries, store.statuses(names), strict=True):
            if status is not None:
                yield entry, status
        return
    for entry in entries:
        with suppress(OSError):
            yield entry, Status.of(os.stat(entry.path))
