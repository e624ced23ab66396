"""A checkpoint that is off, compared with a logger that is off."""

from __future__ import annotations

import logging
from timeit import Timer

import checkpoints
from benchmarks.rounds import Row, show_progress

OURS = 'checkpoint("a.b", x=x, y=y)'
LOGGER = 'logger.debug("%s %s", x, y)'
ROOT = 'logging.debug("%s %s", x, y)'
EMPTY = 'empty("a.b", x=x, y=y)'
POINT = "point(x=x, y=y)"
ASKED = "if point.on: pass"
CODES = (OURS, LOGGER, ROOT, EMPTY, POINT, ASKED)


def empty(
    _name: str, _data: object = None, _nested: object = None, /, **_: object
) -> None:
    """Do nothing, with the signature of `checkpoint`: no Python function is faster."""


def measure(_folder: str, *, quick: bool) -> list[Row]:
    rounds, times = (10, 10_000) if quick else (200, 50_000)
    known = {
        "checkpoint": checkpoints.checkpoint,
        "point": checkpoints.point("a.p"),
        "empty": empty,
        "logging": logging,
        "logger": logging.getLogger("a.b"),
        "x": 1.5,
        "y": "text",
    }
    timers = [Timer(code, globals=known) for code in CODES]
    # Some other checkpoint is on, as in any program that uses them.
    with checkpoints.config("c", print):
        best = [float("inf")] * len(timers)
        for number in range(rounds):
            if number % 10 == 0:
                show_progress()
            taken = [timer.timeit(times) / times for timer in timers]
            best = [min(pair) for pair in zip(best, taken, strict=True)]
    ours, logger, root, nothing, point, asked = best
    return [
        Row("off, two values", f"`{ROOT}`, off", ours / root, 0.9, ours, root),
        Row("off, two values", f"`{LOGGER}`, off", ours / logger, 0.9, ours, logger),
        Row(
            "an empty function",
            f"`{LOGGER}`, off",
            nothing / logger,
            None,
            nothing,
            logger,
        ),
        Row("a point, off, two values", f"`{OURS}`, off", point / ours, 1, point, ours),
        Row(f"`{ASKED}`, off", f"`{LOGGER}`, off", asked / logger, 0.15, asked, logger),
    ]
