"""
The two spellings of a path: readable, and caseless for file systems that fold case.

A path consists of letters, digits, `_-.~=/` and percent-encoded bytes. The readable
spelling keeps capitals; the caseless one encodes them as well, so that no two paths
differ by case alone. Each can be derived from the other, and both decode to the same.
"""

from __future__ import annotations

import re
from typing import Protocol

__all__ = ["caseless", "is_device", "readable", "spelling_in"]

_ENCODED_CAPITAL = re.compile("%(4[1-9A-F]|5[0-9A])")
_CAPITAL = re.compile("(%[0-9A-Fa-f]{2})|[A-Z]")
# Paths without any of this, which are most, have only one spelling.
_AMBIGUOUS = re.compile("%[45]|%[0-9A-F]?[a-f]|(?<!%)(?<!%[0-9A-F])[A-Z]")
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.DOTALL)


class Place(Protocol):
    """A folder or store that contains the paths."""

    @property
    def folds_case(self) -> bool:
        """Whether names that differ only in case mean the same file."""
        ...

    def has(self, name: str) -> bool:
        """Tell whether there is a file with exactly this name, case included."""
        ...


def readable(path: str) -> str:
    """
    Return a path with its capitals decoded.

    >>> readable("model=%52idge/mypkg/fit")
    'model=Ridge/mypkg/fit'
    """
    if "%4" not in path and "%5" not in path:
        return path
    return "/".join(map(_readable_segment, path.split("/")))


def _readable_segment(segment: str) -> str:
    found = _ENCODED_CAPITAL.sub(lambda found: chr(int(found[1], 16)), segment)
    # Windows rejects names of devices in either case.
    return segment if is_device(found.lower()) else found


def caseless(path: str) -> str:
    """
    Return a path with its capitals encoded.

    >>> caseless("model=Ridge/mypkg/fit")
    'model=%52idge/mypkg/fit'
    """
    return _CAPITAL.sub(_encoded, path)


def _encoded(found: re.Match[str]) -> str:
    # Some file systems list all names in lower case, escapes included.
    return found[1].upper() if found[1] else f"%{ord(found[0]):02X}"


def spelling_in(place: Place, name: str) -> str:
    """
    Return the spelling of a file's name to use in a place.

    If the file already exists there under the other spelling, for example after a move
    from another file system, that name is returned, so that no key gets two files.

    Args:
        place: Where the file is, or will be.
        name: Its name, in either spelling.
    """
    if not _AMBIGUOUS.search(name):
        return name
    encoded = caseless(name)
    plain = readable(encoded)
    # Finding out whether case is folded takes a trial on the disk.
    if encoded == plain:
        return encoded
    own, other = (encoded, plain) if place.folds_case else (plain, encoded)
    return other if place.has(other) and not place.has(own) else own


def is_device(segment: str) -> bool:
    """Tell whether a lower-case name is a device on Windows."""
    return _DEVICE.fullmatch(segment) is not None
