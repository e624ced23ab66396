"""
The plugin for pytest: baselines of save points, and what a failing test held.

pytest loads it in every session, so nothing else of the library is loaded before a test
needs it.
"""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

import checkpoints
from checkpoints._text import is_remote
from checkpoints.pytest_plugin._baseline import (
    LIMITS,
    NAME,
    OPTIONS,
    Baseline,
    folder_of,
    relative,
)
from checkpoints.pytest_plugin._recording import ON_FAILURE, Recording, quiet
from checkpoints.pytest_plugin._state import STATE, State

__all__ = ["checkpoint_baseline"]

_MODES = ("changed", "new", "all")
_MARKER = (
    f"{NAME}(*names, {', '.join((*LIMITS, *OPTIONS))}): compare the save points "
    "that the test passes with the baseline kept beside its file"
)

_HAS_FAILED = pytest.StashKey[bool]()


def _mode(text: str) -> str:
    if text not in _MODES:
        raise argparse.ArgumentTypeError(
            f"{text!r} is none of {', '.join(_MODES)}; write the option after the "
            "tests, or with '='"
        )
    return text


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("checkpoints")
    group.addoption(
        "--checkpoints-update",
        nargs="?",
        const="changed",
        type=_mode,
        metavar="changed|new|all",
        help="Rewrite what exceeds its tolerance in the baselines of these tests; "
        "'new': only what has no baseline; 'all': everything.",
    )
    group.addoption(
        ON_FAILURE,
        metavar="ROOT",
        help="Keep there what the save points of a failing test held.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Begin a session."""
    config.addinivalue_line("markers", _MARKER)
    state = config.stash[STATE] = State(config.getoption("checkpoints_update"))
    is_in_ci = os.environ.get("CI", "").lower() not in ("", "0", "false")
    if state.mode and is_in_ci:
        raise pytest.UsageError(
            "--checkpoints-update is refused where CI is set: rewrite the baselines "
            "where somebody looks at them, and commit them"
        )
    if root := config.getoption("checkpoints_on_failure"):
        state.recording = Recording(root if is_remote(root) else os.path.abspath(root))


def pytest_unconfigure(config: pytest.Config) -> None:
    """End a session."""
    state = config.stash.get(STATE, None)
    if state is not None and state.recording:
        with quiet():
            state.recording.rule.remove()


# Before other plugins deselect tests: those have baselines too.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: Sequence[pytest.Item]
) -> None:
    """Note which tests have a baseline."""
    _check_markers(config, items)
    state = config.stash[STATE]
    state.used.update(str(folder_of(item)) for item in items if _is_compared(item))
    is_partial = any("::" in argument for argument in config.args)
    if not is_partial and not config.getoption("lf", default=False):
        state.modules.update({item.path for item in items})


def _check_markers(config: pytest.Config, items: Sequence[pytest.Item]) -> None:
    """Refuse a marker that is likely a misspelling, as it would compare nothing."""
    known = {
        line.partition(":")[0].partition("(")[0] for line in config.getini("markers")
    }
    for item in items:
        for mark in item.iter_markers():
            if mark.name.startswith("checkpoint") and mark.name not in known:
                raise pytest.UsageError(
                    f"{item.nodeid}: there is no marker {mark.name!r}; did you mean "
                    f"{NAME!r}?"
                )


def _is_compared(item: pytest.Item) -> bool:
    return NAME in getattr(item, "fixturenames", ()) or bool(
        item.get_closest_marker(NAME)
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Keep the saves of the tests apart."""
    with item.config.stash[STATE].running(item.nodeid):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Generator[None, object, object]:
    """Tag the saves of the test in which a fixture makes rules for several tests."""
    result = yield
    if fixturedef.scope != "function":
        request.config.stash[STATE].tag()
    return result


# Inside of the plugin that captures what is logged.
@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Capture the save points of a test, and compare them."""
    if not _is_compared(item):
        return (yield)
    with ExitStack() as stack:
        with _refusals():
            baseline = Baseline(item, item.config.stash[STATE])
            folder = stack.enter_context(baseline.captured())
        result = yield
        # What a test of unittest raises is told later, and what fails a subtest is not
        # told to the test.
        if not (getattr(item, "_excinfo", None) or item.stash.get(_HAS_FAILED, False)):
            with _refusals():
                baseline.check(folder)
    return result


@contextmanager
def _refusals() -> Iterator[None]:
    """Fail the test where the baseline is asked for in an invalid way."""
    try:
        yield
    except checkpoints.ConfigError as error:
        refused = f"{NAME}: {error}"
        raise pytest.fail.Exception(refused, pytrace=False) from None


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note that a test, or a subtest of it, fails, and write what it held."""
    report = yield
    if report.failed:
        item.stash[_HAS_FAILED] = True
    recording = item.config.stash[STATE].recording
    if recording and report.failed:
        told = recording.keep(item.nodeid, report.when or "")
        if told:
            report.sections.append(("checkpoints", told))
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tell the controller, where this is one of several workers."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["checkpoints"] = session.config.stash[STATE].report()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Gather what a worker tells."""
    told = getattr(node, "workeroutput", {}).get("checkpoints")
    if told:
        node.config.stash[STATE].add(told)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """List the baselines that were written, and those that no test uses."""
    state = config.stash[STATE]
    unused = [relative(Path(path)) for path in state.unused()]
    if not (state.written or unused):
        return
    terminalreporter.section("checkpoints: baselines")
    for text in sorted(state.written):
        terminalreporter.line(f"updated  {text}")
    for path in unused:
        terminalreporter.line(f"unused   {path}")
    if unused:
        terminalreporter.line(f"No test uses them: {shlex.join(['rm', '-r', *unused])}")


@pytest.fixture
def checkpoint_baseline(request: pytest.FixtureRequest) -> Path:
    """
    Compare the save points that the test passes with its baseline.

    The marker of the same name does that too, and has options.

    Returns:
        The folder of the baseline, which may not be there yet.
    """
    return folder_of(request.node)
