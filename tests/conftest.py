"""What every test starts from and leaves behind: no rules in force."""

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
    """Take back every rule; names stay known, so each test uses its own."""
    yield
    checkpoints.reset()


@pytest.fixture(autouse=True)
def no_first_process_left():
    """Leave no mark that would make the next test's processes those of this one."""
    yield
    os.environ.pop("CHECKPOINTS_FIRST_PROCESS", None)
