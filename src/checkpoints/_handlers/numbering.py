"""The names of several files of one key: the key's own, then numbered ones."""

from __future__ import annotations

from collections.abc import Iterator

from checkpoints._keys.key import SUFFIXES
from checkpoints.storage._store import Store

__all__ = ["numbered"]


def numbered(store: Store, name: str) -> Iterator[str]:
    """Yield candidates for a file's name: its own, then numbered ones."""
    yield name
    suffix = next(one for one in SUFFIXES.values() if name.endswith(one))
    stem = name.removesuffix(suffix)
    taken, free = 1, 2
    while store.status(f"{stem}.{free}{suffix}"):
        taken, free = free, free * 2
    while free - taken > 1:
        middle = (taken + free) // 2
        if store.status(f"{stem}.{middle}{suffix}"):
            taken = middle
        else:
            free = middle
    while True:
        yield f"{stem}.{free}{suffix}"
        free += 1
