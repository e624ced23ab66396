"""
What a filter asks of tags: one meaning, for what is saved and for what is found.

A tag is a text here. Beside a number, a date or a time it is read as one, so that `3`
finds `03`, and a day finds every time of that day.
"""

from __future__ import annotations

import datetime
import decimal
import enum
import numbers
from collections.abc import Callable, Collection, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any, Optional, TypeAlias, Union

from checkpoints._shown import shown
from checkpoints._tags import checked_tag_name, tag_text
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


def checked_tag_filter(where: Mapping[Any, object]) -> dict[str, object]:
    """Return what is asked of tags; `ConfigError` if it cannot be asked."""
    for name, wanted in where.items():
        if isinstance(wanted, slice) and wanted.step is not None:
            message = (
                f"{name}={wanted!r}: a range of a tag is slice(first, last), both of "
                "them included, without a step"
            )
            raise ConfigError(message)
    return {checked_tag_name(name): wanted for name, wanted in where.items()}


def tags_match(
    pairs: Iterable[tuple[str, object]], where: Mapping[str, object]
) -> bool:
    """
    Tell whether the tags have every value that is asked for.

    Args:
        pairs: The tags.
        where: Tag name to what is wanted of its value: an exact text or a glob; a
            number, a date or a time, compared as such; `slice(first, last)`, a range
            with both its ends, either of which may be None; a function of the text;
            or a list, tuple, set or range of these, any of which will do. A repeated
            tag matches by any of its values.
    """
    texts = _texts_of(pairs)
    return all(
        any(_fits(name, text, wanted) for text in texts.get(name, ()))
        for name, wanted in where.items()
    )


def may_match(pairs: Iterable[tuple[str, object]], where: Mapping[str, object]) -> bool:
    """Tell whether none of the tags that are there already speaks against it."""
    texts = _texts_of(pairs)
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
        return decimal.Decimal(text)
    try:
        return int(text)
    except ValueError:
        return float(text)


def _texts_of(pairs: Iterable[tuple[str, object]]) -> dict[str, list[str]]:
    texts: dict[str, list[str]] = {}
    for name, value in pairs:
        texts.setdefault(name, []).append(tag_text(value))
    return texts


def _fits(name: str, text: str, wanted: Any) -> bool:
    if isinstance(wanted, str):
        return text == wanted or fnmatchcase(text, wanted)
    if isinstance(wanted, slice):
        return _is_between(text, wanted)
    if isinstance(wanted, range):
        return read_like(text, 0) in wanted
    if isinstance(wanted, Collection) and not isinstance(wanted, (bytes, Mapping)):
        return any(_fits(name, text, choice) for choice in wanted)
    if callable(wanted):
        return _asked(name, text, wanted)
    value = read_like(text, wanted)
    same = value is not None and value == wanted
    return bool(same) or text == tag_text(wanted)


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
