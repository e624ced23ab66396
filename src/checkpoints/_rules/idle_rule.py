"""Why a rule did nothing, derived from what is counted anyway."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from enum import IntEnum
from typing import TYPE_CHECKING

from checkpoints._rules.names import Names
from checkpoints._text import shown

if TYPE_CHECKING:
    from checkpoints._rules.rule import Rule

__all__ = ["IdleRule", "Reason", "why_idle", "why_unknown"]

# For a name that something else was to make known, such as a probe: why it did not.
why_unknown: dict[str, Callable[[], str]] = {}

# How many tags or values of an example are listed.
_MOST_LISTED = 5
# Options that refuse calls, and what of a call they ask about.
_ASKED = {"where": "tags", "given": "values", "caller": "caller"}


class Reason(IntEnum):
    """Why a rule did nothing; of several processes, the highest knows most."""

    NO_NAME = 0
    SIMILAR_NAME = 1
    OVERRIDDEN = 2
    NOT_CALLED = 3
    TAKEN = 4
    TOO_LATE = 5
    TAGS = 6
    VALUES = 7

    @property
    def is_likely_mistake(self) -> bool:
        """Whether the rule is likely a mistake, whatever the program does."""
        return self not in (Reason.OVERRIDDEN, Reason.NOT_CALLED, Reason.TAKEN)


class IdleRule:
    """
    The finding that a rule did nothing.

    Args:
        reason: The reason.
        text: A description, which follows the name of the rule.
        by: The rule that caused it, which follows the text.
    """

    # Not a named tuple: creating that class compiles source text, after which Python
    # no longer knows that the process is exiting because of Ctrl-C.
    def __init__(self, reason: Reason, text: str, by: str = "") -> None:
        self.reason, self.text, self.by = reason, text, by


def why_idle(
    rule: Rule,
    names: Names,
    matches: Callable[[Rule, str], bool],
    chain: Callable[[str], tuple[Rule, ...]],
) -> IdleRule | None:
    """
    Return why a rule did nothing so far; None if it did something, or had no effect.

    Args:
        rule: The rule, in force.
        names: All known names.
        matches: Tells whether a rule matches a name.
        chain: Returns the rules that a call of a name is offered to, in order.
    """
    if rule.accepted or rule.has_left:
        return _without_values(rule)
    chains = {name: chain(name) for name in names.available() if matches(rule, name)}
    if not chains:
        return _without_names(rule, names)
    own = [chain for chain in chains.values() if rule in chain]
    if not own:
        return _overridden(rule, chains)
    if rule.refused is not None:
        return _refusing(rule)
    # Calls of names that are off are not counted, so that they cost nothing.
    if not rule.handlers:
        return None
    return _taken(rule, own) or _not_called(list(chains), names.called)


def _without_values(rule: Rule) -> IdleRule | None:
    narrowing = rule.narrowing
    if narrowing is None or narrowing.has_matched or narrowing.unmatched is None:
        return None
    text = "saved nothing: no call had a value that `values` asks for; "
    return IdleRule(Reason.VALUES, text + _example(map(repr, narrowing.unmatched)))


def _without_names(rule: Rule, names: Names) -> IdleRule | None:
    if not rule.names:
        return None
    text = "matched no checkpoint that the program knows of; "
    if isinstance(rule.names, str) and rule.names in why_unknown:
        return IdleRule(Reason.NO_NAME, why_unknown[rule.names]())
    if not isinstance(rule.names, str):
        return IdleRule(
            Reason.SIMILAR_NAME, text + names.hint_for_listed(rule.names[0])
        )
    parent, _, last = rule.names.rpartition(".")
    if parent in names and not names.has_below(parent):
        meant = f"{parent!r}, values={last!r}"
        if not rule.takes_options:
            meant = repr(parent)
        elif rule.source:
            meant = repr(f"{parent}?values={last}")
        return IdleRule(Reason.SIMILAR_NAME, f"{text}did you mean {meant}?")
    reason = Reason.SIMILAR_NAME if names.nearest(rule.names) else Reason.NO_NAME
    return IdleRule(reason, text + names.hint(rule.names))


def _overridden(rule: Rule, chains: Mapping[str, tuple[Rule, ...]]) -> IdleRule | None:
    winners = [chain[-1] for chain in chains.values()]
    if not rule.handlers and not any(winner.handlers for winner in winners):
        return None
    text = "of the rules that cover a name the last one wins, which is "
    return IdleRule(
        Reason.OVERRIDDEN, f"{_did_nothing(rule)}: {text}", _label(winners[0])
    )


def _refusing(rule: Rule) -> IdleRule:
    asked = [option for option in _ASKED if getattr(rule, option) is not None]
    what = " and ".join(_ASKED[option] for option in asked)
    options = " and ".join(f"`{option}`" for option in asked)
    verb = "asks" if len(asked) == 1 else "ask"
    text = f"{_did_nothing(rule)}: no call had the {what} that {options} {verb} for"
    if rule.where is not None:
        pairs = [f"{tag}={shown(value)}" for tag, value in rule.refused or ()]
        text += f"; {_example(pairs)}"
    return IdleRule(Reason.TAGS, text)


def _taken(rule: Rule, chains: list[tuple[Rule, ...]]) -> IdleRule | None:
    for chain in chains:
        for other in chain[: chain.index(rule)]:
            if other.accepted:
                text = "saved nothing: every matching call was taken by "
                return IdleRule(Reason.TAKEN, text, _label(other))
    return None


def _not_called(names: list[str], called: Container[str]) -> IdleRule:
    if early := [name for name in names if name in called]:
        text = f"saved nothing: it came after the last call of {early[0]!r}"
        return IdleRule(Reason.TOO_LATE, text)
    if len(names) == 1:
        text = f"{names[0]!r} is known, but no call of it was seen"
    else:
        text = (
            f"none of the {len(names)} names that it matches, such as {names[0]!r}, "
            "was called"
        )
    return IdleRule(Reason.NOT_CALLED, f"saved nothing: {text}")


def _did_nothing(rule: Rule) -> str:
    return "saved nothing" if rule.handlers else "switched nothing off"


def _label(rule: Rule) -> str:
    return rule.source or repr(rule)


def _example(parts: Iterable[str]) -> str:
    had = list(parts)
    more = len(had) - _MOST_LISTED
    listed = ", ".join(had[:_MOST_LISTED]) + (f" and {more} more" if more > 0 else "")
    return f"one had {listed}" if had else "none had any"
