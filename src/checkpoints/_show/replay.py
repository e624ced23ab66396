"""What became of calls that were called again, in words and as lines of text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from checkpoints._show.facts import Fact, facts_of_value, number_text, where_text
from checkpoints._show.report import MOST_ROWS, STYLES, Line, fact_lines, table_lines
from checkpoints._show.rows import row_of
from checkpoints._text import count_text, printable

__all__ = ["failed_call", "replay_document", "replay_report"]

SCHEMA = "checkpoints.replay/1"

# The worst last.
_VERDICTS = ("equal", "close", "noise", "unknown", "different")
_EXITS = {"different": 1, "unknown": 2}
_HEADLINES = {
    "equal": "EQUAL  it does what it did: {}",
    "close": "CLOSE  within tolerance of what it did: {}",
    "noise": "NOISE  it differs as much from itself: {}",
    "different": "DIFFERENT  from what it did: {}",
    "unknown": "COULD NOT TELL  {}",
}


def replay_document(calls: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what there is to say about calls, in JSON types."""
    verdicts = [call["verdict"] for call in calls]
    verdict = max(verdicts, key=_VERDICTS.index, default="unknown")
    return {
        "schema": SCHEMA,
        "verdict": verdict,
        "exit": _EXITS.get(verdict, 0),
        "calls": [{**call, "number": at} for at, call in enumerate(calls, 1)],
        "counts": {"calls": len(calls), **Counter(verdicts)},
    }


def failed_call(
    name: str, tags: Sequence[tuple[str, str]], path: str, why: str
) -> dict[str, Any]:
    """Return the document of a call that could not be called again."""
    return {
        "name": name,
        "tags": [list(tag) for tag in tags],
        "occurrence": [1, 1],
        "verdict": "unknown",
        "role": "",
        "why": why,
        "paths": [path, None],
        "values": [],
    }


def replay_report(
    document: Mapping[str, Any],
    width: int | None,
    commands: Sequence[str] = (),
    *,
    shows_all: bool = False,
) -> Iterator[Line]:
    """
    Yield the lines of a report, each with its style.

    Args:
        document: What `replay_document` returns.
        width: The number of columns; None if it does not matter.
        commands: What to type next.
        shows_all: Whether to show a row for each call, however many.
    """
    calls = document["calls"]
    if len(calls) == 1:
        yield from _of_one(calls[0], width)
    else:
        yield from _of_many(document, width, shows_all=shows_all)
    yield from fact_lines([Fact("next", command) for command in commands], None)


def _of_one(call: Mapping[str, Any], width: int | None) -> Iterator[Line]:
    verdict = call["verdict"]
    headline = _HEADLINES[verdict].format(where_text(call))
    yield Line("", printable(headline), STYLES[verdict])
    yield from fact_lines(list(_about(call)), width)
    for value in call["values"]:
        yield Line("", "")
        facts = [Fact("value", value["value"]), *facts_of_value(value)]
        yield from fact_lines(facts, width)


def _about(call: Mapping[str, Any]) -> Iterator[Fact]:
    yield Fact("saved in", call["paths"][0])
    if call["why"]:
        yield Fact("why", call["why"])
    if "function" not in call:
        return
    place = f" at {call['place']}" if call["place"] else ""
    yield Fact("called", f"{call['function']}{place}, and nothing after it")
    if call["raised"]:
        yield Fact("raised", call["raised"])
    for name, text in call["changed"].items():
        yield Fact("set", f"{name} = {text}")
    versions = [
        f"{it['library']} {it['baseline']} -> {it['candidate']}"
        for it in call["versions"]
    ]
    if versions:
        yield Fact("versions", ", ".join(versions))
    if call["repeats"]:
        yield Fact("noise", _noise(call))
    for warning in call.get("warnings", ()):
        yield Fact("warning", warning)
    for note in call["notes"]:
        yield Fact("note", note)
    yield Fact("took", f"{number_text(call['seconds'])} s")


def _noise(call: Mapping[str, Any]) -> str:
    times = count_text(call["repeats"] + 1, "time")
    own = call["noise"]
    if not own:
        return f"called {times}: always the same"
    parts = [f"{it['value']} max abs {number_text(it['max_abs'])}" for it in own]
    return f"called {times}, it differs from itself: {', '.join(parts)}"


def _of_many(
    document: Mapping[str, Any], width: int | None, *, shows_all: bool
) -> Iterator[Line]:
    verdict, counts = document["verdict"], document["counts"]
    total = count_text(counts["calls"], "call")
    parts = [f"{counts[it]:,} {it}" for it in _VERDICTS if counts.get(it)]
    headline = f"{verdict.upper()}  {total}: {', '.join(parts)}"
    yield Line("", headline, STYLES[verdict])
    listed = [call for call in document["calls"] if call["verdict"] != "equal"]
    if listed:
        yield Line("", "")
        rows = [row_of(call) for call in listed]
        yield from table_lines(rows, width, None if shows_all else MOST_ROWS)
    for why, number in Counter(call["why"] for call in listed).items():
        if why:
            facts = [Fact("why", f"{count_text(number, 'call')}: {why}")]
            yield from fact_lines(facts, width)
