"""Tables for notebooks, as HTML in which nothing that was saved is markup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

__all__ = ["html_table"]

_BOX = "max-height:24em;overflow:auto;display:inline-block;max-width:100%"
# In the colours of the page, whether it is dark or light.
_LINE = "border-bottom:1px solid rgba(128,128,128,.35);padding:.2em .8em .2em 0"
_PAGE = "var(--jp-layout-color0,var(--vscode-editor-background,Canvas))"
_STUCK = f"position:sticky;top:0;background:{_PAGE}"
_STYLES = {"th": f"text-align:left;{_LINE};{_STUCK}", "td": f"text-align:left;{_LINE}"}


def html_table(
    title: str,
    heading: Sequence[str],
    rows: Iterable[Sequence[str]],
    facts: Iterable[tuple[str, str]] = (),
) -> str:
    """
    Return a table with a title, and what is said of all of it.

    >>> html_table("one", ["a"], [["<b>"]]).count("&lt;b&gt;")
    1
    """
    lines = [f"<div><b>{_text(title)}</b></div>"]
    lines += [
        f'<div><span style="opacity:.6">{_text(name)}</span> {_text(text)}</div>'
        for name, text in facts
    ]
    table = '<table style="border-collapse:collapse">'
    lines.append(f'<div style="{_BOX}">{table}<thead>{_row("th", heading)}</thead>')
    lines.extend(["<tbody>", *(_row("td", row) for row in rows), "</tbody>"])
    return "\n".join([*lines, "</table></div>"])


def _row(tag: str, cells: Iterable[str]) -> str:
    style = f' style="{_STYLES[tag]}"'
    inner = "".join(f"<{tag}{style}>{_text(cell)}</{tag}>" for cell in cells)
    return f"<tr>{inner}</tr>"


def _text(text: str) -> str:
    # A control character would be there, and not be seen.
    seen = "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode()
        for char in text
    )
    return escape(seen)
