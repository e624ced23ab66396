"""A large array, compared with `numpy.save` and `numpy.load`."""

from __future__ import annotations

import importlib.util
import os

import checkpoints
from benchmarks.rounds import Row, Work, compare, make_room

TARGETS = {True: (1.3, 1.3), False: (1.8, 2.5)}


def measure(folder: str, *, quick: bool) -> list[Row]:
    """Measure with zlib-ng's checksum if it can be imported, otherwise with zlib's."""
    import numpy

    rounds, megabytes = (3, 8) if quick else (15, 64)
    fast = importlib.util.find_spec("zlib_ng") is not None
    save_target, load_target = TARGETS[fast]
    kind = f"{megabytes} MB float64, {'with' if fast else 'without'} `fast`"
    array = numpy.random.default_rng(0).random(megabytes * 125_000)
    ours = os.path.join(folder, "arrays", "array.ckpt.zip")
    theirs = os.path.join(folder, "array.npy")

    into_memory = Work(lambda: numpy.load(theirs).sum())
    with checkpoints.config("arrays", folder, on_error="raise"):
        rows = [
            compare(
                f"{kind}: save",
                Work(
                    lambda: checkpoints.checkpoint("arrays.array", x=array),
                    make_room(ours),
                ),
                "`np.save`",
                Work(lambda: numpy.save(theirs, array), make_room(theirs)),
                rounds=rounds,
                target=save_target,
            ),
        ]
    rows.append(
        compare(
            f"{kind}: load, sum",
            Work(lambda: load_and_sum(ours)),
            "`np.load`, sum",
            into_memory,
            rounds=rounds,
            target=load_target,
        )
    )
    if fast:  # mapped arrays are not checked, so the other run would be the same
        rows.append(
            compare(
                f"{megabytes} MB float64: load with `mmap=True`, sum",
                Work(lambda: load_and_sum(ours, mmap=True)),
                "`np.load`, sum",
                into_memory,
                rounds=rounds,
                target=0.35,
            )
        )
    return rows


def load_and_sum(path: str, *, mmap: bool = False) -> float:
    return checkpoints.load(path, mmap=mmap)["x"].sum()
