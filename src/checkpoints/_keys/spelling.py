"""
The two spellings of a path: with capitals, and without for where the case is folded.

A path holds nothing but letters, digits, `_-.~=/` and percent-encoded bytes. Readable,
its capitals stand as they are; caseless, each is encoded as well, so that no two paths
differ by the case alone. Each is made from the other, and both are read alike.
"""

from __future__ import annotations

import re
from typing import Protocol

__all__ = ["caseless", "is_device", "readable", "spelling_in"]

_ENCODED_CAPITAL = re.compile("%(4[1-9A-F]|5[0-9A])")
_CAPITAL = re.compile("(%[0-9A-Fa-f]{2})|[A-Z]")
# What alone can make a difference: of most paths one look is enough.
_OF_TWO = re.compile("%[45]|%[0-9A-F]?[a-f]|(?<!%)(?<!%[0-9A-F])[A-Z]")
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.DOTALL)


class Place(Protocol):
    """Where paths lie."""

    @property
    def folds_case(self) -> bool:
        """Whether it takes names that differ by their case for the same."""
        ...

    def has(self, name: str) -> bool:
        """Tell whether a file lies under a name in exactly this case."""
        ...


def readable(path: str) -> str:
    """
    Return a path with its capitals as they are.

    >>> readable("model=%52idge/mypkg/fit")
    'model=Ridge/mypkg/fit'
    """
    if "%4" not in path and "%5" not in path:
        return path
    return "/".join(map(_readable_segment, path.split("/")))


def _readable_segment(segment: str) -> str:
    found = _ENCODED_CAPITAL.sub(lambda found: chr(int(found[1], 16)), segment)
    # Windows would not take it, whatever its case.
    return segment if is_device(found.lower()) else found


def caseless(path: str) -> str:
    """
    Return a path with its capitals encoded.

    >>> caseless("model=Ridge/mypkg/fit")
    'model=%52idge/mypkg/fit'
    """
    return _CAPITAL.sub(_encoded, path)


def _encoded(found: re.Match[str]) -> str:
    # Some file systems give all names in small letters, those of an escape as well.
    return found[1].upper() if found[1] else f"%{ord(found[0]):02X}"


def spelling_in(place: Place, name: str) -> str:
    """
    Return the spelling of a file's name that has its place.

    Where the file is there already under the other spelling, as after a move from
    another file system, that one is its name: no key gets a second file.

    Args:
        place: Where the file lies, or is to lie.
        name: Its name, in either spelling.
    """
    if not _OF_TWO.search(name):
        return name
    encoded = caseless(name)
    plain = readable(encoded)
    # Not asked unless it matters, as finding out is a trial on the disk.
    if encoded == plain:
        return encoded
    own, other = (encoded, plain) if place.folds_case else (plain, encoded)
    return other if place.has(other) and not place.has(own) else own


def is_device(segment: str) -> bool:
    """Tell whether Windows takes a lower-case name for one of its devices."""
    return _DEVICE.fullmatch(segment) is not None
