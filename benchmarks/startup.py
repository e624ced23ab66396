"""What loading the library costs a program, with everything switched off."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import checkpoints
from benchmarks.rounds import Row, show_progress

PLAIN = "pass"
LOADED = "import checkpoints"
WORK = """
import json
text = json.dumps(list(range(200)))
for number in range({count}):
    {call}
    json.loads(text)
"""
CALL = 'checkpoint("mypkg.step", number=number, text=text)'
SOURCES = os.path.dirname(os.path.dirname(checkpoints.__file__))


def measure(folder: str, *, quick: bool) -> list[Row]:
    rounds, count = (2, 1_000) if quick else (20, 100_000)
    # Both programs import the library: only the calls differ.
    start = "from checkpoints import checkpoint\n"
    with_calls = start + WORK.format(count=count, call=CALL)
    without = start + WORK.format(count=count, call="pass")
    programs = [PLAIN, LOADED, without, with_calls]
    best = [float("inf")] * len(programs)
    for _ in range(rounds):
        show_progress()
        taken = [seconds(program, folder) for program in programs]
        best = [min(pair) for pair in zip(best, taken, strict=True)]
    plain, loaded, bare, calling = best
    added = loaded - plain
    return [
        Row("start of a program", "40 ms, added", added / 0.04, 1, added, 0.04),
        Row(
            "a program with calls that are off",
            "the same without the calls",
            calling / bare,
            1.02,
            calling,
            bare,
        ),
    ]


def seconds(program: str, folder: str) -> float:
    """Return how long a program takes, with modules compiled by the previous run."""
    ours = {key: it for key, it in os.environ.items() if "CHECKPOINTS" not in key}
    ours.pop("PYTHONDONTWRITEBYTECODE", None)
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        env={**ours, "PYTHONPATH": SOURCES, "PYTHONPYCACHEPREFIX": folder},
    )
    return time.perf_counter() - start
