"""Rules from outside: of the environment, made when the library is imported."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from checkpoints._file_handler import FileHandler
from checkpoints._probes import checked_target, probes_from_environment
from checkpoints._record_variable import parsed_recording, recorder_for
from checkpoints._registry import registry
from checkpoints._report import Report
from checkpoints._rules import (
    Rule,
    Target,
    handlers_for,
    known_options,
    split_options,
)
from checkpoints._settings import DEFAULT_TARGET, Setting, settings_in_text
from checkpoints._settings_file import settings_in_file
from checkpoints._variables import CONFIG, OUTSIDE, REPORT, RULES, TO
from checkpoints.errors import CheckpointError, ConfigError

__all__ = ["read_settings"]

# More than any installer writes.
_SCRIPT_BYTES = 4096


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
            of_rule, of_files = split_options(dict(setting.options))
            Rule(setting.names, handlers_for(setting.target, of_files), **of_rule)
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
        rule = registry.made(setting.names, target, options)
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
