"""A text as a number, a date or a time, and one that compares with these."""

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
# In this order, as 2017 is a number, and a day is no time at midnight.
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
    """What a text such as `">3"` asks for: bounds, and how a value is held to each."""

    bounds: tuple[tuple[Callable[[Any, Any], Any], Any], ...]

    def holds(self, text: str) -> bool:
        for compare, bound in self.bounds:
            value = read_like(text, bound)
            try:
                if value is None or not compare(value, bound):
                    return False
            except TypeError:  # a time with a zone beside one without
                return False
        return True


def read_like(text: str, like: object) -> Any:
    """Return a text as a number, a date or a time, as another is; None if it is not."""
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
    if "_" in text:  # Python would read 2017_03 as a number
        return None
    if isinstance(like, decimal.Decimal):
        return _unless_nan(decimal.Decimal(text))
    try:
        return int(text)
    except ValueError:
        return _unless_nan(float(text))


def _unless_nan(value: Any) -> Any:
    # Which is neither below a bound nor above it, and so would lie in any range.
    return value if value == value else None  # noqa: PLR0124


@functools.lru_cache(maxsize=1024)
def comparison_in(text: str) -> Comparison | None:
    """
    Read a text that compares; None if it is any other text.

    Raises:
        ValueError: If it looks like one, and cannot be read.
    """
    if equals := _EQUALS.fullmatch(text):
        raise ValueError(_way_to_equal(*equals.groups()))
    for sign, compare in _COMPARED.items():
        if text.startswith(sign):
            bound = _bound(text.removeprefix(sign))
            if bound is None:
                message = (
                    f"there has to be a number, a date or a time behind {sign}. Write "
                    f"=={text} for a tag with this very text"
                )
                raise ValueError(message)
            return Comparison(((compare, bound),))
    first, dots, last = text.partition("..")
    bounds = [_bound(part) for part in (first, last) if part]
    if not dots or all(bound is None for bound in bounds):
        return None
    if last.startswith("."):
        raise ValueError(
            "a range has two dots, as in 3..7, and a fraction a digit before its own, "
            "as in 3..7.5"
        )
    return _range(bounds, is_open_below=not first)


def _way_to_equal(sign: str, rest: str) -> str:
    if sign in ("=>", "=<"):
        return f"write {sign[::-1]}{rest}"
    if sign == "!=":
        return (
            "a text asks for what is wanted, not for the rest. Name all that is wanted "
            f"in a list, give a function, or write ==!={rest} for a tag with this text"
        )
    return f"write =={rest} for this text alone, or ==={rest} for one with its ="


def _range(bounds: list[Any], *, is_open_below: bool) -> Comparison:
    first, last = bounds[0], bounds[-1]
    try:
        is_empty = first > last
    except TypeError:
        message = (
            "a range is two numbers, two dates or two times, with .. between; write "
            "== before it for a tag with this very text"
        )
        raise ValueError(message) from None
    if is_empty:
        raise ValueError("this range ends before it begins: turn it round")
    if len(bounds) == 1:
        return Comparison(((operator.le if is_open_below else operator.ge, first),))
    return Comparison(((operator.ge, first), (operator.le, last)))


def _bound(text: str) -> Any:
    """Return a text as a number, a date or a time; None if it is none of these."""
    if _MONTH.fullmatch(text):
        message = (
            f"{text.strip()} is a month, and no date: give a day, as in "
            f"{text.strip()}-01, or ask for all its days with {text.strip()}-*"
        )
        raise ValueError(message)
    for read in _READERS:
        try:
            value = read(text.strip())
        except ValueError:
            continue
        # Nothing can be compared to a NaN, so it is none of these.
        return None if value is None or value != value else value  # noqa: PLR0124
    if _DAY.fullmatch(text) or _CLOCK.fullmatch(text):
        message = (
            f"there is no such day or time as {text.strip()}; each part has two "
            "digits, as in 2026-03-01 or 09:30"
        )
        raise ValueError(message)
    return None
