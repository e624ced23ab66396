"""Saves that a store did not take: kept in a folder, and delivered by a later run."""

from __future__ import annotations

import logging
import os
import shlex
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from checkpoints._handlers.background import Writer
from checkpoints._handlers.delivery import Delivery
from checkpoints._handlers.root import checked_root, escaped, filled_root, split_root
from checkpoints._process.exit import may_be_killed
from checkpoints._text import count_text, is_remote, printable, shown
from checkpoints.errors import ConfigError
from checkpoints.storage._stores import open_store

__all__ = ["Spill", "checked_spill"]

logger = logging.getLogger("checkpoints")

# After a failure, nothing is sent for so many seconds: each would wait as long.
_PAUSE = 30.0


def checked_spill(folder: object, root: str) -> str | None:
    """
    Return a folder for what a store does not take, as a root of its own.

    Raises:
        ConfigError: If it is no path of a folder, or the root is no URL.
    """
    if folder is None:
        return None
    text: object = os.fspath(folder) if isinstance(folder, str | os.PathLike) else ""
    if not isinstance(text, str) or not text or is_remote(text):
        message = f"invalid spill={shown(folder)}: expected the path of a folder"
        raise ConfigError(message)
    if not is_remote(root):
        raise ConfigError(
            f"spill is for object stores, and {root!r} is a folder: leave it out"
        )
    if split_root(root)[0].endswith(":/"):
        raise ConfigError(
            f"a later run could not tell for which bucket of {root!r} spill has kept "
            "what it finds: use placeholders only below the bucket"
        )
    return checked_root(escaped(text))


class Spill:
    """
    A folder for what a store does not take, with the same paths below it.

    Args:
        folder: The folder, as a root.
        root: The root in the store, with its placeholders.
        options: The options of the store.
        max_wait: How many seconds the end of the program waits for what is delivered.
    """

    def __init__(
        self,
        folder: str,
        root: str,
        options: Mapping[str, Any] | None,
        max_wait: float,
    ) -> None:
        # It has no placeholders, but its braces are doubled.
        self.folder, self._options = folder.format(), options
        self._place, below = split_root(root)
        # The root of a handler that saves there.
        self.root = f"{folder}/{below}".rstrip("/")
        self._writer = Writer(max_pending=1, on_full="block", max_wait=max_wait)
        self._away_until = 0.0
        self._is_told = False
        self._is_due = True

    @property
    def is_away(self) -> bool:
        """Whether the store has just failed, and is not to be asked now."""
        return time.monotonic() < self._away_until

    def failed(self, error: OSError) -> None:
        """Ask the store no more for a while, and say once what becomes of the saves."""
        self._away_until = time.monotonic() + _PAUSE
        if not self._is_told:
            self._is_told = True
            logger.warning(
                "%s (%s): saves are kept in %s, and delivered when it is back, by this "
                "run or the next, or by: checkpoints push %s %s",
                *(self._target, printable(error.strerror or str(error)), self.folder),
                *(shlex.quote(self.folder), shlex.quote(self._target)),
            )

    @property
    def _target(self) -> str:
        return filled_root(self._place)

    def keeps(self) -> None:
        """Note that there is something to deliver, once it is in the folder."""
        self._is_due = True

    def arrived(self) -> None:
        """Note that a save has arrived: what was kept is delivered, in a thread."""
        # One that was sent before another one failed tells nothing.
        if self._is_due and not self.is_away and not may_be_killed():
            self._is_due = False
            with suppress(OSError):
                # Most programs have nothing to deliver.
                open_store(self.folder).check_root()
                self._writer.submit({}, self.deliver)

    def deliver(self, _: object = None) -> None:
        """Move what is there to the store; what goes wrong is logged."""
        problems, count = list[str](), 0
        try:
            delivery = Delivery(open_store(self.folder))
            store = open_store(self._target, self._options)
            count = delivery.to(store, tell=problems.append).count
        except Exception as error:  # noqa: BLE001 - the next run tries again
            problems.append(str(error))
        if count:
            logger.info("delivered %s from %s", count_text(count, "file"), self.folder)
        if problems:
            logger.warning(
                "what is kept in %s could not all be delivered: %s. Try checkpoints "
                "push %s %s",
                *(self.folder, printable(problems[0]), shlex.quote(self.folder)),
                shlex.quote(self._target),
            )
