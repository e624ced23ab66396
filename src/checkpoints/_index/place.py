"""Where entries are, as people write it: a root, or one of its runs, ROOT@RUN."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from checkpoints._files.run_record import DEFAULT_ROOT
from checkpoints.errors import ConfigError
from checkpoints.storage._store import Store
from checkpoints.storage._stores import open_store

__all__ = ["open_root", "run_hint", "split_run"]


def split_run(place: str) -> tuple[str, str | None]:
    """
    Split `ROOT@RUN` into the root and the run; None without a run.

    A folder that has this name as a whole is a root, but for one whose name begins
    with `@`: that is `./@NAME`, as `@NAME` is always a run.
    """
    root, at, wanted = place.rpartition("@")
    if not at or set(wanted) & {"/", "\\"}:
        return place, None
    if not root:
        return DEFAULT_ROOT, wanted
    with suppress(OSError, ConfigError):
        open_store(place).check_root()
        return place, None
    return root, wanted


def run_hint(root: str) -> str:
    """Return how Python names a run, if that is what a root was meant to be."""
    above, wanted = split_run(root)
    if wanted is None:
        return ""
    known = f"runs({above!r})"
    return (
        "ROOT@RUN is for diff and the command line; in Python "
        f"{known} lists the runs, each with its id and name; "
        f"{known}[-1].entries() is the index of the last"
    )


def open_root(root: str, store_options: Mapping[str, Any] | None) -> Store:
    """
    Return the store of a root.

    Raises:
        FileNotFoundError: If there is no such folder.
        NotADirectoryError: If it is a file.
    """
    store = open_store(root, store_options)
    try:
        store.check_root()
    except FileNotFoundError as error:
        if hint := run_hint(root):
            error.add_note(hint)
        raise
    return store
