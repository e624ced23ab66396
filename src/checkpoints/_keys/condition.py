"""
What a filter asks of tags: one meaning, for what is saved and for what is found.

A tag is a text here. Beside a number, a date or a time it is read as one, so that `3`
finds `03`, and a day finds every time of that day. What is asked may be a text as well,
from a shell for one: `">3"` and `"2017-03-01..2017-03-31"` compare as numbers and days,
and `"==a*b"` is that text and no glob, as the value of an entry's tag always is.
"""

from __future__ import annotations

import datetime
import decimal
import enum
import numbers
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any, Optional, TypeAlias, Union

from checkpoints._keys.comparison import comparison_in, read_like
from checkpoints._keys.key import escape, tag_in_path, unescape
from checkpoints._keys.tags import checked_tag_name, tag_text
from checkpoints._keys.texts import ExactText
from checkpoints._text import shown
from checkpoints.errors import ConfigError

__all__ = [
    "Wanted",
    "checked_tag_filter",
    "condition_of",
    "conditions_in",
    "exact_text",
    "may_match",
    "tags_match",
]

# What a program of Python 3.11 cannot spell with `|`: a slice takes no types there.
_Range: TypeAlias = "slice[Any, Any, Any]"
_Single: TypeAlias = (
    str | bytes | float | decimal.Decimal | datetime.date | datetime.time | enum.Enum
)
Wanted: TypeAlias = Optional[  # noqa: UP045
    Union[Callable[[str], object], _Single, _Range, Collection[Any]]  # noqa: UP007
]

_LISTED = (list, tuple, set, frozenset)
_EXACTLY = "=="
_CONDITION = re.compile(r"([^=<>]*?)\s*(==|!=|[=<>])(.*)", re.DOTALL)
# What has a meaning neither in a condition, nor in a rule, nor to a shell.
_PLAIN = re.compile(r"[A-Za-z0-9_@+/.-]")
_MOMENTS = {"moment", "moment with a zone"}


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
    if isinstance(choice, str) and exact_text(choice) is None:
        comparison_in(choice)
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
        where: Tag name to what is wanted of its value: a text or a glob; a number, a
            date or a time, compared as such; a text that begins with `>`, `>=`, `<` or
            `<=` and goes on with one of these, or has two of them, or one, with `..`
            between; a text behind `==`, or the value of an entry's tag, as it stands;
            `slice(first, last)`, a range as well, with both its ends, either of which
            may be None; a function of the text; or a list, tuple, set or range of
            these, any of which will do. A repeated tag matches by any of its values.
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


def exact_text(wanted: str) -> str | None:
    """
    Return the text that is wanted as it stands; None if it may be a pattern.

    >>> exact_text("==a*b"), exact_text("a*b"), exact_text(ExactText("a*b"))
    ('a*b', None, 'a*b')
    """
    if isinstance(wanted, ExactText):
        return str(wanted)
    return wanted.removeprefix(_EXACTLY) if wanted.startswith(_EXACTLY) else None


def conditions_in(text: str) -> dict[str, str | list[str]]:
    """
    Read conditions as they are written outside of a program, `TAG=VALUE,TAG>VALUE`.

    Args:
        text: Conditions with `,` between, in each the choices with `|` between. What
            is percent-encoded, as in a path, separates nothing.

    Returns:
        What is wanted of each tag.

    Raises:
        ConfigError: If one of them is no condition, or a tag has several.

    >>> conditions_in("day=2026-03-*, shop=north|south, step>=3, note==a%2Cb")
    {'day': '2026-03-*', 'shop': ['north', 'south'], 'step': '>=3', 'note': '==a,b'}
    """
    wanted: dict[str, str | list[str]] = {}
    for part in text.split(","):
        tag, choices = _condition(part.strip())
        if tag in wanted:
            message = (
                f"{shown(part)}: there is one condition for each tag; write several "
                "values as in a|b, and a range as in 3..7"
            )
            raise ConfigError(message)
        wanted[tag] = choices if len(choices) > 1 else choices[0]
    return wanted


def _condition(text: str) -> tuple[str, list[str]]:
    found = _CONDITION.fullmatch(text)
    tag, sign, value = found.groups() if found else ("", "", "")
    if not found or not tag or ":" in tag:
        raise ConfigError(f"{shown(text)}: {_way_to_write(text)}")
    if sign == "!=":
        message = (
            f"{shown(text)}: no condition asks for all the rest; name what is wanted, "
            f"as in '{tag}=this|that'"
        )
        raise ConfigError(message)
    value = value.lstrip() if sign == _EXACTLY else value
    choices = ("" if sign == "=" else sign) + value
    return unescape(tag), [unescape(choice.strip()) for choice in choices.split("|")]


def _way_to_write(text: str) -> str:
    tag, colon, value = text.partition(":")
    if colon and tag and not re.search("[=<>]", tag):
        new = tag + value if value[:1] in ("<", ">", "=") else f"{tag}={value}"
        return f"write {new}; a colon in the name of a tag is %3A"
    return (
        "a condition is written as TAG=VALUE, such as day=monday, or as a comparison, "
        "such as step>=3; a comma of the text itself is %2C"
    )


def condition_of(tag: str, text: str) -> str:
    """
    Return the condition that takes one value of a tag, and nothing else.

    >>> condition_of("day", "monday"), condition_of("the tag", "a|b")
    ('day=monday', 'the%20tag==a%7Cb')
    """
    try:
        is_plain = comparison_in(text) is None and text == _quoted(text)
    except ValueError:
        is_plain = False
    return f"{_quoted(tag)}{'=' if is_plain else _EXACTLY}{_quoted(text)}"


def _quoted(text: str) -> str:
    return "".join([it if _PLAIN.fullmatch(it) else escape(it) for it in text])


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
        return _fits_text(name, text, wanted)
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


def _fits_text(name: str, text: str, wanted: str) -> bool:
    exact = exact_text(wanted)
    if exact is not None:
        # One that was read from a path may have been cut there.
        is_cut = "~" in exact and tag_in_path(name, text)[1] == exact
        return is_cut or text == exact
    if text == wanted:
        return True
    comparison = comparison_in(wanted)
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
