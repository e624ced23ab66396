"""Two entries of two runs, and what differs between them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from checkpoints._compare.difference import Difference
from checkpoints._compare.pairing import How
from checkpoints._compare.record import PairKey, Process
from checkpoints._index.entry import Entry

__all__ = ["Pair", "Role", "Unpaired", "has_arguments"]

PairVerdict: TypeAlias = Literal[
    "equal", "close", "noise", "different", "unknown", "unpaired"
]
Role: TypeAlias = Literal["", "origin", "inherited", "possibly inherited"]
Unpaired: TypeAlias = Literal["missing", "added", "not reached", "not sampled"]


@dataclass(slots=True, kw_only=True)
class Pair:
    """
    An entry and its counterpart in the other run.

    Args:
        number: Its place in the order of the program, from 1.
        key: The name, and the tags by which it was paired, as the candidate calls them.
        baseline: The entry of the baseline; None if there is none.
        candidate: The entry of the candidate; None if there is none.
        process: The process that saved it, in the baseline where that is known.
        thread: The name of the thread that saved it.
        part: Which part of a recorded call it is: `"arguments"`, `"result"` or
            `"exception"`; empty for a checkpoint.
        how: How the partners were found.
        verdict: The worst of the verdicts over its values.
        by: How they were compared: by their `"checksum"`, by their `"bytes"`, or by
            their `"values"`.
        values: What differs, by the name of the value; only values that are not equal.
        role: Whether the difference began here, or was in the inputs already.
        inputs: What is known of the inputs, in words.
        why: Why it has no partner, or why it is unknown.
        occurrence: Which of the saves with its key it is, from 1, and of how many.
        moved: Which of them it is in the baseline and in the candidate, if a thread
            saved them in another order; such a pair is different, whatever its values.
        random_state: Of a call that a rule with `random=True` saved: the generators and
            variables whose states before it differ.
        not_saved: The names of values that could not be saved on either side, so that
            nothing is known of them.
        changed: The names of values that were saved with less than they held, such as
            a figure as a picture.
    """

    number: int
    key: PairKey
    baseline: Entry | None
    candidate: Entry | None
    process: Process
    thread: str = ""
    part: str = ""
    how: How
    verdict: PairVerdict = "equal"
    by: Literal["", "checksum", "bytes", "values"] = ""
    values: dict[str, Difference] = field(default_factory=dict)
    role: Role = ""
    inputs: str = ""
    why: str = ""
    occurrence: tuple[int, int] = (1, 1)
    moved: tuple[int, int] | None = None
    random_state: tuple[str, ...] = ()
    not_saved: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of the checkpoint, as in the candidate."""
        return self.key[0]

    @property
    def tags(self) -> tuple[tuple[str, str], ...]:
        """The tags by which it was paired, as texts."""
        return self.key[1]

    @property
    def entry(self) -> Entry:
        """The entry of the baseline, or that of the candidate where there is none."""
        entry = self.baseline or self.candidate
        assert entry is not None  # noqa: S101 - a pair has one at least
        return entry

    @property
    def worst(self) -> tuple[str, Difference] | None:
        """The value that differs most, and what differs; None if none does."""
        return next(iter(self.ranked), None)

    @property
    def ranked(self) -> list[tuple[str, Difference]]:
        """The values that differ: by verdict, and then by excess."""
        order = ("different", "unknown", "close", "equal")
        return sorted(
            self.values.items(),
            key=lambda item: (order.index(item[1].verdict), -item[1].excess),
        )

    @property
    def has_other_bits(self) -> bool:
        """Whether something differs, within the tolerance or not."""
        return self.verdict in ("close", "noise", "different")


def has_arguments(pair: Pair) -> bool:
    """Tell whether the values of a pair are the arguments of a call."""
    return pair.part == "arguments"
