"""A filter of entries: by name and by tags, as paths tell them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from checkpoints._index.entry import key_of
from checkpoints._keys.condition import (
    checked_tag_filter,
    exact_text,
    may_match,
    tags_match,
)
from checkpoints._keys.entry_tags import ExactText, Tags
from checkpoints._keys.key import name_in_path, tag_in_path
from checkpoints._keys.pattern import NamePattern
from checkpoints._keys.tags import tag_text
from checkpoints._text import shown
from checkpoints.errors import ConfigError
from checkpoints.storage._store import Segments

__all__ = ["EntryFilter"]

_GLOB = frozenset("*?[")


class EntryFilter:
    """
    What `where` asks for.

    Args:
        names: A pattern, or a list of exact names; None takes them all.
        tags: What is wanted of the tags, by name, or a function of all of them.
        named: What is wanted of the tags as well.

    Raises:
        ConfigError: If one of them cannot be.
    """

    def __init__(
        self,
        names: str | Iterable[str] | None,
        tags: object = None,
        named: Mapping[str, object] = MappingProxyType({}),
    ) -> None:
        if isinstance(names, Mapping):
            message = (
                f"where({shown(names)}): names come first, and tags second, as in "
                "where(None, {'tag': 'value'}) or where(tag='value')"
            )
            raise ConfigError(message)
        self._pattern = None if names is None else _pattern_of_paths(names)
        self._asks = None if isinstance(tags, Mapping) or not callable(tags) else tags
        if tags is None or self._asks:
            tags = {}
        if not isinstance(tags, Mapping):
            message = (
                f"where(..., {shown(tags)}): the second is a mapping of tags, or a "
                "function of all of them; several names are a list, as in "
                "where(['a', 'b'])"
            )
            raise ConfigError(message)
        self.names = None if self._pattern is None else self._pattern.names
        # As it was asked, and as paths tell it, where long texts are cut.
        self.asked = checked_tag_filter({**tags, **named})
        self.tags = dict(_as_in_paths(*each) for each in self.asked.items())

    def parts(self) -> Iterator[EntryFilter]:
        """Yield a filter for each of the things that this one asks for."""
        if self.names is not None:
            yield EntryFilter(self.names)
        for name, wanted in self.asked.items():
            yield EntryFilter(None, {name: wanted})
        if self._asks:
            yield EntryFilter(None, self._asks)

    def enters(self, folder: Segments) -> bool:
        """Tell whether what lies below a folder can be taken."""
        tags, prefixes = key_of(folder)
        if not prefixes:
            # A tag may be repeated further down, with the value that is wanted.
            return True
        if self._pattern and not self._pattern.may_cover_below(".".join(prefixes)):
            return False
        return may_match(tags.items(), self.tags)

    def takes(self, folder: Segments) -> bool:
        """Tell whether the tags of a folder are such as are asked for."""
        tags = key_of(folder)[0]
        fits = tags_match(tags.items(), self.tags)
        return fits and (not self._asks or self._says(tags))

    def _says(self, tags: Tags) -> bool:
        try:
            return bool(self._asks and self._asks(tags.items()))
        except Exception as error:
            error.add_note(
                "the function of where(...) was asked of the tags "
                f"{shown(tags.items())}; it gets pairs of a name and a text"
            )
            raise

    def covers(self, fullname: str) -> bool:
        """Tell whether a name is asked for."""
        return self._pattern is None or self._pattern.covers(fullname)


def _pattern_of_paths(names: str | Iterable[str]) -> NamePattern:
    """Return a pattern of names as paths tell them, where long ones are cut."""
    given = NamePattern(names).names
    if isinstance(given, str):
        # Of a glob that is too long nobody can tell what would be left of it.
        return NamePattern(given if _GLOB & set(given) else name_in_path(given))
    return NamePattern(map(name_in_path, given))


def _as_in_paths(name: str, wanted: object) -> tuple[str, object]:
    """Return what is asked of a tag as paths tell it."""
    return tag_in_path(name, "")[0], _cut_too(name, wanted)


def _cut_too(name: str, wanted: Any) -> Any:
    if isinstance(wanted, (slice, range)) or callable(wanted):
        return wanted
    is_one = isinstance(wanted, (str, bytes, Mapping))
    if isinstance(wanted, Collection) and not is_one:
        return [_cut_too(name, choice) for choice in wanted]
    exact = exact_text(wanted) if isinstance(wanted, str) else None
    text = tag_text(wanted) if exact is None else exact
    cut = tag_in_path(name, text)[1]
    return wanted if cut == text else [wanted, ExactText(cut)]
