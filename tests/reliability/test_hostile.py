"""Loading malicious files: nothing is run, and memory stays within its limit."""

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

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="limits and memory are those of Linux"
)

HERE = Path(__file__).parent
SOURCES = str(Path(checkpoints.__file__).parents[1])
ERRORS = {
    "CorruptFileError",
    "FormatError",
    "UntrustedError",
    "MissingDependencyError",
    "TooLargeError",
}
# No regular files: the system's own errors tell what they are.
NO_FILES = {"named-pipe", "folder", "endless-device", "link-to-itself"}
# What is odd about them is never looked at.
HARMLESS = {
    "extension-in-a-table",
    "extension-in-a-frame",
    "extension-in-parquet",
    "traversing-names",
}
TOO_LARGE = {
    "bomb-of-zeros",
    "bomb-of-zstd",
    "directory-of-a-million",
    "header-of-gigabytes",
    "many-brackets",
    "member-of-200-gigabytes",
    "parquet-of-200-million-rows",
    "parquet-of-long-texts",
    "picture-bomb",
    "picture-that-pillow-warns-of",
    "rows-of-nothing",
    "sparse-directory",
    "sparse-terabyte",
    "sparse-terabyte-compressed",
}
# Whoever reads these as most people do runs what is in them.
READ_NAIVELY = ("raw-pickle", "junk-behind", "npz-file", "torch-file", "bomb-of-zeros")
MIB = 1 << 20
MOST_GROWN = 512 * MIB


def run(*command):
    return subprocess.run(
        [sys.executable, *command],
        env={**os.environ, "PYTHONPATH": SOURCES, "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        # It is to end a loop without end, and says nothing about speed.
        timeout=300,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    done = run(HERE / "hostile.py", folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def told(folder):
    return watched("ours", folder)


@pytest.fixture(scope="module")
def naive(folder):
    return watched("naive", folder, *READ_NAIVELY)


def watched(reader, folder, *files):
    """Load all files in one process; return the report for each."""
    done = run(HERE / "watched.py", reader, folder, *files)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, f"it died of {lines[-1]}: {done.stderr}"
    return {line["file"]: line for line in lines if "outcome" in line}


class TestHostileFiles:
    def test_there_are_many_and_each_was_tried(self, folder, told):
        assert len(told) == len(list(folder.glob("*.ckpt.zip"))) >= 100

    def test_each_ends_in_an_error_of_ours(self, told):
        others = {
            name: line["outcome"]
            for name, line in told.items()
            if name not in NO_FILES | HARMLESS and line["outcome"] not in ERRORS
        }
        assert others == {}

    def test_what_is_no_file_is_told_by_the_error_of_the_system(self, told):
        outcomes = {told[name]["outcome"] for name in NO_FILES}
        assert outcomes == {"OSError", "IsADirectoryError"}

    def test_what_is_harmless_is_loaded(self, told):
        assert {told[name]["outcome"] for name in HARMLESS} == {"loaded"}

    def test_what_would_fill_the_memory_is_told_as_too_large(self, told):
        outcomes = {name: told[name]["outcome"] for name in TOO_LARGE}
        assert set(outcomes.values()) == {"TooLargeError"}, outcomes

    def test_none_runs_or_opens_or_imports_anything(self, told, naive, record):
        record(
            "loading runs nothing, whatever is in the file",
            cases=len(told),
            breaches=sum(bool(line["events"]) for line in told.values()),
            control=sum("find_class" in str(it["events"]) for it in naive.values()),
        )

    def test_none_takes_more_memory_than_was_allowed(self, told, naive, record):
        record(
            "loading takes no more memory than max_bytes allows",
            cases=len(told),
            breaches=sum(line["grown"] > MOST_GROWN for line in told.values()),
            control=sum(line["grown"] > MOST_GROWN for line in naive.values()),
        )
