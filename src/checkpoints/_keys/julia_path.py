"""
The paths of Checkpoints.jl: names and tags as folders, in which nothing is escaped.

    <tag>=<value>/.../<prefix>/.../<name>.jlso
"""

from __future__ import annotations

from collections.abc import Iterable

from checkpoints._keys.entry_tags import Tags
from checkpoints._keys.key import SUFFIXES, Key
from checkpoints._keys.tag_value import tag_text
from checkpoints.errors import FormatError

__all__ = ["JULIA", "Verbatim", "is_ambiguous", "julia_path", "parse_verbatim"]

JULIA = SUFFIXES["jlso"]
_LONGEST = 255


class Verbatim(tuple[str, ...]):
    """
    The folders of a path that are read as Checkpoints.jl means them.

    >>> Verbatim(("a%20b",)) == ("a%20b",)
    False
    """

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Verbatim) and tuple.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = tuple.__hash__


def is_ambiguous(folder: Iterable[str]) -> bool:
    """Tell whether folders have another meaning in a path that escapes nothing."""
    text = "/".join(("", *folder))
    return "%" in text or "/=" in text


def parse_verbatim(segments: Iterable[str]) -> tuple[Tags, tuple[str, ...]]:
    """Parse the folders of a path of Checkpoints.jl into tags and prefixes."""
    pairs = []
    prefixes = []
    for segment in segments:
        name, equals, value = segment.partition("=")
        if equals:
            pairs.append((name, value))
        else:
            prefixes.append(segment)
    return Tags(pairs), tuple(prefixes)


def julia_path(key: Key) -> str:
    """
    Return the path of a key as Checkpoints.jl spells it, without the suffix.

    Raises:
        FormatError: If that path would mean another key, or lead elsewhere.

    >>> julia_path(Key("mypkg.fit", (("model", "a b"),)))
    'model=a b/mypkg/fit'
    """
    pairs = [(name, tag_text(value)) for name, value in key.tags]
    parts = key.name.split(".")
    for text in [*(name for name, _ in pairs), *parts]:
        _check(text, "=/\\\0")
    for _, text in pairs:
        _check(text, "/\\\0")
    segments = [*(f"{name}={value}" for name, value in pairs), *parts]
    longest = max(len(it.encode("utf-8", "surrogatepass")) for it in segments)
    if longest > _LONGEST - len(JULIA):
        _refuse(f"a part of {longest} bytes is too long for it")
    return "/".join(segments)


def _check(text: str, special: str) -> None:
    found = [char for char in special if char in text]
    if found:
        _refuse(f"{text!r} contains {found[0]!r}, and it escapes nothing")
    try:
        text.encode()
    except UnicodeEncodeError:
        _refuse(f"{text!r} is not Unicode text")


def _refuse(reason: str) -> None:
    raise FormatError(
        f"there is no path for it in the layout of Checkpoints.jl: {reason}. Choose "
        "another name or tag, or use format='zip', which keeps any text"
    )
