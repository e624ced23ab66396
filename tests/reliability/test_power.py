"""The power fails at every call of durable saves."""

from __future__ import annotations

import pytest
from faultlab.cuts import cut_sweep
from faultlab.durability import rule_sweep
from faultlab.lab import Tally
from faultlab.mount import Disk
from faultlab.values import KINDS

BROKEN = ("no file sync", "no folder sync", "no sync")


class TestTheRule:
    def test_durable_saves_are_synced_before_they_are_told(self, lab, full, record):
        tally = rule_sweep(lab, KINDS if full else ["array"])
        controls = [len(rule_sweep(lab, ["array"], saver).breaches) for saver in BROKEN]
        record(
            "durable: all synced before it is told",
            cases=tally.cases,
            breaches=tally.breaches,
            control=", ".join(map(str, controls)) if all(controls) else "",
            note="by the calls alone; controls: " + ", ".join(BROKEN),
        )

    def test_a_saver_that_syncs_all_is_not_suspected(self, lab):
        assert rule_sweep(lab, ["array"], "sound").breaches == []


class TestPowerCuts:
    @pytest.mark.parametrize("kind", ["ext4", "xfs"])
    def test_durable_saves_outlast_power_cuts(self, lab, full, record, tmp_path, kind):
        if not full:
            pytest.skip("mounts file systems, so only in make reliability")
        try:
            disk = Disk(tmp_path / kind, kind)
        except OSError as error:
            pytest.skip(str(error))
        with disk:
            tally = Tally()
            cut_sweep(lab, disk, tally=tally)
            cut_sweep(lab, disk, kind="large array", step=3, tally=tally)
            controls = [
                len(cut_sweep(lab, disk, saver, step=9).breaches) for saver in BROKEN
            ]
        record(
            f"durable: outlasts a power cut, {kind}",
            cases=tally.cases,
            breaches=tally.breaches,
            control=", ".join(map(str, controls)) if all(controls) else "",
            note="cut at every call; controls: " + ", ".join(BROKEN),
        )
