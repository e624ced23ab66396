"""Which entries are calls, and in which order the program made them."""

from __future__ import annotations

from typing import Any

import checkpoints
from checkpoints import Entry

__all__ = ["may_be_call", "place_in_program"]


def place_in_program(entry: Entry) -> tuple[Any, ...]:
    """Return what calls are ordered by: as the program made them, run by run."""
    try:
        meta = entry.meta
    except (checkpoints.CheckpointError, OSError):
        return (True,)  # told when it is replayed
    number = meta.get("sequence")
    run = [str(meta.get(field)) for field in ("run", "host", "pid")]
    return (False, *run, number if type(number) is int else 0)


def may_be_call(entry: Entry) -> bool:
    """Tell whether an entry is that of the arguments of a call."""
    try:
        return entry.meta.get("part") == "arguments"
    except (checkpoints.CheckpointError, OSError):
        return True  # told when it is replayed
