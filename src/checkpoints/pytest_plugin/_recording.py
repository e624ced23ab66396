"""What the save points of a failing test held, by the flight recorder."""

from __future__ import annotations

import logging
import shlex
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import checkpoints

__all__ = ["ON_FAILURE", "Recording", "quiet"]

logger = logging.getLogger("checkpoints")

ON_FAILURE = "--checkpoints-on-failure"


class _Tagging(checkpoints.Handler):
    """Saves what a failing test held, with the test as a tag."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.test = ""

    def begin(self) -> None:
        """Wait with the handler for files: most sessions have no test that fails."""

    def commit(self, key: checkpoints.Key, staged: Any) -> Any:
        """Save to a file."""
        files = checkpoints.FileHandler(self.root, if_exists="keep")
        rest = tuple(pair for pair in key.tags if pair != ("test", self.test))
        tags = (("test", self.test), *rest)
        return files.commit(checkpoints.Key(key.name, tags, key.origin), staged)


class Recording:
    """
    Keeps in memory what the tests save, and writes it where one fails.

    Args:
        root: The folder or URL to write to.
    """

    def __init__(self, root: str) -> None:
        self.root = root
        self.target = _Tagging(root)
        self.recorder = checkpoints.Recorder(self.target)
        # Made before the rules of any test, so that it gets what those do not cover.
        self.rule = checkpoints.config("*", self.recorder, on_error="ignore")
        # A rule from outside stays in force when a test calls `reset`.
        self.rule.source = ON_FAILURE

    def keep(self, nodeid: str, phase: str) -> str:
        """Write what a test held; return in words where; "" if it saved nothing."""
        if not len(self.recorder):
            return ""
        if self.target.test != nodeid:
            self.target.test = nodeid
            self._remove_earlier(nodeid)
        with quiet():
            count = self.recorder.dump(f"{phase} of {nodeid} failed")
        words = ["checkpoints", "ls", self.root, "--where", f"test=={nodeid}"]
        return f"{count} saves of this test are kept in {self.root}\n" + shlex.join(
            words
        )

    def _remove_earlier(self, nodeid: str) -> None:
        with suppress(FileNotFoundError):
            for entry in checkpoints.index(self.root).where(test=f"=={nodeid}"):
                store, name = checkpoints.storage.split_path(entry.path)
                store.delete(name)


@contextmanager
def quiet() -> Iterator[None]:
    """Log nothing: between the phases of a test pytest does not catch it."""
    was = logger.disabled
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = was
