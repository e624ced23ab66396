"""The document that a file of JLSO begins with, in any of its four versions."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from checkpoints._files.julia_bson import BsonValues
from checkpoints.errors import FormatError

__all__ = ["JlsoDocument", "Stored", "version_text"]

_VERSIONS = ("1", "2", "3", "4")
_COMPRESSIONS = ("none", "gzip", "gzip_fastest", "gzip_smallest")
_FORMATS = ("bson", "julia_serialize", "serialize")
_INTEGER_BYTES = 8


class Stored(NamedTuple):
    """
    The bytes of an object, as they are in the file.

    Args:
        start: Where they start.
        size: How many there are.
        data: The bytes, if they are in the document itself.
    """

    start: int
    size: int
    data: memoryview | None = None


class JlsoDocument:
    """
    What a file says of itself, and where its objects are.

    Args:
        data: The bytes of the document.
        size: The size of the file.
        spend: Called with the memory that values are about to take.

    Raises:
        ValueError: If it is damaged.
        FormatError: If it has a later version, or an unknown format or compression.
    """

    def __init__(
        self, data: memoryview, size: int, spend: Callable[[int], None]
    ) -> None:
        found = BsonValues(data, spend)
        root = found.table(found.root)
        meta = found.table(root.get("metadata"))
        self.meta_type = found.type_of(root["metadata"])
        self.meta = {name: found.value(node) for name, node in meta.items()}
        self.version = version_text(self.meta.get("version"))
        self.compression = str(self.meta.get("compression", "none"))
        self.format = str(self.meta.get("format"))
        self._check()
        # Of the bytes of the file, those that neither the document nor objects take.
        self.unused = size - len(data)
        if self.version.partition(".")[0] == _VERSIONS[-1]:
            self.objects = dict(_following(found, root, len(data), size))
            self.unused -= sum(it.size for it in self.objects.values())
        else:
            self.objects = dict(_inside(found.table(root["objects"])))
        # Objects that share their bytes would make a small file a large one.
        if self.unused < 0:
            raise ValueError("its objects overlap")

    def _check(self) -> None:
        if self.version.partition(".")[0] not in _VERSIONS:
            raise FormatError(
                f"it has version {self.version!r:.40} of JLSO, and this library reads "
                "1 to 4: install a later version of checkpoints"
            )
        for known, found in (
            (_COMPRESSIONS, self.compression),
            (_FORMATS, self.format),
        ):
            if found not in known:
                raise FormatError(
                    f"{found!r:.40} is none of {', '.join(known)}: save it again with "
                    "one of these"
                )


def _following(
    document: BsonValues, root: dict[str, Any], start: int, size: int
) -> Iterator[tuple[str, Stored]]:
    """Yield the objects that follow the document."""
    names = document.value(root["object-names"])
    starts = _integers(root["object-pos"])
    sizes = _integers(root["object-nbytes"])
    taken: set[str] = set()
    for name, at, length in zip(names, starts, sizes, strict=True):
        if not isinstance(name, str) or name in taken:
            raise ValueError("the names of its objects are not distinct texts")
        taken.add(name)
        if at < start or not 0 <= length <= size - at:
            raise ValueError(f"value {name!r:.80} lies outside of the file")
        yield name, Stored(at, length)


def _inside(table: dict[str, Any]) -> Iterator[tuple[str, Stored]]:
    """Yield the objects that are in the document."""
    for name, data in table.items():
        if not isinstance(data, memoryview):
            raise ValueError(f"value {name!r:.80} is not made of bytes")  # noqa: TRY004 - of a file
        yield name, Stored(0, len(data), data)


def _integers(node: Any) -> tuple[int, ...]:
    data = node.get("data") if isinstance(node, dict) else None
    if not isinstance(data, memoryview) or len(data) % _INTEGER_BYTES:
        raise ValueError("the positions of its objects are not integers")
    return struct.unpack(f"<{len(data) // _INTEGER_BYTES}q", data)


def version_text(version: Any) -> str:
    """Return a version as text; early files have it as a struct of Julia."""
    if isinstance(version, str):
        return version
    try:
        return f"{version['major']}.{version['minor']}.{version['patch']}"
    except (TypeError, LookupError):
        return ""
