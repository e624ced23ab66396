"""Errors of the background that are to be raised, until a call comes that can do so."""

from __future__ import annotations

import logging
import os
import threading
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from checkpoints._rules import Rule

__all__ = ["Owed"]

logger = logging.getLogger("checkpoints")


class _Debt(NamedTuple):
    rule: Rule
    error: BaseException
    story: str


class Owed:
    """The errors of saves in the background under rules with `on_error="raise"`."""

    def __init__(self) -> None:
        self._begin()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._begin)

    def _begin(self) -> None:
        self._lock = threading.RLock()
        self._debts: list[_Debt] = []

    def add(self, rule: Rule, error: BaseException, story: str) -> None:
        """Keep an error for the next call under its rule, or for a flush."""
        with self._lock:
            self._debts.append(_Debt(rule, error, story))

    def pay(self, rule: Rule | None = None) -> None:
        """
        Raise the first error that nobody was told of yet.

        Args:
            rule: Whose errors; everybody's unless given.

        Raises:
            BaseException: That error, with a note of each that came after it.
        """
        if not self._debts:
            return
        with self._lock:
            mine = [it for it in self._debts if rule in (None, it.rule)]
            self._debts = [it for it in self._debts if rule not in (None, it.rule)]
        if mine:
            for other in mine[1:]:
                mine[0].error.add_note(f"and then, {other.story}")
            raise mine[0].error

    def tell(self) -> None:
        """Tell the log of those that no call came to raise, and forget them."""
        with self._lock:
            debts, self._debts = self._debts, []
        for debt in debts:
            logger.error(
                "%s. It was to be raised, and no call came to do so", debt.story
            )
