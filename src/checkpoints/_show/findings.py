"""What a comparison of two runs has found, in words: for terminals, pages and pulls."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from checkpoints._show.facts import (
    Fact,
    cells_text,
    facts_of_value,
    moved_text,
    named_values,
    number_text,
    role_text,
    tags_text,
    where_text,
)
from checkpoints._show.rows import Row, rows_of
from checkpoints._text import count_text, moment_text

__all__ = ["Findings", "findings_of"]

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
_SIDES = ("baseline", "candidate")
_UNSEEN = {"not_saved": "not saved", "changed": "what is not saved of"}
_UNUSED = {
    "keys": ("unused key", "matches no entry"),
    "rename": ("unused rename", "is no name or tag of the baseline"),
    "ignore_tags": ("unused tag", "to ignore: no entry has it"),
}
# Why a run has nothing to compare.
_EMPTY: dict[str, Callable[[Mapping[str, Any]], bool]] = {
    "the filter matches nothing": lambda run: run["filtered_out"],
    "there is no entry": lambda run: not run["entries"],
}
# How many entries without a counterpart, and how many others, are named.
_MOST_NAMED = 4
_SHORT_HASH = 8


class Findings(NamedTuple):
    """
    What a report says.

    Args:
        verdict: The verdict, as in the document.
        headline: The verdict in words, and where the runs first differ.
        runs: Which runs were compared.
        first: All about the first divergence.
        rows: A row for each pair that is not equal.
        notes: What there is to say about all pairs.
        counts: How many pairs there are of each verdict.
    """

    verdict: str
    headline: str
    runs: list[Fact]
    first: list[Fact]
    rows: list[Row]
    notes: list[Fact]
    counts: str


def findings_of(document: Mapping[str, Any], *, names_options: bool = True) -> Findings:
    """
    Return what to say about a comparison.

    Args:
        document: What `Diff.as_json` returns.
        names_options: Whether to name options of the command line.
    """
    return Findings(
        document["verdict"],
        _headline(document),
        list(_runs(document)),
        list(_about_first(document, names_options=names_options)),
        rows_of(document),
        list(_notes(document)),
        _counts(document, names_options=names_options),
    )


def _headline(document: Mapping[str, Any]) -> str:
    verdict = document["verdict"]
    word = _HEADLINES[verdict]
    first, counts = document["first"], document["counts"]
    if verdict == "equal":
        pairs = counts["pairs"]
        which = f"all {count_text(pairs, 'pair')}" if pairs > 1 else "the only pair"
        return f"{word}  {which}"
    if verdict == "unknown":
        if counts.get("unpaired", 0) == counts["pairs"]:
            return f"{word}  {_nothing_in_common(document)}"
        return f"{word}  {count_text(counts['unknown'], 'pair')} cannot be compared"
    if verdict == "different" and first["verdict"] == "unpaired":
        return f"{word}  first {_UNPAIRED[first['why']]}: {where_text(first)}"
    if verdict == "different":
        is_moved = first["moved"] and not first["values"]
        how = "saved in another order" if is_moved else "beyond tolerance"
        return f"{word}  first {how}: {where_text(first)}{_unknown_before(document)}"
    bit = document["first_bit"]
    form = "difference in form" if bit and _is_of_form(bit) else "bit that differs"
    return f"{word}  first {form}: {where_text(bit)}" if bit else word


def _unknown_before(document: Mapping[str, Any]) -> str:
    """Return what to say of pairs before the first difference that may be it."""
    number = document["first"]["number"]
    pairs = document["pairs"]
    count = sum(it["verdict"] == "unknown" and it["number"] < number for it in pairs)
    return (
        f"; {count_text(count, 'pair')} before it cannot be compared" if count else ""
    )


def _is_of_form(pair: Mapping[str, Any]) -> bool:
    """Tell whether all cells are equal, but not what they are in, such as a dtype."""
    values = pair["values"]
    return bool(values) and not any(value["bits"] for value in values)


def _nothing_in_common(document: Mapping[str, Any]) -> str:
    for what, is_so in _EMPTY.items():
        sides = zip(_SIDES, document["runs"], strict=True)
        if empty := [label for label, run in sides if is_so(run)]:
            return f"{what} in the {' and the '.join(empty)}"
    return "the runs have no entry in common"


def _runs(document: Mapping[str, Any]) -> Iterator[Fact]:
    runs = document["runs"]
    for label, run in zip(_SIDES, runs, strict=True):
        ids = [it for it in run["runs"] if it not in run["root"]]
        names = " ".join(filter(None, (*ids[:_MOST_NAMED], run["name"])))
        began = "" if run["began"] is None else f"{moment_text(run['began'])} UTC"
        entries = count_text(run["entries"], "entry")
        state = run["state"] if run["state"] in ("failed", "unfinished") else ""
        place = _short(run["path"] or run["root"])
        parts = (place, names, began, _revision(run), entries, state)
        yield Fact(label, "  ".join(filter(None, parts)))
        if run["note"]:
            yield Fact("", run["note"])
        if run["not_listed"]:
            more = len(run["not_listed"]) - 1
            others = f" and {count_text(more, 'other folder')}" if more else ""
            yield Fact("", f"without {run['not_listed'][0]}{others}")
    if document["is_same_run"]:
        yield Fact("note", "both sides are the same run")
    changed = [
        f"{it['library']} {it['baseline']} -> {it['candidate']}"
        for it in document["changed_versions"]
    ]
    if changed:
        yield Fact("versions", ", ".join(changed))
    if document["counts"].get("unpaired", 0) == document["counts"]["pairs"]:
        for label, run in zip(("baseline has", "it has"), runs, strict=True):
            yield Fact(label, ", ".join(run["names"]) or "nothing")


def _revision(run: Mapping[str, Any]) -> str:
    if not run["git"]:
        return ""
    return f"git {run['git'][:_SHORT_HASH]}{' +changes' if run['dirty'] else ''}"


def _short(root: str) -> str:
    """Return a root as seen from the working folder, where it is below that."""
    here = os.path.join(os.getcwd(), "")
    return root.removeprefix(here) if root.startswith(here) else root


def _about_first(document: Mapping[str, Any], *, names_options: bool) -> Iterator[Fact]:
    first = document["first"] or document["first_bit"]
    if first is None or not (first["values"] or first["moved"]):
        return
    value = next(iter(first["values"]), None)
    if value:
        yield Fact("value", value["value"])
    site = next(filter(None, first.get("sites", ())), None)
    if site:
        place = f"{site.get('file')}:{site.get('line')} in {site.get('function')}"
        yield Fact("saved at", place)
    if first["moved"]:
        passes = '   would pass with order = "any"'
        is_allowed = first["verdict"] != "different"
        yield Fact("order", moved_text(first) + ("" if is_allowed else passes))
    if value:
        yield from facts_of_value(value)
        if others := first["values"][1:]:
            yield Fact("also", named_values(others))
        repeats = document["noise"]["repeats"]
        yield from _noise(value, repeats, names_options=names_options)
    if first["role"]:
        yield Fact("inputs", _inputs(first, document["pairs"]))
    lost = document["first_unpaired"]
    if lost and lost["number"] < first["number"]:
        text = f"{where_text(lost)} is {_UNPAIRED[lost['why']]}"
        yield Fact("before it", text)
    bit = document["first_bit"]
    if bit and bit["number"] < first["number"] and bit["values"]:
        worst = bit["values"][0]
        rel = worst["max_rel"]
        end = "" if rel is None else f", max rel {number_text(rel)}"
        what = "difference in form" if _is_of_form(bit) else "bit"
        place = f"{where_text(bit)}  {worst['value']}"
        text = f"first {what}: {place}  {cells_text(worst)}{end}"
        yield Fact("earlier", text)


def _noise(
    value: Mapping[str, Any], repeats: int, *, names_options: bool
) -> Iterator[Fact]:
    if repeats:
        text = f"baseline repeated {repeats}x: {number_text(value['noise'])}"
        yield Fact("noise", text)
    elif names_options:
        yield Fact("noise", "unknown: give repeats of the baseline with --noise")


def _inputs(first: Mapping[str, Any], pairs: Sequence[Mapping[str, Any]]) -> str:
    later = sum(
        "inherited" in pair["role"] and pair["number"] > first["number"]
        for pair in pairs
    )
    role = role_text(first).upper()
    after = f"; {count_text(later, 'later pair')} may inherit it" if later else ""
    return f"{first['inputs']}   {role}{after}"


def _notes(document: Mapping[str, Any]) -> Iterator[Fact]:
    for shared in document["shared_tags"]:
        yield Fact(
            "in common",
            f"all different pairs ({shared['pairs']}) have {shared['tag']}="
            f"{shared['value']}; {count_text(shared['others'], 'other value')} of "
            f"{shared['tag']} {'does' if shared['others'] == 1 else 'do'} not differ",
        )
    for it in document["processes"]:
        place = f"pid {it['pid']} on {it['host']}"
        yield Fact("process", f"{place}: first {it['name']} ({it['first']})")
    if document["crossed"]:
        yield Fact("processes", _crossed(document["crossed"]))
    for why, found in _by_reason(document["unpaired"]).items():
        yield Fact("unpaired", f"{len(found)} {_UNPAIRED[why]}: {_named(found)}")
    unknown = [it for it in document["pairs"] if it["verdict"] == "unknown"]
    for why, found in [*_by_reason(unknown).items()][:_MOST_NAMED]:
        yield Fact("unknown", f"{_named(found)}: {why}")
    for kind, what in _UNSEEN.items():
        for it in document[kind][:_MOST_NAMED]:
            text = f"{it['name']}: {what}: {', '.join(it['values'])}"
            yield Fact("not compared", text)
    for it in document["aligned"][:_MOST_NAMED]:
        yield Fact("aligned", _alignment(it))
    yield from _unheeded(document)


def _crossed(processes: Sequence[Mapping[str, Any]]) -> str:
    pairs = [f"{it['baseline'][2]} with {it['candidate'][2]}" for it in processes]
    more = len(pairs) - _MOST_NAMED
    more_text = f" and {more:,} more" if more > 0 else ""
    return (
        f"{len(pairs)} with equal keys were matched by what they saved, in another "
        f"order than they began: pid {', '.join(pairs[:_MOST_NAMED])}{more_text}"
    )


def _unheeded(document: Mapping[str, Any]) -> Iterator[Fact]:
    """Yield what was asked for and had no effect, and what was not looked at."""
    for kind in ("unused", "expired"):
        for text in document["tolerances"][kind]:
            yield Fact(f"{kind} tolerance", text)
    for kind, (label, end) in _UNUSED.items():
        for text in document["unused"][kind]:
            yield Fact(label, f"{text} {end}")
    for role, run in zip(("baseline", "candidate"), document["runs"], strict=True):
        if run["repeated"]:
            text = f"{count_text(run['repeated'], 'save')} of the {role} left out: "
            yield Fact("attempts", f"{text}their task was repeated, and that counts")
    if document["not_compared"]:
        number = count_text(document["not_compared"], "pair")
        text = f"at the first difference; not compared: {number}"
        yield Fact("stopped", text)


def _by_reason(
    pairs: Sequence[Mapping[str, Any]],
) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for it in pairs:
        found.setdefault(it["why"], []).append(it)
    return found


def _named(pairs: Sequence[Mapping[str, Any]]) -> str:
    more = len(pairs) - _MOST_NAMED
    more_text = f" and {more:,} more" if more > 0 else ""
    return ", ".join(map(where_text, pairs[:_MOST_NAMED])) + more_text


def _alignment(found: Mapping[str, Any]) -> str:
    one, other = found["counts"]
    name = " ".join(filter(None, (found["name"], tags_text(found))))
    how = f"{found['by_sequence']} paired by sequence"
    if found["by_order"]:
        why = "the sequences differ too much"
        if found["several_threads"]:
            why = "several threads or processes saved it"
        if found["damaged"]:
            why = "a damaged file does not tell its place"
        how = f"{found['by_order']} paired by mere order: {why}"
    if found["moved"]:
        how += f"; {found['moved']} saved in another order"
    return f"{name} was saved {one} / {other} times; {how}"


def _counts(document: Mapping[str, Any], *, names_options: bool) -> str:
    counts = document["counts"]
    how = {"equal": _by_checksum(document, names_options=names_options)}
    parts = [
        f"{counts[verdict]:,} {verdict}{how.get(verdict, '')}"
        for verdict in ("equal", "close", "noise", "different", "unknown", "unpaired")
        if counts.get(verdict)
    ]
    pairs = count_text(counts["pairs"], "pair")
    which = f": {', '.join(parts)}" if parts else ""
    return f"{pairs}{which}   {document['seconds']:.1f} s"


def _by_checksum(document: Mapping[str, Any], *, names_options: bool) -> str:
    """Return how many of the equal pairs were not read."""
    # What was saved in another order differs, though its checksum is equal.
    moved = sum(
        it["compared_by"] == "checksum" and it["verdict"] != "equal"
        for it in document["pairs"]
    )
    unread = document["counts"]["by_checksum"] - moved
    advice = "; --exact reads them" if names_options else ""
    return f" ({unread:,} by checksum, unread{advice})" if unread else ""
