"""Tables for notebooks, as HTML in which nothing that was saved is markup."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

__all__ = ["html_table"]

_BOX = "max-height:24em;overflow:auto;display:inline-block"


def html_table(
    title: str, heading: Sequence[str], rows: Iterable[Sequence[str]]
) -> str:
    """
    Return a table with a title.

    >>> html_table("one", ["a"], [["<b>"]]).count("&lt;b&gt;")
    1
    """
    lines = [f"<div><b>{_text(title)}</b></div>"]
    lines.append(f'<div style="{_BOX}"><table><thead>{_row("th", heading)}</thead>')
    lines.extend(["<tbody>", *(_row("td", row) for row in rows), "</tbody>"])
    return "\n".join([*lines, "</table></div>"])


def _row(tag: str, cells: Iterable[str]) -> str:
    style = ' style="text-align:left"'
    inner = "".join(f"<{tag}{style}>{_text(cell)}</{tag}>" for cell in cells)
    return f"<tr>{inner}</tr>"


def _text(text: str) -> str:
    # A control character would be there, and not be seen.
    seen = "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode()
        for char in text
    )
    return html.escape(seen)
