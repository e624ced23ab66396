"""What is kept of an entry that is compared, and how it is read from its header."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

from checkpoints._files.container import Container
from checkpoints._kinds import json_bytes
from checkpoints._kinds.left_out import NOT_SAVED
from checkpoints._process.attempt import Attempt

__all__ = [
    "NO_KEY",
    "NO_PROCESS",
    "PairKey",
    "Process",
    "Record",
    "Saved",
    "damaged",
    "saved_of",
]

# A name, and the tags by which entries are paired.
PairKey: TypeAlias = "tuple[str, tuple[tuple[str, str], ...]]"
# Name, tags, versions, and the fields of a record from `process` on.
Saved: TypeAlias = "tuple[Any, ...]"
# Run, host and pid.
Process: TypeAlias = "tuple[str, str, int]"

# That of entries whose header cannot be read. A header may leave out all three, as that
# of a baseline of tests does, and still tells what belongs together, and its order.
NO_PROCESS: Process = ("", "", -1)
# What `sampling` has besides the options of the rule.
_COUNTS = ("turn", "left_out")
# The least that a rule accepts; what is less was not written by this library.
_LEAST = {"every": 1}
# Until all recorded calls are known.
NO_KEY: PairKey = ("", ())


class Record(NamedTuple):
    """
    What is kept of each entry, so that a hundred thousand take little memory.

    Args:
        position: The position of the entry in the index.
        key: By which it is paired.
        process: The process that saved it.
        thread: The name of the thread that saved it.
        part: Which part of a recorded call it is; "" if it is a checkpoint.
        sampling: The options of its rule by which calls were left out.
        sequence: The number of the save in its process.
        time: When it was saved, in seconds since the epoch.
        call: The number of the call of this name, saved or not; 0 if unknown.
        turn: The number of the call among those that the rule considered.
        left_out: How many calls that had their turn the rule left out before it.
        parent: In a forked process, or where work was carried to, the process that it
            comes from and the number of its last save before that.
        content: A hash of its values and their checksums: equal for equal files; None
            if the file is damaged.
        is_partial: Whether it tells of values that could not be saved.
        attempt: The task of an engine, and a number that grows with each attempt at it.
        is_unproven: Whether it has a value that may differ where its bytes do not.
        changed: The names of values of which not all could be saved.
        call_tags: The tags of the recorded call that it is a part of.
    """

    position: int
    key: PairKey
    process: Process
    thread: str
    part: str
    sampling: tuple[tuple[str, int], ...]
    sequence: int
    time: float
    call: int
    turn: int
    left_out: int
    parent: tuple[Process, int] | None
    content: int | None
    is_partial: bool = False
    attempt: Attempt | tuple[()] = ()
    is_unproven: bool = False
    changed: tuple[str, ...] = ()
    call_tags: tuple[tuple[str, str], ...] = ()

    @property
    def proves_content(self) -> bool:
        """Whether an entry of equal content has equal values."""
        return self.content is not None and not self.is_unproven


def damaged(position: int) -> Record:
    """Return the record of an entry whose header cannot be read."""
    # Its content is none, which equals no other.
    return Record(
        position=position,
        key=NO_KEY,
        process=NO_PROCESS,
        thread="",
        part="",
        sampling=(),
        sequence=0,
        time=math.inf,
        call=0,
        turn=0,
        left_out=0,
        parent=None,
        content=None,
    )


def saved_of(container: Container) -> Saved:
    """Return what is needed of a file: what `Side` makes a record of."""
    header = container.header
    nodes = json_bytes.to_text(header["values"])
    checksums = tuple(sorted(container.checksums().items()))
    sampling = _sampling_in(header)
    return (
        header["name"],
        header["tags"],
        _versions_in(header),
        (_text(header, "run"), _text(header, "host"), _whole(header.get("pid"))),
        _text(header, "thread"),
        _text(header, "part"),
        tuple((it, bound) for it, bound in sampling.items() if it not in _COUNTS),
        _whole(header.get("sequence")),
        header["time"].timestamp(),
        _whole(header.get("call")),
        *(sampling.get(count, 0) for count in _COUNTS),
        _parent_in(header),
        hash((nodes, checksums)),
        NOT_SAVED in header["values"],
        _attempt_in(header),
        bool(_marked(header, "unproven")),
        _marked(header, "changed"),
    )


def _marked(header: Mapping[str, Any], mark: str) -> tuple[str, ...]:
    """Return the names of the values whose nodes have a mark."""
    return tuple(name for name, node in header["values"].items() if node.get(mark))


def _text(header: Mapping[str, Any], field: str) -> str:
    return str(header.get(field, ""))


def _whole(value: object) -> int:
    return value if type(value) is int else 0


def _versions_in(header: Mapping[str, Any]) -> list[tuple[str, str]]:
    packages = header.get("packages")
    items = packages.items() if isinstance(packages, dict) else ()
    language = "julia" if "julia" in header else "python"
    return [(language, _text(header, language)), *((k, str(v)) for k, v in items)]


def _sampling_in(header: Mapping[str, Any]) -> dict[str, int]:
    sampling = header.get("sampling")
    items = sampling.items() if isinstance(sampling, dict) else ()
    return {
        option: max(_whole(value), _LEAST.get(option, 0)) for option, value in items
    }


def _parent_in(header: Mapping[str, Any]) -> tuple[Process, int] | None:
    parent = header.get("parent")
    if not isinstance(parent, dict):
        return None
    host = str(parent.get("host", header.get("host", "")))
    return (
        (_text(header, "run"), host, _whole(parent.get("pid"))),
        _whole(parent.get("sequence")),
    )


def _attempt_in(header: Mapping[str, Any]) -> Attempt | tuple[()]:
    found = header.get("attempt")
    if not isinstance(found, dict):
        return ()
    return _text(found, "task"), _whole(found.get("number"))
