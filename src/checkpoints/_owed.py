"""Errors of the background that are to be raised, until somebody is there."""

from __future__ import annotations

import threading
from collections.abc import Iterator

__all__ = ["Owed"]


class Owed:
    """Errors, each with the rule that asked for it to be raised."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget all of them; in a forked child, with a lock that nobody holds."""
        self._lock = threading.RLock()
        self._errors: list[tuple[object, BaseException]] = []

    def __iter__(self) -> Iterator[tuple[object, BaseException]]:
        return iter(self._errors)

    def add(self, rule: object, error: BaseException) -> None:
        """Keep an error."""
        with self._lock:
            self._errors.append((rule, error))

    def pay(self, rule: object = None) -> None:
        """
        Raise the first error that nobody was told of yet.

        Args:
            rule: Whose errors; everybody's unless given.

        Raises:
            BaseException: That error.
        """
        if not self._errors:
            return
        with self._lock:
            mine = [error for owner, error in self._errors if rule in (None, owner)]
            self._errors = [
                owed for owed in self._errors if rule not in (None, owed[0])
            ]
        if mine:
            for other in mine[1:]:
                mine[0].add_note(f"and then: {type(other).__name__}: {other}")
            raise mine[0]
