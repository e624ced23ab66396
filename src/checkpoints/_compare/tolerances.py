"""A file of tolerances: which values may be how far apart."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from functools import partial
from typing import Any, NamedTuple

from checkpoints._compare.difference import Difference
from checkpoints._compare.tolerance import EXACT_BY_DTYPE, Tolerance
from checkpoints._keys.condition import (
    checked_tag_filter,
    conditions_in,
    tags_match,
)
from checkpoints._keys.pattern import NamePattern
from checkpoints._process.libraries import imported
from checkpoints._text import hint, shown
from checkpoints.errors import ConfigError

__all__ = ["Need", "Tolerances", "suggested"]

_LIMITS = ("rtol", "atol", "ulp", "share", "nan", "dtype", "reason", "until")
_KEYS = ("match", "where", "value", "column", *_LIMITS)
_BEGIN = re.compile(r"\s*\[\[\s*(['\"]?)tolerance\1\s*\]\]")
_KEY = re.compile(r"""\s*["']?([A-Za-z0-9_-]+)["']?\s*[=.]""")


class _Entry(NamedTuple):
    """One table of the file."""

    covers: Callable[[str], bool]
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
        self._lines = text.splitlines()
        self._path = path
        content = self._parsed(text)
        for key in content:
            if key != "tolerance":
                self._fail(self._line_of(key, 0), f"unknown table {shown(key)}")
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
        self._used: set[int] = set()
        self._expired: set[int] = set()

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
        found = EXACT_BY_DTYPE
        for number, entry in enumerate(self._entries):
            if not _matches(entry, name, tags, value, column):
                continue
            if entry.tolerance.is_expired():
                self._expired.add(number)
                continue
            self._used.add(number)
            found = entry.tolerance
        return found

    def unused(self) -> list[str]:
        """Return the entries that have matched nothing, with file and line."""
        seen = self._used | self._expired
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
            self._checked("match", begin, lambda: NamePattern(match).covers),
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


def _matches(
    entry: _Entry,
    name: str,
    tags: tuple[tuple[str, object], ...],
    value: str,
    column: str,
) -> bool:
    # An entry about a column says nothing about the value as a whole.
    return (
        entry.covers(name)
        and tags_match(tags, entry.where)
        and fnmatchcase(value, entry.value)
        and (not entry.column or (column != "" and fnmatchcase(column, entry.column)))
    )


class Need(NamedTuple):
    """
    What a value would need to pass.

    Args:
        name: The name of the entry.
        value: The name of the value in it.
        column: The name of the column, if it is about one.
        rtol: The least `rtol`, beside `with_atol`; None if none would do.
        atol: The least `atol`, beside `with_rtol`.
        with_rtol: The `rtol` that was applied.
        with_atol: The `atol` that was applied.
        is_of_dtype: Whether it is the dtype alone that differs.
    """

    name: str
    value: str
    column: str
    rtol: float | None
    atol: float | None
    with_rtol: float = 0.0
    with_atol: float = 0.0
    is_of_dtype: bool = False

    @classmethod
    def of(cls, found: Difference, name: str, value: str, column: str = "") -> Need:
        """Return what a value, or one of its columns, would need."""
        # The cells of other parts may pass thanks to larger bounds.
        applied = [found, *found.parts]
        return cls(
            name,
            value,
            column,
            found.rtol_needed,
            found.atol_needed,
            max(each.rtol for each in applied),
            max(each.atol for each in applied),
            is_of_dtype=not found.beyond and found.dtype[0] != found.dtype[1],
        )


def suggested(needs: Iterable[Need]) -> str:
    """
    Return a file of tolerances that would just pass.

    >>> print(suggested([Need("risk.cov", "cov", "", 0.0271, None)]), end="")
    [[tolerance]]
    match = "risk.cov"
    value = "cov"
    rtol = 2.8e-02
    """
    most: dict[tuple[str, str, str], Need] = {}
    for need in needs:
        key = need[:3]
        most[key] = _larger(most.get(key), need)
    # The last entry that matches counts, so what covers others comes first.
    return "\n".join(_suggestion(most[key]) for key in sorted(most))


def _larger(one: Need | None, other: Need) -> Need:
    if one is None:
        return other
    return other._replace(
        rtol=_largest(one.rtol, other.rtol),
        atol=_largest(one.atol, other.atol),
        with_rtol=max(one.with_rtol, other.with_rtol),
        with_atol=max(one.with_atol, other.with_atol),
    )


def _largest(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else max(one, other)


def _suggestion(need: Need) -> str:
    lines = ["[[tolerance]]", f"match = {_quoted(need.name)}"]
    for key, text in (("value", need.value), ("column", need.column)):
        if text:
            lines.append(f"{key} = {_quoted(_literal(text))}")
    if need.is_of_dtype:
        lines.append('dtype = "any"')
    elif need.rtol is not None:
        lines += _limits(rtol=need.rtol, atol=need.with_atol)
    elif need.atol is not None:
        lines += _limits(rtol=need.with_rtol, atol=need.atol)
    else:
        lines = [f"# {line}" for line in lines] + ["# no tolerance would pass"]
    return "\n".join([*lines, ""])


def _limits(**limits: float) -> list[str]:
    return [f"{name} = {_rounded_up(limit)}" for name, limit in limits.items() if limit]


def _literal(text: str) -> str:
    """Return the pattern that only this text matches."""
    return re.sub(r"[*?\[]", r"[\g<0>]", text)


def _quoted(text: str) -> str:
    json = imported("json")
    quoted: str = json.dumps(text, ensure_ascii=False)
    return quoted


def _rounded_up(number: float) -> str:
    """
    Return a number with two digits that is not smaller.

    >>> _rounded_up(0.0271), _rounded_up(0.02), _rounded_up(9.91e-7)
    ('2.8e-02', '2.0e-02', '1.0e-06')
    """
    text = f"{number:.1e}"
    if float(text) >= number or not math.isfinite(number):
        return text
    digits, exponent = text.split("e")
    return (
        f"{float(digits) + 0.1:.1f}e{exponent}"
        if digits != "9.9"
        else (f"1.0e{int(exponent) + 1:+03d}")
    )
