"""Comparisons written as text, such as `">3"`, with numbers, dates and times."""

from __future__ import annotations

import datetime
import decimal
import functools
import numbers
import operator
import re
from collections.abc import Callable
from typing import Any, NamedTuple

__all__ = ["Comparison", "comparison_in", "read_like"]

_COMPARED: dict[str, Callable[[Any, Any], Any]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
# In this order: 2017 is a number, not a year, and a day is not a time at midnight.
_READERS: tuple[Callable[[str], Any], ...] = (
    lambda text: _number(text, 0),
    datetime.time.fromisoformat,
    datetime.date.fromisoformat,
    datetime.datetime.fromisoformat,
)
_EQUALS = re.compile(r"(=[<>]|!=|=)(.*)", re.DOTALL)
_DAY = re.compile(r"\s*[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ].*)?\s*")
_CLOCK = re.compile(r"\s*[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?\s*")
_MONTH = re.compile(r"\s*[0-9]{4}-[0-9]{2}\s*")


class Comparison(NamedTuple):
    """A parsed comparison: its bounds, each with the operator to compare it by."""

    bounds: tuple[tuple[Callable[[Any, Any], Any], Any], ...]

    def holds(self, text: str) -> bool:
        """Tell whether the value in a text is within every bound."""
        for compare, bound in self.bounds:
            value = read_like(text, bound)
            try:
                if value is None or not compare(value, bound):
                    return False
            except TypeError:  # a time with a zone and one without
                return False
        return True


def read_like(text: str, like: object) -> Any:
    """Parse a text as the same kind of number, date or time as `like`, else None."""
    try:
        if isinstance(like, datetime.datetime):
            return datetime.datetime.fromisoformat(text)
        if isinstance(like, datetime.date):
            return datetime.datetime.fromisoformat(text).date()
        if isinstance(like, datetime.time):
            return datetime.time.fromisoformat(text)
        return _number(text, like)
    except (ValueError, ArithmeticError):
        return None


def _number(text: str, like: object) -> Any:
    if isinstance(like, bool) or not isinstance(like, (numbers.Real, decimal.Decimal)):
        return None
    if "_" in text:  # Python would parse 2017_03 as a number
        return None
    if isinstance(like, decimal.Decimal):
        return _unless_nan(decimal.Decimal(text))
    try:
        return int(text)
    except ValueError:
        return _unless_nan(float(text))


def _unless_nan(value: Any) -> Any:
    # A NaN is neither below nor above any bound, so it would lie in every range.
    return value if value == value else None  # noqa: PLR0124 - false for a NaN


@functools.lru_cache(maxsize=1024)
def comparison_in(text: str) -> Comparison | None:
    """
    Parse a text as a comparison; None if it is any other text.

    Raises:
        ValueError: If it looks like a comparison but is invalid.
    """
    if equals := _EQUALS.fullmatch(text):
        raise ValueError(_advice_on_equals(*equals.groups()))
    for sign, compare in _COMPARED.items():
        if text.startswith(sign):
            bound = _bound(text.removeprefix(sign))
            if bound is None:
                message = (
                    f"expected a number, date or time after {sign}; write =={text} for "
                    "the literal text"
                )
                raise ValueError(message)
            return Comparison(((compare, bound),))
    first, dots, last = text.partition("..")
    bounds = [_bound(part) for part in (first, last) if part]
    if not dots or all(bound is None for bound in bounds):
        return None
    if last.startswith("."):
        raise ValueError(
            "write a range with two dots, as in 3..7, and a fraction with a leading "
            "digit, as in 0.5..7"
        )
    return _range(bounds, is_open_below=not first)


def _advice_on_equals(sign: str, rest: str) -> str:
    if sign in ("=>", "=<"):
        return f"write {sign[::-1]}{rest}"
    if sign == "!=":
        return (
            "a filter cannot exclude a value: list the wanted values, pass a function, "
            f"or write ==!={rest} for the literal text"
        )
    return f"write =={rest} for exactly {rest}, or ==={rest} for the literal text"


def _range(bounds: list[Any], *, is_open_below: bool) -> Comparison:
    first, last = bounds[0], bounds[-1]
    try:
        is_empty = first > last
    except TypeError:
        message = (
            "the ends of a range must be two numbers, two dates or two times; write == "
            "before it for the literal text"
        )
        raise ValueError(message) from None
    if is_empty:
        raise ValueError("empty range: lower bound is above the upper")
    if len(bounds) == 1:
        return Comparison(((operator.le if is_open_below else operator.ge, first),))
    return Comparison(((operator.ge, first), (operator.le, last)))


def _bound(text: str) -> Any:
    """Parse a text as a number, a date or a time; None if it is none of these."""
    if _MONTH.fullmatch(text):
        message = (
            f"{text.strip()} is a month, not a date: give a day, as in "
            f"{text.strip()}-01, or match all its days with {text.strip()}-*"
        )
        raise ValueError(message)
    for read in _READERS:
        try:
            value = read(text.strip())
        except ValueError:
            continue
        # Nothing compares with a NaN, so it cannot be a bound.
        return None if value is None or value != value else value  # noqa: PLR0124 - as above
    if _DAY.fullmatch(text) or _CLOCK.fullmatch(text):
        message = (
            f"no such date or time as {text.strip()}; use two digits for each part, as "
            "in 2026-03-01 or 09:30"
        )
        raise ValueError(message)
    return None
