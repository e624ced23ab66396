"""The power is cut at every call of durable saves: every reported save survives."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from faultlab.durability import path_of, several
from faultlab.kills import kill_points
from faultlab.lab import Lab, Tally
from faultlab.mount import Disk
from faultlab.shim import at

_DONE = ["committed"]


def cut_sweep(
    lab: Lab,
    disk: Disk,
    saver: str | None = None,
    step: int = 1,
    kind: str = "array",
    tally: Tally | None = None,
) -> Tally:
    """
    Kill a process, and the machine with it, at every call.

    Args:
        lab: The process.
        disk: What it saves on.
        saver: A broken way to save, or None.
        step: Take each n-th call only.
        kind: The kind of the values.
        tally: Where to count.
    """
    tally = tally or Tally()
    mixed = saver is None  # the broken ones know nothing of saves that are not durable
    saves = [replace(save, kind=kind) for save in several(mixed=mixed)]
    clean, _ = _cut(lab, disk, at("pass", 0), saver, saves)
    assert clean["told"] == _DONE * len(saves), clean["told"]
    faults = kill_points(clean["calls"])
    points = [fault for fault in faults if fault.action != "kill after"]
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
    files = lab.check(arena, saves[0].kind)["files"]
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
    for path in {path_of(save) for save in saves} - hasty:
        tries = [number for number, save in enumerate(saves) if path_of(save) == path]
        done = [number for number in tries if told[number : number + 1] == _DONE]
        # What was told last is there, or what was to take its place.
        rest = {saves[number].number for number in tries if number >= max(done or [0])}
        if done and files.get(path) not in rest:
            return f"lost: {path} is {files.get(path)}, not one of {sorted(rest)}"
    return ""
