"""The report of a comparison as an HTML page that stands alone, without scripts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from checkpoints._show.facts import (
    Fact,
    facts_of_value,
    moved_text,
    number_text,
    tags_text,
)
from checkpoints._show.findings import Findings, findings_of
from checkpoints._show.rows import COLUMNS, Row, kept, rows_of
from checkpoints._text import html_text

__all__ = ["page_of"]

# So that a page stays below a few megabytes.
_MOST_PAIRS = 500
_MOST_TICKS = 2000
_STRIP = (1000, 34)
_SHOWN = ("different", "unknown", "noise", "close", "unpaired")
_STYLE = """
:root:has(>body.checkpoints){color-scheme:light dark}
.checkpoints{--equal:#7a9;--close:#d9a400;--noise:#b08d57;
--different:#d1242f;--unknown:#8250df;--unpaired:#0969da;--line:#8884}
body.checkpoints,div.checkpoints{font:14px/1.5 system-ui,sans-serif}
body.checkpoints{margin:2rem auto;max-width:75rem;padding:0 1rem}
.checkpoints h1{font-size:1.3rem;margin:0 0 .6rem;overflow-wrap:anywhere}
.checkpoints .word{display:inline-block;padding:0 .6em;border-radius:.3em;color:#fff;
margin-right:.5em;background:var(--equal)}
.checkpoints .word.different{background:var(--different)}
.checkpoints .word.close{background:var(--close)}
.checkpoints .word.noise{background:var(--noise)}
.checkpoints .word.unknown{background:var(--unknown)}
.checkpoints dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem;
margin:.5rem 0}
.checkpoints dt{opacity:.65}
.checkpoints dd{margin:0;overflow-wrap:anywhere;white-space:pre-wrap}
.checkpoints svg.strip{width:100%;height:34px;margin:.8rem 0 0;background:#8881;
border-radius:.3em}
.checkpoints .legend{font-size:.85em;opacity:.75;margin:0 0 .8rem}
.checkpoints fieldset{border:0;padding:0;margin:1rem 0 .4rem}
.checkpoints fieldset label{margin-right:1rem;cursor:pointer}
.checkpoints details{border-top:1px solid var(--line);padding:.25rem 0}
.checkpoints summary{cursor:pointer}
.checkpoints summary,.checkpoints .row{display:grid;gap:.8rem;
grid-template-columns:4rem 2fr 2fr 1fr 1.5fr 5rem 5rem 9rem}
.checkpoints summary span{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.checkpoints .head{font-weight:600;padding:.25rem 0 .25rem 0}
.checkpoints .n{text-align:right;font-variant-numeric:tabular-nums}
.checkpoints details.different>summary .v{color:var(--different);font-weight:600}
.checkpoints details.close>summary .v{color:var(--close)}
.checkpoints details.noise>summary .v{color:var(--noise)}
.checkpoints details.unknown>summary .v{color:var(--unknown)}
.checkpoints details.unpaired>summary .v{color:var(--unpaired)}
.checkpoints details>section{margin:.3rem 0 1rem 1.2rem}
.checkpoints table{border-collapse:collapse;margin:.5rem 0}
.checkpoints td,.checkpoints th{border:1px solid var(--line);padding:.15rem .6rem;
text-align:left;font-variant-numeric:tabular-nums}
.checkpoints pre{overflow-x:auto;padding:.5rem;background:#8881;border-radius:.3em}
.checkpoints pre .m{color:var(--different)}.checkpoints pre .p{color:#1a7f37}
.checkpoints code{user-select:all}
"""


def page_of(
    document: Mapping[str, Any],
    commands: Sequence[str] = (),
    *,
    is_embedded: bool = False,
) -> str:
    """
    Return a page that shows a comparison; it needs no network and no script.

    Args:
        document: What `Diff.as_json` returns.
        commands: What to type next.
        is_embedded: Whether to return a part for a notebook instead of a whole page.
    """
    findings = findings_of(document, names_options=not is_embedded)
    body = "\n".join(_body(document, findings, commands))
    style = f"<style>{_STYLE}{_filter_style()}</style>"
    if is_embedded:
        return f'{style}<div class="checkpoints">{body}</div>'
    title = html_text(findings.headline)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{title}</title>{style}</head>\n"
        f'<body class="checkpoints">\n{body}\n</body></html>\n'
    )


def _filter_style() -> str:
    """Return the rules that hide the rows that a filter leaves out."""
    return "".join(
        f".checkpoints:has(#show-{shown}:checked) details:not(.{shown})"
        "{display:none}\n"
        for shown in _SHOWN
    )


def _body(
    document: Mapping[str, Any], findings: Findings, commands: Sequence[str]
) -> Iterator[str]:
    word, _, rest = findings.headline.partition("  ")
    verdict = findings.verdict
    badge = f'<span class="word {verdict}">{html_text(word)}</span>'
    yield f"<h1>{badge}{html_text(rest)}</h1>"
    yield _facts(findings.runs)
    rows = rows_of(document, with_unpaired=True)
    yield _strip(rows, document["counts"]["pairs"])
    if findings.first:
        yield "<h2>The first divergence</h2>" if verdict == "different" else ""
        yield _facts(findings.first)
    if rows:
        yield from _pairs(rows, document["counts"])
    yield _facts(findings.notes)
    yield f"<p>{html_text(findings.counts)}</p>"
    for command in commands:
        yield f"<p>next <code>{html_text(command)}</code></p>"


def _facts(facts: Iterable[Fact]) -> str:
    inner = "".join(
        f"<dt>{html_text(label)}</dt><dd>{html_text(text)}</dd>"
        for label, text in facts
    )
    return f"<dl>{inner}</dl>" if inner else ""


def _strip(rows: Sequence[Row], total: int) -> str:
    """Return one tick for each pair that differs, in the order of the program."""
    if not rows:
        return ""
    width, height = _STRIP
    ticks = []
    for row in kept(rows, _MOST_TICKS)[0]:
        pair = row.pair
        x = (pair["number"] - 0.5) / total * width
        tall = height * _tallness(pair)
        ticks.append(
            f'<a href="#p{pair["number"]}"><rect x="{x:.2f}" y="{height - tall:.1f}" '
            f'width="{min(max(width / total * 0.8, 2), 12):.2f}" height="{tall:.1f}" '
            f'fill="var(--{row.verdict})"><title>{html_text(_title(pair))}</title>'
            "</rect></a>"
        )
    label = f"{len(rows)} of {total} pairs differ; the first is on the left"
    return (
        f'<svg class="strip" viewBox="0 0 {width} {height}" preserveAspectRatio="none" '
        f'role="img" aria-label="{label}">{"".join(ticks)}</svg>'
        '<p class="legend">All pairs in the order of the program; the taller, the '
        "further beyond the tolerance.</p>"
    )


def _tallness(pair: Mapping[str, Any]) -> float:
    """Return how tall a tick is, from 0 to 1, by the logarithm of the excess."""
    values = pair.get("values")
    if not values:
        return 1.0
    excess = float(values[0]["excess"])
    if not excess > 0:
        return 0.2
    return (
        1.0 if math.isinf(excess) else min(max(0.4 + math.log10(excess) / 20, 0.2), 1)
    )


def _title(pair: Mapping[str, Any]) -> str:
    return f"{pair['number']} {pair['name']} {tags_text(pair)}"


def _pairs(rows: Sequence[Row], counts: Mapping[str, int]) -> Iterator[str]:
    yield (
        "<form><fieldset><legend>Show</legend>"
        + "".join(
            f'<label><input type="radio" name="show" id="show-{shown}"'
            f"{' checked' if shown == 'all' else ''}> {shown} {number}</label>"
            for shown, number in _choices(counts)
        )
        + "</fieldset></form>"
    )
    yield f'<div class="head row">{_cells(COLUMNS)}</div>'
    shown_rows, left = kept(rows, _MOST_PAIRS)
    for row in shown_rows:
        yield _unpaired(row) if row.verdict == "unpaired" else _details(row)
    if left:
        yield f"<p>and {left:,} more, which --json has</p>"


def _choices(counts: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    yield "all", ""
    for shown in _SHOWN:
        if counts.get(shown):
            yield shown, f"({counts[shown]:,})"


def _details(row: Row) -> str:
    pair = row.pair
    values = "".join(_value(value) for value in pair["values"])
    said = (("why", pair["why"]), ("order", moved_text(pair)))
    why = _facts([Fact(label, text) for label, text in said if text])
    return (
        f'<details id="p{pair["number"]}" class="{pair["verdict"]}"'
        f"{' open' if row.is_first else ''}><summary>{_cells(row.cells)}</summary>"
        f"<section>{why}{values}{_facts(_places(pair))}</section></details>"
    )


def _cells(row: Sequence[str]) -> str:
    kinds = {"order": "n", "max rel": "n", "x tol": "n", "verdict": "v"}
    return "".join(
        f'<span class="{kinds.get(column, "")}" title="{cell}">{cell}</span>'
        for column, cell in zip(COLUMNS, map(html_text, row), strict=True)
    )


def _places(pair: Mapping[str, Any]) -> Iterator[Fact]:
    for label, path in zip(("baseline", "candidate"), pair["paths"], strict=True):
        if path:
            yield Fact(label, path)


def _value(value: Mapping[str, Any]) -> str:
    parts = [_facts([Fact("value", value["value"]), *facts_of_value(value)])]
    if value.get("grid"):
        parts.append(_heat_map(value["grid"]))
    if value.get("lines"):
        parts.append(_text_diff(value["lines"]))
    parts.append(_samples(value["samples"]))
    parts += [
        _facts([Fact("part", part["name"]), *facts_of_value(part)])
        + _samples(part["samples"])
        for part in value["parts"]
    ]
    return "".join(parts)


def _samples(samples: Sequence[Mapping[str, str]]) -> str:
    if not samples:
        return ""
    rows = "".join(
        f"<tr><td>{html_text(cell['where'])}</td><td>{html_text(cell['baseline'])}</td>"
        f"<td>{html_text(cell['candidate'])}</td></tr>"
        for cell in samples
    )
    heading = "<tr><th>where</th><th>baseline</th><th>candidate</th></tr>"
    return f"<table>{heading}{rows}</table>"


def _text_diff(lines: Sequence[str]) -> str:
    kinds = {"-": "m", "+": "p"}
    inner = "\n".join(
        f'<span class="{kinds.get(line[:1], "")}">{html_text(line)}</span>'
        for line in lines
    )
    return f"<pre>{inner}</pre>"


def _heat_map(grid: Mapping[str, Any]) -> str:
    """Return the squares of an array, the darker the further apart."""
    squares = [[float(square) for square in row] for row in grid["squares"]]
    finite = [s for row in squares for s in row if s and math.isfinite(s)]
    low, high = (math.log(min(finite)), math.log(max(finite))) if finite else (0, 0)
    side = 8
    cells = []
    for y, row in enumerate(squares):
        for x, square in enumerate(row):
            if square:
                strength = _strength(square, low, high)
                cells.append(
                    f'<rect x="{x * side}" y="{y * side}" width="{side}" '
                    f'height="{side}" fill="var(--different)" opacity="{strength:.2f}">'
                    f"<title>{number_text(square)}</title></rect>"
                )
    width, height = side * max(map(len, squares), default=0), side * len(squares)
    text = f"where the {grid['rows']} x {grid['columns']} cells differ"
    return (
        f'<svg width="{width}" height="{height}" role="img" aria-label="{text}" '
        f'style="outline:1px solid var(--line)">{"".join(cells)}</svg>'
        f'<p class="legend">{text}; the darker, the further apart</p>'
    )


def _strength(square: float, low: float, high: float) -> float:
    if math.isinf(square) or high == low:
        return 1.0
    return 0.25 + 0.75 * (math.log(square) - low) / (high - low)


def _unpaired(row: Row) -> str:
    pair = row.pair
    facts = _facts([Fact(f"in the {pair['side']} only", pair["path"])])
    return (
        f'<details id="p{pair["number"]}" class="unpaired"><summary>{_cells(row.cells)}'
        f"</summary><section>{facts}</section></details>"
    )
