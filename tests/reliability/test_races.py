"""Processes and threads save under the same keys at the same time."""

from __future__ import annotations

import pytest
from faultlab.races import race

CONTROLS = {
    "keep": "check then rename",
    "error": "check then rename",
    "skip": "one temporary name",
}


class TestRaces:
    @pytest.mark.parametrize("if_exists", CONTROLS)
    @pytest.mark.parametrize("rivals", ["processes", "threads"])
    def test_no_save_is_lost_or_there_twice(self, lab, full, record, if_exists, rivals):
        sizes = {"saves": 500, rivals: 8} if full else {"saves": 25, rivals: 4}
        tally = race(lab, if_exists, **sizes)
        control = race(lab, if_exists, CONTROLS[if_exists], **{**sizes, "saves": 25})
        record(
            f'if_exists="{if_exists}" among {sizes[rivals]} {rivals}',
            cases=tally.cases,
            breaches=tally.breaches,
            control="caught" if control.breaches else "",
            note=f"control: {CONTROLS[if_exists]}",
        )

    @pytest.mark.parametrize("if_exists", CONTROLS)
    @pytest.mark.parametrize(
        "refused",
        [["link"], ["link", "rename2"]],
        ids=["no link", "no link nor rename2"],
    )
    def test_no_save_is_lost_where_there_are_no_links(
        self, lab, record, refuse, if_exists, refused
    ):
        refuse(*refused)
        sizes = {"saves": 25, "processes": 4}
        tally = race(lab, if_exists, **sizes)
        control = race(lab, if_exists, CONTROLS[if_exists], **sizes)
        record(
            f'if_exists="{if_exists}" among 4 processes, no {" nor ".join(refused)}',
            cases=tally.cases,
            breaches=tally.breaches,
            control="caught" if control.breaches else "",
            note=f"control: {CONTROLS[if_exists]}",
        )
