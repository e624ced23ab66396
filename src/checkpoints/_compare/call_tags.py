"""The tags with the numbers of recorded calls, which are no part of a key."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TypeAlias

from checkpoints._index.entry import Entry
from checkpoints.errors import CheckpointError

__all__ = ["CallTags", "Texts"]

# Tags as texts, outermost first.
Texts: TypeAlias = "tuple[tuple[str, str], ...]"
# The names of tags, outermost first; the last is that of a call.
_Place: TypeAlias = "tuple[str, ...]"

_CALL = "call"
# What the names of the outcomes of calls end with.
_OUTCOMES = (".result", ".exception")


class CallTags:
    """
    Tells the tags of recorded calls from tags that are called `call` as well.

    A call has its tag even if its rule leaves it out, and what was saved within has it
    too. So a tag is that of a call if some call was recorded under tags of these names,
    in one of the runs that are compared.

    Args:
        ignored: The names of tags that do not count.
    """

    def __init__(self, ignored: Collection[str] = ()) -> None:
        self._ignored = frozenset(ignored) - {_CALL}
        self._places: set[_Place] = set()

    def add(self, tags: Texts) -> None:
        """Note the tags of a recorded call."""
        self._places.add(self._place(tags))

    def add_hidden(
        self, kept: Iterable[Texts], whole: Iterable[tuple[Texts, Entry]]
    ) -> None:
        """
        Note the calls that a filter hides.

        Args:
            kept: The tags of what the filter has left.
            whole: All entries, each with its tags.
        """
        wanted = {place for tags in kept for place in self._places_in(tags)}
        wanted -= self._places
        for tags, entry in whole if wanted else ():
            place = self._place(tags)
            if place in wanted and entry.name.endswith(_OUTCOMES) and _is_part(entry):
                self._places.add(place)
                wanted.remove(place)

    def without(self, tags: Texts) -> Texts:
        """Return tags without those of recorded calls."""
        if all(tag != _CALL for tag, _ in tags):
            return tags
        return tuple(
            pair
            for at, pair in enumerate(tags)
            if pair[0] != _CALL or self._place(tags[: at + 1]) not in self._places
        )

    def _places_in(self, tags: Texts) -> Iterable[_Place]:
        for at, (tag, _) in enumerate(tags):
            if tag == _CALL:
                yield self._place(tags[: at + 1])

    def _place(self, tags: Texts) -> _Place:
        return tuple(tag for tag, _ in tags if tag not in self._ignored)


def _is_part(entry: Entry) -> bool:
    try:
        return bool(entry.meta.get("part"))
    except (CheckpointError, OSError):
        return False
