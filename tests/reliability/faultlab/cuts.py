"""The power is cut at every call of durable saves: what was told is there."""

from __future__ import annotations

import shutil
from pathlib import Path

from faultlab.durability import path_of, several
from faultlab.kills import kill_points
from faultlab.lab import Lab, Tally
from faultlab.mount import Disk
from faultlab.shim import at


def cut_sweep(
    lab: Lab,
    disk: Disk,
    saver: str | None = None,
    step: int = 1,
    tally: Tally | None = None,
) -> Tally:
    """
    Let a process die at every call, and the machine with it.

    Args:
        lab: The process.
        disk: What it saves on.
        saver: A broken way to save, or None.
        step: Take each n-th call only.
    """
    tally = tally or Tally()
    mixed = saver is None  # the broken ones know nothing of saves that are not durable
    saves = several(mixed=mixed)
    calls = _cut(lab, disk, at("pass", 0), saver, saves)[0]["calls"]
    points = [fault for fault in kill_points(calls) if fault.action != "kill after"]
    # At the end all is told, and nothing that comes later has synced it by chance.
    for fault in [*points[::step], at("pass", 0)]:
        answer, files = _cut(lab, disk, fault, saver, saves)
        tally.add(_lost(answer["told"], files, saves), fault)
    return tally


def _cut(lab, disk, fault, saver, saves):
    arena = Path(disk.path) / "arena"
    arena.mkdir()
    disk.sync()
    answer = lab.run(arena, saves, fault, saver)
    disk.cut()
    files = lab.check(arena, "array")["files"]
    shutil.rmtree(arena)
    return answer, files


def _lost(told, files, saves):
    hasty = {path_of(save) for save in saves if not save.options["durable"]}
    torn = {
        path: state
        for path, state in files.items()
        if path not in hasty and not isinstance(state, int)
    }
    if torn:
        return f"torn: {torn}"
    wanted = {
        path_of(save): save.number
        for save, outcome in zip(saves, told, strict=False)
        if save.options["durable"] and outcome == "committed"
    }
    missing = wanted.items() - files.items()
    return f"lost: {sorted(missing)}" if missing else ""
