"""
Run the test suites of other libraries under probes, and tell what that changes.

    python -m tests.suites [--library toolz] [--seconds 60] [--keep FOLDER]

Of each suite, the files are taken in an order by chance, the same each time, for as
many seconds as are given. The same tests then run once more under a probe on all that
a central module of the library defines, with a rule that saves the calls. What has
another outcome runs a third time without the probe: what varies by itself is no change.
Printed is a table, on standard output; the progress goes to the standard error.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import checkpoints

_SOURCES = Path(checkpoints.__file__).parents[1]
_PLUGIN = Path(__file__).with_name("outcomes.py")
# Of each function. The files of more would fill the disk before the time is over.
_LIMIT = 20
# How much longer a suite may take under the probe. Then it is ended.
_SLOWER = 6
_COLLECTING = 300
_HEAD = (
    *("library", "version", "probe", "functions"),
    *("tests", "files saved", "seconds", "probed", "vary", "changed"),
)


class Suite(NamedTuple):
    """A suite: what is probed, and where the tests are."""

    target: str
    tests: tuple[str, ...]

    @property
    def rule(self) -> str:
        """The rule that saves the calls."""
        module, _, path = self.target.partition(":")
        return f"{module.removesuffix('.*')}.{path}?limit={_LIMIT}"


SUITES = {
    "toolz": Suite("toolz.*:*", ("toolz",)),
    "joblib": Suite("joblib.*:*", ("joblib",)),
    "networkx": Suite(
        "networkx.classes.graph:*", ("networkx.classes", "networkx.algorithms.tests")
    ),
    "shapely": Suite("shapely.geometry.*:*", ("shapely",)),
    "sympy": Suite("sympy.core.expr:*", ("sympy.core",)),
    "numpy": Suite("numpy.lib._function_base_impl:*", ("numpy.lib",)),
    "scipy": Suite("scipy.optimize.*:*", ("scipy.optimize",)),
    "xarray": Suite(
        "xarray.core.variable:*",
        ("xarray.tests.test_variable", "xarray.tests.test_dataset"),
    ),
    "astropy": Suite("astropy.units.quantity:*", ("astropy.units",)),
    "dask": Suite("dask.array.core:*", ("dask.array",)),
}


class Trial:
    """
    Runs of one suite, in a folder.

    Args:
        suite: The suite.
        folder: The folder.
        seconds: How long the first one may take.
    """

    def __init__(self, suite: Suite, folder: Path, seconds: float) -> None:
        self._suite, self._folder, self._seconds = suite, folder, seconds
        shutil.copy(_PLUGIN, folder / "suite_outcomes.py")
        (folder / "pytest.ini").write_text("[pytest]\n")
        self.summary: dict[str, Any] = {}

    def run(self, name: str, earlier: str = "", *, probed: bool = False) -> Any:
        """Run the suite, or the tests of an earlier run; return their outcomes."""
        seconds = self._seconds * (_SLOWER if earlier else 1)
        file = self._folder / f"{name}.json"
        words = ["-m", "pytest", "-q", "-p", "suite_outcomes"]
        words += ["-c", "pytest.ini", "-p", "no:cacheprovider", "--pyargs"]
        words = [sys.executable, *words, *self._suite.tests]
        if probed:
            words = [*self._probing(), *words]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join((str(self._folder), str(_SOURCES))),
            "PYTHONHASHSEED": "1",
            "SUITE_OUTCOMES": str(file),
            "SUITE_SECONDS": str(seconds),
            "SUITE_EARLIER": earlier and str(self._folder / f"{earlier}.json"),
        }
        with open(self._folder / f"{name}.log", "wb") as log:
            done = subprocess.Popen(
                words,
                cwd=self._folder,
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            try:
                done.wait(seconds + _COLLECTING)
            except subprocess.TimeoutExpired:
                # With the processes that it has started.
                os.killpg(done.pid, signal.SIGKILL)
                done.wait()
        return json.loads(file.read_text()) if file.exists() else None

    def _probing(self) -> list[str]:
        saved, summary = self._folder / "saved", self._folder / "summary.json"
        return [
            *(sys.executable, "-m", "checkpoints", "run", self._suite.rule),
            *("--to", str(saved), "--probe", self._suite.target),
            *("--json", str(summary), "--"),
        ]

    def saved(self) -> dict[str, Any]:
        """Return the summary of the run under the probe."""
        text = (self._folder / "summary.json").read_text()
        return json.loads(text) if text else {}


def row_of(library: str, folder: Path, seconds: float) -> tuple[list[str], list[str]]:
    """Return a row of the table, and what changed."""
    suite = SUITES[library]
    trial = Trial(suite, folder, seconds)
    bare = trial.run("bare")
    if not bare or not bare["outcomes"]:
        return [library, version(library), "did not run"], ["the suite did not run"]
    probed = trial.run("probed", "bare", probed=True)
    start = [library, version(library), f"`{suite.target}`"]
    if probed is None:
        return [*start, "ended under the probe"], ["it ended under the probe"]
    before, after = bare["outcomes"], probed["outcomes"]
    differing = [name for name in after if after[name] != before[name]]
    again = trial.run("again", "bare")["outcomes"] if differing else {}
    varying = [name for name in differing if again.get(name) != before[name]]
    names = [name for name in differing if name not in varying]
    changed = [f"{name} has another outcome" for name in names]
    summary = trial.saved()
    facts = next(iter(summary.get("probes", {}).values()), {})
    return [
        *start,
        str(facts.get("found", "?")),
        str(len(after)),
        str(summary.get("files", "?")),
        str(bare["seconds"]),
        str(probed["seconds"]),
        str(len(varying)),
        str(len(changed)),
    ], changed


def main() -> int:
    """Run the suites, and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--library", action="append", choices=SUITES)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--keep", help="a folder for the logs and what was saved")
    given = parser.parse_args()
    print(f"| {' | '.join(_HEAD)} |", f"|{'---|' * len(_HEAD)}", sep="\n", flush=True)
    bad = 0
    for library in given.library or SUITES:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
            folder = Path(given.keep or temporary, library)
            folder.mkdir(parents=True)
            row, changed = row_of(library, folder, given.seconds)
        print(f"| {' | '.join(row)} |", flush=True)
        for what in changed:
            print(f"{library}: {what}", file=sys.stderr, flush=True)
        bad += len(changed)
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
