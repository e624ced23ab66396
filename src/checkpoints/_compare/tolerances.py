"""A file of tolerances: which values may be how far apart."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from functools import partial
from typing import Any, NamedTuple

from checkpoints._compare.tolerance import EXACT_BY_DTYPE, Tolerance
from checkpoints._index.entry import path_of
from checkpoints._keys.condition import (
    checked_tag_filter,
    conditions_in,
    tags_match,
)
from checkpoints._keys.pattern import NamePattern
from checkpoints._process.libraries import imported
from checkpoints._text import hint, shown
from checkpoints.errors import ConfigError

__all__ = ["Tolerances"]

_LIMITS = ("rtol", "atol", "ulp", "share", "nan", "dtype", "order", "reason", "until")
_KEYS = ("match", "where", "value", "column", *_LIMITS)
_BEGIN = re.compile(r"\s*\[\[\s*(['\"]?)tolerance\1\s*\]\]")
_KEY = re.compile(r"""\s*["']?([A-Za-z0-9_-]+)["']?\s*[=.]""")


class _Entry(NamedTuple):
    """One table of the file."""

    names: NamePattern
    where: Mapping[str, Any]
    value: str
    column: str
    tolerance: Tolerance
    text: str


class Tolerances:
    r"""
    Which values may be how far apart; of several entries that match, the last counts.

    Args:
        text: TOML with tables `[[tolerance]]`. Their keys `match` (names of entries),
            `where` (tags), `value` and `column` say what it is about, the others are
            those of `Tolerance`.
        path: The path of the file, for messages and the report.

    Raises:
        ConfigError: If it is no TOML, or a key or a value in it is invalid.

    >>> table = Tolerances("[[tolerance]]\nmatch = 'risk.*'\nrtol = 1e-9", "t.toml")
    >>> str(table.for_("risk.cov", (), "cov"))
    'rtol 1e-09 (t.toml:1)'
    """

    def __init__(self, text: str = "", path: str = "tolerances.toml") -> None:
        # What they were made of: a text, or limits of all values.
        self.text, self.limits = text, dict[str, Any]()
        self._lines = text.splitlines()
        self._path = path
        content = self._parsed(text)
        for key in content:
            if key != "tolerance":
                told = f"unknown table {shown(key)}; each entry begins [[tolerance]]"
                self._fail(self._line_of(key, 0), told)
        tables = content.get("tolerance", [])
        if not isinstance(tables, list) or not all(
            isinstance(table, dict) for table in tables
        ):
            line = self._line_of("tolerance", 0)
            self._fail(line, "begin each entry with a line [[tolerance]]")
        begins = [
            number for number, line in enumerate(self._lines, 1) if _BEGIN.match(line)
        ]
        # Entries that are written as an inline list have no lines of their own.
        begins += [self._line_of("tolerance", 0)] * (len(tables) - len(begins))
        self._entries = [
            self._entry(table, begin)
            for table, begin in zip(tables, begins, strict=False)
        ]
        self._default = EXACT_BY_DTYPE
        self._used: set[int] = set()
        # Of entries about some values, the names of pairs whose values are not known.
        self._unseen: dict[int, set[str]] = {}
        self._expired: set[int] = set()

    @classmethod
    def of(
        cls, given: Tolerances | Mapping[str, Any] | str | os.PathLike[str] | None
    ) -> Tolerances:
        """
        Return the tolerances that a caller of `diff` gives.

        Args:
            given: The path of a file; or the limits of all values, as `{"rtol": 1e-9}`.

        Raises:
            ConfigError: If they are invalid.
        """
        if given is None:
            return cls()
        if isinstance(given, Tolerances):
            return given
        if isinstance(given, (str, os.PathLike)):
            return cls.in_file(path_of(given))
        if not isinstance(given, Mapping):
            raise ConfigError(
                f"tolerances={shown(given)}: expected the path of a TOML file, or "
                'limits as in {"rtol": 1e-9}'
            )
        for key in given:
            if key not in _LIMITS:
                raise ConfigError(
                    f"unknown tolerance {shown(key)}: {hint(key, _LIMITS)}"
                )
        found = cls()
        found.limits = dict(given)
        found._default = Tolerance(**given)
        return found

    @classmethod
    def in_file(cls, path: str) -> Tolerances:
        """
        Read a file.

        Raises:
            ConfigError: If it cannot be read, or is invalid.
        """
        try:
            with open(path, encoding="utf-8") as file:
                return cls(file.read(), path)
        except OSError as error:
            reason = f"cannot read {path}: {error.strerror}; check path and permissions"
            raise ConfigError(reason) from error
        except UnicodeDecodeError as error:
            raise ConfigError(f"{path} is not valid TOML: {error}") from error

    def for_(
        self,
        name: str,
        tags: Iterable[tuple[str, object]] = (),
        value: str = "",
        column: str = "",
    ) -> Tolerance:
        """
        Return what is allowed.

        Args:
            name: The name of the entry.
            tags: Its tags.
            value: The name of the value in it.
            column: The name of the column, if it is about one.
        """
        tags = tuple(tags)
        found = self._default
        for number, entry in enumerate(self._entries):
            if not _matches(entry, name, tags, value, column):
                continue
            if entry.tolerance.is_expired():
                self._expired.add(number)
                continue
            self._used.add(number)
            found = entry.tolerance
        return found

    def see(
        self, name: str, tags_of: Callable[[], Iterable[tuple[str, object]]]
    ) -> bool:
        """
        Count what is about an entry as used, for a pair whose values are not loaded.

        What is about some of its values is looked at in `unused`.

        Args:
            name: The name of the entry.
            tags_of: Returns its tags, which takes time, and is seldom needed.

        Returns:
            Whether NaN differs from NaN in it, so that equal files may differ.
        """
        if not self._entries:
            return self._default.in_force().nan == "differ"
        tags = tuple(tags_of())
        about = {
            number: entry.tolerance
            for number, entry in enumerate(self._entries)
            if entry.names.covers(name) and tags_match(tags, entry.where)
        }
        expired = {number for number, it in about.items() if it.is_expired()}
        self._expired |= expired
        for number in about.keys() - expired:
            entry = self._entries[number]
            if entry.value == "*" and not entry.column:
                self._used.add(number)
            else:
                self._unseen.setdefault(number, set()).add(name)
        in_force = [about[number] for number in about.keys() - expired]
        in_force.append(self._default.in_force())
        return any(it.nan == "differ" for it in in_force)

    @property
    def seen(self) -> tuple[set[int], set[int]]:
        """The entries that have matched, and those that would have but are expired."""
        return self._used, self._expired

    def add_seen(self, used: set[int], expired: set[int]) -> None:
        """Add what these tolerances have seen in another process."""
        self._used |= used
        self._expired |= expired

    def unused(
        self,
        values_of: Callable[
            [str], Iterable[tuple[str, Mapping[str, Any]]]
        ] = lambda _: (),
    ) -> list[str]:
        """
        Return the entries that have matched nothing, with file and line.

        Args:
            values_of: Returns the values of the pairs with a name, which were not
                loaded: the name of each, and what the header says of it.
        """
        seen = self._used | self._expired
        for number, names in self._unseen.items():
            entry = self._entries[number]
            values = (value for name in names for value in values_of(name))
            if number not in seen and any(_is_about(entry, *it) for it in values):
                seen.add(number)
        return [
            entry.text
            for number, entry in enumerate(self._entries)
            if number not in seen
        ]

    def expired(self) -> list[str]:
        """Return the entries that would have matched, but are not in force any more."""
        entries = [self._entries[number] for number in sorted(self._expired)]
        return [f"{entry.text}, until {entry.tolerance.until}" for entry in entries]

    def _parsed(self, text: str) -> dict[str, Any]:
        try:
            content: dict[str, Any] = imported("tomllib").loads(text)
        except ValueError as error:
            message = f"{self._path} is not valid TOML: {error}; correct it"
            raise ConfigError(message) from error
        return content

    def _entry(self, table: dict[str, Any], begin: int) -> _Entry:
        for key in table:
            if key not in _KEYS:
                line = self._line_of(key, begin)
                self._fail(line, f"unknown key {shown(key)}: {hint(key, _KEYS)}")
        for key in ("value", "column", "reason"):
            if not isinstance(table.get(key, ""), str):
                given = shown(table[key])
                self._fail(self._line_of(key, begin), f"{key}={given} must be a text")
        match = table.get("match", "*")
        limits = {key: table[key] for key in _LIMITS if key in table}
        return _Entry(
            self._checked("match", begin, lambda: NamePattern(match)),
            self._checked("where", begin, lambda: _where(table.get("where", {}))),
            table.get("value", "*"),
            table.get("column", ""),
            self._tolerance(limits, begin),
            f"{self._path}:{begin} {_described(table)}",
        )

    def _tolerance(self, limits: dict[str, Any], begin: int) -> Tolerance:
        for key, given in limits.items():
            self._checked(key, begin, partial(Tolerance, **{key: given}))
        return Tolerance(**limits, source=f"{self._path}:{begin}")

    def _checked(self, key: str, begin: int, make: Callable[[], Any]) -> Any:
        try:
            return make()
        except (ConfigError, TypeError) as error:
            raise ConfigError(
                f"{self._path}, line {self._line_of(key, begin)}: {error}"
            ) from error

    def _line_of(self, key: str, begin: int) -> int:
        """Return the line of a key; that of its entry if it is not found."""
        for number, line in enumerate(self._lines[begin:], begin + 1):
            if begin and _BEGIN.match(line):
                break
            found = _KEY.match(line) or re.match(r"\s*\[+\s*([\w-]+)", line)
            if found and found[1] == key:
                return number
        return begin or 1

    def _fail(self, line: int, what: str) -> None:
        raise ConfigError(f"{self._path}, line {line}: {what}")


def _where(where: object) -> dict[str, object]:
    if isinstance(where, str):
        return checked_tag_filter(conditions_in(where))
    if not isinstance(where, dict):
        message = f"where={shown(where)}: expected tags, such as {{book = 'EQ'}}"
        raise ConfigError(message)
    return checked_tag_filter(where)


def _described(table: Mapping[str, Any]) -> str:
    parts = (f"{key}={shown(table[key])}" for key in _KEYS[:4] if key in table)
    return " ".join(parts) or "for everything"


def _is_about(entry: _Entry, value: str, node: Mapping[str, Any]) -> bool:
    """Tell whether an entry is about a value, as far as its header tells."""
    if not fnmatchcase(value, entry.value):
        return False
    schema = node.get("schema")
    if not entry.column or not isinstance(schema, list):
        return True
    names = (str(it[0]) for it in schema if isinstance(it, list) and it)
    return any(fnmatchcase(name, entry.column) for name in names)


def _matches(
    entry: _Entry,
    name: str,
    tags: tuple[tuple[str, object], ...],
    value: str,
    column: str,
) -> bool:
    # An entry about a column says nothing about the value as a whole.
    return (
        entry.names.covers(name)
        and tags_match(tags, entry.where)
        and fnmatchcase(value, entry.value)
        and (not entry.column or (column != "" and fnmatchcase(column, entry.column)))
    )
