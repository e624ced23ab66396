"""What every test of reliability has: how much to run, and where to note it."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(scope="session")
def full():
    """Whether the whole suite is wanted, or the quick part of it."""
    return os.environ.get("RELIABILITY") == "full"


@pytest.fixture
def record():
    """Note a promise: in how many cases it was broken, and how often by the control."""

    def record(promise, *, cases, breaches, control):
        assert cases > 0, promise
        assert breaches == 0, promise
        assert control > 0, f"{promise}: the control shows nothing"

    return record
