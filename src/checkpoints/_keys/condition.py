"""
Conditions on tags, with the same meaning for rules (`where`) and for the index.

The value of a tag is compared as text. Compared with a number, a date or a time it is
parsed as one, so `3` matches `03`, and a day matches every time of that day. Conditions
may also be texts, for example from a shell: `">3"` and `"2017-03-01..2017-03-31"`
compare numbers and days, and `"==a*b"` is the literal text and not a glob, as the value
of an entry's tag always is.
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
from checkpoints._keys.entry_tags import ExactText
from checkpoints._keys.key import escape, tag_in_path, unescape
from checkpoints._keys.tag_value import checked_tag_name, tag_text
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

# Not spelled with `|`, because a slice takes no type arguments at run time.
_Range: TypeAlias = "slice[Any, Any, Any]"
_Single: TypeAlias = (
    str | bytes | float | decimal.Decimal | datetime.date | datetime.time | enum.Enum
)
Wanted: TypeAlias = Optional[  # noqa: UP045 - `_Range` is a string
    Union[  # noqa: UP007 - `_Range` is a string
        Callable[[str], object], _Single, _Range, Collection[Any]
    ]
]

_LISTED = (list, tuple, set, frozenset)
_EXACTLY = "=="
_CONDITION = re.compile(r"([^=<>]*?)\s*(==|!=|[=<>])(.*)", re.DOTALL)
# Characters without a special meaning in conditions, in rules and in shells.
_PLAIN = re.compile(r"[A-Za-z0-9_@+/.-]")
_MOMENTS = {"moment", "moment with a zone"}


def checked_tag_filter(where: Mapping[Any, object]) -> dict[str, object]:
    """Return a filter by tag names; `ConfigError` if it is invalid."""
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
            "write a range of values as slice(first, last), without a step; both ends "
            "are included"
        )
    kinds = {_kind_of(end) for end in (choice.start, choice.stop) if end is not None}
    # A day includes all its times, whatever their zone.
    if len(kinds - {"day"} if kinds & _MOMENTS else kinds) > 1 or "" in kinds:
        raise ValueError(
            "the ends of a range must be two numbers, two dates, two times or two "
            "texts, both with a time zone or both without; one of them may be None"
        )


def _kind_of(end: object) -> str:
    """Return the kind of an end of a range; an empty text if it cannot be one."""
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
    is_nan = (
        end.is_nan() if isinstance(end, decimal.Decimal) else end != end  # noqa: PLR0124 - true for a NaN
    )
    return "" if is_nan else "number"


def tags_match(
    pairs: Iterable[tuple[str, object]], where: Mapping[str, object]
) -> bool:
    """
    Tell whether tags match every condition.

    Args:
        pairs: The tags.
        where: Tag names to conditions. A condition is a text or a glob; a number, a
            date or a time, compared as such; a text with `>`, `>=`, `<` or `<=` before
            one of these, or a range such as `"3..7"`, with an end left out for an open
            one; a literal text after `==`, or the value of an entry's tag;
            `slice(first, last)`, a range that includes both ends, either of which may
            be None; a function of the text; or a list, tuple, set or range of these,
            any of which may match. A repeated tag matches if any of its values does.
    """
    texts = _texts_of(pairs, where)
    return all(
        any(_fits(name, text, wanted) for text in texts.get(name, ()))
        for name, wanted in where.items()
    )


def may_match(pairs: Iterable[tuple[str, object]], where: Mapping[str, object]) -> bool:
    """Tell whether tags match so far, where more of them may follow."""
    texts = _texts_of(pairs, where)
    return all(
        any(_fits(name, text, wanted) for text in texts[name])
        for name, wanted in where.items()
        if name in texts
    )


def exact_text(wanted: str) -> str | None:
    """
    Return the text that a condition takes literally; None if it may be a pattern.

    >>> exact_text("==a*b"), exact_text("a*b"), exact_text(ExactText("a*b"))
    ('a*b', None, 'a*b')
    """
    if isinstance(wanted, ExactText):
        return str(wanted)
    return wanted.removeprefix(_EXACTLY) if wanted.startswith(_EXACTLY) else None


def conditions_in(text: str) -> dict[str, str | list[str]]:
    """
    Parse conditions as they are written outside of a program, `TAG=VALUE,TAG>VALUE`.

    Args:
        text: Conditions separated by `,`, each with alternatives separated by `|`.
            Percent-encoded characters, as in a path, are never separators.

    Returns:
        The condition of each tag.

    Raises:
        ConfigError: If one of them is not a condition, or a tag has more than one.

    >>> conditions_in("day=2026-03-*, shop=north|south, step>=3, note==a%2Cb")
    {'day': '2026-03-*', 'shop': ['north', 'south'], 'step': '>=3', 'note': '==a,b'}
    """
    wanted: dict[str, str | list[str]] = {}
    for part in text.split(","):
        tag, choices = _condition(part.strip())
        if tag in wanted:
            message = (
                f"{shown(part)}: only one condition per tag is allowed; write several "
                "values as a|b, and a range as 3..7"
            )
            raise ConfigError(message)
        wanted[tag] = choices if len(choices) > 1 else choices[0]
    return wanted


def _condition(text: str) -> tuple[str, list[str]]:
    found = _CONDITION.fullmatch(text)
    tag, sign, value = found.groups() if found else ("", "", "")
    if not found or not tag or ":" in tag:
        raise ConfigError(f"{shown(text)}: {_advice_on_form(text)}")
    if sign == "!=":
        message = (
            f"{shown(text)}: a condition cannot exclude a value; list the wanted "
            f"values, as in '{tag}=this|that'"
        )
        raise ConfigError(message)
    value = value.lstrip() if sign == _EXACTLY else value
    choices = ("" if sign == "=" else sign) + value
    return unescape(tag), [unescape(choice.strip()) for choice in choices.split("|")]


def _advice_on_form(text: str) -> str:
    tag, colon, value = text.partition(":")
    if colon and tag and not re.search("[=<>]", tag):
        new = tag + value if value[:1] in ("<", ">", "=") else f"{tag}={value}"
        return f"write {new}; write a colon in the name of a tag as %3A"
    return (
        "write a condition as TAG=VALUE, such as day=monday, or as a comparison, such "
        "as step>=3, and a comma in a text as %2C"
    )


def condition_of(tag: str, text: str) -> str:
    """
    Return the condition that matches exactly one value of a tag.

    >>> condition_of("day", "monday"), condition_of("the tag", "a|b")
    ('day=monday', 'the%20tag==a%7Cb')
    """
    try:
        is_plain = comparison_in(text) is None and text == _quoted(text)
    except ValueError:
        is_plain = False
    return f"{_quoted(tag)}{'=' if is_plain else _EXACTLY}{_quoted(text)}"


def _quoted(text: str) -> str:
    return "".join([char if _PLAIN.fullmatch(char) else escape(char) for char in text])


def _texts_of(
    pairs: Iterable[tuple[str, object]], where: Mapping[str, object]
) -> dict[str, list[str]]:
    texts: dict[str, list[str]] = {}
    for name, value in pairs:
        # Converting a tag that no condition needs may take long, or fail.
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
        # For a fraction, Python would compare each number of the range.
        return value is not None and value % 1 == 0 and int(value) in wanted
    if isinstance(wanted, Collection) and not isinstance(wanted, (bytes, Mapping)):
        return any(_fits(name, text, choice) for choice in wanted)
    if callable(wanted):
        return _call_predicate(name, text, wanted)
    value = read_like(text, wanted)
    try:
        same = value is not None and bool(value == wanted)
    except ArithmeticError:  # a signaling NaN
        same = False
    return same or text == tag_text(wanted)


def _fits_text(name: str, text: str, wanted: str) -> bool:
    exact = exact_text(wanted)
    if exact is not None:
        # A text that comes from a path may have been cut there.
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
        except TypeError:  # a time with a zone and one without
            return False
        if outside:
            return False
    return True


def _call_predicate(name: str, text: str, wanted: Any) -> bool:
    try:
        return bool(wanted(text))
    except Exception as error:
        error.add_note(
            f"raised by a filter function for the tag {name}={shown(text)}; it is "
            "called with the text of the tag, whatever the type of its value"
        )
        raise
