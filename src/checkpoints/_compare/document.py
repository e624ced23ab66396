"""A comparison of two runs in JSON types, for reports and other programs."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

from checkpoints._compare.difference import plain
from checkpoints._compare.matching import keys_of_several
from checkpoints._compare.noise import Noise
from checkpoints._compare.pair import Pair
from checkpoints._compare.processes import matched_processes
from checkpoints._compare.record import PairKey, Process
from checkpoints._compare.side import Side, unlisted_text
from checkpoints._compare.tolerances import Tolerances
from checkpoints._compare.unused import Unused
from checkpoints._index.entry import Entry
from checkpoints._index.run import Run
from checkpoints._process.origin import run_id
from checkpoints.errors import CheckpointError

__all__ = ["SCHEMA", "Answer", "document_of", "pair_document"]

SCHEMA = "checkpoints.diff/1"

# How many names of checkpoints are listed of each run.
_NAMES = 20


class Answer(NamedTuple):
    """The verdict over two runs, its exit code, and what else is known of them all."""

    verdict: str
    exit_code: int
    first: Pair | None
    first_unpaired: Pair | None
    first_bit: Pair | None
    seconds: float
    unused: Unused
    not_compared: int


def document_of(
    answer: Answer,
    pairs: Sequence[Pair],
    sides: Sequence[Side],
    noise: Noise,
    tolerances: Tolerances,
) -> dict[str, Any]:
    """Return all that a comparison has found, in JSON types."""
    different = [pair for pair in pairs if pair.verdict == "different"]
    return {
        "schema": SCHEMA,
        "verdict": answer.verdict,
        "exit": answer.exit_code,
        "runs": [_side(side) for side in sides],
        "is_same_run": _is_same_run(*sides),
        "changed_versions": _changed_versions(sides),
        "first": _first(answer.first, noise),
        "first_unpaired": answer.first_unpaired and _unpaired(answer.first_unpaired),
        "first_bit": answer.first_bit and pair_document(answer.first_bit, noise),
        "pairs": [
            pair_document(pair, noise)
            for pair in pairs
            if pair.verdict not in ("equal", "unpaired") or pair.values
        ],
        "unpaired": [_unpaired(pair) for pair in pairs if pair.verdict == "unpaired"],
        "not_saved": _named((it, it.not_saved) for it in pairs),
        "changed": _named((it, it.changed) for it in pairs),
        # Of some of the pairs nobody knows what they have in common.
        "shared_tags": [] if answer.not_compared else _shared_tags(different, pairs),
        "aligned": _aligned(pairs, sides),
        "counts": {
            "pairs": len(pairs),
            "by_checksum": sum(pair.by == "checksum" for pair in pairs),
            **Counter(pair.verdict for pair in pairs),
        },
        "processes": _processes(pairs),
        "crossed": _crossed(sides),
        "noise": {"repeats": noise.count},
        "tolerances": {
            # What was not compared may need them.
            "unused": []
            if answer.not_compared
            else tolerances.unused(partial(_values_of, pairs)),
            "expired": tolerances.expired(),
        },
        "unused": {name: [*it] for name, it in answer.unused._asdict().items()},
        "not_compared": answer.not_compared,
        "seconds": round(answer.seconds, 3),
    }


def _values_of(
    pairs: Iterable[Pair], name: str
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the values in pairs with a name that were not loaded, by their headers."""
    for pair in pairs:
        if pair.name == name and pair.by == "checksum":
            try:
                yield from pair.entry.meta["values"].items()
            except (CheckpointError, OSError):
                continue


def _side(side: Side) -> dict[str, Any]:
    times = [record.time for record in side.records if math.isfinite(record.time)]
    unfiltered = side.subject.unfiltered
    names = list(dict.fromkeys(record.key[0] for record in side.records))
    is_empty = not names and unfiltered is not None
    if unfiltered is not None and not names:
        names = unfiltered.names()
    return {
        "root": side.index.root,
        "path": side.index[0].path if side.subject.is_entry else "",
        "note": side.subject.note,
        "not_listed": [unlisted_text(error) for error in side.index.unreadable],
        "filtered_out": is_empty and len(names) > 0,
        "runs": side.runs,
        **_run(side.run),
        "entries": len(side.records),
        "repeated": side.repeated,
        "names": names[:_NAMES],
        "began": min(times, default=None),
        "ended": max(times, default=None),
        "versions": side.versions,
    }


def _is_same_run(baseline: Side, candidate: Side) -> bool:
    is_entry = baseline.subject.is_entry or candidate.subject.is_entry
    is_one = baseline.index.root == candidate.index.root
    return is_one and not is_entry and [""] != baseline.runs == candidate.runs != []


def _run(run: Run | None) -> dict[str, Any]:
    if run is None:
        return {"name": "", "program": "", "git": "", "dirty": None, "state": "unknown"}
    return {
        "name": run.name,
        "program": run.program,
        "git": run.git,
        "dirty": run.is_dirty,
        # This very process has not ended, which is no news.
        "state": "running" if run.id == run_id() else run.state,
    }


def _changed_versions(sides: Sequence[Side]) -> list[dict[str, str]]:
    one, other = (side.versions for side in sides)
    return [
        {
            "library": library,
            "baseline": one[library],
            "candidate": other[library],
        }
        for library in sorted({*one} & {*other})
        if one[library] != other[library]
    ]


