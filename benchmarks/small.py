"""A small dict, compared with the minimum that a safe save of its size must do."""

from __future__ import annotations

import itertools
import os

import checkpoints
from benchmarks.rounds import Row, Work, compare, settle

VALUES = {"loss": 0.25, "epoch": 3, "name": "ridge"}
ONE_KILOBYTE = bytes(1024)


def measure(folder: str, *, quick: bool) -> list[Row]:
    rounds, times = (3, 10) if quick else (40, 50)
    steps = itertools.count()
    bare = os.path.join(folder, "bare")
    os.makedirs(bare)

    def save() -> None:
        for name in itertools.islice(fresh, times):
            checkpoints.checkpoint(name, VALUES)

    def save_in_new_folders() -> None:
        for step in itertools.islice(steps, times):
            with checkpoints.tags(step=step):
                checkpoints.checkpoint("small.tagged", VALUES)

    def write() -> None:
        for number in itertools.islice(steps, times):
            write_and_rename(os.path.join(bare, str(number)))

    def write_in_new_folders() -> None:
        for number in itertools.islice(steps, times):
            new = os.path.join(bare, f"step={number}", "small")
            os.makedirs(new)
            write_and_rename(os.path.join(new, "tagged"))

    with checkpoints.config("small", folder, on_error="raise"):
        fresh = iter(called_before("small", times * (rounds + 1)))
        return [
            compare(
                "small dict, save",
                Work(save, settle),
                "write 1 KB, rename",
                Work(write, settle),
                rounds=rounds,
                target=2.0,
                times=times,
            ),
            compare(
                "small dict, save in a new folder",
                Work(save_in_new_folders, settle),
                "make the folders, write 1 KB, rename",
                Work(write_in_new_folders, settle),
                rounds=rounds,
                times=times,
            ),
        ]


def called_before(prefix: str, count: int) -> list[str]:
    """Return names whose folder exists, and whose first call was made, unsaved."""
    checkpoints.checkpoint(f"{prefix}.first", VALUES)
    names = [f"{prefix}.n{number}" for number in range(count)]
    for name in names:
        session = checkpoints.Session(name)
        session.checkpoint(VALUES)
        session.discard()
    return names


def write_and_rename(path: str) -> None:
    temporary = f"{path}.tmp"
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    os.write(handle, ONE_KILOBYTE)
    os.close(handle)
    os.rename(temporary, path)
