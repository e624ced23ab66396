"""What a comparison of two runs has found, in words: for terminals, pages and pulls."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from checkpoints._text import count_text, moment_text

__all__ = [
    "COLUMNS",
    "Fact",
    "Findings",
    "facts_of_value",
    "findings_of",
    "number_text",
    "tags_text",
    "where_text",
]

COLUMNS = ("order", "point", "tags", "value", "differs", "max rel", "x tol", "verdict")

_HEADLINES = {
    "equal": "EQUAL",
    "close": "CLOSE",
    "noise": "NOISE",
    "different": "DIFFERENT",
    "unknown": "COULD NOT TELL",
}
_UNPAIRED = {
    "missing": "in the baseline only",
    "added": "in the candidate only",
    "not reached": "not reached by the candidate",
    "not sampled": "left out by the rule of the other run",
}
# How many columns of a table, and how many entries without a counterpart, are named.
_MOST_NAMED = 4
_SHORT_HASH = 8


class Fact(NamedTuple):
    """A line of a report: what it is about, and a text."""

    label: str
    text: str


class Findings(NamedTuple):
    """
    What a report says.

    Args:
        verdict: The verdict, as in the document.
        headline: The verdict in words, and where the runs first differ.
        runs: Which runs were compared.
        first: All about the first divergence.
        rows: The cells of a row for each pair that is not equal, under `COLUMNS`.
        verdicts: The verdict of each row.
        notes: What there is to say about all pairs.
        counts: How many pairs there are of each verdict.
    """

    verdict: str
    headline: str
    runs: list[Fact]
    first: list[Fact]
    rows: list[tuple[str, ...]]
    verdicts: list[str]
    notes: list[Fact]
    counts: str


def findings_of(document: Mapping[str, Any]) -> Findings:
    """
    Return what to say about a comparison.

    Args:
        document: What `Diff.as_json` returns.
    """
    pairs = document["pairs"]
    return Findings(
        document["verdict"],
        _headline(document),
        list(_runs(document)),
        list(_about_first(document)),
        [_row(pair) for pair in pairs],
        [pair["verdict"] for pair in pairs],
        list(_notes(document)),
        _counts(document),
    )


def number_text(number: Any) -> str:
    """
    Return a number with two digits, never rounded to zero; "-" for none.

    >>> number_text(0.00031), number_text(None), number_text("inf")
    ('0.00031', '-', 'inf')
    """
    if number is None:
        return "-"
    return f"{float(number):.2g}"


def where_text(found: Mapping[str, Any]) -> str:
    """Return the place of an entry: its name, tags, and which of several it is."""
    which, count = found["occurrence"]
    number = f"({which} of {count})" if count > 1 else ""
    return "  ".join(filter(None, (found["name"], tags_text(found), number)))


def tags_text(found: Mapping[str, Any]) -> str:
    """Return the tags of an entry as text."""
    return " ".join(f"{tag}={text}" for tag, text in found["tags"])


def _headline(document: Mapping[str, Any]) -> str:
    verdict = document["verdict"]
    word = _HEADLINES[verdict]
    first, counts = document["first"], document["counts"]
    if verdict == "equal":
        return f"{word}  all {count_text(counts['pairs'], 'pair')}"
    if verdict == "unknown":
        unpaired = counts.get("unpaired", 0)
        if unpaired == counts["pairs"]:
            return f"{word}  the runs have no entry in common"
        return f"{word}  {count_text(counts['unknown'], 'pair')} cannot be compared"
    if verdict == "different" and first["verdict"] == "unpaired":
        return f"{word}  first {_UNPAIRED[first['why']]}: {where_text(first)}"
    if verdict == "different":
        return f"{word}  first beyond tolerance: {where_text(first)}"
    bit = document["first_bit"]
    return f"{word}  first bit that differs: {where_text(bit)}" if bit else word


def _runs(document: Mapping[str, Any]) -> Iterator[Fact]:
    for label, run in zip(("baseline", "candidate"), document["runs"], strict=True):
        ids = [it for it in run["runs"] if it not in run["root"]]
        names = " ".join(filter(None, (*ids[:_MOST_NAMED], run["name"])))
        began = "" if run["began"] is None else f"{moment_text(run['began'])} UTC"
        entries = count_text(run["entries"], "entry")
        state = run["state"] if run["state"] in ("failed", "unfinished") else ""
        parts = (_short(run["root"]), names, began, _revision(run), entries, state)
        yield Fact(label, "  ".join(filter(None, parts)))
    changed = [
        f"{it['library']} {it['baseline']} -> {it['candidate']}"
        for it in document["changed_versions"]
    ]
    if changed:
        yield Fact("versions", ", ".join(changed))
    if document["counts"].get("unpaired", 0) == document["counts"]["pairs"]:
        for label, run in zip(("baseline", "candidate"), document["runs"], strict=True):
            yield Fact(
                "it has" if label == "candidate" else "baseline has",
                ", ".join(run["names"]) or "nothing",
            )


def _revision(run: Mapping[str, Any]) -> str:
    if not run["git"]:
        return ""
    return f"git {run['git'][:_SHORT_HASH]}{' +changes' if run['dirty'] else ''}"


def _short(root: str) -> str:
    """Return a root as seen from the working folder, where it is below that."""
    here = os.path.join(os.getcwd(), "")
    return root.removeprefix(here) if root.startswith(here) else root


def _about_first(document: Mapping[str, Any]) -> Iterator[Fact]:
    first = document["first"] or document["first_bit"]
    if first is None or not first["values"]:
        return
    value = first["values"][0]
    yield Fact("value", value["value"])
    site = next(filter(None, first.get("sites", ())), None)
    if site:
        place = f"{site.get('file')}:{site.get('line')} in {site.get('function')}"
        yield Fact("saved at", place)
    yield from facts_of_value(value)
    yield Fact("noise", _noise(value, document["noise"]["repeats"]))
    if first["role"]:
        yield Fact("inputs", _inputs(first, document["pairs"]))
    bit = document["first_bit"]
    if bit and bit["number"] < first["number"] and bit["values"]:
        worst = bit["values"][0]
        rel = worst["max_rel"]
        end = "" if rel is None else f", max rel {number_text(rel)}"
        text = f"first bit: {where_text(bit)}  {worst['value']}  {_cells(worst)}{end}"
        yield Fact("earlier", text)


def _kind_of(value: Mapping[str, Any]) -> str:
    texts = []
    kinds = [tuple(value["kind"]), tuple(value["dtype"]), tuple(value["shape"])]
    is_typed = any(kinds[1])
    for one, other in kinds[1:] if is_typed and kinds[0][0] == kinds[0][1] else kinds:
        if one or other:
            texts.append(one if one == other else f"{one or '-'} -> {other or '-'}")
    return " ".join(texts)


def facts_of_value(value: Mapping[str, Any]) -> Iterator[Fact]:
    """Yield what to say about a value or a part of one that differs."""
    kind = _kind_of(value)
    if kind:
        yield Fact("kind", kind)
    if value["cells"]:
        numbers = (
            ("max rel", value["max_rel"]),
            ("max abs", value["max_abs"]),
            ("ulp", value["max_ulp"]),
        )
        cells = _cells(value)
        texts = [] if cells in value["notes"] else [cells]
        texts += [f"{name} {number_text(n)}" for name, n in numbers if n is not None]
        if texts:
            yield Fact("differs", "   ".join(texts))
    if value["where"] or any(value["texts"]):
        one, other = value["texts"]
        yield Fact("worst", f"{value['where'] or 'value'}   {one}  ->  {other}")
    if value["verdict"] != "unknown":
        yield Fact("allowed", f"{value['tolerance']}{_would_pass(value)}")
    if value["parts"]:
        yield Fact("parts", _parts(value))
    for note in value["notes"]:
        yield Fact("note", note)
    if value["why"]:
        yield Fact("why", value["why"])


def _cells(value: Mapping[str, Any]) -> str:
    note = str(next(iter(value["notes"]), ""))
    if note and (not value["bits"] or note.startswith("only in the ")):
        return note
    if value["cells"] == 1 and value["bits"] <= 1:
        return "1 value" if value["bits"] else "no value"
    return f"{value['bits']:,} of {value['cells']:,} cells"


def _would_pass(value: Mapping[str, Any]) -> str:
    if value["verdict"] != "different":
        return ""
    for key in ("rtol", "atol"):
        needed = value[f"{key}_needed"]
        if needed is not None and not value["hopeless"]:
            dtype = ' and dtype = "any"' if value["needs_dtype"] else ""
            return f"   would pass at {key} {float(needed):.2g}{dtype}"
    if not value["beyond"] and value["needs_dtype"] and not value["hopeless"]:
        return '   would pass with dtype = "any"'
    return "   no tolerance would pass"


def _parts(value: Mapping[str, Any]) -> str:
    named = [
        f"{part['name']} ({_cells(part) if part['bits'] else part['verdict']})"
        for part in value["parts"][:_MOST_NAMED]
    ]
    more = len(value["parts"]) + value["more_parts"] - len(named)
    return ", ".join(named) + (f" and {more} more" if more > 0 else "")


def _noise(value: Mapping[str, Any], repeats: int) -> str:
    if not repeats:
        return "unknown: give repeats of the baseline with --noise"
    return f"baseline repeated {repeats}x: {number_text(value['noise'])}"


def _inputs(first: Mapping[str, Any], pairs: Sequence[Mapping[str, Any]]) -> str:
    later = sum("inherited" in pair["role"] for pair in pairs)
    role = first["role"].upper()
    after = f"; {count_text(later, 'later pair')} may inherit it" if later else ""
    return f"{first['inputs']}   {role}{after}"


def _row(pair: Mapping[str, Any]) -> tuple[str, ...]:
    value = pair["values"][0] if pair["values"] else None
    tags = tags_text(pair)
    which, count = pair["occurrence"]
    point = f"{pair['name']} #{which}" if count > 1 else pair["name"]
    verdict = (pair["role"] or pair["verdict"]).replace(
        "possibly inherited", "inherited?"
    )
    if value is None:
        return (str(pair["number"]), point, tags, "", "", "", "", verdict)
    more = len(pair["values"]) - 1
    name = f"{value['value']} +{more}" if more else value["value"]
    excess = number_text(value["excess"]) if value["bits"] else "-"
    return (
        str(pair["number"]),
        point,
        tags,
        name,
        _cells(value) if value["cells"] else value["why"] or "; ".join(value["notes"]),
        number_text(value["max_rel"]),
        excess,
        verdict,
    )


def _notes(document: Mapping[str, Any]) -> Iterator[Fact]:
    for shared in document["shared_tags"]:
        yield Fact(
            "in common",
            f"all different pairs ({shared['pairs']}) have {shared['tag']}="
            f"{shared['value']}; {count_text(shared['others'], 'other value')} of "
            f"{shared['tag']} do not differ",
        )
    for it in document["processes"]:
        place = f"pid {it['pid']} on {it['host']}"
        yield Fact("process", f"{place}: first {it['name']} ({it['first']})")
    by_reason: dict[str, list[Any]] = {}
    for it in document["unpaired"]:
        by_reason.setdefault(it["why"], []).append(it)
    for why, found in by_reason.items():
        named = ", ".join(map(where_text, found[:_MOST_NAMED]))
        more = len(found) - _MOST_NAMED
        more_text = f" and {more} more" if more > 0 else ""
        yield Fact("unpaired", f"{len(found)} {_UNPAIRED[why]}: {named}{more_text}")
    for it in document["aligned"][:_MOST_NAMED]:
        yield Fact("aligned", _alignment(it))
    for kind in ("unused", "expired"):
        for text in document["tolerances"][kind]:
            yield Fact(f"{kind} tolerance", text)


def _alignment(found: Mapping[str, Any]) -> str:
    one, other = found["counts"]
    name = " ".join(filter(None, (found["name"], tags_text(found))))
    how = f"{found['by_sequence']} paired by sequence"
    if found["by_order"]:
        how = f"{found['by_order']} paired by mere order: the sequences differ too much"
    return f"{name} was saved {one} / {other} times; {how}"


def _counts(document: Mapping[str, Any]) -> str:
    counts = document["counts"]
    parts = [
        f"{counts[verdict]:,} {verdict}"
        for verdict in ("equal", "close", "noise", "different", "unknown", "unpaired")
        if counts.get(verdict)
    ]
    pairs = count_text(counts["pairs"], "pair")
    checksums = f"{counts['by_checksum']:,} by checksum"
    return f"{pairs}: {', '.join(parts)} ({checksums})   {document['seconds']:.1f} s"
