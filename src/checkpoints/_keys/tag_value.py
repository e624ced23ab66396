"""A tag: its name, and its value, whose text or copy may be made by the user's code."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from checkpoints.errors import ConfigError

__all__ = ["PLAIN", "at_tags", "checked_tag_name", "tag_text"]

# Types whose texts and copies run no code of others.
PLAIN = (str, int, float, bool, type(None))


class _Here(threading.local):
    """The values of tags whose texts or copies this thread is making, by their ids."""

    def __init__(self) -> None:
        self.ids: frozenset[int] = frozenset()


_here = _Here()


@contextmanager
def at_tags(values: Iterable[object]) -> Iterator[None]:
    """
    Make texts or copies of the values of tags, by code that may be the user's.

    Raises:
        ConfigError: If it is inside of itself: that code makes a save with that tag.
    """
    outer = _here.ids
    own = {id(value) for value in values if type(value) not in PLAIN}
    if own & outer:
        raise ConfigError(
            "the text or the copy of the value of a tag makes a save, which has that "
            "tag itself: let __str__ and __deepcopy__ save nothing"
        )
    _here.ids = outer | own
    try:
        yield
    finally:
        _here.ids = outer


def tag_text(value: object) -> str:
    """Return the text of a tag's value, as used in paths and in filters."""
    if type(value) in PLAIN:
        return str(value)
    # A program with such a value has already loaded the module.
    datetime = sys.modules.get("datetime")
    if datetime and isinstance(value, (datetime.date, datetime.time)):
        moment: Any = value
        return str(moment.isoformat())
    with at_tags([value]):
        return str(value)


def checked_tag_name(name: object) -> str:
    """Return the name of a tag; `ConfigError` if it is invalid."""
    if not isinstance(name, str) or not name or "=" in name:
        message = (
            f"invalid tag name {name!r}: use non-empty text without '=', which "
            "separates the name from the value"
        )
        raise ConfigError(message)
    return str(name)
