"""The occasion of a call: what the conditions of a rule may ask about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from checkpoints._keys.tags import TagPairs
from checkpoints._process.origin import calling_module
from checkpoints._rules.member import NOT_THERE, member_of

__all__ = ["Occasion"]


class Occasion:
    """
    What there is to know about a call, computed when a condition asks for it.

    Args:
        pairs: Returns its tags.
        values: Returns its values by name; None if they are not known yet.
    """

    __slots__ = ("_known", "_pairs", "_values")

    def __init__(
        self,
        pairs: Callable[[], TagPairs],
        values: Callable[[], Mapping[str, Any]] | None = None,
    ) -> None:
        self._pairs, self._values = pairs, values
        self._known: TagPairs | None = None

    @property
    def pairs(self) -> TagPairs:
        """The tags."""
        if self._known is None:
            self._known = self._pairs()
        return self._known

    @property
    def has_values(self) -> bool:
        """Whether the values are known."""
        return self._values is not None

    def values(self, names: Mapping[str, object]) -> TagPairs:
        """Return the values of these names as pairs, of `self.alpha` an attribute."""
        values = self._values() if self._values is not None else {}
        found = ((name, member_of(values, name)) for name in names)
        return tuple(pair for pair in found if pair[1] is not NOT_THERE)

    @property
    def caller(self) -> str:
        """The module of the code that called."""
        return calling_module()
