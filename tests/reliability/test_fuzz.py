"""The fuzzer, for a short while and without guidance; `make fuzz` is the long run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import checkpoints

for library in ("numpy", "pandas", "polars", "pyarrow", "PIL", "scipy", "zstandard"):
    pytest.importorskip(library, reason="the files are made for every library")
pytest.importorskip("resource", reason="limits are a matter of Unix")

FUZZ = Path(__file__).parent / "fuzz.py"
SOURCES = str(Path(checkpoints.__file__).parents[1])
PROMISED = {
    "loaded",
    "CorruptFileError",
    "FormatError",
    "UntrustedError",
    "MissingDependencyError",
    "TooLargeError",
}


def fuzz(*options, source=SOURCES):
    return subprocess.run(
        [sys.executable, FUZZ, *options],
        env={**os.environ, "PYTHONPATH": source, "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


class TestFuzz:
    def test_whatever_is_in_a_file_only_what_is_promised_comes_out(self, full, record):
        runs = 15_000 if full else 4_000
        done = fuzz("--runs", str(runs))
        assert done.returncode == 0, done.stderr[-2000:]
        outcomes = json.loads(done.stdout.splitlines()[-1])
        assert set(outcomes) <= PROMISED
        record(
            "whatever is in a file, only the promised errors come out",
            cases=sum(outcomes.values()),
            breaches=0,
            # Behind the checksums: these came as far as the decoders.
            control=outcomes["loaded"] + outcomes["FormatError"],
        )
