"""Where damaged entries belong in the order of the program, by their numbers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import count, pairwise

from checkpoints._compare.record import Record
from checkpoints._index.entry import Entry

__all__ = ["located"]


def located(
    records: Sequence[Record], entry_of: Callable[[Record], Entry]
) -> list[Record]:
    """
    Return records, damaged ones with a place in their process where that is known.

    With `if_exists="keep"`, the files of a key are numbered in the order of their
    saves. So a damaged one was saved between its neighbours, if one thread saved all.

    Args:
        records: The records of a run.
        entry_of: Returns the entry of one.
    """
    damaged = {record.key for record in records if record.content is None}
    if not damaged:
        return [*records]
    files: dict[tuple[str, str], dict[int, Record]] = {}
    for record in records:
        if record.key in damaged:
            entry = entry_of(record)
            folder = entry.path.replace("\\", "/").rpartition("/")[0]
            files.setdefault((folder, entry.stem), {})[entry.number] = record
    saved = {(it.process, it.sequence) for it in records if it.content is not None}
    places = {
        record.position: record
        for numbered in files.values()
        for record in _in_places(numbered, saved)
    }
    return [places.get(record.position, record) for record in records]


def _in_places(
    numbered: Mapping[int, Record], saved: Collection[object]
) -> Iterator[Record]:
    """Yield the damaged ones of the numbered files of a key, each in its place."""
    ordered = [numbered[number] for number in sorted(numbered)]
    readable = [it for it in ordered if it.content is not None]
    is_of_one = len({(it.process, it.thread) for it in readable}) == 1
    if not is_of_one or any(
        one.sequence > it.sequence for one, it in pairwise(readable)
    ):
        return
    # The save before the first, or after the last, that can be read is found from it.
    first = ordered.index(readable[0])
    yield from _free(readable[0], ordered[:first][::-1], saved, -1)
    known = readable[0]
    for record in ordered[first:]:
        if record.content is not None:
            known = record
            continue
        known = next(_free(known, [record], saved, 1))
        yield known


def _free(
    known: Record, damaged: Sequence[Record], saved: Collection[object], step: int
) -> Iterator[Record]:
    """Yield damaged ones with the next numbers of saves that no other entry has."""
    numbers = count(known.sequence + step, step)
    for record in damaged:
        yield record._replace(
            process=known.process,
            thread=known.thread,
            sequence=next(it for it in numbers if (known.process, it) not in saved),
            time=known.time,
            parent=known.parent,
        )
