"""Calls fail at every point and in every way: the report matches the disk."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from faultlab.lab import Lab, Save, Scenario, Tally
from faultlab.shim import CHANGES, Fault, at, from_on

CODES = (
    errno.ENOSPC,
    errno.EIO,
    errno.EDQUOT,
    errno.EROFS,
    errno.EMFILE,
    errno.EACCES,
    errno.EXDEV,
    errno.EINTR,
)
# What a full disk refuses, and goes on refusing.
_NEEDS_ROOM = (
    *("create", "write", "allocate", "fsync"),
    *("mkdir", "link", "rename", "rename2"),
)
_PATIENCE = 5


def _faults(calls: Sequence[Sequence[str]], codes: Sequence[int]) -> Iterator[Fault]:
    for ordinal, (name, *_) in enumerate(calls, start=1):
        # Who only looks is refused in fewer ways.
        for code in codes if name in CHANGES else codes[1::4]:
            yield at("fail", ordinal, code)
        if name in ("link", "rename", "rename2", "unlink"):
            yield at("fail after", ordinal, errno.EIO)
        if name in ("link", "rename2"):
            # The first reply was lost, and the second request met what the first made.
            yield at("fail after", ordinal, errno.EEXIST)
        if name in _NEEDS_ROOM:
            yield from_on("fail", ordinal, errno.ENOSPC, _NEEDS_ROOM)
    yield from_on("fail", 1, errno.EIO, ("unlink",))


def _calls(lab: Lab, scenario: Scenario, saver: str | None) -> list[list[str]]:
    arena = lab.arena(scenario)
    answer = lab.run(arena, [scenario.save], saver=saver)
    shutil.rmtree(arena)
    # Else all of what follows would be true of a library that saves nothing.
    assert answer["told"] == ["committed"], answer["told"]
    return answer["calls"]


def failure_sweep(
    lab: Lab,
    cases: Iterable[Scenario],
    saver: str | None = None,
    codes: Sequence[int] = CODES,
    step: int = 1,
    tally: Tally | None = None,
) -> Tally:
    tally = tally or Tally()
    for offset, scenario in enumerate(cases):
        calls = _calls(lab, scenario, saver)
        for fault in list(_faults(calls, codes))[offset % step :: step]:
            tally.add(_failed(lab, scenario, fault, saver), f"{scenario}: {fault}")
    return tally


def _failed(lab: Lab, scenario: Scenario, fault: Fault, saver: str | None) -> str:
    """Make a call fail; return false reports and leftovers."""
    arena = lab.arena(scenario)
    answer = lab.run(arena, [scenario.save], fault, saver, patience=_PATIENCE)
    found = lab.check(arena, scenario.save.kind)
    shutil.rmtree(arena)
    if answer["end"] != "returned":
        return f"the process {answer['end']}"
    (told,) = answer["told"]
    name, path, *_ = _nth(answer["calls"], fault.first)
    where = f"{name} of {path.rpartition('/')[2]}"
    if found["files"] not in _allowed(told, scenario):
        return f"{where}: told {told!r}, found {found['files']}"
    if found["temporary"] and name != "unlink" and "unlink" not in fault.only:
        return f"{where}: left {found['temporary']}"
    if answer["leaked"]:
        return f"{where}: {answer['leaked']} descriptors are open still"
    return ""


def _nth(calls, ordinal):
    return calls[ordinal - 1] if ordinal <= len(calls) else ("no call", "")


def _allowed(told, scenario):
    outcome = told.partition(":")[0]
    if outcome == "committed":
        return [scenario.after]
    if outcome == "unknown":
        return [scenario.before, scenario.after]
    return [scenario.before]


def part_sweep(
    lab: Lab,
    cases: Iterable[Scenario],
    saver: str | None = None,
    tally: Tally | None = None,
) -> Tally:
    """Let writes be short; the save must never hang."""
    tally = tally or Tally()
    for scenario in cases:
        calls = _calls(lab, scenario, saver)
        writes = [n for n, call in enumerate(calls, start=1) if call[0] == "write"]
        for fault in [
            *(
                at(action, ordinal)
                for ordinal in writes
                for action in ("short", "zero")
            ),
            from_on("zero", writes[0]),
            *(
                [from_on("short", writes[0])]
                if "large" not in scenario.save.kind
                else []
            ),
        ]:
            tally.add(_failed(lab, scenario, fault, saver), f"{scenario}: {fault}")
    return tally


def sync_sweep(
    lab: Lab,
    cases: Iterable[Scenario],
    saver: str | None = None,
    tally: Tally | None = None,
) -> Tally:
    """Fail each sync once; the kernel then forgets the data, so the file is lost."""
    tally = tally or Tally()
    for scenario in cases:
        calls = _calls(lab, scenario, saver)
        for ordinal, (name, path, _) in enumerate(calls, start=1):
            if name == "fsync":
                fault = at("fail", ordinal, errno.EIO)
                arena = lab.arena(scenario)
                answer = lab.run(arena, [scenario.save], fault, saver)
                shutil.rmtree(arena)
                found = _trusted(answer, ordinal, path)
                tally.add(found, f"{scenario}: {fault}")
        if not any(name == "fsync" for name, *_ in calls):
            tally.add("nothing is synced", scenario)
    return tally


def _trusted(answer, ordinal, path):
    failed = answer["calls"][ordinal - 1][1]
    for name, same, _ in answer["calls"][ordinal:]:
        if same == failed and name in ("fsync", "link", "rename", "rename2"):
            return f"{name} of {path}, whose sync had failed"
    if answer["told"][0] == "committed":
        return f"told as committed, though the sync of {path} failed"
    return ""


def lie_sweep(lab: Lab, cases: Iterable[Scenario], tally: Tally | None = None) -> Tally:
    """Report writes that were not done: the reader finds the file damaged."""
    tally = tally or Tally()
    for scenario in cases:
        calls = _calls(lab, scenario, None)
        for ordinal, (name, *_) in enumerate(calls, start=1):
            if name == "write":
                arena = lab.arena(scenario)
                fault = at("lie", ordinal)
                lab.run(arena, [scenario.save], fault)
                found = lab.check(arena, scenario.save.kind)
                shutil.rmtree(arena)
                # The write was that of the record of the run.
                is_record = found["lost_records"] > 0
                missed = "" if is_record else _undetected(found["files"], scenario)
                tally.add(missed, f"{scenario}: {fault}")
    return tally


def _undetected(files, scenario):
    (changed,) = scenario.after.items() - scenario.before.items()
    state = str(files.get(changed[0], "missing"))
    return "" if state.startswith("damaged: ") else f"read as {state}"


def host_sweep(
    lab: Lab,
    options: Mapping[str, Any],
    step: int = 1,
    tally: Tally | None = None,
) -> Tally:
    """Let calls fail in a program that did not ask for errors: it ends normally."""
    saves = [Save(number=number, options=options) for number in (2, 3)]
    saves.append(Save("lab.y", "large array", options={**options, "durable": True}))
    clean = lab.run(lab.arena(), saves, host=True)
    assert clean["end"] == "exit 3", clean
    tally = tally or Tally()
    points = list(_faults(clean["calls"], CODES))
    # Python itself tries again after EINTR, and would do so for good.
    codes = set(CODES) - {errno.EINTR}
    points += [from_on("fail", n, code) for n in (1, 9, 17) for code in sorted(codes)]
    for fault in points[::step]:
        arena = lab.arena()
        ran = lab.run(arena, saves, fault, host=True)
        shutil.rmtree(arena)
        same = [ran[key] == clean[key] for key in ("end", "output")]
        tally.add("" if all(same) else f"the program {ran['end']}", fault)
    return tally
