"""What the processes of a program left as they ended, and which of them did not."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterable, Iterator
from typing import Any

from checkpoints.cli._liveness import is_running

__all__ = ["LastWord", "last_word"]

# Seconds.
_PATIENCE = 0.5


class LastWord:
    """What the processes left, and the numbers of those that left no last word."""

    def __init__(self, folder: str) -> None:
        self.reports: list[dict[str, Any]] = []
        self.used: set[str] = set()
        told: set[int] = set()
        silent: set[int] = set()
        for name in sorted(os.listdir(folder)):
            if name.startswith("."):
                continue  # it was not finished
            with open(os.path.join(folder, name), "rb") as file:
                lines = list(_parsed(file))
            pid = int(name.partition("-")[0])
            # A rule can be used after that, by what else is done at the end.
            last = [line for line in lines if isinstance(line, dict)][-1:]
            self.reports += last
            self.used.update(it for it in lines if it and isinstance(it, str))
            (told if last else silent).add(pid)
        # A process can become another program, and tell as that.
        self.running = set(filter(is_running, silent - told))
        self.ended = silent - told - self.running


def _parsed(lines: Iterable[bytes]) -> Iterator[Any]:
    for line in lines:
        # The last one is cut short where a kill comes in between.
        with contextlib.suppress(ValueError):
            yield json.loads(line)


def last_word(folder: str) -> LastWord:
    """Read what processes left; those that are just ending get a moment to do so."""
    end = time.monotonic() + _PATIENCE
    while (word := LastWord(folder)).running and time.monotonic() < end:
        time.sleep(_PATIENCE / 50)
    return word
