"""Replacing a file in a store where each question takes as long as a save."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from checkpoints.storage._store import Piece, Store

__all__ = ["put_or_replace"]

# What may be sent twice.
_SMALL = 1 << 20


def put_or_replace(
    store: Store,
    name: str,
    pieces: Iterable[Piece],
    size: int,
    replacing: Callable[[], object],
) -> None:
    """
    Write a file: at once if it is new, as most are, else after looking at the old one.

    Args:
        store: The store.
        name: The name of the file.
        pieces: Its pieces.
        size: Its size in bytes.
        replacing: Called before an existing file is replaced.

    Raises:
        UnknownOutcomeError: If it failed so late that the file may exist.
        OSError: If it cannot be written.
    """
    if size > _SMALL:
        if store.status(name):
            replacing()
        store.put([name], pieces, size, replace=True)
        return
    kept = [*pieces]
    try:
        store.put([name], kept, size)
    except FileExistsError:
        replacing()
        store.put([name], kept, size, replace=True)
