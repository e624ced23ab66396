"""
What a filter asks of tags: one meaning, for what is saved and for what is found.

A tag is a text here. Beside a number, a date or a time it is read as one, so that `3`
finds `03`, and a day finds every time of that day. What is asked may be a text as well,
from a shell for one: `">3"` and `"2017-03-01..2017-03-31"` compare as numbers and days.
"""

from __future__ import annotations

import datetime
import decimal
import enum
import functools
import numbers
import operator
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any, NamedTuple, Optional, TypeAlias, Union

from checkpoints._keys.tags import checked_tag_name, tag_text
from checkpoints._text import shown
from checkpoints.errors import ConfigError

__all__ = ["Wanted", "checked_tag_filter", "may_match", "read_like", "tags_match"]

# What a program of Python 3.11 cannot spell with `|`: a slice takes no types there.
_Range: TypeAlias = "slice[Any, Any, Any]"
_Single: TypeAlias = (
    str | bytes | float | decimal.Decimal | datetime.date | datetime.time | enum.Enum
)
Wanted: TypeAlias = Optional[  # noqa: UP045
    Union[Callable[[str], object], _Single, _Range, Collection[Any]]  # noqa: UP007
]

_COMPARED: dict[str, Callable[[Any, Any], Any]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_LISTED = (list, tuple, set, frozenset)
# In this order, as 2017 is a number, and a day is no time at midnight.
_READERS: tuple[Callable[[str], Any], ...] = (
    lambda text: _number(text, 0),
    datetime.time.fromisoformat,
    datetime.date.fromisoformat,
    datetime.datetime.fromisoformat,
)
_MOMENTS = {"moment", "moment with a zone"}
_EQUALS = re.compile(r"(=[<>]|!=|==?)(.*)", re.DOTALL)
_DAY = re.compile(r"\s*[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ].*)?\s*")
_CLOCK = re.compile(r"\s*[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?\s*")
_MONTH = re.compile(r"\s*[0-9]{4}-[0-9]{2}\s*")


class _Comparison(NamedTuple):
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


def checked_tag_filter(where: Mapping[Any, object]) -> dict[str, object]:
    """Return what is asked of tags; `ConfigError` if it cannot be asked."""
    for name, wanted in where.items():
        for choice in wanted if isinstance(wanted, _LISTED) else (wanted,):
            try:
                _check(choice)
            except ValueError as error:
                message = f"{shown(name)}={shown(choice)}: {error}"
                raise ConfigError(message) from error
    return {checked_tag_name(name): wanted for name, wanted in where.items()}


def _check(choice: object) -> None:
    if isinstance(choice, str):
        _comparison(choice)
    if not isinstance(choice, slice):
        return
    if choice.step is not None:
        raise ValueError(
            "a range of a tag is slice(first, last), both of them included, without a "
            "step"
        )
    kinds = {_kind_of(end) for end in (choice.start, choice.stop) if end is not None}
    # A day has all its times, whatever their zone.
    if len(kinds - {"day"} if kinds & _MOMENTS else kinds) > 1 or "" in kinds:
        raise ValueError(
            "the ends of a range are two numbers, two dates, two times or two texts, "
            "and both with a zone or both without; one of them may be None"
        )


def _kind_of(end: object) -> str:
    """Return what a range can end with; an empty text if it cannot."""
    if isinstance(end, datetime.datetime):
        return "moment" if end.tzinfo is None else "moment with a zone"
    if isinstance(end, datetime.date):
        return "day"
    if isinstance(end, datetime.time):
        return "time" if end.tzinfo is None else "time with a zone"
    if isinstance(end, str):
        return "text"
    if isinstance(end, bool) or not isinstance(end, (numbers.Real, decimal.Decimal)):
        return ""
    is_nan = end.is_nan() if isinstance(end, decimal.Decimal) else end != end  # noqa: PLR0124
    return "" if is_nan else "number"


def tags_match(
    pairs: Iterable[tuple[str, object]], where: Mapping[str, object]
) -> bool:
    """
    Tell whether the tags have every value that is asked for.

    Args:
        pairs: The tags.
        where: Tag name to what is wanted of its value: an exact text or a glob; a
            number, a date or a time, compared as such; a text that begins with `>`,
            `>=`, `<` or `<=` and goes on with one of these, or has two of them, or
            one, with `..` between; `slice(first, last)`, a range as well, with both
            its ends, either of which may be None; a function of the text; or a list,
            tuple, set or range of these, any of which will do. A repeated tag matches
            by any of its values.
    """
    texts = _texts_of(pairs, where)
    return all(
        any(_fits(name, text, wanted) for text in texts.get(name, ()))
        for name, wanted in where.items()
    )


def may_match(pairs: Iterable[tuple[str, object]], where: Mapping[str, object]) -> bool:
    """Tell whether none of the tags that are there already speaks against it."""
    texts = _texts_of(pairs, where)
    return all(
        any(_fits(name, text, wanted) for text in texts[name])
        for name, wanted in where.items()
        if name in texts
    )


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


def _texts_of(
    pairs: Iterable[tuple[str, object]], where: Mapping[str, object]
) -> dict[str, list[str]]:
    texts: dict[str, list[str]] = {}
    for name, value in pairs:
        # To make a text of what nobody asks for may take long, or fail.
        if name in where:
            texts.setdefault(name, []).append(tag_text(value))
    return texts


def _fits(name: str, text: str, wanted: Any) -> bool:
    if isinstance(wanted, str):
        return text == wanted or _fits_text(text, wanted)
    if isinstance(wanted, slice):
        return _is_between(text, wanted)
    if isinstance(wanted, range):
        value = read_like(text, 0)
        # Of a fraction, Python would ask each number of the range.
        return value is not None and value % 1 == 0 and int(value) in wanted
    if isinstance(wanted, Collection) and not isinstance(wanted, (bytes, Mapping)):
        return any(_fits(name, text, choice) for choice in wanted)
    if callable(wanted):
        return _asked(name, text, wanted)
    value = read_like(text, wanted)
    try:
        same = value is not None and bool(value == wanted)
    except ArithmeticError:  # a NaN that signals
        same = False
    return same or text == tag_text(wanted)


def _fits_text(text: str, wanted: str) -> bool:
    comparison = _comparison(wanted)
    return comparison.holds(text) if comparison else fnmatchcase(text, wanted)


def _is_between(text: str, wanted: slice) -> bool:
    for bound, sign in ((wanted.start, 1), (wanted.stop, -1)):
        if bound is None:
            continue
        is_text = isinstance(bound, str)
        value = text if is_text else read_like(text, bound)
        try:
            outside = value is None or (value < bound if sign > 0 else value > bound)
        except TypeError:  # a time with a zone beside one without
            return False
        if outside:
            return False
    return True


def _asked(name: str, text: str, wanted: Any) -> bool:
    try:
        return bool(wanted(text))
    except Exception as error:
        error.add_note(
            f"a filter was asked of the tag {name}={shown(text)}; it gets the text of "
            "the tag, whatever was saved under it"
        )
        raise


@functools.lru_cache(maxsize=1024)
def _comparison(text: str) -> _Comparison | None:
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
                    f"[{text[0]}]{text[1:]} for a tag with this very text"
                )
                raise ValueError(message)
            return _Comparison(((compare, bound),))
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
            f"in a list, give a function, or write ![=]{rest} for a tag with this text"
        )
    return (
        f"write {rest} alone for what equals it, or [=]{sign[1:]}{rest} for a tag with "
        "this very text"
    )


def _range(bounds: list[Any], *, is_open_below: bool) -> _Comparison:
    first, last = bounds[0], bounds[-1]
    try:
        is_empty = first > last
    except TypeError:
        message = (
            "a range is two numbers, two dates or two times, with .. between; write "
            "[.]. instead of .. for a tag with this very text"
        )
        raise ValueError(message) from None
    if is_empty:
        raise ValueError("this range ends before it begins: turn it round")
    if len(bounds) == 1:
        return _Comparison(((operator.le if is_open_below else operator.ge, first),))
    return _Comparison(((operator.ge, first), (operator.le, last)))


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
