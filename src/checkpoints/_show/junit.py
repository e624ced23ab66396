"""The report of a comparison as JUnit's XML, which servers that run tests read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from checkpoints._show.findings import Fact, facts_of_value, tags_text
from checkpoints._text import printable

__all__ = ["junit_of"]

# Not allowed in XML 1.0, even as a reference.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_of(document: Mapping[str, Any]) -> str:
    """
    Return a comparison as a suite of tests, one for each pair.

    Pairs that are equal, close or noise have passed; those that differ, or have no
    counterpart, have failed; those that could not be compared are errors.

    Args:
        document: What `Diff.as_json` returns.
    """
    counts = document["counts"]
    failures = counts.get("different", 0) + counts.get("unpaired", 0)
    heading = (
        f'<testsuite name="checkpoints diff" tests="{counts["pairs"]}" '
        f'failures="{failures}" errors="{counts.get("unknown", 0)}" '
        f'time="{document["seconds"]}">'
    )
    cases = "\n".join(_cases(document))
    return f'<?xml version="1.0" encoding="utf-8"?>\n{heading}\n{cases}\n</testsuite>\n'


def _cases(document: Mapping[str, Any]) -> Iterator[str]:
    for pair in document["pairs"]:
        text = "\n".join(_lines(pair))
        if pair["verdict"] == "different":
            yield _case(pair, f"<failure>{_text(text)}</failure>")
        elif pair["verdict"] == "unknown":
            yield _case(pair, f"<error>{_text(text or pair['why'])}</error>")
        else:
            yield _case(pair, f"<system-out>{_text(text)}</system-out>")
    for pair in document["unpaired"]:
        text = f"{pair['why']}: in the {pair['side']} only"
        is_failure = pair["why"] != "not sampled"
        inner = f"<failure>{_text(text)}</failure>" if is_failure else "<skipped/>"
        yield _case(pair, inner)
    left = document["counts"].get("equal", 0)
    if left:
        yield f'<testcase classname="checkpoints" name="{left} equal pairs"/>'


def _lines(pair: Mapping[str, Any]) -> Iterator[str]:
    for value in pair["values"]:
        for label, text in (Fact("value", value["value"]), *facts_of_value(value)):
            yield f"{label}: {text}"


def _case(pair: Mapping[str, Any], inner: str) -> str:
    parts = filter(None, (pair["name"], tags_text(pair), f"({pair['number']})"))
    name = quoteattr(_clean(" ".join(parts)))
    return f'<testcase classname="checkpoints" name={name}>{inner}</testcase>'


def _text(text: str) -> str:
    return escape(_clean(text))


def _clean(text: str) -> str:
    lines = text.split("\n")
    return _FORBIDDEN.sub("?", "\n".join(map(printable, lines)))
