"""The report of a comparison as JUnit's XML, which servers that run tests read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from xml.sax.saxutils import escape, quoteattr

from checkpoints._show.facts import Fact, facts_of_value, moved_text, tags_text
from checkpoints._show.findings import findings_of
from checkpoints._text import printable

__all__ = ["junit_of"]

# Not allowed in XML 1.0, even as a reference.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class _Case(NamedTuple):
    """A test: its name, and the element that says what became of it."""

    name: str
    outcome: str = ""
    text: str = ""


def junit_of(document: Mapping[str, Any]) -> str:
    """
    Return a comparison as a suite of tests: one for each pair, one for all equal ones.

    Pairs that are equal, close or noise have passed; those that differ, or have no
    counterpart, have failed; those that the candidate's rule left out are skipped;
    those that could not be compared are errors, as are runs with nothing in common.

    Args:
        document: What `Diff.as_json` returns.
    """
    cases = [*_cases(document)]
    numbers = Counter(case.outcome for case in cases)
    heading = (
        f'<testsuite name="checkpoints diff" tests="{len(cases)}" '
        f'failures="{numbers["failure"]}" errors="{numbers["error"]}" '
        f'skipped="{numbers["skipped"]}" time="{document["seconds"]}">'
    )
    lines = "\n".join(map(_element, cases))
    return f'<?xml version="1.0" encoding="utf-8"?>\n{heading}\n{lines}\n</testsuite>\n'


def _cases(document: Mapping[str, Any]) -> Iterator[_Case]:
    pairs = document["pairs"]
    for pair in pairs:
        text = "\n".join(_lines(pair)) or pair["why"]
        outcome = {"different": "failure", "unknown": "error"}
        yield _Case(_name(pair), outcome.get(pair["verdict"], "system-out"), text)
    for pair in document["unpaired"]:
        is_failure = pair["why"] != "not sampled"
        text = f"{pair['why']}: in the {pair['side']} only"
        yield _Case(_name(pair), "failure" if is_failure else "skipped", text)
    listed = sum(pair["verdict"] == "equal" for pair in pairs)
    left = document["counts"].get("equal", 0) - listed
    if left:
        yield _Case(f"{left} equal pairs")
    if document["counts"].get("unpaired", 0) == document["counts"]["pairs"]:
        yield _Case("the runs", "error", findings_of(document).headline)


def _lines(pair: Mapping[str, Any]) -> Iterator[str]:
    if pair["moved"]:
        yield moved_text(pair)
    for value in pair["values"]:
        for label, text in (Fact("value", value["value"]), *facts_of_value(value)):
            yield f"{label}: {text}"


def _name(pair: Mapping[str, Any]) -> str:
    parts = filter(None, (pair["name"], tags_text(pair), f"({pair['number']})"))
    return " ".join(parts)


def _element(case: _Case) -> str:
    start = f'<testcase classname="checkpoints" name={quoteattr(_clean(case.name))}'
    if not case.outcome:
        return f"{start}/>"
    if case.outcome == "skipped":
        return f"{start}><skipped message={quoteattr(_clean(case.text))}/></testcase>"
    text = escape(_clean(case.text))
    return f"{start}><{case.outcome}>{text}</{case.outcome}></testcase>"


def _clean(text: str) -> str:
    lines = text.split("\n")
    return _FORBIDDEN.sub("?", "\n".join(map(printable, lines)))
