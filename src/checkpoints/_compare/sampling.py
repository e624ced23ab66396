"""Which calls the rules of a run left out, as far as its files prove it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from functools import cached_property

from checkpoints._compare.pairing import Pairing, Partners
from checkpoints._compare.processes import matched_processes
from checkpoints._compare.record import Process, Record
from checkpoints._compare.side import Side

__all__ = ["LeftOut"]


class LeftOut:
    """
    The entries that lack a partner because a rule of the other run left it out.

    The saves around an entry prove it, and a filter may hide these. So where one was
    given, all saves of the names that lack a partner are read, once there is one.

    Args:
        sides: The baseline and the candidate.
        pairing: Which entry is which.
    """

    def __init__(self, sides: tuple[Side, Side], pairing: Pairing) -> None:
        self._filtered = sides
        self._pairing = pairing

    def covers(self, partners: Partners) -> bool:
        """Tell whether the rule of the run that lacks an entry left it out."""
        lacking = 0 if partners.baseline is None else 1
        record = partners.known
        process = self._counterpart(record.process, 1 - lacking)
        if process is None or not record.call:
            return False
        name = record.key[0]
        return self._sampled[lacking].left_out(process, name, record.call)

    def _counterpart(self, process: Process, side: int) -> Process | None:
        known = self._pairing.processes
        found = known[side].get(process)
        if found is None and self._sides != self._filtered:
            found = self._further[side].get(process)
            return None if found in known[1 - side] else found
        return found

    @cached_property
    def _sides(self) -> tuple[Side, Side]:
        names = {
            partners.known.key[0]
            for partners in self._pairing.partners
            if None in partners[:2]
        }
        one, other = self._filtered
        return one.unfiltered(names), other.unfiltered(names)

    @cached_property
    def _sampled(self) -> tuple[_Sampled, _Sampled]:
        one, other = map(_Sampled, self._sides)
        return one, other

    @cached_property
    def _further(self) -> tuple[dict[Process, Process], dict[Process, Process]]:
        one, other = self._sides
        return matched_processes(one.by_process(), other.by_process())


class _Sampled:
    """
    The calls that rules left out, by process and name.

    A save is left out only where the saves around it prove that nothing was lost
    between them, or after the last one what the rule had counted when the process
    ended; what cannot be proved is not.

    Args:
        side: All entries of a run.
    """

    def __init__(self, side: Side) -> None:
        self._side = side
        self._saved: dict[tuple[Process, str], list[Record]] = {}
        for record in side.records:
            # A damaged one does not tell which call it is.
            if record.content is None:
                continue
            about = record.process, record.key[0]
            self._saved.setdefault(about, []).append(record)
        for saved in self._saved.values():
            saved.sort(key=_call_of)

    def left_out(self, process: Process, name: str, call: int) -> bool:
        """Tell whether a rule left out the call of a name with this number."""
        saved = self._saved.get((process, name), [])
        at = bisect_left(saved, call, key=_call_of)
        before = saved[at - 1] if at else None
        after = saved[at] if at < len(saved) else None
        if after is None:
            if before is None:
                return False
            counted = self._side.counted(before)
            if _is_used_up(before, counted):
                # Such calls are not counted, so they may as well not have been reached.
                return not self._side.has_stopped
            return _is_after_last(before, call, counted)
        # A call that was saved, and found no partner.
        return call != after.call and _is_between(before, after, call)


def _call_of(record: Record) -> int:
    return record.call


def _saves_by(turn: int, options: Mapping[str, int]) -> int:
    """Return how many calls a rule has let through by a turn."""
    saves = (turn - 1) // options.get("every", 1) + 1 if turn else 0
    return min(saves, options.get("limit", saves))


def _is_used_up(last: Record, counted: Mapping[str, int]) -> bool:
    options = dict(last.sampling)
    if last.turn and _saves_by(last.turn, options) == options.get("limit"):
        return True
    # Other processes may have taken the rest of what a run may save.
    is_same = counted.get("rule") == options.get("rule", 0)
    return "run_limit" in options and is_same and bool(counted.get("used_up"))


def _is_after_last(last: Record, call: int, counted: Mapping[str, int]) -> bool:
    """Tell whether the program made a call after the last save, and lost none."""
    options = dict(last.sampling)
    if counted.get("rule") != options.get("rule", 0) or call > counted.get("calls", 0):
        return False
    saves = _saves_by(counted.get("turns", 0), options) - _saves_by(last.turn, options)
    left_out = counted.get("left_out", 0)
    # What budgets left out of the outcomes of calls is not counted by itself.
    is_known = last.part in ("", "arguments") or not left_out
    return is_known and saves == left_out - last.left_out


def _is_between(before: Record | None, after: Record, call: int) -> bool:
    """Tell whether nothing was lost between two saves, or at least not this call."""
    if not after.turn or (before and before.sampling != after.sampling):
        return False
    if before is None and after.call - call >= after.turn:
        # The rule may not have been in force yet.
        return False
    every = dict(after.sampling).get("every", 1)
    # Before the first save there was none, and its turn would have been this.
    turn, left_out = (before.turn, before.left_out) if before else (1 - every, 0)
    turns = after.turn - turn
    if turns > 0 and turns // every - 1 == after.left_out - left_out:
        return True
    first_turn, first_call = (before.turn, before.call) if before else (0, 0)
    if after.turn - first_turn != after.call - first_call:
        return False
    # The rule considered each call in between, so the turn of this one is known.
    return (first_turn + call - first_call - 1) % every != 0
