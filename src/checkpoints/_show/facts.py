"""A value that differs, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

__all__ = [
    "Fact",
    "cells_text",
    "facts_of_value",
    "moved_text",
    "named_values",
    "number_text",
    "role_text",
    "tags_text",
    "where_text",
]

# How many columns of a table are named.
_MOST_NAMED = 4
_ON_ONE_SIDE = "only in the "
# Nothing is lost without these beside a dtype.
_TOLD_BY_DTYPE = {
    "",
    "numpy.ndarray",
    "numpy.scalar",
    "bool",
    "int",
    "float",
    "complex",
}


class Fact(NamedTuple):
    """A line of a report: what it is about, and a text."""

    label: str
    text: str


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


def moved_text(found: Mapping[str, Any]) -> str:
    """Return where in the order of its saves an entry was and is; "" if as before."""
    if not found["moved"]:
        return ""
    one, other = found["moved"]
    if one == other:
        return "in another order"
    return f"moved from {one} to {other} of {found['occurrence'][1]}"


def tags_text(found: Mapping[str, Any]) -> str:
    """Return the tags of an entry as text."""
    return " ".join(f"{tag}={text}" for tag, text in found["tags"])


def role_text(pair: Mapping[str, Any]) -> str:
    """Return the role of a pair in words; empty if it has none."""
    role: str = pair["role"]
    if role != "origin" or not pair["inputs"].startswith("not known"):
        return role
    # Nothing earlier differs, which does not say that the difference began there.
    is_selected = "in what was selected" in pair["inputs"]
    return "earliest selected" if is_selected else "earliest saved"


def _kind_of(value: Mapping[str, Any]) -> str:
    texts = []
    kinds = [tuple(value["kind"]), tuple(value["dtype"]), tuple(value["shape"])]
    if any(kinds[1]) and set(kinds[0]) <= _TOLD_BY_DTYPE:
        del kinds[0]
    for one, other in kinds:
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
        cells = cells_text(value)
        texts = [] if cells in value["notes"] else [cells]
        texts += [f"{name} {number_text(n)}" for name, n in numbers if n is not None]
        if texts:
            yield Fact("differs", "   ".join(texts))
    if value["where"] or any(value["texts"]):
        one, other = value["texts"]
        yield Fact("worst", f"{value['where'] or 'value'}   {one}  ->  {other}")
    is_alone = cells_text(value).startswith(_ON_ONE_SIDE)
    if value["verdict"] != "unknown" and not is_alone:
        yield Fact("allowed", f"{_allowed(value)}{_would_pass(value)}")
    if value["parts"]:
        yield Fact("parts", _parts(value))
    for note in value["notes"]:
        yield Fact("note", note)
    if value["why"]:
        yield Fact("why", value["why"])


def cells_text(value: Mapping[str, Any]) -> str:
    """Return how many cells differ, or what else there is to say in a few words."""
    note = str(next(iter(value["notes"]), ""))
    bits, cells = int(value["bits"]), int(value["cells"])
    if value["verdict"] == "unknown" and not bits:
        # The rest of it is for where there is room.
        return str(value["why"]).partition("; ")[0] or note
    if not cells:
        return str(value["why"]) or "; ".join(value["notes"])
    if note and (not bits or note.startswith(_ON_ONE_SIDE)):
        return note
    if cells == 1 and bits <= 1:
        return "1 value" if bits else "no value"
    return f"{bits:,} of {cells:,} cells"


def _allowed(value: Mapping[str, Any]) -> str:
    if value["tolerance"] != "by dtype":
        return str(value["tolerance"])
    limits = [
        f"{name} {number_text(value[name])}" for name in ("rtol", "atol") if value[name]
    ]
    return f"by dtype: {', '.join(limits) or 'exact'}"


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
    return "   no rtol or atol would pass"


def _parts(value: Mapping[str, Any]) -> str:
    return _listed(value["parts"], "name", value["more_parts"])


def named_values(values: Sequence[Mapping[str, Any]]) -> str:
    """Return the names of values that differ, each with how much of it does."""
    return _listed(values, "value")


def _verdict_text(part: Mapping[str, Any]) -> str:
    why = part.get("why")
    return f"{part['verdict']}: {why}" if why else str(part["verdict"])


def _listed(found: Sequence[Mapping[str, Any]], label: str, further: int = 0) -> str:
    named = [
        f"{it[label]} ({cells_text(it) if it['bits'] else _verdict_text(it)})"
        for it in found[:_MOST_NAMED]
    ]
    more = len(found) + further - len(named)
    return ", ".join(named) + (f" and {more} more" if more > 0 else "")
