"""Rules in a TOML file: `checkpoints.toml`, or a table of `pyproject.toml`."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from typing import Any, NoReturn

from checkpoints._process.libraries import imported
from checkpoints._rules.settings import (
    DEFAULT_TARGET,
    FILE,
    Setting,
    check_known,
    checked_names,
    checked_option,
    checked_target,
    probed_names,
)
from checkpoints._text import shown
from checkpoints.errors import ConfigError
from checkpoints.storage._stores import absolute_path

__all__ = ["settings_in_file"]

_OWN_FILE, _PROJECT_FILE = "checkpoints.toml", "pyproject.toml"
_SOURCE = "CHECKPOINTS_CONFIG or --config"
_HEADER = r"\s*\[\[?\s*([\w.\s-]+?)\s*\]\]?"


def settings_in_file(
    path: str, known: Collection[str], default: str = DEFAULT_TARGET
) -> list[Setting]:
    """
    Parse the rules of a TOML file.

    Args:
        path: The file, or the folder of a `checkpoints.toml` or `pyproject.toml`.
        known: The names of all options.
        default: The target of rules that have none. It does not come from the file, so
            a relative one starts at the working folder.

    Raises:
        ConfigError: If there is no such file, or a rule in it is invalid.
    """
    path = _found(absolute_path(path))
    lines, content = _read(path)
    prefix = ""
    if os.path.basename(path) == _PROJECT_FILE:
        prefix = "tool.checkpoints."
        content = _own_table(content, path)
    place = _Places(path, lines, prefix)
    for key in content:
        check_known("key", key, ["rules"], place.of_key(key))
    rules = content.get("rules", [])
    if not isinstance(rules, list) or not all(isinstance(one, dict) for one in rules):
        raise ConfigError(
            f"{place.of_key('rules')}: rules must be a list of tables; begin each rule "
            f"with a line [[{prefix}rules]]"
        )
    return [
        _in_table(table, place, number, known, default)
        for number, table in enumerate(rules)
    ]


def _found(path: str) -> str:
    if os.path.isdir(path):
        for name in (_OWN_FILE, _PROJECT_FILE):
            file = os.path.join(path, name)
            if os.path.isfile(file):
                return file
        _fail(
            f"{_SOURCE} names the folder {path}, which has neither {_OWN_FILE} nor "
            f"{_PROJECT_FILE}; name a file"
        )
    if not os.path.exists(path):
        _fail(f"{_SOURCE} names {path}, which does not exist; name a TOML file")
    return path


def _read(path: str) -> tuple[list[str], Mapping[str, Any]]:
    tomllib = imported("tomllib")
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        return text.splitlines(), tomllib.loads(text)
    except OSError as error:
        message = f"cannot read {path}: {error.strerror}; check its permissions"
        raise ConfigError(message) from error
    except ValueError as error:  # not UTF-8, or not TOML
        raise ConfigError(f"{path} is not valid TOML: {error}; correct it") from error


def _own_table(content: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    tool = content.get("tool")
    table = tool.get("checkpoints") if isinstance(tool, dict) else None
    if not isinstance(table, dict):
        _fail(
            f"{path} has no table [tool.checkpoints]; write [[tool.checkpoints.rules]]"
        )
    return table


class _Places:
    """The lines of rules and keys in the file, found by patterns."""

    def __init__(self, path: str, lines: list[str], prefix: str) -> None:
        self.path = path
        self._lines = lines
        self._headers = [
            (number, re.sub(r"\s", "", found[1]))
            for number, line in enumerate(lines)
            if (found := re.match(_HEADER, line))
        ]
        self._rules = [
            number for number, name in self._headers if name == f"{prefix}rules"
        ]

    def of_rule(self, number: int) -> str:
        """Return the place of a rule."""
        if number < len(self._rules):
            return f"{self.path}, line {self._rules[number] + 1}"
        return f"{self.of_key('rules')}, rule {number + 1}"

    def of_key(self, key: str, rule: int | None = None) -> str:
        """Return the place of a key, in a rule or at the top of the file."""
        start, end = 0, len(self._lines)
        if rule is not None:
            if rule >= len(self._rules):
                return self.of_rule(rule)
            start = self._rules[rule] + 1
            later = [*self._rules[rule + 1 :], end]
            end = later[0]
        written = re.compile(
            rf"""\s*(?:\[+[\w.\s]*\b)?["']?{re.escape(key)}["']?\s*[=.\]]"""
        )
        for number in range(start, end):
            if written.match(self._lines[number]):
                return f"{self.path}, line {number + 1}"
        return self.path if rule is None else self.of_rule(rule)


def _in_table(
    table: Mapping[str, Any],
    places: _Places,
    rule: int,
    known: Collection[str],
    default: str,
) -> Setting:
    keys = ["names", "probe", "target", *known]
    for key in table:
        check_known("option", key, keys, places.of_key(key, rule))
    probes = _probes(table.get("probe", []), places.of_key("probe", rule))
    wanted = table.get("names", "".join(map(probed_names, probes)))
    if not wanted and "names" not in table:
        _fail(f"{places.of_rule(rule)}: rule without names; write names = 'mypkg.fit'")
    target = table.get("target", default)
    if not isinstance(target, str) or not target:
        _fail(
            f"{places.of_key('target', rule)}: invalid target={shown(target)}: "
            "expected a path, a URL or 'off'"
        )
    folder = os.path.dirname(places.path) if "target" in table else os.curdir
    return Setting(
        _names(wanted, places.of_key("names", rule)),
        checked_target(target, folder, places.of_key("target", rule)),
        {
            option: checked_option(option, table[option], places.of_key(option, rule))
            for option in known
            if option in table
        },
        f"{places.of_rule(rule)}, rule {shown(wanted)}",
        FILE,
        probes=probes,
    )


def _probes(given: object, place: str) -> tuple[str, ...]:
    listed = [given] if isinstance(given, str) else given
    texts: list[Any] = listed if isinstance(listed, list) else [None]
    texts = [it for it in texts if isinstance(it, str) and it]
    # One for each rule, which says what is saved of it.
    is_one = sum(not it.startswith("!") for it in texts) == bool(texts)
    if texts == listed and is_one:
        return tuple(texts)
    raise ConfigError(
        f"{place}: invalid probe={shown(given)}: expected one function or pattern, "
        "such as 'mypkg.mod:fit', or a list of it and of what it leaves out, such as "
        "['mypkg.*:*', '!mypkg.mod:fit']"
    )


def _names(names: object, place: str) -> str | tuple[str, ...]:
    if isinstance(names, str) and names:
        return names
    if isinstance(names, list) and names and all(isinstance(one, str) for one in names):
        return checked_names([*names, ""], place)
    raise ConfigError(
        f"{place}: invalid names={shown(names)}: expected a pattern, such as "
        "'mypkg.*', or a list of exact names"
    )


def _fail(message: str) -> NoReturn:
    raise ConfigError(message)
