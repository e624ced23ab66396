"""What a container is read from."""

from __future__ import annotations

import mmap
from typing import Protocol

__all__ = ["Source"]


class Source(Protocol):
    """What an archive is read from."""

    path: str
    size: int

    def read_into(self, offset: int, buffer: memoryview) -> int:
        """Fill the buffer from the offset on; return how many bytes there were."""
        ...

    def map(self) -> mmap.mmap:
        """Return the whole file, mapped to be read."""
        ...
