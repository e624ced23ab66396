"""The tags of an entry: an ordered mapping of texts with repeated names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar, overload

from checkpoints._process.pickling import public
from checkpoints._text import hint

__all__ = ["ExactText", "Tags"]

T = TypeVar("T")


class ExactText(str):
    """
    The value of a tag from a path, which a filter takes literally.

    Any other text may be a glob or a comparison there. It is pickled as a plain text.
    """

    __slots__ = ()

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (str(self),)


class Tags:
    """
    The tags of an entry: an ordered mapping of texts in which names may repeat.

    `keys()`, iteration and `len` count a name once per value, so that they agree with
    `values()` and `items()`. It is not a `Mapping` by type, because the names of a
    `Mapping` are unique: `dict(tags)` is complete, or raises `LookupError` if a name
    repeats. `dict(tags.items())` keeps the innermost value.

    Args:
        pairs: Names and values, outermost first.

    >>> found = Tags([("model", "ridge"), ("seen", "a"), ("seen", "b")])
    >>> found["model"]
    'ridge'
    >>> found.values_of("seen")
    ['a', 'b']
    >>> list(found), "seen" in found, len(found)
    (['model', 'seen', 'seen'], True, 3)
    """

    __slots__ = ("_pairs",)

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._pairs = tuple([(name, ExactText(value)) for name, value in pairs])

    def __repr__(self) -> str:
        return f"Tags({list(self._pairs)})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Tags):
            return NotImplemented
        return self._pairs == other._pairs

    def __hash__(self) -> int:
        return hash(self._pairs)

    def __reduce__(self) -> tuple[Any, ...]:
        pairs = [(name, str(value)) for name, value in self._pairs]
        return public(type(self)), (pairs,)

    def __len__(self) -> int:
        return len(self._pairs)

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __contains__(self, name: object) -> bool:
        return name in self.keys()

    def __getitem__(self, name: str) -> str:
        """
        Return the only value of a tag.

        Raises:
            LookupError: If no tag has the name, or more than one does.
        """
        found = self.values_of(name)
        if len(found) == 1:
            return found[0]
        if found:
            message = (
                f"tag {name!r} has {len(found)} values, {', '.join(found)}: use "
                f"values_of({name!r}), or items() for all pairs"
            )
        else:
            message = f"no tag {name!r}; {hint(str(name), dict.fromkeys(self))}"
        raise LookupError(message)

    @overload
    def get(self, name: str) -> str | None: ...
    @overload
    def get(self, name: str, default: T) -> str | T: ...
    def get(self, name: str, default: object = None) -> object:
        """
        Return the only value of a tag, or the default if it has none.

        Raises:
            LookupError: If it has more than one.
        """
        return self[name] if self.values_of(name) else default

    def keys(self) -> tuple[str, ...]:
        """Return the names, outermost first, each once per value."""
        return tuple([name for name, _ in self._pairs])

    def values(self) -> tuple[str, ...]:
        """Return the values, outermost first."""
        return tuple([value for _, value in self._pairs])

    def items(self) -> tuple[tuple[str, str], ...]:
        """Return all pairs of a name and a value, outermost first."""
        return self._pairs

    def values_of(self, name: str) -> list[str]:
        """Return every value of a tag, outermost first; an empty list if none."""
        return [value for known, value in self._pairs if known == name]
