"""
Values that other projects test themselves with.

A plugin for pytest keeps the arguments of the comparisons (`assert_frame_equal`,
`assert_equal` ...) that the tests of an installed library make, before they are made.
"""

from __future__ import annotations

import copy
import importlib
import os
import random
import sys
import time
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest

__all__ = ["Collector", "run_tests"]

_COMPARISONS = {
    "pandas": [
        ("pandas._testing", f"assert_{what}_equal")
        for what in ("frame", "series", "index", "extension_array", "categorical")
    ]
    + [("pandas._testing", "assert_equal")],
    "numpy": [
        ("numpy.testing", "assert_equal"),
        ("numpy.testing", "assert_array_equal"),
        ("numpy.ma.testutils", "assert_equal"),
    ],
    "scipy": [
        ("numpy.testing", "assert_equal"),
        ("numpy.testing", "assert_array_equal"),
    ],
}


class Collector:
    """
    Keeps different values, up to a number and a size.

    Args:
        most: How many to keep.
    """

    def __init__(self, most: int) -> None:
        self.values: list[Any] = []
        self._most = most
        self._seen: set[Any] = set()

    @property
    def is_full(self) -> bool:
        """Whether it keeps as many values as it may."""
        return len(self.values) >= self._most

    def add(self, value: Any) -> None:
        """Keep a value that is unlike those kept already."""
        if self.is_full:
            return
        try:
            text = f"{type(value)} {getattr(value, 'dtype', '')} {value!r:.400}"
            if text in self._seen or getattr(value, "nbytes", 0) > 1 << 20:
                return
            self._seen.add(text)
            self.values.append(copy.deepcopy(value))
        except Exception:
            return


class _Plugin:
    """Wraps the comparisons of a library, and ends its tests when time is up."""

    def __init__(self, library: str, collector: Collector, seconds: float) -> None:
        self._library = library
        self._collector = collector
        self._seconds = seconds
        self._end = 0.0

    def pytest_configure(self) -> None:
        for module, name in _COMPARISONS.get(self._library, ()):
            found = sys.modules.get(module) or importlib.import_module(module)
            real = getattr(found, name, None)
            if real is not None:
                setattr(found, name, self._wrapped(real))

    def _wrapped(self, real: Any) -> Any:
        def comparison(*arguments: Any, **options: Any) -> Any:
            __tracebackhide__ = True
            for value in arguments[:2]:
                self._collector.add(value)
            return real(*arguments, **options)

        return comparison

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: Any) -> None:
        for value in pyfuncitem.funcargs.values():
            if type(value).__module__.partition(".")[0] == self._library:
                self._collector.add(value)

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        # A part of every file, as there is no time for all of their tests.
        random.Random(1).shuffle(items)
        self._end = time.monotonic() + self._seconds

    def pytest_runtest_teardown(self, item: Any) -> None:
        if time.monotonic() > self._end or self._collector.is_full:
            item.session.shouldstop = "enough"


def run_tests(
    library: str, paths: Sequence[str], most: int, seconds: float
) -> list[Any]:
    """
    Run tests of an installed library, and return the values that they compared.

    Args:
        library: Its import name.
        paths: Files and folders of tests, below the library's own folder.
        most: How many values to keep.
        seconds: How long to run the tests.
    """
    folder = Path(str(importlib.import_module(library).__file__)).parent
    collector = Collector(most)
    options = [
        "-q",
        "--no-header",
        "--tb=no",
        "-c",
        "/dev/null",
        "-o",
        "addopts=",
        "-W",
        "ignore",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:randomly",
        "-p",
        "no:xdist",
    ]
    with open(os.devnull, "w") as nothing, redirect_stdout(nothing):
        pytest.main(
            [*options, *(str(folder / path) for path in paths)],
            plugins=[_Plugin(library, collector, seconds)],
        )
    return collector.values
