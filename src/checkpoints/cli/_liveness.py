"""Whether a process runs, as far as its number tells."""

from __future__ import annotations

import os
from contextlib import suppress

__all__ = ["is_running"]


def is_running(number: int) -> bool:
    """Tell whether this machine has a process of that number, and it has not ended."""
    if os.name != "posix":
        return False  # to ask would end it, there
    try:
        os.kill(number, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    # 0 is this group of processes, and the number of none.
    return number > 0 and not _waits_for_its_parent(number)


def _waits_for_its_parent(number: int) -> bool:
    """Tell, on Linux, whether a process has ended and only its number is left."""
    with suppress(OSError), open(f"/proc/{number}/stat", "rb") as file:
        # Its name stands before that, in brackets, and may hold anything.
        return file.read().rpartition(b")")[2].split()[:1] == [b"Z"]
    return False
