"""Rules, probes and a recorder from environment variables, created on import."""

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
from checkpoints._handlers.recorder import Recorder, shared_recorder
from checkpoints._handlers.recorder_options import why_unusable
from checkpoints._handlers.target import Target
from checkpoints._probes.targets import checked_target, probes_from_environment
from checkpoints._process.variables import (
    CONFIG,
    LIKELY_MEANT,
    OUTSIDE,
    RECORD,
    REPORT,
    RULES,
    TO,
)
from checkpoints._rules.last_line import say_at_exit
from checkpoints._rules.options import known_in_text
from checkpoints._rules.registry import registry
from checkpoints._rules.report import Report
from checkpoints._rules.rule import Rule
from checkpoints._rules.settings import DEFAULT_TARGET, Setting, settings_in_text
from checkpoints._rules.settings_toml import settings_in_file
from checkpoints._text import parse_size, shown
from checkpoints.errors import CheckpointError, ConfigError

__all__ = ["parsed_recording", "read_settings", "recorder_for"]

logger = logging.getLogger("checkpoints")

# The first recorder that was made, and its text; all rules from outside share it.
_first: list[tuple[str, Recorder]] = []

# Longer than the scripts that installers generate.
_SCRIPT_BYTES = 4096


def parsed_recording(text: str) -> dict[str, Any]:
    """
    Parse the options of a recorder.

    Args:
        text: A size, optionally followed by `when=nan` and `signal=USR1`, separated
            by commas.

    Raises:
        ConfigError: If the text is invalid.

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
            raise _invalid(text, f"unknown option {shown(option.strip())}")
    return options


def recorder_for(
    target: Target, options: dict[str, Any]
) -> tuple[Target, dict[str, Any]]:
    """
    Return the target of a rule from outside: a recorder, if one is asked for.

    Args:
        target: The target of the rule.
        options: The options of `FileHandler`, for a path.

    Returns:
        A recorder for the target with these options, which shares its memory with all
        rules from outside, and no options; or the arguments, if `CHECKPOINTS_RECORD` is
        not set.

    Raises:
        ConfigError: If the variable, the target or an option is invalid.
    """
    text = os.environ.get(RECORD, "")
    if not text or target is None:
        return target, options
    if _first and _first[0][0] == text:
        return shared_recorder(_first[0][1], target, options), {}
    recorder = _recorder(target, parsed_recording(text), options)
    _first[:] = [(text, recorder)]
    return recorder, {}


def _recorder(
    target: Target, recording: dict[str, Any], options: dict[str, Any]
) -> Recorder:
    number = recording.get("signal")
    if number and threading.current_thread() is not threading.main_thread():
        # Not an error: code that imports the library in another thread may not know
        # of the variable.
        recording = {**recording, "signal": None}
        logger.warning(
            "%s: cannot handle signal=%r outside the main thread, so it is ignored. "
            "Import checkpoints in the main thread first",
            RECORD,
            number,
        )
    return Recorder(target, **recording, **options)


def _size_in(size: str, text: str) -> int:
    try:
        return parse_size("size", size)
    except ConfigError as error:
        raise _invalid(text, f"{shown(size)} is not a size") from error


def _signal_in(name: str, text: str) -> int:
    full = name.upper() if name.upper().startswith("SIG") else f"SIG{name.upper()}"
    try:
        found = signal.Signals[full]
    except KeyError as error:
        raise _invalid(text, f"{shown(name)} is not a signal") from error
    if why := why_unusable(full):
        raise _invalid(text, why)
    return found


def _invalid(text: str, what: str) -> ConfigError:
    return ConfigError(
        f"invalid {RECORD} or --record {shown(text)}: {what}. Write a size such as "
        "64MB, optionally followed by ,when=nan and ,signal=USR1"
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
    Parse and check the settings from outside of a program, without applying them.

    Nothing is imported, started or written for it: a transform that a rule names must
    be installed, but is loaded only when the rule takes effect.

    Args:
        text: Rules in the short form, as in `CHECKPOINTS`.
        config: A TOML file of rules, as in `CHECKPOINTS_CONFIG`.
        source: Where the text comes from, for error messages.
        default: The target of rules that have none, as in `CHECKPOINTS_TO`.
        probes: Targets of probes, as in `CHECKPOINTS_PROBES`; only checked.
        record: The options of a recorder, as in `CHECKPOINTS_RECORD`; only checked.

    Returns:
        The rules, those of the file first: of the rules that cover a name, the last one
        wins.

    Raises:
        ConfigError: If one of these is invalid.
        MissingDependencyError: If there are probes, but wrapt is not installed.

    >>> setting, = read_settings("shop.*=/tmp/saved?every=10")
    >>> setting.names, setting.target, setting.options
    ('shop.*', '/tmp/saved', {'every': 10})
    """
    known = known_in_text()
    settings = settings_in_text(text, source, known, default)
    if config is not None:
        settings = settings_in_file(os.fspath(config), known, default) + settings
    for setting in settings:
        with _naming_source(setting):
            Rule(setting.names, setting.target, **setting.options)
    for probe in (*probes, *(it for setting in settings for it in setting.probes)):
        checked_target(probe)
    if record is not None:
        parsed_recording(record)
    return settings


