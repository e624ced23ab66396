"""
Save and load the values that other libraries test themselves with.

    python -m tests.corpora [--library pandas] [--seconds 180] [--examples 3]

The values are those that the libraries' strategies for hypothesis make, and those that
their own tests work with. Each goes through every way in and form. Printed is a table
of how many were tried, came back exactly, as a pickle that was told, were refused with
a reason, or came back as `known.toml` says; were pickled untold, changed or lost. The
progress goes to the standard error.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from contextlib import ExitStack
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.corpora.collect import Collector, TooLongError, limited, run_tests
from tests.corpora.fresh import NOT_LOADABLE, load_fresh
from tests.corpora.strategies import STRATEGIES, draw, fixtures_of
from tests.corpora.trial import BAD, OUTCOMES, Case, Report, outcome
from tests.corpora.ways import WAYS, NotTriedError, Place, copy_of, pickled

_TESTS = {
    "numpy": ["*/tests", "tests"],
    "pandas": ["tests"],
    "polars": [],
    "pyarrow": ["tests"],
    "scipy": ["sparse/tests"],
    "xarray": ["tests"],
    "geopandas": ["tests", "tools/tests"],
    "shapely": ["tests"],
}
# The parts of the time. Each begins when the one before has ended, however late.
_OF_STRATEGIES, _OF_TESTS, _OF_TRIALS, _OF_FRESH = 0.1, 0.3, 0.45, 0.15
_FRESH_ALIKE = 1
_MAX_SECONDS_OF_VALUE = 20


def collected(library: str, seconds: float, most: int) -> list[Any]:
    """Return different values of a library."""
    collector = Collector(most)
    fixtures_of(library, collector)
    drawing = _OF_STRATEGIES if _TESTS[library] else _OF_STRATEGIES + _OF_TESTS
    draw(library, collector, drawing * seconds, most)
    if _TESTS[library]:
        run_tests(library, _TESTS[library], collector, _OF_TESTS * seconds)
    # Where there is no time for all of them, a part of each sort is tried.
    random.Random(1).shuffle(collector.values)
    return collector.values


class Trials:
    """
    Tries the values of one library.

    Args:
        report: Counts the outcomes.
        place: Has the files.
        kept: A folder for pickles of bad values, or None.
    """

    def __init__(self, report: Report, place: Place, kept: str | None) -> None:
        self.report = report
        self._place = place
        self._kept = kept
        self._alike: Counter[str] = Counter()
        self._fresh: list[tuple[Any, str, str]] = []

    def run(self, values: list[Any], end: float) -> None:
        """Try values in every way, until the time is up."""
        for number, value in enumerate(values):
            if time.monotonic() > end:
                _progress(f"{self.report.library}: {number} of {len(values)} in time\n")
                return
            if number % 50 == 0:
                _progress(f"{self.report.library}: {number} of {len(values)} tried")
            try:
                with limited(_MAX_SECONDS_OF_VALUE):
                    self._try(value)
            except TooLongError:
                reason = f"it took longer than {_MAX_SECONDS_OF_VALUE} s"
                self.report.add({"plain": Case.of("lost", value, reason)})

    def _try(self, value: Any) -> None:
        tried = {way: outcome(way, self._place, value) for way in WAYS}
        cases = {way: case for way, case in tried.items() if case is not None}
        if cases["plain"].outcome in ("exact", "pickled"):
            self._remember(value)
        worst = self.report.add(cases)
        if worst in BAD and self._kept:
            _keep(value, worst, Path(self._kept, self.report.library))

    def _remember(self, value: Any) -> None:
        """Keep the file of a value of each sort, for a fresh process."""
        case = Case.of("", value, "")
        sort = f"{case.type} {case.dtype} {type(getattr(value, 'index', None))}"
        if self._alike[sort] >= _FRESH_ALIKE:
            return
        try:
            copy_of(value)
        except NotTriedError:
            return  # a pickle of it says nothing
        self._alike[sort] += 1
        stem = f"{self._place.folder}/fresh{len(self._fresh)}"
        saved = f"{self._place.folder}/plain/corpora/value.ckpt.zip"
        shutil.copy(saved, f"{stem}.ckpt.zip")
        Path(f"{stem}.pickle").write_bytes(pickled(value))
        self._fresh.append((value, f"{stem}.ckpt.zip", f"{stem}.pickle"))

    def run_fresh(self, end: float) -> None:
        """Load what was kept in fresh processes, until the time is up."""
        answers = load_fresh([(path, expected) for _, path, expected in self._fresh])
        for (value, _, _), found in zip(self._fresh, answers, strict=False):
            if found != NOT_LOADABLE:
                case = Case.of("changed" if found else "exact", value, found)
                self.report.add({"fresh": case})
            if time.monotonic() > end:
                return


def _keep(value: Any, worst: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{len(list(folder.iterdir()))}-{worst}.pickle"
    try:
        (folder / name).write_bytes(pickled(value))
    except Exception as error:
        _progress(f"cannot keep it: {error!r}\n")


def _progress(text: str) -> None:
    print(f"\r{text:60}", end="", file=sys.stderr, flush=True)


def tried(library: str, options: argparse.Namespace) -> dict[str, Any]:
    """Try the values of one library in this process."""
    values = collected(library, options.seconds, options.most)
    report = Report(library, options.examples)
    with ExitStack() as stack:
        trials = Trials(report, Place(stack), options.keep)
        trials.run(values, time.monotonic() + _OF_TRIALS * options.seconds)
        trials.run_fresh(time.monotonic() + _OF_FRESH * options.seconds)
    return {
        "version": version(library),
        "values": len(values),
        "totals": report.totals,
        "counts": report.counts,
        "cases": report.cases,
    }


def tried_apart(library: str, options: argparse.Namespace) -> dict[str, Any]:
    """Try the values of one library in a process of its own, as tests leave traces."""
    with tempfile.NamedTemporaryFile(suffix=".json") as result:
        command = [sys.executable, "-W", "ignore", "-m", "tests.corpora"]
        for name in ("seconds", "most", "examples", "keep"):
            if getattr(options, name) is not None:
                command += [f"--{name}", str(getattr(options, name))]
        run = subprocess.run(
            [*command, "--library", library, "--result", result.name], check=False
        )
        text = Path(result.name).read_text(encoding="utf-8")
    if text:
        found: dict[str, Any] = json.loads(text)
        return found
    lost = {"all ways": {"tried": 1, "lost": 1}}
    reason = f"lost: the process ended with {run.returncode}"
    return {
        "version": version(library),
        "values": 0,
        "totals": lost,
        "counts": lost,
        "cases": {reason: ["all ways"]},
    }


def table_of(results: dict[str, dict[str, Any]], numbers: str = "totals") -> str:
    """Return the results as a table in Markdown."""
    rows = [["values of", "saved and loaded in", *OUTCOMES]]
    for library, result in results.items():
        for way, counts in result[numbers].items():
            if counts:
                cells = [f"{counts.get(outcome, 0):,}" for outcome in OUTCOMES]
                rows.append([f"{library} {result['version']}", way, *cells])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rows.insert(
        1,
        [
            *("-" * width for width in widths[:2]),
            *("-" * (width - 1) + ":" for width in widths[2:]),
        ],
    )
    return "\n".join(f"| {' | '.join(map(str.ljust, row, widths))} |" for row in rows)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.corpora")
    parser.add_argument("--library", choices=list(STRATEGIES), action="append")
    parser.add_argument("--seconds", type=float, default=300, help="for each library")
    parser.add_argument("--most", type=int, default=20_000, help="values of a library")
    parser.add_argument("--examples", type=int, default=2, help="of each sort")
    parser.add_argument(
        "--keep", help="a folder for pickles of what is not as it should be"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--pickled", action="store_true", help="examples of these too")
    parser.add_argument("--ways", action="store_true", help="a row for each way")
    parser.add_argument("--result", help=argparse.SUPPRESS)
    return parser.parse_args()


def _print_cases(results: dict[str, dict[str, Any]], *, pickled: bool) -> None:
    for library, result in results.items():
        for line, ways in sorted(result["cases"].items()):
            if pickled or line.partition(":")[0] not in ("pickled", "refused", "known"):
                print(f"{library} ({', '.join(ways)}): {line}")


def main() -> int:
    """Print the table; return 1 if a value was pickled untold, changed or lost."""
    options = _options()
    warnings.simplefilter("ignore")
    if options.result:
        result = tried(options.library[0], options)
        Path(options.result).write_text(json.dumps(result), encoding="utf-8")
        return 0
    results = {}
    for library in options.library or STRATEGIES:
        if find_spec(library) is None:
            _progress(f"{library}: not installed\n")
            continue
        results[library] = tried_apart(library, options)
        _progress(f"{library}: {results[library]['values']} values found\n")
    if options.json:
        print(json.dumps(results, indent=1))
    else:
        print()
        _print_cases(results, pickled=options.pickled)
        print(table_of(results, "counts" if options.ways else "totals"))
    counts = [each for result in results.values() for each in result["totals"].values()]
    return int(any(each.get(outcome) for each in counts for outcome in BAD))


if __name__ == "__main__":
    sys.exit(main())
