"""The comparison of the entries of two runs, one pair after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator
from typing import Any

from checkpoints._compare.judge import Judge, Options, Task
from checkpoints._compare.pair import Pair, Unpaired
from checkpoints._compare.pairing import Pairing, Partners
from checkpoints._compare.record import Process, Record
from checkpoints._compare.sampling import LeftOut
from checkpoints._compare.side import Side, unlisted_text
from checkpoints._index.entry import Entry
from checkpoints._process.executor import Spread

__all__ = ["Comparison"]


class Comparison:
    """
    Compares the entries of two runs in the order of the program.

    Args:
        sides: The baseline and the candidate.
        pairing: Which entry is which.
        options: How values are compared.
        spread: The workers that compare them; none if this thread does.
    """

    def __init__(
        self,
        sides: tuple[Side, Side],
        pairing: Pairing,
        options: Options,
        spread: Spread | None = None,
    ) -> None:
        self._sides = sides
        self._pairing = pairing
        self._options = options
        self._has_stopped = sides[1].has_stopped
        self._spread = spread
        self._judge = Judge(options, sides[0].options)
        self._last_paired = self._last_of_each_process()
        self._left_out = LeftOut(sides, pairing)

    def __len__(self) -> int:
        return len(self._pairing.partners)

    @property
    def is_part(self) -> bool:
        """Whether either side may lack entries, which were not asked for."""
        return any(side.subject.is_part for side in self._sides)

    def __iter__(self) -> Generator[Pair]:
        if self._spread is None:
            for task in self._tasks():
                self._judge.do(task)
                yield task.pair
            return
        chunks = self._spread.in_order(self._judge.found, self._tasks(), _has_steps)
        for tasks, done, found in chunks:
            self._judge.take(done, found)
            yield from (task.pair for task in tasks)

    def _tasks(self) -> Iterator[Task]:
        seen: tuple[Counter[Any], Counter[Any]] = (Counter(), Counter())
        for number, partners in enumerate(self._pairing.partners, 1):
            record = partners.known
            for side, found in zip(seen, partners[:2], strict=True):
                if found is not None:
                    side[found.key] += 1
            totals = self._pairing.repeated.get(record.key, (1, 1))
            pair = Pair(
                number=number,
                key=record.key,
                baseline=self._entry(0, partners.baseline),
                candidate=self._entry(1, partners.candidate),
                process=record.process,
                thread=record.thread,
                part=record.part,
                how=partners.how,
                moved=partners.moved,
                occurrence=(
                    seen[record is not partners.baseline][record.key],
                    max(totals),
                ),
            )
            task = self._decided(pair, partners)
            if any(it is not None and it.is_partial for it in partners[:2]):
                task = Task(pair, (*task.steps, "not saved"))
            pair.changed = tuple(
                dict.fromkeys(name for it in partners[:2] if it for name in it.changed)
            )
            yield task

    def _entry(self, side: int, record: Record | None) -> Entry | None:
        return None if record is None else self._sides[side].entry(record)

    def _decided(self, pair: Pair, partners: Partners) -> Task:
        """Decide on a pair by its headers; return what its files have to tell."""
        one, other = partners.baseline, partners.candidate
        pair.verdict = self._judge.on_order(pair)
        if one is None or other is None:
            pair.verdict, pair.why = "unpaired", self._why_unpaired(partners)
            unlisted = self._sides[0 if one is None else 1].index.unreadable
            if unlisted and pair.why != "not sampled":
                pair.verdict = "unknown"
                pair.why = f"it may be in {unlisted_text(unlisted[0])}"
            return Task(pair, ())
        if one.content != other.content or not one.proves_content:
            return Task(pair, ("values",))
        pair.by = "checksum"
        see = self._options.tolerances.see
        if see(pair.name, lambda: self._judge.tags_of(pair.entry)):
            return Task(pair, ("values",))
        return Task(pair, ("bytes",) if self._options.exact else ())

    def confirm(self, pair: Pair) -> None:
        """Compare the bytes of a pair that is equal by its checksums."""
        self._judge.confirm(pair)

    def _last_of_each_process(self) -> dict[Process, int]:
        """Return the place of the last save of each process that has a partner."""
        last: dict[Process, int] = {}
        for partners in self._pairing.partners:
            one = partners.baseline
            if one is not None and partners.candidate is not None:
                last[one.process] = max(last.get(one.process, 0), one.sequence)
        return last

    def _why_unpaired(self, partners: Partners) -> Unpaired:
        if self._left_out.covers(partners):
            return "not sampled"
        one = partners.baseline
        if one is None:
            return "added"
        if self._has_stopped and one.sequence > self._last_paired.get(one.process, 0):
            return "not reached"
        return "missing"


def _has_steps(task: Task) -> bool:
    return bool(task.steps)
