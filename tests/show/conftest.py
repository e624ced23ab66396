"""The document of a comparison, with all that can be in one."""

from __future__ import annotations

import pytest

from checkpoints import FileHandler, diff, tags

ODD = "\x1b[2J<b>\u202e"


@pytest.fixture(scope="session")
def document(tmp_path_factory):
    """Two runs of three days; on one of them four values differ, each in its way."""
    numpy = pytest.importorskip("numpy", reason="the values are arrays")
    roots = [tmp_path_factory.mktemp(name) for name in ("one", "two")]
    for is_candidate, root in enumerate(roots):
        handler = FileHandler(root)
        for day in (1, 2, 3):
            step = 1e-3 if is_candidate and day == 2 else 0.0
            with tags(day=day):
                grid = numpy.ones((40, 30))
                handler.checkpoint("feed.px", px=grid + step / 1e9)
                grid[10:20, 5:15] += step
                handler.checkpoint("risk.cov", cov=grid)
                handler.checkpoint("note", text=f"one\ntwo{ODD * bool(step)}\nthree\n")
                handler.checkpoint(f"odd{ODD}", value=complex if step else None)
        if is_candidate:
            handler.checkpoint(f"added{ODD}", 1)
    return diff(*roots).as_json()
