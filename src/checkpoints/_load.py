"""Reading a file back: its header, and the values that are asked for."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping
from typing import Any

from checkpoints._archive import Archive
from checkpoints._container import meta_of, open_container
from checkpoints._local_file import LocalFile
from checkpoints._parquet import ParquetFile
from checkpoints._shown import shown
from checkpoints.errors import CheckpointError, CorruptFileError, UnknownValueError
from checkpoints.formats._codec import decode
from checkpoints.formats._tables import from_table

__all__ = ["load_file", "read_meta"]


def load_file(
    path: str | os.PathLike[str], names: Iterable[str], *, trusted: bool, mmap: bool
) -> dict[str, Any]:
    """Load values from a file; `checkpoints.load` says more."""
    with LocalFile(os.fspath(path)) as file:
        container = open_container(file)
        nodes = _wanted(container.header["values"], tuple(names), file.path)
        if isinstance(container, ParquetFile):
            return _load_table(container, nodes, file.path)
        return _load_members(container, nodes, trusted, mmap, file.path)


def read_meta(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the header of a file; `Entry.meta` says more."""
    with LocalFile(os.fspath(path)) as file:
        return meta_of(open_container(file).header)


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
            known = f"the nearest are {near}" if near else f"there are {sorted(nodes)}"
            message = f"{path} holds no value {name!r}; {known}"
            raise UnknownValueError(message)
    return {name: nodes[name] for name in names} if names else nodes


def _load_members(
    archive: Archive,
    nodes: Mapping[str, dict[str, Any]],
    trusted: bool,  # noqa: FBT001 - handed through
    mmap: bool,  # noqa: FBT001 - handed through
    path: str,
) -> dict[str, Any]:
    taken = set()

    def read(node: Mapping[str, Any]) -> memoryview:
        member = node["member"]
        if member in taken:  # never written so, and a way to fill the memory
            raise CorruptFileError.at(path, f"member {member!r} is named twice")
        taken.add(member)
        mapped = archive.map(member) if mmap and member.endswith(".npy") else None
        return archive.read(member) if mapped is None else mapped

    return decode(nodes, read, trusted=trusted, path=path)


def _load_table(
    file: ParquetFile, nodes: Mapping[str, dict[str, Any]], path: str
) -> dict[str, Any]:
    try:
        table = file.read()
        return {name: from_table(table, node) for name, node in nodes.items()}
    except (CheckpointError, MemoryError):
        raise
    except Exception as error:
        if getattr(error, "errno", None) is not None:
            raise  # of the system, and no fault of the file
        what = f"its table cannot be read ({type(error).__name__}: {error})"
        raise CorruptFileError.at(path, what) from error
