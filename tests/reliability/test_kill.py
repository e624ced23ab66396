"""A process is killed at every call of a save."""

from __future__ import annotations

import pytest
from faultlab.kills import kill_sweep
from faultlab.lab import Lab, Tally, scenarios
from faultlab.values import KINDS

WAYS = ({}, {"durable": True}, {"background": True})
IDS = ("plain", "durable", "background")


def swept(lab: Lab, full: bool, options: dict, saver: str | None = None) -> Tally:
    if full:
        return kill_sweep(lab, scenarios(KINDS, options), saver, 5 if saver else 1)
    kinds = ["array"] if saver else ["array", "large array"]
    return kill_sweep(lab, scenarios(kinds, options), saver, 7)


class TestKilledAtEveryCall:
    @pytest.mark.parametrize("options", WAYS, ids=IDS)
    def test_no_torn_file(self, lab, full, record, options):
        if not set(options) <= set(lab.about["options"]):
            pytest.skip(f"FileHandler has no option {' '.join(options)}")
        tally = swept(lab, full, options)
        control = swept(lab, full, options, "in place")
        record(
            f"no torn file{''.join(f', {option}' for option in options)}",
            cases=tally.cases,
            breaches=tally.breaches,
            control=f"{len(control.breaches)} of {control.cases}",
            note="killed at every call; control writes under the final name",
        )
        assert len(control.breaches) > control.cases / 3

    def test_no_torn_file_where_there_are_no_links(self, lab, full, record, refuse):
        refuse("link")
        tally = swept(lab, full, {})
        control = swept(lab, full, {}, "in place")
        record(
            "no torn file, no link",
            cases=tally.cases,
            breaches=tally.breaches,
            control=f"{len(control.breaches)} of {control.cases}",
            note="killed at every call; control writes under the final name",
        )
        assert len(control.breaches) > control.cases / 3
