"""Calls of a save fail, or do only part of their work."""

from __future__ import annotations

import pytest
from faultlab import failures
from faultlab.lab import Lab, scenarios
from faultlab.mutants import mutated
from faultlab.values import KINDS

ARRAYS = ("array", "large array")
WAYS = ({}, {"durable": True}, {"background": True})
IDS = ("plain", "durable", "background")


def needs(lab: Lab, options: dict) -> None:
    for option in options:
        if option not in lab.about["options"]:
            pytest.skip(f"FileHandler has no option {option}")


def shown(options: dict) -> str:
    return "".join(f", {option}" for option in options)


class TestErrors:
    @pytest.mark.parametrize("options", WAYS, ids=IDS)
    def test_what_is_told_is_what_is_there(self, lab, full, record, options):
        needs(lab, options)
        cases = scenarios(ARRAYS, options)
        tally = failures.failure_sweep(lab, cases, step=1 if full else 23)
        control = failures.failure_sweep(lab, cases, "swallowing", step=37)
        record(
            f"the outcome told is true{shown(options)}",
            cases=tally.cases,
            breaches=tally.breaches,
            control=len(control.breaches),
            note="8 errors at every call; control swallows errors",
        )

    def test_what_is_told_is_what_is_there_for_other_kinds(self, lab, full, record):
        cases = scenarios([kind for kind in KINDS if kind not in ARRAYS], {})
        tally = failures.failure_sweep(lab, cases, step=5 if full else 53)
        control = failures.failure_sweep(lab, cases, "swallowing", step=53)
        record(
            "the outcome told is true, frames and pickles",
            cases=tally.cases,
            breaches=tally.breaches,
            control=len(control.breaches),
            note="8 errors at every call; control swallows errors",
        )

    def test_what_is_told_is_what_is_there_without_links(
        self, lab, full, record, refuse
    ):
        refuse("link")
        cases = scenarios(["array"], {})
        tally = failures.failure_sweep(lab, cases, step=1 if full else 19)
        control = failures.failure_sweep(lab, cases, "swallowing", step=19)
        record(
            "the outcome told is true, no link",
            cases=tally.cases,
            breaches=tally.breaches,
            control=len(control.breaches),
            note="8 errors at every call; control swallows errors",
        )

    @pytest.mark.parametrize("options", WAYS[::2], ids=IDS[::2])
    def test_the_program_goes_on_as_ever(self, lab, full, record, options):
        needs(lab, options)
        step = 1 if full else 23
        tally = failures.host_sweep(lab, {**options, "on_error": "warn"}, step)
        control = failures.host_sweep(lab, {**options, "on_error": "raise"}, 23)
        record(
            f"the program goes on, same output, same exit{shown(options)}",
            cases=tally.cases,
            breaches=tally.breaches,
            control=len(control.breaches),
            note='8 errors at every call; control has on_error="raise"',
        )


class TestPartialWrites:
    def test_short_and_empty_writes_are_continued(
        self, lab, full, record, shim, tmp_path
    ):
        cases = scenarios(ARRAYS, {})
        tally = failures.part_sweep(lab, cases if full else cases[:2])
        with mutated("short write not continued", tmp_path, shim) as broken:
            control = failures.part_sweep(broken, cases[:1])
        record(
            "short and empty writes: continued, no hang",
            cases=tally.cases,
            breaches=tally.breaches,
            control=len(control.breaches),
            note="control does not continue",
        )


class TestSync:
    def test_a_file_whose_sync_failed_is_not_trusted(self, lab, record):
        cases = scenarios(ARRAYS, {"durable": True})
        tally = failures.sync_sweep(lab, cases)
        control = failures.sync_sweep(lab, cases[:1], "swallowing")
        record(
            "a failed sync is told, and not tried again",
            cases=tally.cases,
            breaches=tally.breaches,
            control=len(control.breaches),
            note="one EIO at each fsync; control swallows errors",
        )


class TestLyingDisks:
    def test_lost_bytes_are_found_by_the_reader(self, lab, record, shim, tmp_path):
        cases = scenarios(KINDS, {})
        tally = failures.lie_sweep(lab, cases)
        with mutated("checksum skipped on load", tmp_path, shim) as broken:
            control = failures.lie_sweep(broken, scenarios(["large array"], {})[:1])
        record(
            "lost writes are found when read",
            cases=tally.cases,
            breaches=tally.breaches,
            control=len(control.breaches),
            note="each write once reported, not done; control checks nothing",
        )
