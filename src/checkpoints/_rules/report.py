"""What a process leaves for `checkpoints run`: what became of its rules and saves."""

from __future__ import annotations

import json
import os
from contextlib import suppress

from checkpoints._handlers.outcomes import outcomes
from checkpoints._process import drain
from checkpoints._process.exit import at_exit, at_exit_of_forks, is_worker
from checkpoints._rules.registry import registry
from checkpoints._rules.rule import Rule

__all__ = ["Report"]


class Report:
    """
    A file for each process, so that one that is killed is missed.

    A line for each rule as it is used first, and one at the end, for all the rest.

    Args:
        folder: Where the files go.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._paths: dict[int, str] = {}

    def begin(self) -> None:
        """See to it that this process and all its forks leave word at their end."""
        registry.reporter = self.use
        at_exit(self.fill)
        at_exit_of_forks(self.fill)
        # A worker, and a fork, may end in any way as long as it has used no rule.
        if not is_worker():
            self._create(b"")

    def use(self, rule: Rule) -> None:
        """Say that a rule has taken a call."""
        self._add(rule.source)

    def fill(self) -> None:
        """Say what became of the rules and the saves of this process."""
        try:
            self._fill()
        except KeyboardInterrupt:
            # Where keys or a whole group are signalled, a second one comes at once.
            self._fill()

    def _fill(self) -> None:
        drain.drain()
        rules = [rule for rule in registry.rules() if rule.source]
        idle = {rule.source: registry.idleness(rule) for rule in rules}
        told = {
            "saves": outcomes.stats(0, 0).by_name,
            "rules": [rule.source for rule in rules],
            "idle": {
                source: [why.reason, why.text, why.by]
                for source, why in idle.items()
                if why is not None
            },
        }
        self._add(told)

    def _add(self, what: object) -> None:
        line = json.dumps(what).encode() + b"\n"
        path = self._paths.get(os.getpid())
        if path is None:
            self._create(line)
            return
        # It is gone where a process outlives the program that started it.
        with suppress(OSError):
            flags = os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0)
            handle = os.open(path, flags)
            try:
                os.write(handle, line)  # in one piece, as other threads do it too
            finally:
                os.close(handle)

    def _create(self, content: bytes) -> None:
        pid = os.getpid()
        # Numbers of processes come again.
        name = f"{pid}-{os.urandom(4).hex()}"
        self._paths[pid] = os.path.join(self._folder, name)
        # A worker that had nothing to tell may be ended in the middle of this.
        unfinished = os.path.join(self._folder, f".{name}")
        with suppress(OSError):
            with open(unfinished, "xb") as file:
                file.write(content)
            os.rename(unfinished, self._paths[pid])
