"""A filter of entries, by the names and tags in their paths."""

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
from checkpoints._keys.entry_tags import ExactText
from checkpoints._keys.key import name_in_path, tag_in_path
from checkpoints._keys.pattern import NamePattern
from checkpoints._keys.tag_value import tag_text
from checkpoints._text import shown
from checkpoints.errors import ConfigError
from checkpoints.storage._store import Segments

__all__ = ["EntryFilter"]

_GLOB = frozenset("*?[")


class EntryFilter:
    """
    A filter of entries, from the arguments of `where`.

    Args:
        names: A pattern, or a list of exact names; None accepts all names.
        tags: Conditions on tags, by name, or a function of all tags.
        named: More conditions on tags, by name.

    Raises:
        ConfigError: If one of them is invalid.
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
        is_mapping = isinstance(tags, Mapping)
        self._function = tags if callable(tags) and not is_mapping else None
        if tags is None or self._function:
            tags = {}
        if not isinstance(tags, Mapping):
            message = (
                f"where(..., {shown(tags)}): the second argument must be a mapping of "
                "tags or a function of all tags; give several names as a list, as in "
                "where(['a', 'b'])"
            )
            raise ConfigError(message)
        self.names = None if self._pattern is None else self._pattern.names
        # As given, and as they apply to paths, in which long texts are shortened.
        self.conditions = checked_tag_filter({**tags, **named})
        self.path_conditions = dict(
            _as_in_paths(name, wanted) for name, wanted in self.conditions.items()
        )

    def parts(self) -> Iterator[EntryFilter]:
        """Yield a separate filter for each condition of this one."""
        if self.names is not None:
            yield EntryFilter(self.names)
        for name, wanted in self.conditions.items():
            yield EntryFilter(None, {name: wanted})
        if self._function:
            yield EntryFilter(None, self._function)

    def enters(self, folder: Segments) -> bool:
        """Tell whether anything below a folder can match."""
        tags, prefixes = key_of(folder)
        if not prefixes:
            # The tag may be repeated further down, with a value that matches.
            return True
        if self._pattern and not self._pattern.may_cover_below(".".join(prefixes)):
            return False
        return may_match(tags.items(), self.path_conditions)

    def takes(self, folder: Segments) -> bool:
        """Tell whether the tags of a folder match."""
        return self.accepts(key_of(folder)[0].items())

    def accepts(self, tags: tuple[tuple[str, str], ...]) -> bool:
        """Tell whether tags match, given as pairs."""
        matches = tags_match(tags, self.path_conditions)
        return matches and (not self._function or self._function_accepts(tags))

    def _function_accepts(self, tags: tuple[tuple[str, str], ...]) -> bool:
        try:
            return bool(self._function and self._function(tags))
        except Exception as error:
            error.add_note(
                "raised by the function given to where(...), called with the tags "
                f"{shown(tags)}, as pairs of name and value"
            )
            raise

    def covers(self, fullname: str) -> bool:
        """Tell whether a full name matches."""
        return self._pattern is None or self._pattern.covers(fullname)


def _pattern_of_paths(names: str | Iterable[str]) -> NamePattern:
    """Return a pattern for names in paths, in which long ones are shortened."""
    given = NamePattern(names).names
    if isinstance(given, str):
        # There is no telling what a glob that is too long would be shortened to.
        return NamePattern(given if _GLOB & set(given) else name_in_path(given))
    return NamePattern(map(name_in_path, given))


def _as_in_paths(name: str, wanted: object) -> tuple[str, object]:
    """Return a condition on a tag as it applies to paths."""
    return tag_in_path(name, "")[0], _shortened(name, wanted)


def _shortened(name: str, wanted: Any) -> Any:
    if isinstance(wanted, (slice, range)) or callable(wanted):
        return wanted
    is_single = isinstance(wanted, (str, bytes, Mapping))
    if isinstance(wanted, Collection) and not is_single:
        return [_shortened(name, choice) for choice in wanted]
    exact = exact_text(wanted) if isinstance(wanted, str) else None
    text = tag_text(wanted) if exact is None else exact
    in_path = tag_in_path(name, text)[1]
    return wanted if in_path == text else [wanted, ExactText(in_path)]
