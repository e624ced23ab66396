"""The handlers that are in force: each is begun once, and ended once."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from checkpoints._handlers.handler import Handler
from checkpoints._text import shown

__all__ = ["InForce"]

logger = logging.getLogger("checkpoints")


class InForce:
    """Those of all rules, or of a recorder. Whoever changes them holds a lock."""

    def __init__(self) -> None:
        # By identity: a handler of somebody else may be equal to another one.
        self._handlers: dict[int, Handler] = {}

    def begin(self, handlers: Iterable[Handler]) -> None:
        """
        Begin those that are not begun yet, all of them or none.

        Raises:
            Exception: What the `begin` of one raises.
        """
        begun: dict[int, Handler] = {}
        try:
            for handler in handlers:
                if id(handler) not in self._handlers | begun:
                    handler.begin()
                    begun[id(handler)] = handler
        except BaseException:
            for handler in begun.values():
                _end(handler)
            raise
        self._handlers.update(begun)

    def keep(self, handlers: Iterable[Handler]) -> None:
        """End those that are not among these."""
        kept = {id(handler) for handler in handlers}
        for key in [key for key in self._handlers if key not in kept]:
            _end(self._handlers.pop(key))


def _end(handler: Handler) -> None:
    try:
        handler.end()
    except Exception as error:  # noqa: BLE001 - it is gone in any case
        logger.warning("%s: %s", shown(handler), error)
