"""Deleting objects, unless they changed since they were looked at."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress

from checkpoints._files.run_record import RUNS
from checkpoints.storage import Status, Store

__all__ = ["delete_object", "delete_unused_records"]


def delete_object(store: Store, name: str, chosen: Status) -> bool:
    """
    Delete an object, unless it has changed; return whether it was deleted.

    Raises:
        FileNotFoundError: If it does not exist.
        OSError: If it cannot be deleted.
    """
    found = store.status(name)
    if found is not None and found != chosen:
        return False
    store.delete(name)
    return True


def delete_unused_records(store: Store, names: Collection[str]) -> None:
    """
    Delete the records of runs that have no files left.

    Args:
        store: The store.
        names: The objects that were deleted.
    """
    changed = {folder for name in names for folder in _folders_of(name)}
    used: set[str] = set()
    records: list[tuple[str, str]] = []
    with suppress(OSError):  # nothing is left at all, or it cannot be listed
        for segments, files in store.walk():
            folder = "/".join(segments)
            if segments[-1:] == (RUNS,):
                owner = "/".join(segments[:-1])
                records += [(owner, f"{folder}/{file}") for file in files]
            else:
                used.update(_folders_of(f"{folder}/x"), [folder])
        for owner, name in records:
            if owner in changed and owner not in used:
                store.delete(name)


def _folders_of(name: str) -> Iterator[str]:
    """Yield the folders that a name is in, "" for the root."""
    while name:
        name = name.rpartition("/")[0]
        yield name
