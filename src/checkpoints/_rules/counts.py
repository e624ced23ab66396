"""What rules that leave calls out have counted, told when the process ends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from checkpoints._process.facts import end_facts
from checkpoints._process.forks import after_fork_in_child
from checkpoints._process.origin import calls_so_far

__all__ = ["last_rules"]


class Counting(Protocol):
    """A rule that counts the calls that it considers."""

    def counts_of(self, name: str) -> dict[str, int] | None:
        """Return what it has counted of a name by the end; None if nothing."""
        ...


# The rule that let the last save of each name through, in force or not any more.
last_rules: dict[str, Counting] = {}
after_fork_in_child(last_rules.clear)


def _counted() -> dict[str, dict[str, Any]]:
    return dict(_by_name())


def _by_name() -> Iterator[tuple[str, dict[str, Any]]]:
    calls = calls_so_far() if last_rules else {}
    for name, rule in list(last_rules.items()):
        counts = rule.counts_of(name)
        if name in calls and counts is not None:
            yield name, {"calls": calls[name], **counts}


end_facts["counted"] = _counted
