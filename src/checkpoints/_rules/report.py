"""The report of a process for `checkpoints run`: its rules, and outcomes of saves."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress

from checkpoints._handlers.outcomes import outcomes
from checkpoints._handlers.run_record import saved_roots
from checkpoints._process import drain
from checkpoints._process.exit import at_exit, at_exit_of_forks, is_worker
from checkpoints._process.origin import host_name
from checkpoints._process.work import at_work
from checkpoints._rules.registry import registry
from checkpoints._rules.rule import Rule

__all__ = ["Report", "further_facts"]

# What else is reported, such as what probes have found.
further_facts: dict[str, Callable[[], object]] = {}


class Report:
    """
    A file per process, so that `checkpoints run` notices processes that were killed.

    It has a line for each rule at its first use, and one at exit for everything else.

    Args:
        folder: The folder for the files.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._paths: dict[int, str] = {}

    def begin(self) -> None:
        """Make this process and all its forks write a report when they exit."""
        registry.reporter = self.use
        at_exit(self.fill)
        at_exit_of_forks(self.fill)
        # Workers and forks have no file until they use a rule: nothing is missing if
        # they are killed before.
        if not is_worker():
            self._create(b"")

    def use(self, rule: Rule) -> None:
        """Report that a rule has accepted a call."""
        with at_work:
            self._add(rule.source)

    def fill(self) -> None:
        """Report the outcomes of the rules and saves of this process."""
        with at_work:
            try:
                self._fill()
            except KeyboardInterrupt:
                # Ctrl-C may reach a process twice, as a key and through its group.
                self._fill()

    def _fill(self) -> None:
        drain.drain()
        rules = [rule for rule in registry.rules() if rule.source]
        idle = {rule.source: registry.why_idle(rule) for rule in rules}
        content = {
            "host": host_name(),
            "saves": outcomes.counts()[0],
            "reasons": outcomes.reasons,
            "roots": saved_roots,
            "rules": [rule.source for rule in rules],
            **{name: tell() for name, tell in further_facts.items()},
            "idle": {
                source: [why.reason, why.text, why.by]
                for source, why in idle.items()
                if why is not None
            },
        }
        self._add(content)

    def _add(self, what: object) -> None:
        line = json.dumps(what).encode() + b"\n"
        path = self._paths.get(os.getpid())
        if path is None:
            self._create(line)
            return
        # The folder is removed if this process outlives `checkpoints run`.
        with suppress(OSError):
            flags = os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0)
            handle = os.open(path, flags)
            try:
                os.write(handle, line)  # in one call: other threads write too
            finally:
                os.close(handle)

    def _create(self, content: bytes) -> None:
        pid = os.getpid()
        # The system reuses numbers of processes.
        name = f"{pid}-{os.urandom(4).hex()}"
        self._paths[pid] = os.path.join(self._folder, name)
        # A worker without anything to report may be killed in the middle of this.
        unfinished = os.path.join(self._folder, f".{name}")
        with suppress(OSError):
            with open(unfinished, "xb") as file:
                file.write(content)
            os.rename(unfinished, self._paths[pid])