@contextmanager
def _naming_source(setting: Setting) -> Iterator[None]:
    """Begin the message of an error with the source of the rule that it is about."""
    try:
        yield
    except CheckpointError as error:
        raise ConfigError(f"{setting.source}: {error}") from error


def _rule_for(setting: Setting) -> Rule:
    with _naming_source(setting):
        target, options = _target_for(setting)
        rule = Rule(setting.names, target, **options)
    rule.layer, rule.source = setting.layer, setting.source
    return rule


def _target_for(setting: Setting) -> tuple[Target, dict[str, Any]]:
    """Return the target of a rule, or a recorder for it, and the rule's options."""
    file_options: dict[str, Any] = {}
    other_options: dict[str, Any] = {}
    for name, value in setting.options.items():
        is_for_files = name in FileHandler.OPTIONS
        (file_options if is_for_files else other_options)[name] = value
    target, file_options = recorder_for(setting.target, file_options)
    return target, {**other_options, **file_options}


def _settings_of(environment: Mapping[str, str]) -> Iterable[Setting]:
    known = known_in_text()
    default = environment.get(TO) or DEFAULT_TARGET
    if path := environment.get(CONFIG):
        yield from settings_in_file(path, known, default)
    yield from settings_in_text(environment.get(RULES, ""), RULES, known, default)


def _called_module(words: Iterable[str]) -> str:
    """Return the module that Python was started with, as `-m a`, `-ma` or `-um a`."""
    rest = iter(words)
    for word in rest:
        # None of the letters before the `m` takes an argument.
        if found := re.fullmatch("-[^-WXc]*?m(.*)", word):
            return found[1] or next(rest, "")
    return ""


def _is_command_line() -> bool:
    """Tell whether this process is this library's command line, which saves nothing."""
    path = next(iter(getattr(sys, "argv", ())), "")
    if path == "-m":
        return _called_module(sys.orig_argv[1:]) == "checkpoints"
    if os.path.basename(path) == "checkpoints.exe":
        return True
    if os.path.basename(path) != "checkpoints":
        return False
    # Another program may have the same name.
    with suppress(OSError), open(path, "rb") as file:
        return b"checkpoints.cli" in file.read(_SCRIPT_BYTES)
    return False


def _apply() -> None:
    """Create the rules of the environment, all of them or none, and its probes."""
    if folder := os.environ.get(REPORT):
        Report(folder).begin()
    else:
        say_at_exit()
    settings = list(_settings_of(os.environ))
    registry.add(*[_rule_for(setting) for setting in settings])
    probes_from_environment(it for setting in settings for it in setting.probes)


def _warn_of_mistakes() -> None:
    for name, meant in LIKELY_MEANT.items():
        if os.environ.get(name):
            logger.warning("the variable %s has no effect; use %s", name, meant)


if not _is_command_line():
    _warn_of_mistakes()
    if any(map(os.environ.get, OUTSIDE)):
        _apply()
