"""
Values that the tests of an installed library work with.

Its own tests are run in this process, a random part of every file, in a random order
that is the same each time. Kept are the arguments of its comparisons, such as
`assert_frame_equal`, before they are compared; the fixtures; and the local variables
of each test when it ends, as many tests compare with a bare `assert`.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import io
import os
import pickle
import random
import re
import resource
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from types import FrameType, FunctionType, ModuleType
from typing import Any

import pytest

__all__ = ["Collector", "TooLongError", "limited", "run_tests"]

_LIBRARIES = {"numpy", "pandas", "polars", "pyarrow", "scipy"}
_LIBRARIES |= {"xarray", "geopandas", "shapely"}
_MAX_BYTES = 50_000
# So many of one type and dtype: the rest of the time is for others.
_MAX_ALIKE = 25
_MAX_ITEMS = 50
_MAX_SECONDS_OF_TEST = 3.0
_MAX_SECONDS_OF_FILE = 8.0
_TESTS_OF_FILE = 25
# Some tests try how much memory there is.
_MAX_MEMORY = 6 << 30
_COMPARISONS = {
    "pandas._testing": [
        "assert_equal",
        *(
            f"assert_{kind}_equal"
            for kind in (
                *("frame", "series", "index", "extension_array", "categorical"),
                *("interval_array", "period_array", "datetime_array", "sp_array"),
                *("timedelta_array", "numpy_array", "almost"),
            )
        ),
    ],
    **{
        module: [
            "assert_equal",
            "assert_array_equal",
            "assert_almost_equal",
            "assert_array_almost_equal",
            "assert_allclose",
            "assert_array_less",
        ]
        for module in (
            *("numpy.testing", "numpy.testing._private.utils"),
            *("numpy.ma.testutils", "scipy._lib._array_api"),
        )
    },
    **{
        module: ["assert_equal", "assert_identical", "assert_allclose"]
        for module in ("xarray.testing", "xarray.testing.assertions")
    },
    "geopandas.testing": ["assert_geodataframe_equal", "assert_geoseries_equal"],
    "shapely.testing": ["assert_geometries_equal"],
}
_OPTIONS = (
    *("-q", "--no-header", "--tb=no", "-c", os.devnull, "-W", "ignore"),
    *("-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:xdist"),
    *("-m", "not slow and not network and not db and not single_cpu"),
)
# What needs a network, a clipboard, a screen or a compiler, or ends the process.
_LEFT_OUT = ("clipboard", "s3", "sql", "flight", "cython", "plotting", "excel", "gdb")
_LEFT_OUT += ("limited_api", "cuda", "jvm", "gandiva", "multithreading", "memory_leak")
_LEFT_OUT += ("thread", "subprocess", "cffi", "orc", "_fs", "gcs", "without_numpy")
_LEFT_OUT += ("pyinstaller", "f2py", "distutils", "xslt", "downstream", "64bit")
_LEFT_OUT += ("backends", "distributed", "test_plot", "tutorial", "geocode", "explore")


class Collector:
    """
    Keeps different values, up to a number of each type and up to a size.

    Args:
        most: How many to keep.
    """

    def __init__(self, most: int) -> None:
        self.values: list[Any] = []
        self._most = most
        self._seen: set[bytes] = set()
        self._alike: Counter[str] = Counter()

    @property
    def is_full(self) -> bool:
        """Whether it keeps as many values as it may."""
        return len(self.values) >= self._most

    def add(self, value: Any) -> None:
        """Keep a value, unless it is of no library, too large, or known already."""
        try:
            if self.is_full or not _is_wanted(value) or _size(value) > _MAX_BYTES:
                return
            kind = _kind(value)
            if self._alike[kind] >= _MAX_ALIKE:
                return
            content = _content(value)
        except Exception:  # its size, its type or its pickle may be what is tested
            return
        digest = hashlib.sha256(kind.encode() + content).digest()
        if digest not in self._seen and len(content) <= _MAX_BYTES:
            self._seen.add(digest)
            self._alike[kind] += 1
            self.values.append(value)


def _is_wanted(value: Any, depth: int = 0) -> bool:
    is_function = type(value).__name__ in ("ufunc", "_ArrayFunctionDispatcher")
    if is_function or isinstance(value, type | FunctionType | ModuleType):
        return False
    if type(value) in (list, tuple, set, frozenset, dict):
        if depth > 2 or len(value) > _MAX_ITEMS:
            return False
        items = value.values() if isinstance(value, dict) else value
        return any(_is_wanted(item, depth + 1) for item in items)
    modules = {str(cls.__module__) for cls in type(value).__mro__}
    # Datasets, file systems and the like are no data, and some crash when pickled.
    own = {module for module in modules if module.startswith("pyarrow.")}
    if not own <= {"pyarrow.lib"}:
        return False
    # What only the tests know, such as the `self` of each, is no value of the library.
    known = {module for module in modules if not re.search(r"\btests?[._]", module)}
    return bool({module.partition(".")[0] for module in known} & _LIBRARIES)


def _size(value: Any) -> int:
    if type(value) in (list, tuple, set, frozenset, dict):
        return sum(map(_size, value.values() if type(value) is dict else value))
    size = getattr(value, "nbytes", 0)
    # Nulls of Arrow and rows without columns take no memory, however many there are.
    length = len(value) if hasattr(value, "__len__") else 0
    return max(size if isinstance(size, int) else 0, length)


def _kind(value: Any) -> str:
    """Return a text that is the same for values that are alike."""
    if type(value) in (list, tuple, set, frozenset, dict):
        items = value.values() if isinstance(value, dict) else value
        return f"{type(value).__name__} {sorted(map(_kind, items))[:4]}"
    dtype = getattr(value, "dtype", "")
    dtypes = getattr(value, "dtypes", getattr(value, "schema", ""))
    index = getattr(value, "index", "")
    labels = (type(index).__name__, str(getattr(index, "dtype", "")))
    shape = len(getattr(value, "shape", ()))
    names = list(dtypes) if hasattr(dtypes, "__iter__") else dtypes
    return f"{type(value)!r} {dtype!s:.60} {names!s:.80} {labels} {shape}"


def _content(value: Any) -> bytes:
    try:
        return pickle.dumps(value, 5)
    except Exception:  # it is tried all the same
        return repr(value).encode("utf-8", "replace")


class _Plugin:
    """Hands values of running tests to a collector, until time is up."""

    def __init__(self, collector: Collector, end: float) -> None:
        self._collector = collector
        self._end = end

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        random.Random(1).shuffle(items)
        of_file: Counter[str] = Counter()
        kept = []
        for item in items:
            of_file[str(item.path)] += 1
            if of_file[str(item.path)] <= _TESTS_OF_FILE:
                kept.append(item)
        items[:] = kept

    @pytest.hookimpl(wrapper=True)
    def pytest_pyfunc_call(self, pyfuncitem: Any) -> Iterator[None]:
        for value in pyfuncitem.funcargs.values():
            self._collector.add(value)
        function = pyfuncitem.obj
        code = getattr(getattr(function, "__func__", function), "__code__", None)
        with limited(_MAX_SECONDS_OF_TEST), _locals_of(code, self._collector):
            return (yield)

    def pytest_runtest_teardown(self, item: Any) -> None:
        if time.monotonic() > self._end or self._collector.is_full:
            item.session.shouldstop = "enough"


class TooLongError(BaseException):
    """Passes through tests that expect an exception."""


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """
    Stop what takes too long, such as a test.

    Raises:
        TooLongError: It took longer than so many seconds.
    """

    def stop(*_: object) -> None:
        raise TooLongError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def _locals_of(code: Any, collector: Collector) -> Iterator[None]:
    """Collect the local variables of a function when it returns."""

    def at_call(frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code is not code:
            return None
        frame.f_trace_lines = False
        return at_return

    def at_return(frame: FrameType, event: str, _: Any) -> Any:
        if event == "return":
            for value in list(frame.f_locals.values()):
                collector.add(value)
        return at_return

    before = sys.gettrace()
    sys.settrace(at_call)
    try:
        yield
    finally:
        sys.settrace(before)


def _watch_comparisons(collector: Collector) -> None:
    """Let the comparisons hand over what they compare; tests import them later."""
    for module, names in _COMPARISONS.items():
        try:
            found = importlib.import_module(module)
        except ImportError:
            continue
        for name in names:
            real = getattr(found, name, None)
            if real is not None:
                real = getattr(real, "__wrapped_by_corpora__", real)
                setattr(found, name, _watched(real, collector))


def _watched(real: Any, collector: Collector) -> Any:
    @functools.wraps(real)
    def comparison(*arguments: Any, **options: Any) -> Any:
        __tracebackhide__ = True
        for value in arguments[:2]:
            collector.add(value)
        return real(*arguments, **options)

    comparison.__wrapped_by_corpora__ = real  # type: ignore[attr-defined]
    return comparison


def test_files(library: str, folders: Sequence[str]) -> list[str]:
    """Return the test files of an installed library, in a random order."""
    top = Path(str(importlib.import_module(library).__file__)).parent
    found = [
        str(path)
        for folder in folders
        for path in top.glob(f"{folder}/**/test_*.py")
        if not any(word in str(path.relative_to(top)) for word in _LEFT_OUT)
    ]
    found.sort()
    random.Random(1).shuffle(found)
    return found


def run_tests(
    library: str, folders: Sequence[str], collector: Collector, seconds: float
) -> None:
    """
    Run tests of an installed library, and collect the values that they work with.

    Args:
        library: Its import name.
        folders: Patterns of folders with tests, below the library's own folder.
        collector: Keeps the values.
        seconds: How long to run the tests.
    """
    _watch_comparisons(collector)
    files = test_files(library, folders)
    end = time.monotonic() + seconds
    with _little_memory():
        for number, file in enumerate(files, 1):
            if time.monotonic() > end or collector.is_full:
                return
            _run_file(
                file, collector, min(end, time.monotonic() + _MAX_SECONDS_OF_FILE)
            )
            text = f"{library}: {len(collector.values)} values of {number} of "
            print(f"\r{text}{len(files)} files", end="", file=sys.stderr, flush=True)


def _run_file(file: str, collector: Collector, end: float) -> None:
    nothing = io.StringIO()
    with redirect_stdout(nothing), redirect_stderr(nothing):
        pytest.main([*_OPTIONS, file], plugins=[_Plugin(collector, end)])


@contextmanager
def _little_memory() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (_MAX_MEMORY, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)
