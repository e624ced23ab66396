"""The index of many entries, compared with a walk that only counts files."""

from __future__ import annotations

import os

import checkpoints
from benchmarks.rounds import Row, Work, compare, settle, show_progress

NAMES = 100


def measure(folder: str, *, quick: bool) -> list[Row]:
    rounds, models, days = (3, 2, 5) if quick else (15, 10, 100)
    fill(folder, models, days)
    settle()
    number = models * days * NAMES
    found = len(checkpoints.index(folder))
    if found != number or count_files(folder) != number:
        message = f"{found} entries were found where {number} were saved"
        raise RuntimeError(message)
    walk = Work(lambda: count_files(folder))
    return [
        compare(
            f"index of {number:,} entries",
            # Its length, because the index walks on first use.
            Work(lambda: len(checkpoints.index(folder))),
            "`os.scandir`, recursive",
            walk,
            rounds=rounds,
            target=3,
        ),
        compare(
            f"index of {number:,} entries, name and tags of each",
            Work(
                lambda: [
                    (entry.name, entry.tags) for entry in checkpoints.index(folder)
                ]
            ),
            "`os.scandir`, recursive",
            walk,
            rounds=rounds,
        ),
    ]


def fill(folder: str, models: int, days: int) -> None:
    """Save entries as a program would: a hundred names for each model and day."""
    names = [f"index.stage{number:02}" for number in range(NAMES)]
    with checkpoints.config("index", folder, on_error="raise"):
        for model in range(models):
            for day in range(days):
                if day % 10 == 0:
                    show_progress()
                with checkpoints.tags(model=f"m{model}", day=day):
                    for name in names:
                        checkpoints.checkpoint(name, day)


def count_files(folder: str) -> int:
    count = 0
    with os.scandir(folder) as found:
        for item in found:
            if item.name.startswith("."):  # where the record of the run is
                continue
            if item.is_dir(follow_symlinks=False):
                count += count_files(item.path)
            else:
                count += 1
    return count
