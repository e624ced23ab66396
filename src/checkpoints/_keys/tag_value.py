"""The values of tags, whose texts and copies may be made by code of the user."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from checkpoints.errors import ConfigError

__all__ = ["PLAIN", "at_tags"]

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
