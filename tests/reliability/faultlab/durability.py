"""
What a power failure may destroy, by the letter of POSIX: everything unsynced.

Real file systems are more lenient, each in its own way: ext4 writes folders with the
next sync of any file. So the calls of a save are checked against the strict rule, and
the real file systems (`mount.py`) show whether the rule is right.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import replace

from faultlab.lab import Lab, Save, Tally


def promises_broken(
    calls: Sequence[Sequence[str]], root: str, promised: set[str]
) -> list[str]:
    """
    Return what a power cut could destroy, now or earlier.

    Args:
        calls: What was done under the root, until now.
        root: The folder; the one that it lies in is on the disk.
        promised: The files that have to outlast it, as paths below the root.
    """
    whole = {os.path.join(root, path) for path in promised}
    unsynced: set[str] = set()  # files with data that is not on the disk
    entries: set[str] = set()  # paths that their folder, on the disk, does not have
    broken = []
    for name, path, other in calls:
        if name in ("write", "truncate"):
            unsynced.add(path)
        elif name in ("create", "mkdir"):
            entries.add(path)
        elif name in ("link", "rename", "rename2"):
            entries.add(other)
            if path in unsynced and other in whole:
                broken.append(f"{other} has its name before its bytes")
        elif name == "fsync":
            unsynced.discard(path)
            entries = {entry for entry in entries if os.path.dirname(entry) != path}
    needed = [
        entry
        for entry in sorted(entries)
        if any(f"{path}/".startswith(f"{entry}/") for path in whole)
    ]
    return broken + [f"{entry} may be gone" for entry in needed]


def several(*, mixed: bool = True) -> list[Save]:
    """Return durable saves in old and new folders, some after a non-durable one."""
    saves = []
    for number, folder in enumerate(("lab.a", "lab.b.c", "lab.b", "lab.d.e")):
        if mixed and number != 2:
            saves.append(Save(f"{folder}.hasty", options={"durable": False}))
        saves.append(Save(f"{folder}.x", number=number, options={"durable": True}))
    # Once more, in the place of the first one.
    saves.append(Save("lab.a.x", number=4, options={"durable": True}))
    return saves


def path_of(save: Save) -> str:
    return save.name.replace(".", "/") + ".ckpt.zip"


def rule_sweep(
    lab: Lab,
    kinds: Sequence[str],
    saver: str | None = None,
    tally: Tally | None = None,
) -> Tally:
    """Check each durable save at the moment when it is reported as committed."""
    tally = tally or Tally()
    for kind in kinds:
        for if_exists in ("replace", "keep", "skip", "error"):
            _judge(lab, kind, if_exists, saver, tally)
    return tally


def _judge(lab, kind, if_exists, saver, tally):
    saves = [
        replace(save, kind=kind, options={**save.options, "if_exists": if_exists})
        for save in several()
    ]
    for count, last in enumerate(saves, start=1):
        if last.options["durable"]:
            arena = lab.arena()
            answer = lab.run(arena, saves[:count], saver=saver)
            shutil.rmtree(arena)
            broken = promises_broken(
                answer["calls"], str(arena / "out"), _promised(saves[:count])
            )
            if answer["told"][0] != "committed":
                broken.append(f"told {answer['told'][0]!r}")
            tally.add("; ".join(broken), f"{kind} if_exists={if_exists}, {last.name}")


def _promised(saves):
    return {path_of(save) for save in saves if save.options["durable"]}
