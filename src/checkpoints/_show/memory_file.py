"""A file in memory that asks for the memory first."""

from __future__ import annotations

import io
from typing import Any

from checkpoints._process.budget import ask

__all__ = ["MemoryFile"]

# A file that grows has room for some more.
_ROOM = 1.2


class MemoryFile(io.BytesIO):
    """
    A file in memory, for what another library writes.

    >>> file = MemoryFile()
    >>> file.write(b"text")
    4
    """

    def write(self, data: Any) -> int:
        """Write bytes, unless a `TooLargeError` tells that they take too much."""
        ask(_ROOM * memoryview(data).nbytes)
        return super().write(data)
