"""Deliberate defects are caught, so accidental ones would be too."""

from __future__ import annotations

import pytest
from faultlab.lab import Caught, Trap
from faultlab.mutants import HARNESSES, MUTANTS, broken_source, mutated


def catches(name, folder, shim) -> bool:
    """Return whether the mutant's harness catches it."""
    mutant = MUTANTS[name]
    with mutated(name, folder, shim) as broken:
        try:
            HARNESSES[mutant.harness](broken, Trap(sign=mutant.sign))
        except Caught:
            return True
    return False


class TestMutants:
    def test_each_mutant_is_caught(self, shim, full, record, tmp_path):
        pytest.importorskip("numpy")
        chosen = list(MUTANTS) if full else list(MUTANTS)[::3]
        survived = [name for name in chosen if not catches(name, tmp_path / name, shim)]
        record(
            "each mutant of the library is caught",
            cases=len(chosen),
            breaches=survived,
            control="themselves",
            note="one thing broken in each, as a dropped sync",
        )

    @pytest.mark.parametrize("name", MUTANTS)
    def test_each_mutant_applies(self, tmp_path, name):
        assert broken_source(name, tmp_path / "source").is_dir()
