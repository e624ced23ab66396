"""The chain of a name: the rules that could save its calls, newest first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from checkpoints._handlers.handler import Handler
from checkpoints._keys.tags import TagPairs
from checkpoints._rules.occasion import Occasion

if TYPE_CHECKING:
    from checkpoints._rules.rule import Rule

__all__ = ["accepting", "chain_of", "handlers_of", "is_used_up", "is_wanted", "refuse"]


def chain_of(
    newest_first: Iterable[Rule], covers: Callable[[Rule], bool]
) -> tuple[Rule, ...]:
    """Return the rules that cover a name, up to the first that takes every call."""
    chain = []
    for rule in newest_first:
        if covers(rule):
            chain.append(rule)
            if rule.takes_all:
                break
    return tuple(chain)


def accepting(
    name: str,
    chain: Iterable[Rule],
    occasion: Occasion,
    first_use: Callable[[Rule], None] | None,
    failed: Callable[[Rule, str, BaseException], None],
) -> Rule | None:
    """
    Return the rule that takes a call, if any.

    Args:
        name: The name.
        chain: The rules, newest first.
        occasion: The call.
        first_use: Called with a rule that takes a call for the first time.
        failed: Called with the error of a condition; no rule then takes the call.
    """
    for rule in chain:
        try:
            if rule.takes_all or rule.accepts(occasion):
                if first_use and not rule.accepted:
                    first_use(rule)
                rule.accepted = True
                return rule
            rule.refused = occasion.pairs or rule.refused or ()
        except BaseException as error:  # noqa: BLE001 - `where` is the user's function
            failed(rule, name, error)
            break
    return None


def refuse(
    chain: Iterable[Rule], pairs: TagPairs, names: Sequence[str], values: Sequence[Any]
) -> bool:
    """Tell whether all of a chain are known to refuse a call with these values."""
    for rule in chain:
        refusal = rule.refusal
        if not (
            refusal.of_tags(pairs)
            or refusal.of_values(names, values)
            or refusal.of_caller()
        ):
            return False
        rule.refused = pairs or rule.refused or ()
    return True


def is_used_up(name: str, chain: Iterable[Rule]) -> bool:
    """Tell whether the limits of a chain leave nothing of a name to save."""
    return all(name in rule.used_up for rule in chain if rule.handlers)


def handlers_of(rules: Iterable[Rule]) -> list[Handler]:
    """Return the handlers of rules, in order."""
    return [handler for rule in rules for handler in rule.handlers]


def is_wanted(chain: Iterable[Rule], occasion: Occasion) -> bool:
    """Tell whether a call, of which the tags are known, may reach a target."""
    for rule in chain:
        try:
            if rule.accepts(occasion):
                return bool(rule.handlers)
        except Exception:  # noqa: BLE001 - `where` is the user's function
            # Not handled here: the call itself counts and logs it.
            return True
    return False
