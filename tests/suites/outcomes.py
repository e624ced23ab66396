"""
A plugin for pytest: writes what became of each test, and ends after some seconds.

It is copied beside the suite that runs, and imports nothing of this project.
"""

from __future__ import annotations

import json
import os
import random
import time
from pathlib import Path

_FILE = Path(os.environ["SUITE_OUTCOMES"])
_SECONDS = float(os.environ["SUITE_SECONDS"])
# The outcomes of an earlier run, whose tests are run again.
_EARLIER = os.environ.get("SUITE_EARLIER", "")

_outcomes: dict[str, list[str]] = {}
_since = time.monotonic()


def pytest_collection_modifyitems(config, items):
    """Run the files in an order by chance, the same each time; or the tests of old."""
    if _EARLIER:
        wanted = json.loads(Path(_EARLIER).read_text())["outcomes"]
        rank = {name: at for at, name in enumerate(wanted)}
        config.hook.pytest_deselected(
            items=[it for it in items if it.nodeid not in rank]
        )
        items[:] = sorted(
            (it for it in items if it.nodeid in rank), key=lambda it: rank[it.nodeid]
        )
        return
    files = sorted({str(it.path) for it in items})
    random.Random(1).shuffle(files)
    rank = {name: at for at, name in enumerate(files)}
    items.sort(key=lambda it: rank[str(it.path)])


def pytest_runtest_logreport(report):
    """Note the outcome of one part of a test."""
    outcome = report.outcome
    if hasattr(report, "wasxfail"):
        outcome = f"expected {outcome}"
    if outcome != "passed":
        outcome = f"{report.when} {outcome}"
    found = _outcomes.setdefault(report.nodeid, [])
    if outcome != "passed":
        found.append(outcome)
        if report.outcome == "failed":
            lines = str(report.longrepr).strip().splitlines()
            print(f"\n{report.nodeid}: {outcome}\n" + "\n".join(lines[-40:]))


def pytest_runtest_logfinish(nodeid):
    """End the session when the time is over."""
    if time.monotonic() - _since > _SECONDS and _session:
        _session[0].shouldstop = "the time is over"


_session = []


def pytest_sessionstart(session):
    """Keep the session, to end it; the time begins when the tests do."""
    _session.append(session)


def pytest_collection_finish(session):
    """Begin to count the seconds."""
    global _since  # noqa: PLW0603 - a plugin of one session
    _since = time.monotonic()


def pytest_sessionfinish(session):
    """Write the outcomes."""
    found = {"outcomes": _outcomes, "seconds": round(time.monotonic() - _since, 1)}
    _FILE.write_text(json.dumps(found))
