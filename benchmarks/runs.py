"""Two runs compared, beside loading and comparing all that they saved."""

from __future__ import annotations

import os
from typing import Any

import checkpoints
from benchmarks.index import count_files
from benchmarks.rounds import Row, Work, compare, settle, show_progress


def measure(folder: str, *, quick: bool) -> list[Row]:
    rounds, arrays, entries = (3, 20, 100) if quick else (5, 1000, 10_000)
    one, same, some, other = (
        os.path.join(folder, name) for name in ("one", "same", "some", "other")
    )
    for root, factor, step in (
        (one, 1.0, 1),
        (same, 1.0, 1),
        (some, 1.001, 1000),
        (other, 1.001, 1),
    ):
        save_arrays(root, arrays, factor, step)
    settle()
    rows = [
        compare(
            f"diff of {arrays:,} pairs of 1 MB, {what}",
            Work(lambda root=root: checkpoints.diff(one, root)),
            "`np.load` of both, `array_equal`",
            Work(lambda root=root: load_and_compare(one, root)),
            rounds=rounds,
            target=target,
        )
        for what, root, target in (
            ("all equal", same, 0.05),
            ("one cell in 1,000 different", some, 1.0),
            ("all cells different", other, None),
        )
    ]
    return [*rows, many(folder, entries, rounds)]


def many(folder: str, number: int, rounds: int) -> Row:
    """Many small entries, of which one in a hundred differs."""
    roots = [os.path.join(folder, name) for name in ("small", "changed")]
    for root, step in zip(roots, (0, 1), strict=True):
        with checkpoints.config("compared", root, on_error="raise"):
            for at in range(number):
                if at % 1000 == 0:
                    show_progress()
                with checkpoints.tags(group=at // 100, at=at):
                    value = at + step * (at % 100 == 0)
                    checkpoints.checkpoint("compared.small", value)
    return compare(
        f"diff of {number:,} pairs, 1 % different",
        Work(lambda: checkpoints.diff(*roots)),
        "`os.scandir` of both, recursive",
        Work(lambda: [count_files(root) for root in roots]),
        rounds=rounds,
    )


def save_arrays(root: str, number: int, factor: float, step: int) -> None:
    """Save arrays, of which every so many cells are multiplied by a factor."""
    import numpy

    array = numpy.random.default_rng(0).random(131_072)
    array[::step] *= factor
    with checkpoints.config("compared", root, on_error="raise"):
        for at in range(number):
            if at % 100 == 0:
                show_progress()
            array[0] = at
            with checkpoints.tags(at=at):
                checkpoints.checkpoint("compared.array", x=array)


def load_and_compare(one: str, other: str) -> list[bool]:
    import numpy

    pairs: list[tuple[Any, Any]] = [
        (os.path.join(one, name), os.path.join(other, name))
        for name in os.listdir(one)
        if not name.startswith(".")  # where the record of the run is
    ]
    file = os.path.join("compared", "array.ckpt.zip")
    return [
        bool(
            numpy.array_equal(
                numpy.load(os.path.join(first, file))["x"],
                numpy.load(os.path.join(second, file))["x"],
            )
        )
        for first, second in pairs
    ]
