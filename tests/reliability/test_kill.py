"""A process is killed at every call of a save."""

from __future__ import annotations

import pytest
from faultlab.kills import kill_sweep
from faultlab.lab import Lab, scenarios
from faultlab.values import KINDS


def swept(lab: Lab, options: dict, step: int, saver: str | None = None):
    return kill_sweep(lab, scenarios(KINDS, options), saver, step)


class TestKilledAtEveryCall:
    @pytest.mark.parametrize("durable", [False, True])
    def test_no_torn_file(self, lab, full, record, durable):
        options = {"durable": durable}
        tally = swept(lab, options, 1 if full else 7)
        control = swept(lab, options, 5 if full else 41, "in place")
        record(
            f"no torn file: killed at every call{', durable' if durable else ''}",
            cases=tally.cases,
            breaches=tally.breaches,
            control=f"{len(control.breaches)} of {control.cases}",
            note="control writes under the final name",
        )
        assert len(control.breaches) > control.cases / 2

    def test_no_torn_file_where_there_are_no_links(self, lab, full, record, refuse):
        refuse("link")
        tally = swept(lab, {}, 2 if full else 13)
        control = swept(lab, {}, 41, "in place")
        record(
            "no torn file: killed at every call, no link",
            cases=tally.cases,
            breaches=tally.breaches,
            control=f"{len(control.breaches)} of {control.cases}",
            note="control writes under the final name",
        )
        assert len(control.breaches) > control.cases / 2

    def test_no_torn_file_in_the_background(self, lab, full, record):
        if "background" not in lab.about["options"]:
            pytest.skip("FileHandler has no option background")
        options = {"background": True}
        tally = swept(lab, options, 1 if full else 13)
        control = swept(lab, options, 5 if full else 41, "in place")
        record(
            "no torn file: killed at every call, background",
            cases=tally.cases,
            breaches=tally.breaches,
            control=f"{len(control.breaches)} of {control.cases}",
            note="control writes under the final name",
        )
        assert len(control.breaches) > control.cases / 2
