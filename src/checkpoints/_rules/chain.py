"""The chain of a name: the rules that could save its calls, newest first."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from checkpoints._keys.tags import TagPairs

if TYPE_CHECKING:
    from checkpoints._rules.rule import Rule

__all__ = ["chain_of", "is_wanted"]


def chain_of(
    newest_first: Iterable[Rule], covers: Callable[[Rule], bool]
) -> tuple[Rule, ...]:
    """Return the rules that cover a name, up to the first that takes every call."""
    chain = []
    for rule in newest_first:
        if covers(rule):
            chain.append(rule)
            if rule.where is None:
                break
    return tuple(chain)


def is_wanted(chain: Iterable[Rule], pairs: TagPairs) -> bool:
    """Tell whether a call with these tags would reach a rule with a target."""
    for rule in chain:
        try:
            if rule.accepts(pairs):
                return bool(rule.handlers)
        except Exception:  # noqa: BLE001 - `where` is the user's function
            # Not handled here: the call itself counts and logs it.
            return True
    return False
