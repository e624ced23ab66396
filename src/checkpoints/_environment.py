"""The recorder that is asked for from outside, by the variable `CHECKPOINTS_RECORD`."""

from __future__ import annotations

import logging
import os
import re
import signal
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from checkpoints._handlers.file import FileHandler
from checkpoints._handlers.recorder import NOT_CAUGHT, Recorder, beside
from checkpoints._handlers.target import Target
from checkpoints._probes.probe import checked_target, probes_from_environment
from checkpoints._process.variables import CONFIG, OUTSIDE, RECORD, REPORT, RULES, TO
from checkpoints._rules.options import known_options
from checkpoints._rules.registry import registry
from checkpoints._rules.report import Report
from checkpoints._rules.rule import Rule
from checkpoints._rules.settings import DEFAULT_TARGET, Setting, settings_in_text
from checkpoints._rules.settings_toml import settings_in_file
from checkpoints._text import parse_size, shown
from checkpoints.errors import CheckpointError, ConfigError

__all__ = ["parsed_recording", "read_settings", "recorder_for"]

logger = logging.getLogger("checkpoints")

# All rules from outside share the memory of the first recorder that was made for one.
_first: list[tuple[str, Recorder]] = []

# More than any installer writes.
_SCRIPT_BYTES = 4096


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
    number = recording.get("signal")
    if number and threading.current_thread() is not threading.main_thread():
        # Whoever imports a library in another thread has asked for no signal, and may
        # not even know of the variable.
        recording = {**recording, "signal": None}
        logger.warning(
            "%s: signal=%r can be listened to by the main thread alone, and this is "
            "another one. The program goes on without it",
            RECORD,
            number,
        )
    return Recorder(target, **recording, **options)


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


def read_settings(
    text: str = "",
    *,
    config: str | os.PathLike[str] | None = None,
    source: str = RULES,
    default: str = DEFAULT_TARGET,
    probes: Iterable[str] = (),
    record: str | None = None,
) -> list[Setting]:
    """
    Read what is written outside of a program, and put nothing of it in force.

    Nothing is imported, started or written for it: a transform that a rule names has to
    be installed, and is loaded when the rule is made.

    Args:
        text: Rules in the short form, as `CHECKPOINTS` holds them.
        config: A TOML file of rules, as `CHECKPOINTS_CONFIG` names it.
        source: Where the text stands, for errors.
        default: The target of a rule that names none, as `CHECKPOINTS_TO` holds it.
        probes: Targets of probes, as `CHECKPOINTS_PROBES` names them; only checked.
        record: What a recorder is to do, as `CHECKPOINTS_RECORD` says; only checked.

    Returns:
        The rules, those of the file first: of those that cover a name, the last one
        counts.

    Raises:
        ConfigError: If one of these cannot be read, or a rule could not be made.
        MissingDependencyError: If there are probes, and wrapt is not installed.

    >>> setting, = read_settings("shop.*=/tmp/saved?every=10")
    >>> setting.names, setting.target, setting.options
    ('shop.*', '/tmp/saved', {'every': 10})
    """
    known = known_options()
    settings = settings_in_text(text, source, known, default)
    if config is not None:
        settings = settings_in_file(os.fspath(config), known, default) + settings
    for setting in settings:
        with _told_where(setting):
            Rule(setting.names, setting.target, **setting.options)
    for probe in probes:
        checked_target(probe)
    if record is not None:
        parsed_recording(record)
    return settings


@contextmanager
def _told_where(setting: Setting) -> Iterator[None]:
    """Say in an error where the rule is written that it is about."""
    try:
        yield
    except CheckpointError as error:
        raise ConfigError(f"{setting.source}: {error}") from error


def _made(setting: Setting) -> Rule:
    with _told_where(setting):
        target, options = _recorded(setting)
        rule = Rule(setting.names, target, **options)
    rule.layer, rule.source = setting.layer, setting.source
    return rule


def _recorded(setting: Setting) -> tuple[Target, dict[str, Any]]:
    """Return the target and the options of a rule, or a recorder if asked for."""
    of_files: dict[str, Any] = {}
    others: dict[str, Any] = {}
    for name, value in setting.options.items():
        (of_files if name in FileHandler.OPTIONS else others)[name] = value
    target, of_files = recorder_for(setting.target, of_files)
    return target, {**others, **of_files}


def _settings_of(environment: Mapping[str, str]) -> Iterable[Setting]:
    known = known_options()
    default = environment.get(TO) or DEFAULT_TARGET
    if path := environment.get(CONFIG):
        yield from settings_in_file(path, known, default)
    yield from settings_in_text(environment.get(RULES, ""), RULES, known, default)


def _called_module(words: Iterable[str]) -> str:
    """Return the module that Python was called with, as `-m a`, `-ma` or `-um a`."""
    rest = iter(words)
    for word in rest:
        # Of the letters before it, none takes what follows for its own.
        if found := re.fullmatch("-[^-WXc]*?m(.*)", word):
            return found[1] or next(rest, "")
    return ""


def _is_command_line() -> bool:
    """Tell whether this process is our own command line, which saves nothing."""
    path = next(iter(getattr(sys, "argv", ())), "")
    if path == "-m":
        return _called_module(sys.orig_argv[1:]) == "checkpoints"
    if os.path.basename(path) == "checkpoints.exe":
        return True
    if os.path.basename(path) != "checkpoints":
        return False
    # A program of somebody else may have this name as well.
    with suppress(OSError), open(path, "rb") as file:
        return b"checkpoints.cli" in file.read(_SCRIPT_BYTES)
    return False


def _begin() -> None:
    """Make the rules of the environment, all of them or none."""
    if folder := os.environ.get(REPORT):
        Report(folder).begin()
    registry.add(*[_made(setting) for setting in _settings_of(os.environ)])
    probes_from_environment()


if any(map(os.environ.get, OUTSIDE)) and not _is_command_line():
    _begin()
