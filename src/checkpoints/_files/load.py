"""Loading a file: its header, and the requested values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from checkpoints._files.container import open_container
from checkpoints._keys.key import SUFFIXES
from checkpoints._process.budget import Budget, ask
from checkpoints._text import hint, parse_size, shown
from checkpoints.errors import ConfigError, UnknownValueError
from checkpoints.storage._store import Source, Store

__all__ = ["load_file", "load_with_meta", "read_meta"]


def load_file(
    store: Store,
    name: str,
    values: Sequence[str],
    *,
    trusted: bool,
    placeholders: bool,
    mmap: bool,
    max_bytes: int | str | None,
) -> dict[str, Any]:
    """Load values from a file, as documented at `checkpoints.load`."""
    found, _ = load_with_meta(
        store,
        name,
        values,
        trusted=trusted,
        placeholders=placeholders,
        mmap=mmap,
        max_bytes=max_bytes,
    )
    return found


def load_with_meta(
    store: Store,
    name: str,
    values: Sequence[str],
    *,
    trusted: bool,
    placeholders: bool = False,
    mmap: bool = False,
    max_bytes: int | str | None = None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Load values from a file together with its header."""
    if not isinstance(trusted, bool):
        # It decides whether code is executed: "no" must not count as yes.
        raise ConfigError(f"invalid trusted={shown(trusted)}: expected True or False")
    limit = None if max_bytes is None else parse_size("max_bytes", max_bytes)
    budget = Budget(store.path_of(name), limit)
    with _opened(store, name) as file:
        container = open_container(file, budget)
        names = _known(container.header["values"], values, file.path)
        found = container.values(
            names, trusted=trusted, placeholders=placeholders, mmap=mmap
        )
        # Of the budget around, if there is one: the values are kept.
        ask(budget.taken)
        return found, container.header


def read_meta(store: Store, name: str) -> dict[str, Any]:
    """Return the header of a file, as documented at `Entry.meta`."""
    budget = Budget(store.path_of(name))
    with _opened(store, name) as file:
        header = open_container(file, budget).header
        ask(budget.taken)
        return header


def _opened(store: Store, name: str) -> AbstractContextManager[Source]:
    try:
        return store.open(name)
    except (FileNotFoundError, IsADirectoryError) as error:
        for suffix in SUFFIXES.values():
            if store.status(name + suffix):
                error.add_note(f"did you mean '{store.path_of(name + suffix)}'?")
        if isinstance(error, IsADirectoryError):
            error.add_note("use index(...) to list the entries of a folder")
        elif store.path_of(name) == name:
            error.add_note(f"index(ROOT).where({name!r}) finds the files of a name")
        raise


def _known(
    nodes: Mapping[str, object], names: Sequence[str], path: str
) -> Sequence[str]:
    for name in names:
        if not isinstance(name, str):
            message = (
                f"{path} has no value {shown(name)}: names must be strings, each a "
                "separate argument, as in load(path, 'x', 'y')"
            )
            raise UnknownValueError(message)
        if name not in nodes:
            message = f"{path} has no value {name!r}; {hint(name, sorted(nodes))}"
            raise UnknownValueError(message)
    return names or list(nodes)
