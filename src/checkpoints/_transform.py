"""A transform: what becomes of values before anything of them is stored."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from checkpoints._shown import shown
from checkpoints.errors import ConfigError, FormatError

__all__ = ["GROUP", "Transform", "transform_for"]

GROUP = "checkpoints.transforms"


class Transform:
    """
    A function from values to values, and what it may not do.

    Args:
        function: Takes a dict of values by name, which is its own; returns one.
        text: How a rule shows it.
    """

    def __init__(self, function: Callable[[dict[str, Any]], object], text: str) -> None:
        self.function = function
        self._text = text

    def __repr__(self) -> str:
        return self._text

    def __call__(self, values: dict[str, Any]) -> dict[str, Any]:
        """
        Return what it makes of values.

        Raises:
            FormatError: If that is no dict with names for keys.
            Exception: What the function raises.
        """
        try:
            found = self.function(values)
        except Exception as error:
            error.add_note(f"raised by transform={self._text}, so nothing was stored")
            raise
        if isinstance(found, dict) and all(isinstance(name, str) for name in found):
            return dict(found)
        # Not shown: it may be what was to be redacted.
        what = f"a {type(found).__name__}"
        if isinstance(found, dict):
            what = "a dict with keys that are no texts"
        message = (
            f"transform={self._text} returned {what}, so nothing was stored: it has to "
            "return a dict of values by name"
        )
        raise FormatError(message)


def transform_for(given: object) -> Transform:
    """
    Return the transform that an option stands for.

    Args:
        given: A function, or the name of an entry point, which is loaded.

    Raises:
        ConfigError: If it is neither, or cannot be loaded.
    """
    if isinstance(given, str):
        return Transform(_loaded(given), repr(given))
    is_awaited = inspect.iscoroutinefunction(given)
    if callable(given) and not isinstance(given, type) and not is_awaited:
        return Transform(given, shown(given))
    message = (
        f"transform={shown(given)} has to be a function f(values) that returns a dict "
        f"of values, or the name of an entry point of the group {GROUP!r}"
    )
    raise ConfigError(message)


def _loaded(name: str) -> Callable[[dict[str, Any]], object]:
    # Costs more to import than all the rest of this library.
    from importlib.metadata import entry_points

    installed = entry_points(group=GROUP)
    found = {entry.value: entry for entry in installed if entry.name == name}
    if len(found) != 1:
        names = ", ".join(sorted({shown(entry.name) for entry in installed}))
        what = "is installed more than once" if found else "is not installed"
        message = (
            f"transform={shown(name)} {what}, as an entry point of the group "
            f"{GROUP!r}; there are: {names or 'none'}"
        )
        raise ConfigError(message)
    ((value, entry),) = found.items()
    try:
        function = entry.load()
    except Exception as error:
        message = (
            f"transform={shown(name)}, which is {value}, cannot be loaded "
            f"({type(error).__name__}: {error}): see to the package that has it"
        )
        raise ConfigError(message) from error
    if not callable(function):
        message = f"transform={shown(name)}, which is {value}, is no function"
        raise ConfigError(message)
    return function  # type: ignore[no-any-return]
