"""Whether a thread of the program is at work for this library at the moment."""

from __future__ import annotations

import threading
from types import TracebackType

__all__ = ["at_work", "is_at_work"]


class _Work(threading.local):
    """
    How deep a thread is inside of this library's own work.

    What is called there, the program has not called: probes do not save it.
    """

    depth = 0

    def __enter__(self) -> None:
        self.depth += 1

    def __exit__(
        self,
        _: type[BaseException] | None,
        __: BaseException | None,
        ___: TracebackType | None,
    ) -> None:
        self.depth -= 1


# One object for all: its depth is that of the thread.
at_work = _Work()


def is_at_work() -> bool:
    """Tell whether this thread is at work for this library."""
    return at_work.depth > 0
