"""Every test starts and ends without rules in force."""

from __future__ import annotations

import os

import hypothesis
import pytest

import checkpoints

# A slow machine is no defect, and examples of the last run are not the repository's.
hypothesis.settings.register_profile("checkpoints", deadline=None, database=None)
hypothesis.settings.load_profile("checkpoints")


@pytest.fixture(autouse=True)
def no_rules_left():
    """Remove every rule; names stay registered, so each test uses its own."""
    yield
    checkpoints.reset()


@pytest.fixture(autouse=True)
def no_first_process_left():
    """Reset the mark, so that the next test starts as a first process."""
    yield
    os.environ.pop("CHECKPOINTS_FIRST_PROCESS", None)
