"""A placement: one function of a probe, seen by a detour or through a wrapper."""

from __future__ import annotations

from typing import Any

from checkpoints._probes.attribute import Attribute
from checkpoints._probes.calls import CallSaver
from checkpoints._probes.detour import detour_of
from checkpoints._probes.local_functions import LocalFunctions
from checkpoints._probes.place import LOCALS

__all__ = ["Placement"]


class Placement:
    """
    A function whose calls are saved under a name.

    A function written in Python is not replaced: its code leads through a detour while
    a rule is on, whoever holds the function. Anything else that can be called is
    replaced by a wrapper, where its attribute can be.

    Args:
        name: The name.
        root: A module or a class.
        path: The dotted path from there.

    Raises:
        ConfigError: If there is no function that can be probed.
    """

    def __init__(self, name: str, root: Any, path: str) -> None:
        self.name = name
        kind = LocalFunctions if LOCALS in path else Attribute
        attribute: Any = kind(root, path)
        function = attribute.python_function
        self._detour = None if function is None else detour_of(function)
        self._saver = CallSaver(
            name,
            attribute.function,
            of_class=attribute.is_class_method,
            subclass=attribute.subclass if self._detour else None,
            changed=None if self._detour is None else self._detour.update,
        )
        if self._detour is None:
            attribute.replace(self._saver.run, self._saver.is_on)
            self._attribute = attribute
        else:
            # What a program holds is to end with it, as without a probe.
            self._is_unchanged = attribute.unchanged()
            self._detour.add(self._saver)

    @property
    def is_in_place(self) -> bool:
        """Whether the attribute still holds what was probed."""
        if self._detour is None:
            return bool(self._attribute.is_replaced)
        return bool(self._is_unchanged())

    def remove(self) -> bool:
        """Save no more calls; False if other code has replaced the function."""
        was_in_place = self.is_in_place
        self._saver.is_active = False
        if self._detour is None:
            return bool(self._attribute.restore())
        self._detour.remove(self._saver)
        return was_in_place
