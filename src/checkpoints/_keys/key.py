"""
A key (a name and tags), and the one grammar that maps keys to paths and back.

    <tag>=<value>/.../<prefix>/.../<name>

Tags come first, outermost first. Every segment is percent-encoded (RFC 3986, UTF-8)
except for `A-Z a-z 0-9 _ - .`. So readers of partitioned folders get the values back,
no two keys share a path even where the file system normalises Unicode, and no segment
has a special meaning on any system. Where the file system folds case, capitals are
encoded as well (`spelling.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NoReturn

from checkpoints._keys.entry_tags import Tags
from checkpoints._keys.spelling import is_device, readable
from checkpoints._keys.tag_value import checked_tag_name, tag_text
from checkpoints._keys.tags import TagPairs
from checkpoints._process.libraries import imported
from checkpoints._process.origin import Origin
from checkpoints._process.pickling import public
from checkpoints._text import shown
from checkpoints.errors import ConfigError

__all__ = [
    "SUFFIXES",
    "Key",
    "checked_name",
    "escape",
    "joined_name",
    "name_in_path",
    "parse_folder",
    "tag_in_path",
    "unescape",
]

SUFFIXES = {"zip": ".ckpt.zip", "parquet": ".ckpt.parquet", "jlso": ".jlso"}

_SAFE = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789_-.")
_ENCODED = {byte: chr(byte) if byte in _SAFE else f"%{byte:02X}" for byte in range(256)}
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")

# The limit of every file system, minus room for the longest suffix and a number.
SEGMENT_BYTES = 255 - 32
_HASH_BYTES = 16
_CUT = re.compile(rf"~[0-9a-f]{{{2 * _HASH_BYTES}}}\Z")


class Key:
    """
    What identifies a save: its name and its tags.

    Args:
        name: The dotted name of the checkpoint.
        tags: Pairs of name and value, outermost first, the values as given.
        origin: Where the save came from. Ignored when keys are compared.

    Raises:
        ConfigError: If the name or the name of a tag is invalid.

    >>> Key("mypkg.fit", (("model", "Ridge"), ("day", "1/2"))).path
    'model=Ridge/day=1%2F2/mypkg/fit'
    """

    __slots__ = ("name", "origin", "tags")
    __match_args__ = ("name", "tags")

    name: str
    tags: TagPairs
    origin: Origin | None

    # Not a dataclass: that module takes as long to load as half of this library.
    def __init__(
        self, name: str, tags: TagPairs = (), origin: Origin | None = None
    ) -> None:
        for tag, _ in tags:
            checked_tag_name(tag)
        set_attribute = object.__setattr__
        set_attribute(self, "name", checked_name(name))
        set_attribute(self, "tags", tags)
        set_attribute(self, "origin", origin)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"cannot set {name!r}: a Key is immutable")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"cannot delete {name!r}: a Key is immutable")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Key):
            return NotImplemented
        return (self.name, self.tags) == (other.name, other.tags)

    def __hash__(self) -> int:
        return hash((self.name, self.tags))

    def __repr__(self) -> str:
        return f"Key(name={self.name!r}, tags={self.tags!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        # As a plain tuple, so that the pickle refers to no class of ours but Key.
        origin = None if self.origin is None else tuple(self.origin)
        return public(type(self)), (self.name, self.tags), origin

    def __setstate__(self, origin: tuple[Any, ...]) -> None:
        object.__setattr__(self, "origin", Origin(*origin))

    @property
    def path(self) -> str:
        """
        The path under a root, with `/` between segments and without a suffix.

        Capitals are not encoded here; a `FileHandler` encodes them where the file
        system folds case.
        """
        folders = [_folder_of_tag(name, tag_text(value)) for name, value in self.tags]
        return "/".join([*folders, _path_of_name(self.name)])

    def __str__(self) -> str:
        tags = ", ".join(f"{name}={tag_text(value)}" for name, value in self.tags)
        return f"{self.name!r} [{tags}]" if tags else repr(self.name)


def joined_name(prefix: object, name: object) -> Any:
    """Join a prefix and a name; a tuple, which is not a name, if one is not a text."""
    if isinstance(prefix, str) and isinstance(name, str):
        return f"{prefix}.{name}"
    return (prefix, name)


def checked_name(name: object) -> str:
    """Return the name of a checkpoint; `ConfigError` if it is invalid."""
    if not isinstance(name, str) or not all(name.split(".")):
        is_shown = isinstance(name, str | tuple | int | None)
        given = shown(name) if is_shown else f"of type {type(name).__qualname__}"
        message = (
            f"invalid checkpoint name {given}: use non-empty parts joined by dots, "
            "such as 'mypkg.fit'"
        )
        if not isinstance(name, str | tuple):
            message += "; is the name first, before the data?"
        if isinstance(name, tuple):
            message += (
                ". It is a prefix and a name; several values are given by name, as in "
                "checkpoint('mypkg.fit', x=1, y=2)"
            )
        raise ConfigError(message)
    return name


@lru_cache(maxsize=4096)
def escape(text: str) -> str:
    """Percent-encode a text; the result is plain ASCII without separators."""
    data = text.encode("utf-8", "surrogatepass")
    return "".join([_ENCODED[byte] for byte in data])


@lru_cache(maxsize=4096)
def _path_of_name(name: str) -> str:
    parts = [_cut(escape(part), SEGMENT_BYTES) for part in name.split(".")]
    return "/".join(map(_portable, parts))


@lru_cache(maxsize=4096)
def _folder_of_tag(name: str, value: str) -> str:
    # A name is cut to less than the whole segment, so that its `=` always fits.
    start = _cut(escape(name), SEGMENT_BYTES // 2) + "="
    return _portable(start + _cut(escape(value), SEGMENT_BYTES - len(start)))


def _cut(escaped: str, limit: int) -> str:
    """Shorten an escaped text to the limit, and append a hash of the whole text."""
    if len(escaped) <= limit:
        return escaped
    # Imported only for long texts, because it loads OpenSSL.
    digest = (
        imported("hashlib")
        .blake2b(escaped.encode(), digest_size=_HASH_BYTES)
        .hexdigest()
    )
    kept = escaped[: limit - len(digest) - 1]
    # `~` is always escaped, so it marks a cut and nothing else.
    return f"{re.sub('%.?$', '', kept)}~{digest}"


@lru_cache(maxsize=4096)
def _portable(segment: str) -> str:
    """Return an escaped segment as a file name that no system treats specially."""
    # A leading dot hides a file, a leading dash means an option to many commands, and
    # Windows drops a trailing dot.
    if segment[0] in ".-" or is_device(segment):
        segment = f"%{ord(segment[0]):02X}{segment[1:]}"
    if segment[-1] == ".":
        segment = f"{segment[:-1]}%2E"
    # Decoded last: both spellings are then cut at the same character.
    return readable(segment)


def parse_folder(segments: Iterable[str]) -> tuple[Tags, tuple[str, ...]]:
    """
    Parse the folders of a path into tags and prefixes, as texts.

    A value that is too long for a file name comes back cut, with its hash; the file's
    header has the whole value.
    """
    pairs = []
    prefixes = []
    for segment in segments:
        name, equals, value = segment.partition("=")
        if equals and name:
            pairs.append((unescape(name), unescape(value)))
        else:
            prefixes.append(unescape(segment))
    return Tags(pairs), tuple(prefixes)


def name_in_path(name: str) -> str:
    """
    Return a name as it comes back from a path, where long parts are cut.

    >>> name_in_path("mypkg.fit")
    'mypkg.fit'
    """
    parts = [part if _is_cut(part) else _whole(part) for part in name.split(".")]
    return ".".join(parts)


def tag_in_path(name: str, text: str) -> tuple[str, str]:
    """Return a tag as it comes back from a path, where a long name or value is cut."""
    folder = _folder_of_tag(name, "" if _is_cut(text) else text)
    ((cut, value),) = parse_folder([folder])[0].items()
    return name if _is_cut(name) else cut, text if _is_cut(text) else value


def _whole(part: str) -> str:
    return unescape(_cut(escape(part), SEGMENT_BYTES))


def _is_cut(text: str) -> bool:
    """Tell whether a text comes from a path and had been cut there."""
    return _CUT.search(text) is not None


def unescape(segment: str) -> str:
    """Undo `escape`; a text that was never escaped comes back unchanged."""
    if "%" not in segment:
        return segment
    data = _ESCAPE.sub(_unescaped, segment.encode("utf-8", "surrogatepass"))
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:  # cut inside a character, or not from `escape`
        return data.decode("utf-8", "replace")


def _unescaped(found: re.Match[bytes]) -> bytes:
    return bytes.fromhex(found[1].decode())
