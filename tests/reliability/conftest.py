"""One table of all trials: how many, what failed, and whether the test can fail."""

from __future__ import annotations

import os

import pytest
from faultlab.lab import Lab
from faultlab.shim import build
from faultlab.values import KINDS

_HEADINGS = ("promise", "cases", "breaches", "control", "note")
_PROPERTY = "reliability"


@pytest.fixture(scope="session")
def full():
    """Whether to run all cases, or a sample."""
    return os.environ.get("RELIABILITY") == "full"


@pytest.fixture
def record(request):
    """
    Add a line to the table, and fail if the promise is broken or was not tested.

    `breaches` and `control` are numbers, or texts that describe each; `control` is what
    the same harness finds with a saver that is broken on purpose.
    """

    def record(promise, *, cases, breaches, control, note=""):
        found = breaches if isinstance(breaches, int) else len(breaches)
        caught = control if isinstance(control, str | int) else len(control)
        shown = "not caught" if caught in (0, "") else str(caught)
        row = (promise, str(cases), str(found), shown, note)
        # A property goes with the report, from the process that ran the test.
        request.node.user_properties.append((_PROPERTY, row))
        first = "" if isinstance(breaches, int) else "\n".join(breaches[:5])
        assert not found, f"{promise}: {found} of {cases} broke it, first:\n{first}"
        assert cases, f"{promise}: nothing was tried"
        assert caught, f"{promise}: the control, which is broken, was not caught"

    return record


@pytest.fixture(scope="session")
def shim(tmp_path_factory):
    """The library that injects the faults."""
    try:
        return build(tmp_path_factory.mktemp("shim"))
    except OSError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def lab(shim, tmp_path_factory):
    """The process under test, for all kinds of values."""
    pytest.importorskip("pandas")
    with Lab(tmp_path_factory.mktemp("lab"), shim, kinds=KINDS) as lab:
        yield lab


@pytest.fixture
def refuse(lab):
    """Name the calls that the file system lacks in this test."""

    def refuse(*calls):
        lab.refused = list(calls)

    yield refuse
    lab.refused = []


def pytest_terminal_summary(terminalreporter):
    rows = [
        row
        for _, row in sorted([*_tried(terminalreporter), *_skipped(terminalreporter)])
    ]
    if not rows:
        return
    what = "all cases" if os.environ.get("RELIABILITY") == "full" else "a sample"
    terminalreporter.section(f"reliability: {what}")
    for line in _table([_HEADINGS, *rows]):
        terminalreporter.write_line(line)
    terminalreporter.write_line(
        "\nA breach is a case in which the promise did not hold. The control is "
        "broken on purpose:\nhow often the same harness caught it. Without that, a "
        "zero proves nothing."
    )
    if what == "a sample":
        terminalreporter.write_line("All cases: make reliability")


def _tried(terminalreporter):
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for name, row in report.user_properties:
                if name == _PROPERTY and report.when == "call":
                    yield report.location[:2], row


def _skipped(terminalreporter):
    for report in terminalreporter.getreports("skipped"):
        if "reliability" in report.nodeid:
            name = report.nodeid.rpartition("::")[2].removeprefix("test_")
            reason = report.longrepr[2].removeprefix("Skipped: ")
            promise = name.replace("_", " ").replace("[", " (").replace("]", ")")
            row = (promise, "-", "-", "-", f"skipped: {reason}")
            yield report.location[:2], row


def _table(rows):
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for promise, *numbers, note in rows:
        cells = [
            number.rjust(width)
            for number, width in zip(numbers, widths[1:-1], strict=True)
        ]
        yield "  ".join([promise.ljust(widths[0]), *cells, note]).rstrip()
