"""The recorder that is asked for from outside, by the variable `CHECKPOINTS_RECORD`."""

from __future__ import annotations

import logging
import os
import signal
from typing import Any

from checkpoints._recorder import NOT_CAUGHT, Recorder, beside
from checkpoints._rules import Target
from checkpoints._shown import shown
from checkpoints._size import parse_size
from checkpoints._variables import RECORD
from checkpoints.errors import ConfigError

__all__ = ["parsed_recording", "recorder_for"]

logger = logging.getLogger("checkpoints")

# All rules from outside share the memory of the first recorder that was made for one.
_first: list[tuple[str, Recorder]] = []


def parsed_recording(text: str) -> dict[str, Any]:
    """
    Return the options of a recorder that a text asks for.

    Args:
        text: A size, and after commas `when=nan` and `signal=USR1`.

    Raises:
        ConfigError: If it cannot be read.

    >>> parsed_recording("64MB, when=nan")
    {'max_bytes': 64000000, 'when': 'nan'}
    """
    size, *others = text.split(",")
    options: dict[str, Any] = {"max_bytes": _size_in(size, text)}
    for option in others:
        name, _, value = (part.strip() for part in option.partition("="))
        if name == "when" and value == "nan":
            options["when"] = value
        elif name == "signal":
            options["signal"] = _signal_in(value, text)
        else:
            raise _unreadable(text, f"{shown(option.strip())} is not known")
    return options


def recorder_for(
    target: Target, options: dict[str, Any]
) -> tuple[Target, dict[str, Any]]:
    """
    Return what a rule from outside saves to: a recorder, where one is asked for.

    Args:
        target: The target of the rule.
        options: Those of `FileHandler`, for a path.

    Returns:
        What keeps the saves for the target with these options in the memory that all
        rules from outside share, and no options; or, where the variable is not set,
        what was given.

    Raises:
        ConfigError: If the variable, the target or an option cannot be.
    """
    text = os.environ.get(RECORD, "")
    if not text or target is None:
        return target, options
    if _first and _first[0][0] == text:
        return beside(_first[0][1], target, options), {}
    recorder = _recorder(target, parsed_recording(text), options)
    _first[:] = [(text, recorder)]
    return recorder, {}


def _recorder(
    target: Target, recording: dict[str, Any], options: dict[str, Any]
) -> Recorder:
    try:
        return Recorder(target, **recording, **options)
    except ConfigError as error:
        # Python's word where this is not the main thread. Whoever imports a library in
        # another one has asked for no signal, and may not even know of the variable.
        if not isinstance(error.__cause__, ValueError):
            raise
        recorder = Recorder(target, **{**recording, "signal": None}, **options)
        logger.warning("%s: %s. The program goes on without it", RECORD, error)
        return recorder


def _size_in(size: str, text: str) -> int:
    try:
        return parse_size("size", size)
    except ConfigError as error:
        raise _unreadable(text, f"{shown(size)} is no size") from error


def _signal_in(name: str, text: str) -> int:
    full = name.upper() if name.upper().startswith("SIG") else f"SIG{name.upper()}"
    try:
        found = signal.Signals[full]
    except KeyError as error:
        raise _unreadable(text, f"{shown(name)} is no signal") from error
    if full in NOT_CAUGHT:
        raise _unreadable(text, f"{full} cannot be caught")
    return found


def _unreadable(text: str, what: str) -> ConfigError:
    return ConfigError(
        f"{RECORD}, or --record, {shown(text)}: {what}. It is a "
        "size such as 64MB, and after commas, if you like, when=nan and signal=USR1"
    )
