"""A filter of entries: by name and by tags, as paths tell them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from checkpoints._entry import key_of
from checkpoints._name_pattern import NamePattern
from checkpoints._shown import shown
from checkpoints._tag_filter import checked_tag_filter, may_match, tags_match
from checkpoints._walk import Segments
from checkpoints.errors import ConfigError

__all__ = ["EntryFilter"]


class EntryFilter:
    """
    What `where` asks for.

    Args:
        names: A pattern, or a list of exact names; None takes them all.
        tags: What is wanted of the tags, by name.

    Raises:
        ConfigError: If one of them cannot be.
    """

    def __init__(
        self, names: str | Iterable[str] | None, tags: Mapping[str, object]
    ) -> None:
        if isinstance(names, Mapping):
            message = (
                f"where({shown(names)}): names come first, and tags second, as in "
                "where(None, {'tag': 'value'}) or where(tag='value')"
            )
            raise ConfigError(message)
        self._pattern = None if names is None else NamePattern(names)
        self._tags = checked_tag_filter(tags)

    def enters(self, folder: Segments) -> bool:
        """Tell whether what lies below a folder can be taken."""
        tags, prefixes = key_of(folder)
        if not prefixes:
            # A tag may be repeated further down, with the value that is wanted.
            return True
        if self._pattern and not self._pattern.may_cover_below(".".join(prefixes)):
            return False
        return may_match(tags, self._tags)

    def takes(self, folder: Segments) -> bool:
        """Tell whether the tags of a folder are such as are asked for."""
        return tags_match(key_of(folder)[0], self._tags)

    def covers(self, fullname: str) -> bool:
        """Tell whether a name is asked for."""
        return self._pattern is None or self._pattern.covers(fullname)
