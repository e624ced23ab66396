"""A small file takes no more memory than `max_bytes` allows, whatever is in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import checkpoints

for library in ("numpy", "pandas", "polars", "pyarrow", "PIL", "scipy", "geopandas"):
    pytest.importorskip(library, reason="the files are made for every library")

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="limits and memory are those of Linux"
)

HERE = Path(__file__).parent
SOURCES = str(Path(checkpoints.__file__).parents[1])
MAX_BYTES = 50_000_000
MOST_GROWN = 1.2 * MAX_BYTES
# What takes little memory until it is shown, written or combined, and some others.
SPREAD = {
    *("flags", "lines", "moments", "range", "row", "rows", "shared-lists"),
    *("frame-of-nothing-but-rows", "json-of-dicts-of-one", "polars-of-categories"),
    *("polars-of-string-views", "sparse-lil", "sparse-series", "wide-lists"),
}
# What is small when it is loaded, and far more in some of the forms it is written in;
# few, as each is written in every form.
EXPORTED = ("lines", "polars-of-categories", "range")
# What has to be decoded, converted or repeated to become rows.
COMBINED = (
    *("flags", "frame-of-runs-as-object", "json-of-rows", "lines", "moments", "range"),
    *("parquet-of-texts", "polars-of-categories", "shared-lists", "sparse-series"),
)
OF_NO_USE = "MissingDependencyError"
# What these stand for is never written out.
SMALL = {
    "polars-of-binary-views",
    "polars-of-bits",
    "polars-of-categories",
    "polars-of-string-views",
}
CONTROL = "frame-of-runs-as-object.ckpt.zip"


def run(*arguments):
    done = subprocess.run(
        [sys.executable, HERE / "bounds.py", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": SOURCES, "RUST_BACKTRACE": "0"},
        capture_output=True,
        text=True,
        check=False,
        # It is to end a loop without end, and says nothing about speed.
        timeout=600,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, f"it ended after {lines[-1:]}: {done.stderr[-2000:]}"
    return {line["file"]: line for line in lines}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bounds")
    run("build", folder)
    return folder


@pytest.fixture(scope="module")
def told(folder):
    return run("load", folder, MAX_BYTES)


@pytest.fixture(scope="module")
def exported_loosely(folder):
    """A control: what is exported without a limit takes more."""
    return run("export", folder, 1 << 40, "lines.ckpt.zip")


def beyond(told, most):
    return [str(line) for line in told.values() if line["grown"] > most]


def paths(folder, names):
    """The files of these names, of which each is there."""
    return [next(folder.glob(f"{name}.ckpt.*")).name for name in names]


def test_each_way_to_take_memory_is_told_or_stays_within_the_limit(
    folder, told, record
):
    assert len(told) == len([it for it in folder.iterdir() if it.is_file()]) > 90
    loose = run("load", folder, 1 << 40, CONTROL)
    record(
        "loading takes no more memory than max_bytes, by any kind of value",
        cases=len(told),
        breaches=beyond(told, MOST_GROWN),
        control=len(beyond(loose, MOST_GROWN)),
    )


def test_a_preview_stays_within_it_too_with_the_value(
    folder, exported_loosely, record, full
):
    every = sorted(path.name for path in folder.iterdir() if path.is_file())
    names = every if full else [name for name in every if name.split(".")[0] in SPREAD]
    told = run("show", folder, MAX_BYTES, *names)
    record(
        "a preview takes no more memory than allowed, together with the value",
        cases=len(told),
        breaches=beyond(told, MOST_GROWN),
        control=len(beyond(exported_loosely, MOST_GROWN)),
    )


def test_what_is_exported_stays_within_it_too(folder, exported_loosely, record):
    told = run("export", folder, MAX_BYTES, *paths(folder, EXPORTED))
    record(
        "an export takes no more memory than allowed, in any form",
        cases=len(told),
        breaches=beyond(told, MOST_GROWN),
        control=len(beyond(exported_loosely, MOST_GROWN)),
    )


def test_a_table_of_saved_values_stays_within_it_too(folder, record):
    told = run("concat", folder, MAX_BYTES, *paths(folder, COMBINED))
    loose = run("concat", folder, 1 << 40, CONTROL)
    record(
        "a table of saved values takes no more memory than allowed",
        cases=len(told),
        breaches=beyond(told, MOST_GROWN),
        control=len(beyond(loose, MOST_GROWN)),
    )


def test_each_is_told_by_an_error_of_ours(told):
    ours = ("TooLargeError", "CorruptFileError", OF_NO_USE)
    others = {
        name: line["outcome"]
        for name, line in told.items()
        # Of JSON, as much as the limit allows.
        if not name.startswith("json") and not line["outcome"].startswith(ours)
    }
    assert {name.partition(".")[0] for name in others} <= SMALL | SPREAD, others


def test_json_within_the_limit_is_loaded(told):
    outcomes = [line["outcome"] for name, line in told.items() if "json" in name]
    assert outcomes.count("done") > len(outcomes) / 2
