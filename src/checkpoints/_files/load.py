"""Reading a file back: its header, and the values that are asked for."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from checkpoints._files.budget import Budget
from checkpoints._files.container import open_container
from checkpoints._keys.key import SUFFIXES
from checkpoints._text import parse_size, shown
from checkpoints.errors import UnknownValueError
from checkpoints.storage._store import Store

__all__ = ["load_file", "load_with_meta", "read_meta"]

# As many names as a reader of a message looks through.
_SHOWN = 50


def load_file(
    store: Store,
    name: str,
    values: Sequence[str],
    *,
    trusted: bool,
    mmap: bool,
    max_bytes: int | str | None,
) -> dict[str, Any]:
    """Load values from a file; `checkpoints.load` says more."""
    try:
        found, _ = load_with_meta(
            store, name, values, trusted=trusted, mmap=mmap, max_bytes=max_bytes
        )
    except (FileNotFoundError, IsADirectoryError) as error:
        for suffix in SUFFIXES.values():
            if store.status(name + suffix):
                error.add_note(f"Did you mean {store.path_of(name + suffix)}?")
        if isinstance(error, IsADirectoryError):
            error.add_note("It is a folder: index(...) lists what lies below it")
        raise
    return found


def load_with_meta(
    store: Store,
    name: str,
    values: Sequence[str],
    *,
    trusted: bool,
    mmap: bool = False,
    max_bytes: int | str | None = None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Load values from a file, and its header, which is opened once for both."""
    limit = None if max_bytes is None else parse_size("max_bytes", max_bytes)
    budget = Budget(store.path_of(name), limit)
    with store.open(name) as file:
        container = open_container(file, budget)
        names = _known(container.header["values"], values, file.path)
        found = container.values(names, trusted=trusted, mmap=mmap)
        return found, container.header


def read_meta(store: Store, name: str) -> dict[str, Any]:
    """Return the header of a file; `Entry.meta` says more."""
    with store.open(name) as file:
        return open_container(file).header


def _known(
    nodes: Mapping[str, object], names: Sequence[str], path: str
) -> Sequence[str]:
    for name in names:
        if not isinstance(name, str):
            message = (
                f"{path} holds no value {shown(name)}: names are texts, each an "
                "argument of its own, as in load(path, 'x', 'y')"
            )
            raise UnknownValueError(message)
        if name not in nodes:
            near = difflib.get_close_matches(name, nodes, n=3)
            known = f"the nearest are {near}" if near else f"there are {_some(nodes)}"
            message = f"{path} holds no value {name!r}; {known}"
            raise UnknownValueError(message)
    return names or list(nodes)


def _some(names: Iterable[str]) -> str:
    known = sorted(names)
    more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
    return f"{known[:_SHOWN]}{more}"
