"""
The record of a run: small JSON files in a hidden folder beside its saves.

One says how the run began, and is written by the first of its processes that saves.
Each process that saves adds one when it exits, and so does the process that began the
run. A run that was killed has none of the latter. Empty files beside them count what
all processes of a run have saved, where a rule limits that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from hashlib import blake2b
from typing import Any

from checkpoints._keys.key import Key
from checkpoints._kinds import json_bytes
from checkpoints.storage._store import Store

__all__ = [
    "CLAIM",
    "DEFAULT_ROOT",
    "RUNS",
    "claim_names",
    "claimed_number",
    "end_name",
    "files_of",
    "is_start",
    "put_record",
    "read_record",
    "start_name",
]

# Where runs save that name no root, each in a folder of its own.
DEFAULT_ROOT = ".checkpoints"

# The dot hides it. No name or tag can have this folder, because its dot is encoded.
RUNS = ".runs"
_START, _END, CLAIM = ".json", ".end.json", ".claim"
_VERSION = 1
_MARK = "checkpoints_run"
_LARGEST = 1 << 20


def start_name(run: str) -> str:
    """
    Return the name of the file with the beginning of a run.

    >>> start_name("nightly/7")
    '.runs/run=nightly%2F7.json'
    """
    return f"{RUNS}/{_folder_of(run)}{_START}"


def end_name(run: str, process: str) -> str:
    """
    Return the name of a file with the end of a run.

    Args:
        run: The id of the run.
        process: What distinguishes the process that ended from the others.
    """
    return f"{RUNS}/{_folder_of(run)}.{process}{_END}"


def files_of(start: str, names: Iterable[str]) -> list[str]:
    """
    Return which files are of a run: its record, those of its processes, and claims.

    Args:
        start: The name of the file with its beginning.
        names: Names of files in the folder of records.
    """
    stem = start.removesuffix(_START) + "."
    return [it for it in names if it.startswith(stem) and it.endswith((_START, CLAIM))]


def is_start(name: str) -> bool:
    """Tell whether a file in the folder of records has the beginning of a run."""
    return not name.endswith((_END, CLAIM))


def claim_names(run: str, name: str, numbers: Iterable[int]) -> Iterator[str]:
    """
    Yield the names of files by which a process claims one of the saves of a name.

    Args:
        run: The id of the run.
        name: The name of the saves.
        numbers: Which of them, from 1.
    """
    # A name may have any length and characters.
    mark = blake2b(name.encode(errors="surrogatepass"), digest_size=12).hexdigest()
    for number in numbers:
        yield f"{RUNS}/{_folder_of(run)}.{mark}-{number}{CLAIM}"


def claimed_number(name: str) -> int:
    """Return the number in the name of such a file."""
    return int(name.removesuffix(CLAIM).rpartition("-")[2])


def _folder_of(run: str) -> str:
    # As a tag, so that it is safe on every system whatever the id is.
    return Key("run", (("run", run),)).path.partition("/")[0]


def put_record(
    store: Store, name: str, fields: Mapping[str, Any], mode: int = 0o666
) -> None:
    """
    Write a record, unless there is a file of this name.

    Raises:
        OSError: If it cannot be written.
    """
    data = json_bytes.to_bytes({_MARK: _VERSION, **fields}) + b"\n"
    with suppress(FileExistsError):
        store.put([name], [(0, data)], len(data), mode=mode)


def read_record(store: Store, name: str) -> dict[str, Any] | None:
    """Return the fields of a record; None if it is damaged, gone, or no record."""
    try:
        with store.open(name) as file:
            if file.size > _LARGEST:
                return None
            data = bytearray(file.size)
            file.read_into(0, memoryview(data))
        found = json_bytes.from_bytes(data)
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and found.get(_MARK) == _VERSION else None
