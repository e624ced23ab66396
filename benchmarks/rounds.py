"""Rounds in which each work takes its turn, and the resulting rows."""

from __future__ import annotations

import gc
import os
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple


class Work(NamedTuple):
    """Something to measure, and what to do before each run, untimed."""

    run: Callable[[], object]
    prepare: Callable[[], object] = lambda: None


class Row(NamedTuple):
    """One result: our time and the other, usually in seconds, and their ratio."""

    what: str
    beside: str
    ratio: float
    target: float | None
    ours: float
    theirs: float
    unit: str = "s"


def take_turns(
    works: Sequence[Work],
    rounds: int,
    clock: Callable[[], float] = time.perf_counter,
) -> list[list[float]]:
    """Return the seconds that each work took, round by round."""
    seconds: list[list[float]] = [[] for _ in works]
    for number in range(rounds + 1):
        show_progress()
        for work, taken in zip(works, seconds, strict=True):
            work.prepare()
            # Garbage collections count only for the work that causes them.
            gc.collect()
            start = clock()
            work.run()
            elapsed = clock() - start
            if number:  # the first round is a warm-up
                taken.append(elapsed)
    return seconds


def compare(
    what: str,
    ours: Work,
    beside: str,
    theirs: Work,
    *,
    rounds: int,
    target: float | None = None,
    times: int = 1,
) -> Row:
    """Measure two works, each of which repeats its operation `times` times per run."""
    mine, others = take_turns([ours, theirs], rounds)
    return Row(
        what,
        beside,
        median_ratio(mine, others),
        target,
        statistics.median(mine) / times,
        statistics.median(others) / times,
    )


def median_ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Return the median of the ratios, each taken within one round."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def make_room(path: str) -> Callable[[], None]:
    """Return a function that makes the next save to this path like the first one."""

    def prepare() -> None:
        if os.path.isdir(path):
            shutil.rmtree(path)
        elif os.path.exists(path):
            os.unlink(path)
        settle()

    return prepare


def settle() -> None:
    """Flush everything to the disk, so that no earlier write disturbs the next."""
    if hasattr(os, "sync"):
        os.sync()


def show_progress() -> None:
    print(".", end="", file=sys.stderr, flush=True)