def pair_document(pair: Pair, noise: Noise) -> dict[str, Any]:
    """Return what there is to say about a pair, in JSON types."""
    return {
        **_place(pair),
        "paired_by": pair.how,
        "compared_by": pair.by,
        "verdict": pair.verdict,
        "role": pair.role,
        "inputs": pair.inputs,
        "why": pair.why,
        "random_state": list(pair.random_state),
        "process": list(pair.process),
        "paths": [entry and entry.path for entry in (pair.baseline, pair.candidate)],
        "values": [
            {
                "value": name,
                "noise": plain(noise.floor(pair.key, name)),
                **found.as_json(),
            }
            for name, found in pair.ranked
        ],
    }


def _first(pair: Pair | None, noise: Noise) -> dict[str, Any] | None:
    if pair is None:
        return None
    sites = [_site(entry) for entry in (pair.baseline, pair.candidate)]
    return {**pair_document(pair, noise), "sites": sites}


def _place(pair: Pair) -> dict[str, Any]:
    return {
        "number": pair.number,
        "name": pair.name,
        "tags": [list(tag) for tag in pair.tags],
        "occurrence": list(pair.occurrence),
        "moved": pair.moved and list(pair.moved),
    }


def _site(entry: Entry | None) -> dict[str, Any] | None:
    if entry is None:
        return None
    try:
        site = entry.meta.get("site")
    except (CheckpointError, OSError):
        return None
    return site if isinstance(site, dict) else None


def _unpaired(pair: Pair) -> dict[str, Any]:
    return {
        **_place(pair),
        "side": "baseline" if pair.baseline else "candidate",
        "why": pair.why,
        "path": pair.entry.path,
    }


def _named(pairs: Iterable[tuple[Pair, Sequence[str]]]) -> list[dict[str, Any]]:
    """Return some values of each checkpoint, given those of its pairs, by name."""
    found: dict[str, dict[str, None]] = {}
    for pair, values in pairs:
        if values:
            found.setdefault(pair.name, {}).update(dict.fromkeys(values))
    return [{"name": name, "values": [*values]} for name, values in found.items()]


def _shared_tags(
    different: Sequence[Pair], pairs: Iterable[Pair]
) -> list[dict[str, Any]]:
    """Return the tags that all differing pairs have, and how many values are equal."""
    if not different:
        return []
    shared = set(different[0].tags).intersection(*(pair.tags for pair in different))
    equal: dict[str, set[str]] = {}
    for pair in pairs:
        if pair.verdict in ("equal", "close", "noise"):
            for tag, text in pair.tags:
                equal.setdefault(tag, set()).add(text)
    return [
        {"tag": tag, "value": text, "others": len(others), "pairs": len(different)}
        for tag, text in sorted(shared)
        if (others := equal.get(tag, set()) - {text})
    ]


def _aligned(pairs: Iterable[Pair], sides: Iterable[Side]) -> list[dict[str, Any]]:
    """Return the keys that occur unequally often, and how they were paired."""
    several = {key for side in sides for key in keys_of_several(side.records)}
    damaged = {it.key for side in sides for it in side.records if it.content is None}
    counts: dict[PairKey, Counter[str]] = {}
    for pair in pairs:
        if pair.occurrence[1] > 1:
            found = counts.setdefault(pair.key, Counter())
            found["baseline"] += pair.baseline is not None
            found["candidate"] += pair.candidate is not None
            how = pair.how if pair.moved is None else "moved"
            found[how] += pair.baseline is not None and pair.candidate is not None
    return [
        {
            "name": key[0],
            "tags": [list(tag) for tag in key[1]],
            "counts": [found["baseline"], found["candidate"]],
            "by_sequence": found["sequence"],
            "by_order": found["order"],
            "several_threads": key in several - damaged,
            "damaged": key in damaged,
            "moved": found["moved"],
        }
        for key, found in counts.items()
        if found["baseline"] != found["candidate"] or found["order"] or found["moved"]
    ]


def _crossed(sides: Sequence[Side]) -> list[dict[str, Any]]:
    """
    Return the processes with equal keys that were matched in another order.

    What they saved decides, so what two of them have exchanged is no difference.
    """
    one, other = (side.by_process() for side in sides)
    if min(len(one), len(other)) == 1:
        return []
    matched = matched_processes(one, other)[0]
    numbers = {process: at for at, process in enumerate(other)}
    alike: dict[Any, list[tuple[Process, Process]]] = {}
    for process, records in one.items():
        if process in matched:
            keys = frozenset(Counter(record.key for record in records).items())
            alike.setdefault(keys, []).append((process, matched[process]))
    return [
        {"baseline": list(process), "candidate": list(its)}
        for found in alike.values()
        if not _rises([numbers[its] for _, its in found])
        for process, its in found
    ]


def _rises(numbers: Sequence[int]) -> bool:
    return all(one < other for one, other in pairwise(numbers))


def _processes(pairs: Iterable[Pair]) -> list[dict[str, Any]]:
    """Return the first difference of each process that has one."""
    first: dict[tuple[str, str, int], Pair] = {}
    seen = set()
    for pair in pairs:
        # Of a damaged entry the process is that of its partner.
        if pair.baseline is None or pair.verdict == "unknown":
            continue
        seen.add(pair.process)
        if pair.verdict == "different":
            first.setdefault(pair.process, pair)
    if len(seen) == 1:
        return []
    return [
        {"host": host, "pid": pid, "first": pair.number, "name": pair.name}
        for (_, host, pid), pair in first.items()
    ]
