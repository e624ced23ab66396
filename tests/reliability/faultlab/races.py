"""Many saves under one key at the same time: none is lost, none is overwritten."""

from __future__ import annotations

import shutil

from faultlab.lab import Lab, Tally


def race(
    lab: Lab,
    if_exists: str,
    saver: str | None = None,
    tally: Tally | None = None,
    **sizes: int,
) -> Tally:
    """
    Run one race, and check the files and the errors; each save is a case.

    With `"keep"`, all save under one key. Otherwise nothing can be won once a key is
    taken, so each save uses the next key, and all compete for each of them.
    """
    tally = tally or Tally()
    arena = lab.arena()
    job = {"processes": 1, "threads": 1, "saves": 1, **sizes}
    ran = lab.race(arena, saver, options={"if_exists": if_exists}, **job)
    found = lab.check(arena, "array")
    shutil.rmtree(arena)
    rivals = job["processes"] * job["threads"]
    tally.cases += rivals * job["saves"] - 1
    breaches = "; ".join(_breaches(if_exists, rivals, job["saves"], ran, found))
    tally.add(breaches, f"if_exists={if_exists}, {sizes}")
    return tally


def _breaches(if_exists, rivals, saves, ran, found):
    files, raised = found["files"], ran["raised"]
    damaged = {path: state for path, state in files.items() if type(state) is not int}
    if damaged:
        yield f"damaged: {damaged}"
    if found["temporary"]:
        yield f"left {found['temporary'][:3]}"
    if ran["hung"]:
        yield f"{ran['hung']} processes hung"
    if if_exists == "keep":
        numbers = ["", *(f".{number}" for number in range(2, rivals * saves + 1))]
        if len(set(map(str, files.values()))) != len(files):
            yield "some saves are there twice"
    else:
        numbers = [str(number) for number in range(saves)]
    expected = {f"lab/x{number}.ckpt.zip" for number in numbers}
    if set(files) != expected:
        missing, odd = len(expected - set(files)), sorted(set(files) - expected)
        yield f"{missing} of {len(expected)} files are missing, {odd[:3]} are odd"
    refused = (rivals - 1) * saves if if_exists == "error" else 0
    if raised != ({"AlreadyStoredError": refused} if refused else {}):
        yield f"raised {raised}"
