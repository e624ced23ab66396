"""The memory that one load may take, checked before it is allocated."""

from __future__ import annotations

from checkpoints._process.memory import most_memory
from checkpoints.errors import TooLargeError

__all__ = ["Budget"]


class Budget:
    """
    The memory that one load may take.

    Args:
        path: The path of the file, for messages.
        max_bytes: The limit; None means the memory that this process may take.

    >>> budget = Budget("a.ckpt.zip", 100)
    >>> budget.take(60, "an array")
    >>> budget.left
    40
    """

    def __init__(self, path: str, max_bytes: int | None = None) -> None:
        if max_bytes is None:
            max_bytes = most_memory()
        self._path = path
        self._limit = max_bytes
        self.left = max_bytes

    def check(self, size: int, what: str) -> None:
        """
        Check that a number of bytes is available, without taking them.

        Raises:
            TooLargeError: If fewer bytes are left.
        """
        if size > self.left:
            taken = self._limit - self.left
            raise TooLargeError.at(self._path, what, size + taken, self._limit)

    def take(self, size: int, what: str) -> None:
        """
        Take a number of bytes.

        Raises:
            TooLargeError: If fewer bytes are left.
        """
        self.check(size, what)
        self.left -= size
