"""The process dies at every call: no torn file has a final name."""

from __future__ import annotations

import shutil
from collections.abc import Iterable

from faultlab.lab import Lab, Scenario, Tally
from faultlab.shim import CHANGES, Fault, at


def kill_points(calls: list[list[str]]) -> list[Fault]:
    """Return every way to die: before a call, after it, in the middle of a write."""
    points = []
    for ordinal, (name, *_) in enumerate(calls, start=1):
        if name in CHANGES:
            points += [at("kill before", ordinal), at("kill after", ordinal)]
        if name == "write":
            points.append(at("kill midway", ordinal))
    return points


def kill_sweep(
    lab: Lab,
    cases: Iterable[Scenario],
    saver: str | None = None,
    step: int = 1,
    tally: Tally | None = None,
) -> Tally:
    tally = tally or Tally()
    for offset, scenario in enumerate(cases):
        arena = lab.arena(scenario)
        clean = lab.run(arena, [scenario.save], saver=saver)
        tally.add(_after_none(lab, arena, scenario, clean), scenario)
        shutil.rmtree(arena)
        for fault in kill_points(clean["calls"])[offset % step :: step]:
            arena = lab.arena(scenario)
            end = lab.run(arena, [scenario.save], fault, saver)["end"]
            found = "" if end == "killed" else f"the process {end}, and was not killed"
            tally.add(found or _torn(lab, arena, scenario), f"{scenario}: {fault}")
            shutil.rmtree(arena)
    return tally


def _after_none(lab, arena, scenario, clean):
    found = lab.check(arena, scenario.save.kind)
    expected = {"files": scenario.after, "temporary": [], "lost_records": 0}
    return "" if found == expected else f"without a fault: {clean['told']}, {found}"


def _torn(lab, arena, scenario):
    files = lab.check(arena, scenario.save.kind)["files"]
    return "" if files in (scenario.before, scenario.after) else f"left {files}"
