"""Why a rule did nothing: what can be told of it from what was counted anyway."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import IntEnum
from typing import TYPE_CHECKING

from checkpoints._rules.names import Names
from checkpoints._text import shown

if TYPE_CHECKING:
    from checkpoints._rules.rule import Rule

__all__ = ["Idleness", "Reason", "idleness_of"]

_MOST = 5


class Reason(IntEnum):
    """Why a rule did nothing; a later one comes of a process that knows more."""

    UNLIKE = 0
    UNKNOWN = 1
    COVERED = 2
    UNCALLED = 3
    TAKEN = 4
    TAGS = 5
    VALUES = 6

    @property
    def is_doubtful(self) -> bool:
        """Whether it is hardly what somebody meant, whatever the program does."""
        return self not in (Reason.COVERED, Reason.UNCALLED, Reason.TAKEN)


class Idleness:
    """
    That a rule did nothing.

    Args:
        reason: Why, in one word.
        text: The same for people, to stand behind the rule.
        by: The rule that is to blame, to stand behind the text.
    """

    # No named tuple: to make one compiles text, and Python would forget meanwhile that
    # a process is at its end because of Ctrl-C.
    def __init__(self, reason: Reason, text: str, by: str = "") -> None:
        self.reason, self.text, self.by = reason, text, by


def idleness_of(
    rule: Rule,
    names: Names,
    matches: Callable[[Rule, str], bool],
    chain: Callable[[str], tuple[Rule, ...]],
) -> Idleness | None:
    """
    Return why a rule did nothing so far; None if it did something, or had nothing to.

    Args:
        rule: The rule, in force.
        names: All names that are known.
        matches: Tells whether a rule matches a name.
        chain: Returns the rules that a call of a name is offered to, in their turn.
    """
    if rule.accepted:
        return _of_values(rule)
    chains = {it: chain(it) for it in names.available() if matches(rule, it)}
    if not chains:
        return _of_unknown(rule, names)
    mine = [chain for chain in chains.values() if rule in chain]
    if not mine:
        return _of_covered(rule, chains)
    if rule.refused is not None:
        return _of_tags(rule)
    # What is off is not even counted, as it costs nothing.
    return _of_uncalled(rule, mine, list(chains)) if rule.handlers else None


def _of_values(rule: Rule) -> Idleness | None:
    narrowing = rule.narrowing
    if narrowing is None or narrowing.met or narrowing.missed is None:
        return None
    text = "saved nothing: no call had a value that `values` asks for; "
    return Idleness(Reason.VALUES, text + _example(map(repr, narrowing.missed)))


def _of_unknown(rule: Rule, names: Names) -> Idleness | None:
    if not rule.names:
        return None
    text = "matched no checkpoint that the program knows of; "
    if not isinstance(rule.names, str):
        return Idleness(Reason.UNKNOWN, text + names.hint_for_listed(rule.names[0]))
    parent, _, last = rule.names.rpartition(".")
    if parent in names and not names.has_below(parent):
        asked = f"{parent!r}, values={last!r}"
        if rule.source:
            asked = repr(f"{parent}?values={last}")
        return Idleness(Reason.UNKNOWN, f"{text}did you mean {asked}?")
    reason = Reason.UNKNOWN if names.nearest_name(rule.names) else Reason.UNLIKE
    return Idleness(reason, text + names.nearest(rule.names))


def _of_covered(rule: Rule, chains: Mapping[str, tuple[Rule, ...]]) -> Idleness | None:
    blocking = [chain[-1] for chain in chains.values()]
    if not rule.handlers and not any(each.handlers for each in blocking):
        return None
    text = "of the rules that cover a name the last one counts, which is "
    return Idleness(Reason.COVERED, f"{_did_nothing(rule)}: {text}", _told(blocking[0]))


def _of_tags(rule: Rule) -> Idleness:
    pairs = [f"{tag}={shown(value)}" for tag, value in rule.refused or ()]
    text = "no call had the tags that `where` asks for; "
    return Idleness(Reason.TAGS, f"{_did_nothing(rule)}: {text}{_example(pairs)}")


def _of_uncalled(
    rule: Rule, chains: list[tuple[Rule, ...]], names: list[str]
) -> Idleness:
    for chain in chains:
        for other in chain[: chain.index(rule)]:
            if other.accepted:
                text = "saved nothing: what calls there were fell to "
                return Idleness(Reason.TAKEN, text, _told(other))
    if len(names) == 1:
        text = f"{names[0]!r} is known, and was not called"
    else:
        text = (
            f"of the {len(names)} names that it matches, such as {names[0]!r}, none "
            "was called"
        )
    return Idleness(Reason.UNCALLED, f"saved nothing: {text}")


def _did_nothing(rule: Rule) -> str:
    return "saved nothing" if rule.handlers else "switched nothing off"


def _told(rule: Rule) -> str:
    return rule.source or repr(rule)


def _example(parts: Iterable[str]) -> str:
    had = list(parts)
    more = f" and {len(had) - _MOST} more" if len(had) > _MOST else ""
    return f"one had {', '.join(had[:_MOST])}{more}" if had else "none had any"
