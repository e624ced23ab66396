"""The memory that reading may take, asked for before it is taken."""

from __future__ import annotations

from contextvars import ContextVar

from checkpoints._process.memory import most_memory
from checkpoints.errors import TooLargeError

__all__ = ["Budget", "ask", "within"]


class Budget:
    """
    The memory that reading a file may take, with all that is made of its values.

    Args:
        path: The path of the file, for messages.
        max_bytes: The limit; None means the memory that this process may take. Inside
            `within`, it is never more than what is left there.

    >>> budget = Budget("a.ckpt.zip", 100)
    >>> budget.take(60, "an array")
    >>> budget.left
    40
    """

    def __init__(self, path: str, max_bytes: int | None = None) -> None:
        limit = most_memory() if max_bytes is None else max_bytes
        # What was taken of the same limit before.
        self.before = 0
        if (asked := _asked.get()) is not None and asked[0].left <= limit:
            around = asked[0]
            limit, self.before = around.left, around.taken + around.before
        self._path = path
        self._limit = limit
        self.left: int = limit

    @property
    def taken(self) -> int:
        """How many bytes were taken."""
        return self._limit - self.left

    def check(self, size: int, what: str) -> None:
        """
        Check that a number of bytes is available, without taking them.

        Raises:
            TooLargeError: If fewer bytes are left.
        """
        if size > self.left:
            before, limit = self.taken + self.before, self._limit + self.before
            raise TooLargeError.at(self._path, what, size + before, limit)

    def take(self, size: int, what: str) -> None:
        """
        Take a number of bytes.

        Raises:
            TooLargeError: If fewer bytes are left.
        """
        self.check(size, what)
        self.left -= size


# The budget to ask, and what the memory is for.
_asked: ContextVar[tuple[Budget, str] | None] = ContextVar("asked", default=None)


def ask(size: float) -> None:
    """
    Ask for memory, before an object is made that takes more than what it is made of.

    Args:
        size: A number of bytes.

    Raises:
        TooLargeError: If the budget around does not allow it. Without one, as while
            something is saved, any memory is allowed.
    """
    asked = _asked.get()
    if asked is not None:
        budget, what = asked
        budget.take(int(size), what)


class within:  # noqa: N801 - a context manager, written as a function
    """
    Let `ask` take from a budget meanwhile.

    Args:
        budget: The budget.
        what: What the memory is for, in messages.

    >>> budget = Budget("a.ckpt.zip", 100)
    >>> with within(budget, "an array"):
    ...     ask(60)
    >>> budget.left
    40
    """

    # Not of contextlib, which takes as long as the rest of a small load's questions.
    __slots__ = ("_asked", "_token")

    def __init__(self, budget: Budget, what: str) -> None:
        self._asked = budget, what

    def __enter__(self) -> None:
        self._token = _asked.set(self._asked)

    def __exit__(self, *_: object) -> None:
        _asked.reset(self._token)
