"""What the tests of the plugin have in common."""

from __future__ import annotations

import importlib
import pkgutil
import threading

import pytest

import checkpoints


@pytest.fixture(autouse=True, scope="session")
def _all_modules_are_there():
    """
    Load all of the library before a test of pytest runs inside of this one.

    Modules that such a test loads are forgotten at its end, and what is loaded again
    has other classes than what the catalogue remembers.
    """
    pytest.importorskip("click", reason="the command line is loaded")
    pytest.importorskip("rich", reason="the command line is loaded")
    for found in pkgutil.walk_packages(checkpoints.__path__, "checkpoints."):
        if not found.name.endswith("__main__"):
            importlib.import_module(found.name)


@pytest.fixture(autouse=True)
def _not_in_ci(monkeypatch):
    """Tests that update baselines run where CI is set, too."""
    monkeypatch.delenv("CI", raising=False)


@pytest.fixture(autouse=True)
def _hook_of_before(monkeypatch):
    """
    Put the hook for threads back.

    A run of pytest inside of this one puts its hook above that of a recorder, and takes
    it away when the recorder has gone: what it puts back is the recorder's.
    """
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
