"""Why a filter takes no entry, and what it could have asked for."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from checkpoints._entry import key_of
from checkpoints._entry_filter import EntryFilter
from checkpoints._listing import Listing
from checkpoints._shown import shown
from checkpoints._tag_filter import read_like

__all__ = ["why_none"]

_MOST = 8


def why_none(listing: Listing, rules: Iterable[EntryFilter]) -> str:
    """
    Return why filters, one after the other, take none of these files.

    Args:
        listing: The files that there are.
        rules: The filters.
    """
    if not len(listing):
        return "nothing was saved there"
    who = "no entry"
    for part in [part for rule in rules for part in rule.parts()]:
        left = listing.filtered(part)
        if not len(left):
            return f"{who} {_lacking(part, listing)}"
        if len(left) < len(listing):
            who = "no entry of those that fit the rest"
        listing = left
    return "no entry was taken of those that there are"


def _lacking(part: EntryFilter, listing: Listing) -> str:
    """Return what no file has of a filter that asks for one thing."""
    if part.names is not None:
        return _lacking_name(part.names, set(listing.fullnames()))
    if not part.tags:
        return "is taken by the function of all tags"
    (tag,), (wanted,) = part.tags, part.asked.values()
    pairs = {pair for it in listing.compact().folders for pair in key_of(it)[0]}
    values = {value for name, value in pairs if name == tag}
    if not values:
        return f"has the tag {shown(tag)}; {_some(tag, {name for name, _ in pairs})}"
    return f"has {shown(tag)}={shown(wanted)}; {_some(wanted, values)}"


def _lacking_name(names: str | tuple[str, ...], known: set[str]) -> str:
    if not isinstance(names, str):
        return f"has one of the names {shown(names)}; {_some(None, known)}"
    if near := difflib.get_close_matches(names, sorted(known)):
        told = ", ".join(map(shown, near))
        return f"has the name {shown(names)}; the nearest are {told}"
    return f"has the name {shown(names)}; {_some(None, known)}"


def _some(wanted: object, known: set[str]) -> str:
    """Tell of what there is, the nearest first."""
    if not known:
        return "there are none at all"
    near: list[str] = []
    if isinstance(wanted, str):
        near = difflib.get_close_matches(wanted, sorted(known))
    ordered = [*near, *sorted(known - {*near}, key=_order)]
    more = f" and {len(known) - _MOST} more" if len(known) > _MOST else ""
    verb = "there are" if len(known) > 1 else "there is"
    return f"{verb} {', '.join(map(shown, ordered[:_MOST]))}{more}"


def _order(text: str) -> tuple[bool, float, str]:
    number = read_like(text, 0.5)
    return number is None, number or 0, text
