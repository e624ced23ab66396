"""A table, compared with Feather."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import checkpoints
from benchmarks.rounds import Row, Work, compare, make_room

if TYPE_CHECKING:
    import pandas


def measure(folder: str, *, quick: bool) -> list[Row]:
    import pandas

    rounds, length = (3, 20_000) if quick else (15, 1_000_000)
    frame = made_up(length)
    kind = f"{length:,} x {frame.shape[1]} DataFrame"
    ours = os.path.join(folder, "frames", "frame.ckpt.zip")
    theirs = os.path.join(folder, "frame.feather")

    with checkpoints.config("frames", folder, on_error="raise"):
        saved = compare(
            f"{kind}: save",
            Work(
                lambda: checkpoints.checkpoint("frames.frame", df=frame),
                make_room(ours),
            ),
            "uncompressed Feather",
            Work(
                lambda: frame.to_feather(theirs, compression="uncompressed"),
                make_room(theirs),
            ),
            rounds=rounds,
            target=1.2,
        )
    loaded = compare(
        f"{kind}: load",
        Work(lambda: checkpoints.load(ours)["df"]),
        "`pd.read_feather`",
        Work(lambda: pandas.read_feather(theirs)),
        rounds=rounds,
    )
    return [saved, loaded]


def made_up(length: int) -> pandas.DataFrame:
    """Return a typical table: mostly numbers, and a time and a string column."""
    import numpy
    import pandas

    random = numpy.random.default_rng(0)
    columns = {f"value{number}": random.random(length) for number in range(7)}
    return pandas.DataFrame(
        {
            "time": pandas.date_range("2020-01-01", periods=length, freq="min"),
            "station": random.choice(["north", "south", "east"], length),
            "count": random.integers(0, 1000, length),
            **columns,
        }
    )
