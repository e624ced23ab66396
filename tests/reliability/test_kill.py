"""A process is killed at every call of a save."""

from __future__ import annotations

import pytest
from faultlab.kills import kill_sweep
from faultlab.lab import Lab, Tally, scenarios
from faultlab.values import KINDS

WAYS = ({}, {"durable": True}, {"background": True})
IDS = ("plain", "durable", "background")


NOTE = "killed at every call; control writes under the final name"


def swept(lab: Lab, full: bool, options: dict) -> Tally:
    kinds = KINDS if full else ["array", "large array"]
    return kill_sweep(lab, scenarios(kinds, options), None, 1 if full else 7)


@pytest.fixture(scope="module")
def control(lab, full):
    """How often a saver that writes in place is caught, which knows no options."""
    kinds = KINDS if full else ["array"]
    tally = kill_sweep(lab, scenarios(kinds, {}), "in place", 5 if full else 7)
    assert len(tally.breaches) > tally.cases / 3
    return f"{len(tally.breaches)} of {tally.cases}"


class TestKilledAtEveryCall:
    @pytest.mark.parametrize("options", WAYS, ids=IDS)
    def test_no_torn_file(self, lab, full, record, control, options):
        if not set(options) <= set(lab.about["options"]):
            pytest.skip(f"FileHandler has no option {' '.join(options)}")
        tally = swept(lab, full, options)
        record(
            f"no torn file{''.join(f', {option}' for option in options)}",
            cases=tally.cases,
            breaches=tally.breaches,
            control=control,
            note=NOTE,
        )

    def test_no_torn_file_where_there_are_no_links(
        self, lab, full, record, control, refuse
    ):
        refuse("link")
        tally = swept(lab, full, {})
        record(
            "no torn file, no link",
            cases=tally.cases,
            breaches=tally.breaches,
            control=control,
            note=NOTE,
        )
