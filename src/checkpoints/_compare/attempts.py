"""Attempts at tasks that an engine has repeated: which of them counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable

from checkpoints._process.attempt import Attempt

__all__ = ["completed"]


def completed(saves: Iterable[tuple[Hashable, Attempt | tuple[()]]]) -> list[bool]:
    """
    Tell of each save whether it counts, of a task that was done several times.

    The attempt with the most saves of a key counts, the last one of several: one that
    was killed has saved fewer, and one that was completed is seldom repeated.

    Args:
        saves: For each save, its task and key, and the attempt; none outside of tasks.

    >>> completed([("a", ("task", 0)), ("a", ("task", 1)), ("a", ())])
    [False, True, True]
    """
    saves = list(saves)
    counts: dict[Hashable, Counter[int]] = {}
    for task, attempt in saves:
        if attempt:
            counts.setdefault(task, Counter())[attempt[1]] += 1
    chosen = {task: _most_of(numbers) for task, numbers in counts.items()}
    return [not attempt or attempt[1] == chosen[task] for task, attempt in saves]


def _most_of(numbers: Counter[int]) -> int:
    return max(numbers, key=lambda number: (numbers[number], number))
