"""Reading a file back: its header, and the values that are asked for."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping
from typing import Any

from checkpoints._files.archive import Archive
from checkpoints._files.budget import Budget
from checkpoints._files.container import open_container
from checkpoints._files.parquet import ParquetFile
from checkpoints._kinds.codec import decode
from checkpoints._kinds.tables import from_table
from checkpoints._text import parse_size, shown
from checkpoints.errors import (
    CheckpointError,
    CorruptFileError,
    TooLargeError,
    UnknownValueError,
)
from checkpoints.storage._local_file import LocalFile

__all__ = ["load_file", "load_with_meta", "read_meta"]

Node = Mapping[str, Any]

# As many names as a reader of a message looks through.
_SHOWN = 50


def load_file(
    path: str | os.PathLike[str],
    names: Iterable[str],
    *,
    trusted: bool,
    mmap: bool,
    max_bytes: int | str | None,
) -> dict[str, Any]:
    """Load values from a file; `checkpoints.load` says more."""
    found, _ = load_with_meta(
        path, names, trusted=trusted, mmap=mmap, max_bytes=max_bytes
    )
    return found


def load_with_meta(
    path: str | os.PathLike[str],
    names: Iterable[str],
    *,
    trusted: bool,
    mmap: bool = False,
    max_bytes: int | str | None = None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Load values from a file, and its header, which is opened once for both."""
    limit = None if max_bytes is None else parse_size("max_bytes", max_bytes)
    budget = Budget(os.fspath(path), limit)
    with LocalFile(os.fspath(path)) as file:
        container = open_container(file, budget)
        nodes = _wanted(container.header["values"], tuple(names), file.path)
        if isinstance(container, ParquetFile):
            return _load_table(container, nodes, file.path), container.header
        members = _Members(container, budget, file.path, mmap=mmap)
        members.check(nodes.values())
        found = decode(
            nodes, members.read, members.spend, trusted=trusted, path=file.path
        )
        return found, container.header


def read_meta(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the header of a file; `Entry.meta` says more."""
    with LocalFile(os.fspath(path)) as file:
        found: dict[str, Any] = open_container(file, Budget(file.path)).header
    return found


def _wanted(
    nodes: Mapping[str, dict[str, Any]], names: tuple[str, ...], path: str
) -> Mapping[str, dict[str, Any]]:
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
    return {name: nodes[name] for name in names} if names else nodes


def _some(names: Iterable[str]) -> str:
    known = sorted(names)
    more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
    return f"{known[:_SHOWN]}{more}"


class _Members:
    """The members of an archive as a load takes them: each once, while memory lasts."""

    def __init__(
        self, archive: Archive, budget: Budget, path: str, *, mmap: bool
    ) -> None:
        self._archive = archive
        self._budget = budget
        self._path = path
        self._mmap = mmap
        self._taken: set[str] = set()

    def check(self, nodes: Iterable[Node]) -> None:
        """Check that the memory is enough for the members that these nodes name."""
        names = {name for node in nodes if isinstance(name := node.get("member"), str)}
        sizes = [
            self._archive.size_of(name) for name in names if not self._is_mapped(name)
        ]
        self._budget.check(sum(sizes), f"{len(sizes)} members")

    def read(self, node: Node) -> memoryview:
        name = node["member"]
        if name in self._taken:  # never written so, and a way to fill the memory
            raise CorruptFileError.at(self._path, f"member {name!r} is named twice")
        self._taken.add(name)
        mapped = self._archive.map(name) if self._is_mapped(name) else None
        return self._archive.read(name) if mapped is None else mapped

    def spend(self, size: int) -> None:
        self._budget.take(size, "a value made of its bytes")

    def _is_mapped(self, name: str) -> bool:
        return self._mmap and name.endswith(".npy")


def _load_table(
    file: ParquetFile, nodes: Mapping[str, dict[str, Any]], path: str
) -> dict[str, Any]:
    try:
        table = file.read()
        return {name: from_table(table, node) for name, node in nodes.items()}
    except CheckpointError:
        raise
    except MemoryError as error:
        raise TooLargeError.beyond(path, "its table") from error
    except Exception as error:
        if getattr(error, "errno", None) is not None:
            raise  # of the system, and no fault of the file
        what = f"its table cannot be read ({type(error).__name__}: {error})"
        raise CorruptFileError.at(path, what) from error
