"""A root with saved entries, and the command line to inspect it."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from checkpoints import FileHandler, tags

ODD = "\x1b[2J\n\u202e\x7f\x9b"


class Done(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def run(capsys, monkeypatch):
    """Run a command in this process; return its exit code and what it printed."""
    pytest.importorskip("click", reason="it reads the arguments")
    pytest.importorskip("rich", reason="it prints the tables")
    from checkpoints.cli import main

    # What a person has set would be in the answers.
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments):
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(each) for each in arguments])
        return Done(ended.value.code or 0, *capsys.readouterr())

    return run


@pytest.fixture
def root(tmp_path):
    """Two days of two shops, and one entry without tags."""
    handler = FileHandler(tmp_path / "saved")
    for day in (9, 10):
        for shop in ("north", "south"):
            with tags(day=day, shop=shop):
                handler.checkpoint("bakery.order", rye=10 * day, note=f"on {day}")
    handler.checkpoint("oven", heat=200.5)
    return tmp_path / "saved"


@pytest.fixture
def odd_root(tmp_path):
    """A root with characters that could harm a terminal in all its texts."""
    handler = FileHandler(tmp_path / "odd")
    with tags({f"tag{ODD}": f"value{ODD}"}):
        handler.checkpoint(f"na{ODD}me", **{f"x{ODD}": f"text{ODD}", "d": {ODD: ODD}})
    return tmp_path / "odd"


@pytest.fixture
def assert_harmless():
    """Assert that a text contains nothing that a terminal would interpret."""

    def assert_harmless(text):
        assert [it for it in text if not it.isprintable() and it != "\n"] == []

    return assert_harmless
