"""Files that Julia opens, compared with the library's own."""

from __future__ import annotations

import os

import checkpoints
from benchmarks.rounds import Row, Work, compare, make_room

VALUES = {"loss": 0.25, "epoch": 3, "name": "ridge"}


def measure(folder: str, *, quick: bool) -> list[Row]:
    import numpy

    rounds, megabytes, files = (3, 8, 200) if quick else (9, 64, 10_000)
    array = numpy.random.default_rng(0).random(megabytes * 125_000)
    kinds = {"jlso": "none", "zip": None}
    large = {
        kind: checkpoints.FileHandler(
            os.path.join(folder, f"large-{kind}"), format=kind, compression=compression
        )
        for kind, compression in kinds.items()
    }
    paths = {kind: path_in(large[kind].root, kind) for kind in kinds}
    what = f"{megabytes} MB float64 as `.jlso`, without compression"
    rows = [
        compare(
            f"{what}: save",
            Work(
                lambda: large["jlso"].checkpoint("a", x=array), make_room(paths["jlso"])
            ),
            "as ZIP",
            Work(
                lambda: large["zip"].checkpoint("a", x=array), make_room(paths["zip"])
            ),
            rounds=rounds,
            target=1.5,
        ),
        compare(
            f"{what}: load",
            Work(lambda: checkpoints.load(paths["jlso"])),
            "as ZIP",
            Work(lambda: checkpoints.load(paths["zip"])),
            rounds=rounds,
            target=2.0,
        ),
    ]
    small = {kind: save_many(folder, kind, files) for kind in kinds}
    rows.append(
        compare(
            f"{files:,} small `.jlso` files: load",
            Work(lambda: load_all(small["jlso"])),
            "as ZIP",
            Work(lambda: load_all(small["zip"])),
            rounds=min(rounds, 3),
            target=3.0,
            times=files,
        )
    )
    return rows


def path_in(root: str, kind: str) -> str:
    return os.path.join(root, "a.jlso" if kind == "jlso" else "a.ckpt.zip")


def save_many(folder: str, kind: str, count: int) -> checkpoints.Index:
    root = os.path.join(folder, f"small-{kind}")
    handler = checkpoints.FileHandler(root, format=kind)
    for number in range(count):
        with checkpoints.tags(number=number):
            handler.checkpoint("a", VALUES)
    return checkpoints.index(root)


def load_all(entries: checkpoints.Index) -> None:
    for entry in entries:
        entry.load()
