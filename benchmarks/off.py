"""A checkpoint that is off, beside a logger that is off."""

from __future__ import annotations

import logging
from timeit import Timer

import checkpoints
from benchmarks.rounds import Row, show_progress

OURS = 'checkpoint("a.b", x=x, y=y)'
LOGGER = 'logger.debug("%s %s", x, y)'
ROOT = 'logging.debug("%s %s", x, y)'


def measure(_folder: str, *, quick: bool) -> list[Row]:
    rounds, times = (10, 10_000) if quick else (200, 50_000)
    known = {
        "checkpoint": checkpoints.checkpoint,
        "logging": logging,
        "logger": logging.getLogger("a.b"),
        "x": 1.5,
        "y": "text",
    }
    timers = [Timer(code, globals=known) for code in (OURS, LOGGER, ROOT)]
    # Some other checkpoint is on, as in any program that makes use of them.
    with checkpoints.config("c", print):
        best = [float("inf")] * len(timers)
        for number in range(rounds):
            if number % 10 == 0:
                show_progress()
            taken = [timer.timeit(times) / times for timer in timers]
            best = [min(pair) for pair in zip(best, taken, strict=True)]
    ours, logger, root = best
    return [
        Row("off, two values", f"`{LOGGER}`, off", ours / logger, 0.9, ours, logger),
        Row("off, two values", f"`{ROOT}`, off", ours / root, 0.9, ours, root),
    ]
