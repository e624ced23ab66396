"""The report of a comparison in Markdown, for a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from checkpoints._show.facts import Fact
from checkpoints._show.findings import findings_of
from checkpoints._show.rows import COLUMNS, kept
from checkpoints._text import printable

__all__ = ["markdown_of"]

_MOST_ROWS = 50
_SPECIAL = str.maketrans(
    {char: f"\\{char}" for char in "\\`*_{}[]<>|~"}
    # GitHub looks for people and issues in the text that is left, so that a space
    # without a width must come between.
    | {"&": "&amp;", "@": "@&#8203;", "#": "\\#&#8203;"}
)
# What becomes a link without any markup.
_LINK = re.compile(r"(?<=:)(?=//)|(?<=www)(?=\.)", re.IGNORECASE)


def markdown_of(document: Mapping[str, Any], commands: Sequence[str] = ()) -> str:
    """
    Return a comparison in GitHub's Markdown.

    Args:
        document: What `Diff.as_json` returns.
        commands: What to type next.
    """
    return "\n".join(_lines(document, commands)) + "\n"


def _lines(document: Mapping[str, Any], commands: Sequence[str]) -> Iterator[str]:
    findings = findings_of(document)
    word, _, rest = findings.headline.partition("  ")
    yield f"### {word}: {_text(rest)}" if rest else f"### {word}"
    yield ""
    yield from _facts([*findings.runs, *findings.first])
    if findings.rows:
        yield ""
        yield _row(COLUMNS)
        yield _row(["---"] * len(COLUMNS))
        rows, left = kept(findings.rows, _MOST_ROWS)
        yield from (_row(map(_text, row.cells)) for row in rows)
        if left:
            yield ""
            yield f"and {left:,} more"
    yield ""
    yield from _facts(findings.notes)
    yield ""
    yield _text(findings.counts)
    for command in commands:
        yield f"\n    {printable(command)}"


def _facts(facts: Iterable[Fact]) -> Iterator[str]:
    for label, text in facts:
        yield f"- **{label}** {_text(text)}" if label else f"  {_text(text)}"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _text(text: str) -> str:
    return _LINK.sub("&#8203;", printable(text).translate(_SPECIAL))
