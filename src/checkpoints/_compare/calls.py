"""Recorded calls: arguments, and what came out of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from checkpoints._compare.record import PairKey, Record

__all__ = ["Calls", "keys_of_arguments"]


class Calls:
    """
    The recorded calls of a run.

    Args:
        records: All entries of the run.
        known: The keys of the arguments that the other run has. An outcome whose
            arguments only one run saved stands for itself.
    """

    def __init__(self, records: Iterable[Record], known: Collection[PairKey]) -> None:
        records = list(records)
        made = {
            (record.process, record.key[0], record.call_tags): record
            for record in records
            if record.part == "arguments" and record.key in known
        }
        # By the positions in the index.
        self._arguments: dict[int, Record] = {}
        self._outcomes: dict[int, list[Record]] = {}
        for record in records:
            if record.part in ("", "arguments"):
                continue
            function = record.key[0].removesuffix(f".{record.part}")
            found = made.get((record.process, function, record.call_tags))
            if found is not None:
                self._arguments[record.position] = found
                self._outcomes.setdefault(found.position, []).append(record)

    def arguments_of(self, record: Record) -> Record | None:
        """Return the arguments that an entry came out of; None if it is no outcome."""
        return self._arguments.get(record.position)

    def outcomes_of(self, record: Record) -> list[Record]:
        """Return what came out of arguments: a result or an exception, or nothing."""
        return self._outcomes.get(record.position, [])


def keys_of_arguments(records: Iterable[Record]) -> set[PairKey]:
    """Return the keys of the arguments of calls."""
    return {record.key for record in records if record.part == "arguments"}
