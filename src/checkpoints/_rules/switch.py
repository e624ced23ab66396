"""Switches: whether a name is on, as an attribute that is right at once."""

from __future__ import annotations

import weakref
from collections.abc import Callable

__all__ = ["Switch", "Switches"]


class Switch:
    """
    Tells whether a rule may save a call of a name.

    Args:
        name: The dotted name.
        changed: Called without arguments after each change, under the lock of the
            registry; must not raise.

    Attributes:
        on: Set when a rule comes or goes, for all threads.
    """

    __slots__ = ("__weakref__", "changed", "name", "on")

    def __init__(self, name: str, changed: Callable[[], object] | None = None) -> None:
        self.name = name
        self.changed = changed
        self.on = False

    def turn(self, *, on: bool) -> None:
        """Turn it on or off."""
        if on is not self.on:
            self.on = on
            if self.changed is not None:
                self.changed()


class Switches:
    """The switches that are in use; they are not kept alive."""

    def __init__(self) -> None:
        self._known: weakref.WeakSet[Switch] = weakref.WeakSet()

    def add(self, switch: Switch) -> None:
        """Add a switch; the caller holds the lock of the registry."""
        self._known.add(switch)

    def set_all(self, is_on: Callable[[str], bool]) -> None:
        """Set each switch by its name."""
        for switch in list(self._known):
            switch.turn(on=is_on(switch.name))
