"""The options of a recorder, checked: when and on which signal it writes."""

from __future__ import annotations

import signal as signals
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from checkpoints._handlers.file import FileHandler
from checkpoints._keys.key import Key
from checkpoints._kinds.nan import holds_nan
from checkpoints._text import hint, shown
from checkpoints.errors import ConfigError

__all__ = [
    "When",
    "check_options",
    "checked_signal",
    "checked_when",
    "found_nan",
    "why_unusable",
]

When: TypeAlias = Callable[[Key, Mapping[str, Any]], object]

_UNCATCHABLE = ("SIGKILL", "SIGSTOP")
_OF_MACHINE_CODE = ("SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL")
_OWN = ("max_bytes", "when", "signal")


def check_options(options: Mapping[str, Any]) -> None:
    """Raise `ConfigError` for an option that no file handler has."""
    known = (*_OWN, *FileHandler.OPTIONS)
    for option in options:
        if option not in FileHandler.OPTIONS:
            raise ConfigError(f"unknown option {option!r}; {hint(option, known)}")


def checked_when(when: Any) -> When | None:
    """Return the predicate for an option `when`; `ConfigError` if it is invalid."""
    if when == "nan":
        return found_nan
    if when is not None and not callable(when):
        message = (
            f"invalid when={shown(when)}: expected a function of (key, values), or "
            "'nan'"
        )
        raise ConfigError(message)
    checked: When | None = when
    return checked


def found_nan(_key: Key, values: Mapping[str, Any]) -> bool:
    """Tell whether values contain a NaN: the predicate for `when="nan"`."""
    return holds_nan(values)


def checked_signal(number: Any) -> int:
    """Return the number of a signal; `ConfigError` if it is invalid."""
    try:
        found = signals.Signals(number)
    except ValueError as error:
        message = f"invalid signal={shown(number)}: use, for example, signal.SIGUSR1"
        raise ConfigError(message) from error
    if why := why_unusable(found.name):
        raise ConfigError(f"{why}: use, for example, signal.SIGUSR1")
    return found


def why_unusable(name: str) -> str:
    """Return why a signal cannot trigger a dump; empty if it can."""
    if name in _UNCATCHABLE:
        return f"cannot catch {name}, which the system does not pass on"
    if name in _OF_MACHINE_CODE:
        return (
            f"cannot handle {name} in Python: machine code would continue where it "
            "failed, and fail again without end"
        )
    return ""
