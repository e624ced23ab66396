"""
Round-trip the values that other projects test themselves with.

    python -m tests.corpora [--library pandas] [--seconds 60] [--most 3000]

Prints a table: how many values were tried in which way, and came back exactly, as
pickles that were told, were refused, or came back changed.
"""

from __future__ import annotations

import argparse
import json
import logging
import shutil
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import checkpoints
from tests.corpora.collect import Collector, run_tests
from tests.corpora.strict import difference

_TESTS = {
    "pandas": [
        "tests/reshape",
        "tests/frame/methods",
        "tests/series/methods",
        "tests/indexes",
        "tests/arrays",
        "tests/groupby",
        "tests/extension",
    ],
    "numpy": [
        "_core/tests/test_multiarray.py",
        "_core/tests/test_dtype.py",
        "_core/tests/test_records.py",
        "_core/tests/test_datetime.py",
        "ma/tests",
        "lib/tests/test_format.py",
        "lib/tests/test_recfunctions.py",
        "lib/tests/test_io.py",
    ],
    "scipy": ["sparse/tests/test_base.py", "sparse/tests/test_construct.py"],
}
_OUTCOMES = ("tried", "exact", "pickled", "refused", "changed", "untold")
_MOST_SHOWN = 3
_WIDTHS = (12, 12, *[9] * len(_OUTCOMES))


class Way(NamedTuple):
    """A way in and a form: how a value is saved, and how it is loaded."""

    name: str
    options: dict[str, Any]
    mmap: bool = False


WAYS = (
    Way("plain", {}),
    Way("zstd", {"compression": "zstd"}),
    Way("mapped", {}, mmap=True),
    Way("background", {"background": True}),
    Way("Parquet", {"format": "parquet"}),
)


class _Told(logging.Handler):
    """Keeps what the library says."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())


def values_of(library: str, most: int, seconds: float) -> list[Any]:
    """Return what the tests of a library compare, or what its strategies make."""
    if library in _TESTS:
        return run_tests(library, _TESTS[library], most, seconds)
    return list(_STRATEGIES[library](most))


def _polars(most: int) -> Iterator[Any]:
    from polars.testing.parametric import dataframes, series

    yield from _drawn(dataframes(max_cols=4, max_size=6), most // 2)
    yield from _drawn(series(max_size=6), most // 2)


def _arrow(most: int) -> Iterator[Any]:
    for value in _polars(most):
        try:
            found = value.to_arrow()
        except Exception:
            continue
        yield found
        if hasattr(found, "to_batches"):
            yield from found.to_batches()[:1]


def _hypothesis(most: int) -> Iterator[Any]:
    from hypothesis.extra import numpy

    dtypes = numpy.scalar_dtypes() | numpy.nested_dtypes() | numpy.array_dtypes()
    shapes = numpy.array_shapes(max_dims=3, max_side=3, min_side=0)
    yield from _drawn(dtypes.flatmap(lambda it: numpy.arrays(it, shapes)), most)


def _drawn(strategy: Any, most: int) -> list[Any]:
    from hypothesis import HealthCheck, Phase, given, seed, settings

    collector = Collector(most)

    @seed(1)
    @settings(
        max_examples=most,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def draw(value: Any) -> None:
        collector.add(value)

    draw()
    return collector.values


_STRATEGIES: dict[str, Callable[[int], Iterator[Any]]] = {
    "polars": _polars,
    "pyarrow": _arrow,
    "hypothesis": _hypothesis,
}


class Trial:
    """Saves values in one way, loads them, and counts what became of them."""

    def __init__(self, way: Way, told: _Told) -> None:
        self.way = way
        self.counts: Counter[str] = Counter()
        self.shown: Counter[tuple[str, str, str]] = Counter()
        self._told = told

    def run(self, value: Any) -> None:
        """Save, load and compare one value."""
        if self.way.name == "Parquet" and not hasattr(value, "columns"):
            return
        self.counts["tried"] += 1
        outcome, why = self._outcome(value)
        self.counts[outcome] += 1
        if outcome != "exact":
            self._show(outcome, value, why)

    def _outcome(self, value: Any) -> tuple[str, str]:
        root = tempfile.mkdtemp(prefix="corpora-")
        self._told.texts.clear()
        handler = checkpoints.FileHandler(root, **self.way.options)
        try:
            result: Any = handler.commit(checkpoints.Key("a"), {"it": value})
            if result is not None:
                result.result()
            (entry,) = checkpoints.index(root)
            found = entry.load(trusted=True, mmap=self.way.mmap)["it"]
            nodes = json.dumps(entry.meta["values"])
        except checkpoints.CheckpointError as error:
            return "refused", str(error)
        except Exception as error:
            return "changed", f"{type(error).__name__}: {error}"
        finally:
            handler.close()
            shutil.rmtree(root, ignore_errors=True)
        told = [text for text in self._told.texts if "pickle" in text]
        if type(value).__name__ == "memmap":
            value = value.view(type(found))  # documented: it comes back as an array
        changed = difference(value, found)
        if changed and not any("comes back as" in text for text in told):
            return "changed", changed
        if '"pickle"' in nodes:
            return ("pickled", told[0]) if told else ("untold", nodes)
        return "exact", ""

    def _show(self, outcome: str, value: Any, why: str) -> None:
        key = (outcome, type(value).__name__, why[:40])
        self.shown[key] += 1
        if outcome in ("changed", "untold") and self.shown[key] <= _MOST_SHOWN:
            text = repr(value)[:100].replace("\n", " ")
            name = f"{type(value).__module__}.{type(value).__name__}"
            print(f"  {outcome}, {self.way.name}: {name} {why[:200]} | {text}")


def tried(library: str, most: int, seconds: float) -> Iterator[Trial]:
    """Try the values of a library in every way."""
    told = _Told()
    logger = logging.getLogger("checkpoints")
    logger.addHandler(told)
    logger.propagate = False
    logger.setLevel(logging.INFO)
    values = values_of(library, most, seconds)
    for way in WAYS:
        trial = Trial(way, told)
        for number, value in enumerate(values):
            if number % 200 == 0:
                print(f"\r{library}, {way.name}: {number}", end=" ", file=sys.stderr)
            trial.run(value)
        yield trial
    print("\r" + " " * 40, end="\r", file=sys.stderr)


def main() -> int:
    """Print the table; return 1 if a value changed or was pickled untold."""
    parser = argparse.ArgumentParser(prog="python -m tests.corpora")
    known = [*_TESTS, *_STRATEGIES]
    parser.add_argument("--library", choices=known, action="append")
    parser.add_argument("--seconds", type=float, default=60, help="of its own tests")
    parser.add_argument("--most", type=int, default=3000, help="values of each library")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    print(_line(["values of", "way", *_OUTCOMES]))
    is_bad = False
    for library in options.library or known:
        for trial in tried(library, options.most, options.seconds):
            counts = [trial.counts[outcome] for outcome in _OUTCOMES]
            print(_line([library, trial.way.name, *map(str, counts)]), flush=True)
            is_bad = is_bad or trial.counts["changed"] + trial.counts["untold"] > 0
    return int(is_bad)


def _line(cells: list[str]) -> str:
    return "".join(map(str.ljust, cells, _WIDTHS)).rstrip()


if __name__ == "__main__":
    sys.exit(main())
