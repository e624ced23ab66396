"""The call of a background save, compared with its copy, and with a plain save."""

from __future__ import annotations

import itertools
import os

import checkpoints
from benchmarks.rounds import Row, Work, compare, settle

VALUES = {"loss": 0.25, "epoch": 3, "name": "ridge"}


def measure(folder: str, *, quick: bool) -> list[Row]:
    import numpy

    rounds, megabytes, times = (3, 8, 10) if quick else (20, 64, 50)
    array = numpy.random.default_rng(1).random(megabytes * 125_000)
    steps = itertools.count()
    copies = []

    def copy() -> None:
        # Kept, because freeing the memory is not part of a copy.
        copies.append(array.copy())

    def when_idle() -> None:
        """Wait for the saves of the previous round, and for the disk."""
        copies.clear()
        checkpoints.flush()
        settle()
        # Both then reuse memory that was just freed: other memory of a virtual
        # machine may belong to its host, and takes ten times the copy to obtain.
        array.copy()

    def save() -> None:
        checkpoints.checkpoint("background.large", array)

    def save_small(name: str) -> None:
        for step in itertools.islice(steps, times):
            checkpoints.checkpoint(f"{name}.small{step}", VALUES)

    late, at_once = os.path.join(folder, "late"), os.path.join(folder, "at-once")
    with (
        checkpoints.config("background", late, background=True, if_exists="keep"),
        checkpoints.config("plain", at_once, if_exists="keep"),
    ):
        return [
            compare(
                f"{megabytes} MB float64, in the background: the call",
                Work(save, when_idle),
                "its copy, `array.copy()`",
                Work(copy, when_idle),
                rounds=rounds,
                target=1.5,
            ),
            compare(
                "small dict, in the background: the call",
                Work(lambda: save_small("background"), when_idle),
                "the same, not in the background",
                Work(lambda: save_small("plain"), when_idle),
                rounds=rounds,
                times=times,
            ),
        ]
