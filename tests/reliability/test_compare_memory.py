"""A comparison of runs that are larger than the memory stays within its bound."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import checkpoints

numpy = pytest.importorskip("numpy", reason="the values are arrays")

MB = 1 << 20
# What a comparison takes besides the values of a pair: buffers, headers, the report.
SLACK = 96 * MB
LOCATION = Path(checkpoints.__file__).parents[1]

# The limit is one of private memory: pages of mapped files are not counted, as the
# system takes them back whenever it needs memory.
PROGRAM = """
import resource, sys
import checkpoints

roots, memory, extra = sys.argv[1:3], int(sys.argv[3]), int(sys.argv[4])
small = sys.argv[5]
checkpoints.diff(small, small, exact=True)  # so that all is imported
with open("/proc/self/status") as status:
    (used,) = [int(line.split()[1]) for line in status if line.startswith("VmData")]
limit = used * 1024 + memory + extra
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
if sys.argv[6] == "diff":
    found = checkpoints.diff(*roots, memory=memory)
    print(found.verdict, len(found.unknown), found.first.worst[1].where)
else:
    kept = [entry.load() for root in roots for entry in checkpoints.index(root)]
"""


def save(root, count, size, last):
    """Save some arrays, one of which is four times as large as the bound."""
    handler = checkpoints.FileHandler(root)
    for number in range(count):
        with checkpoints.tags(number=number):
            array = numpy.full(size // 8, float(number))
            array[-1] = last
            handler.checkpoint("large.array", x=array)
    array = numpy.zeros(4 * BOUND[size] // 8)
    array[-1] = last
    handler.checkpoint("largest.array", x=array)


# For the size of an array, the memory that is allowed.
BOUND = {8 * MB: 32 * MB, 100 * MB: 512 * MB}


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="needs Linux")
def test_a_comparison_takes_no_more_memory_than_it_may(full, record, tmp_path):
    count, size = (80, 100 * MB) if full else (10, 8 * MB)
    if full and shutil.disk_usage("/var/tmp").free < 40_000 * MB:
        pytest.skip("the two runs of 10 GB need 40 GB of room in /var/tmp")
    small = tmp_path / "small"
    checkpoints.FileHandler(small).checkpoint("a", x=numpy.ones(9))
    with tempfile.TemporaryDirectory(dir="/var/tmp" if full else tmp_path) as folder:
        roots = [f"{folder}/{name}" for name in ("one", "two")]
        for root, last in zip(roots, (1.0, 2.0), strict=True):
            save(root, count, size, last)

        def run(how):
            arguments = [*roots, BOUND[size], SLACK, small, how]
            return subprocess.run(
                [sys.executable, "-c", PROGRAM, *map(str, arguments)],
                check=False,
                capture_output=True,
                text=True,
                env={**os.environ, "PYTHONPATH": str(LOCATION)},
            )

        compared, kept = run("diff"), run("load")
    expected = f"different 0 [{size // 8 - 1}]\n"
    breaches = [] if compared.stdout == expected else [compared.stderr]
    record(
        "comparing takes no more memory than allowed",
        cases=2 * (count + 1),
        breaches=breaches,
        control=int("MemoryError" in kept.stderr),
        note=f"{2 * (count * size + 4 * BOUND[size]) / 1e9:.1f} GB",
    )
