"""Rules from outside: of the environment, made when the library is imported."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from checkpoints._file_handler import FileHandler
from checkpoints._probes import probes_from_environment
from checkpoints._record_variable import recorder_for
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
from checkpoints._variables import CONFIG, OUTSIDE, REPORT, RULES
from checkpoints.errors import CheckpointError, ConfigError

__all__ = ["read_settings"]


def read_settings(
    text: str = "",
    *,
    config: str | os.PathLike[str] | None = None,
    source: str = RULES,
    default: str = DEFAULT_TARGET,
) -> list[Setting]:
    """
    Read rules that are written outside of a program, and put none of them in force.

    Args:
        text: Rules in the short form, as `CHECKPOINTS` holds them.
        config: A TOML file of rules, as `CHECKPOINTS_CONFIG` names it.
        source: Where the text stands, for errors.
        default: The target of a rule in the text that names none.

    Returns:
        Those of the file first: of those that cover a name, the last one counts.

    Raises:
        ConfigError: If a rule cannot be read, or could not be made.

    >>> setting, = read_settings("shop.*=/tmp/saved?every=10")
    >>> setting.names, setting.target, setting.options
    ('shop.*', '/tmp/saved', {'every': 10})
    """
    known = known_options()
    settings = settings_in_text(text, source, known, default)
    if config is not None:
        settings = settings_in_file(os.fspath(config), known) + settings
    for setting in settings:
        _make(setting, registered=False)
    return settings


def _make(setting: Setting, *, registered: bool) -> None:
    try:
        if registered:
            target, options = _recorded(setting)
            registry.config(
                setting.names,
                target,
                options,
                layer=setting.layer,
                source=setting.source,
            )
        else:
            of_rule, of_files = split_options(dict(setting.options))
            Rule(setting.names, handlers_for(setting.target, of_files), **of_rule)
    except CheckpointError as error:
        raise ConfigError(f"{setting.source}: {error}") from error


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
    if path := environment.get(CONFIG):
        yield from settings_in_file(path, known)
    yield from settings_in_text(environment.get(RULES, ""), RULES, known)


def _is_command_line() -> bool:
    """Tell whether this process is our own command line, which saves nothing."""
    name = os.path.basename(next(iter(getattr(sys, "argv", ())), ""))
    called = getattr(sys, "orig_argv", [])
    return name in ("checkpoints", "checkpoints.exe") or (
        name == "-m" and "checkpoints" in called[: called.index("-m") + 2][-1:]
    )


def _begin() -> None:
    """Make the rules of the environment, all of them or none."""
    if folder := os.environ.get(REPORT):
        Report(folder).begin()
    for setting in list(_settings_of(os.environ)):
        _make(setting, registered=True)
    probes_from_environment()


if any(map(os.environ.get, OUTSIDE)) and not _is_command_line():
    _begin()
