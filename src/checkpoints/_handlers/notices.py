"""What a file handler tells about its saves, mostly once for each name."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from checkpoints._files.container import open_container
from checkpoints._handlers.outcomes import outcomes
from checkpoints._keys.key import Key
from checkpoints._process.origin import current_run
from checkpoints.errors import CheckpointError
from checkpoints.storage._store import Store

__all__ = ["Notices"]

logger = logging.getLogger("checkpoints")

# Told once for all names, none of which is empty.
_OTHER_RUN = ""


class Notices:
    """
    The log messages of a handler that saves to files.

    Args:
        can_number: Whether its files can be numbered.
    """

    def __init__(self, *, can_number: bool) -> None:
        self._other_way = ", or use if_exists='keep'" if can_number else ""
        # With a mark of who told it, as several threads may save at once.
        self._told: dict[str, object] = {}

    def _is_new(self, subject: str) -> bool:
        mark = object()
        return self._told.setdefault(subject, mark) is mark

    def once(self, subject: str, message: str, *arguments: object) -> None:
        """Log a warning, unless there was one about its subject."""
        if self._is_new(subject):
            logger.warning(message, *arguments)

    def of_file(self, key: Key, store: Store, name: str, *, is_intended: bool) -> None:
        """
        Warn if a file that this run or another one saved is about to be replaced.

        Args:
            key: The key of the save.
            store: Where the file is.
            name: Its name.
            is_intended: Whether those of other runs may be replaced without a word.
        """
        if key.name in self._told:
            return
        try:
            with store.open(name) as file:
                run = open_container(file).header.get("run")
        except (OSError, CheckpointError):
            return
        if run == (key.origin.run if key.origin else current_run()):
            self.of_replacing(key)
        elif not is_intended:
            self.once(
                _OTHER_RUN,
                "checkpoint %s replaces the file of another run, and more may follow: "
                "give each run a folder, with run={run} in the root, or say that it "
                "is intended, with if_exists='replace'",
                key,
            )

    def of_replacing(self, key: Key) -> None:
        """Warn, and count, that a file of this run is replaced."""
        outcomes.replaced(key.name)
        self.once(
            key.name,
            "checkpoint %s was already saved by this run, and only the last save is "
            "kept: add a tag that distinguishes them%s",
            key,
            self._other_way,
        )

    def of_values(self, key: Key, notices: Iterable[tuple[str, str, bool]]) -> None:
        """Tell once for each name and value that it is a pickle, or changed."""
        for name, text, is_news in notices:
            if self._is_new(f"{key.name} {name}"):
                level = logging.WARNING if is_news else logging.INFO
                logger.log(level, "checkpoint %s: %s", key, text)

    def of_skip(self, key: Key) -> None:
        """Log that a save was not necessary."""
        logger.info("checkpoint %s already has a file, and was skipped", key)
