"""
BSON documents as Python values, as far as Julia's BSON package writes them.

Every length is checked against the bytes that are there, and the memory that the values
take is counted, so that a small file cannot ask for much.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from typing import Any, TypeAlias

from checkpoints.errors import FormatError

__all__ = ["Int32", "Raw", "document", "text_of"]

Buffer: TypeAlias = "bytes | memoryview"

# Those that Julia writes.
_ELEMENT = re.compile(rb"([\x01-\x05\x08\x0a\x10\x12])([^\0]*)\0")
# Those that only other programs write, such as dates and identifiers.
_FOREIGN = frozenset(b"\x06\x07\x09\x0b\x0c\x0d\x0e\x0f\x11\x13\x7f\xff")
_INT32 = struct.Struct("<i").unpack_from
_INT64 = struct.Struct("<q").unpack_from
_DOUBLE = struct.Struct("<d").unpack_from
_SHORTEST = 5
_MOST_LEVELS = 400
_SMALL, _SHORT = 1 << 16, 1 << 10
# The memory that a container and each of its items take, roughly.
_WEIGHT, _WEIGHT_OF_ITEM = 200, 100


class Int32(int):
    """An integer that was stored in 32 bits."""


class Raw:
    """
    A document that was not decoded.

    Args:
        data: Its bytes, as a view: those of nested ones would add up.
    """

    __slots__ = ("data",)

    def __init__(self, data: memoryview) -> None:
        self.data = data


def document(
    data: Buffer, spend: Callable[[int], None], raw: str | None = None
) -> dict[str, Any]:
    """
    Decode the document that bytes begin with; what follows it is ignored.

    Args:
        data: The bytes. Binary values are views of them.
        spend: Called with the memory that values are about to take.
        raw: The key of documents to return as `Raw`.

    Raises:
        ValueError: If it is damaged.
        FormatError: If it has elements that Julia does not write, or is nested too
            deep.
    """
    decoder = _Decoder(memoryview(data), spend, raw)
    found: dict[str, Any] = decoder.container(0, len(data), 0, is_array=False)[0]
    decoder.settle()
    return found


class _Decoder:
    """Decodes one document, with all those inside it."""

    def __init__(
        self, data: memoryview, spend: Callable[[int], None], raw: str | None
    ) -> None:
        self._data = data
        self._spend = spend
        self._owed = 0
        # Small ones as bytes, which are faster to take apart.
        self._whole: Buffer = bytes(data) if len(data) <= _SMALL else data
        self._raw = None if raw is None else raw.encode()

    def container(
        self, start: int, limit: int, level: int, *, is_array: bool
    ) -> tuple[Any, int]:
        """Return a document or an array, and where it ends."""
        end = self._end(start, limit)
        if level > _MOST_LEVELS:
            raise FormatError("it is nested too deep to be read")
        items: list[Any] = []
        keys: list[bytes] = []
        data, at, scalar = self._whole, start + 4, _SCALARS.get
        while at < end - 1:
            found = _ELEMENT.match(data, at, end)
            if found is None:
                raise _unreadable(data[at])
            kind, key = found.groups()
            at = found.end()
            keys.append(key)
            read = scalar(kind)
            if read is not None:
                value, at = read(data, at, end)
            elif kind == b"\x02":
                first, at = _text_in(data, at, end)
                value = text_of(data[first : at - 1], self._owe)
            elif kind == b"\x05":
                first, at = _sized(data, at, end, 5)
                value = self._data[first:at]
            elif kind == b"\x03" and key == self._raw and not is_array:
                last = self._end(at, end)
                value, at = Raw(self._data[at:last]), last
            else:
                value, at = self.container(at, end, level + 1, is_array=kind == b"\x04")
            items.append(value)
        if at != end - 1 or data[at]:
            raise ValueError("a BSON document has another length than it says")
        self._owe(_WEIGHT + _WEIGHT_OF_ITEM * len(items))
        if is_array:
            return items, end
        names = [key.decode("utf-8", "surrogateescape") for key in keys]
        return dict(zip(names, items, strict=True)), end

    def settle(self) -> None:
        """Take the memory of what was decoded since the last time."""
        self._spend(self._owed)
        self._owed = 0

    def _owe(self, size: int) -> None:
        self._owed += size
        if self._owed > _SMALL:
            self.settle()

    def _end(self, start: int, limit: int) -> int:
        length = _INT32(self._whole, start)[0] if start + 4 <= limit else 0
        if length < _SHORTEST or length > limit - start:
            raise ValueError("a BSON document is longer than what contains it")
        return start + length


def _unreadable(kind: int) -> Exception:
    if kind not in _FOREIGN:
        return ValueError("an element of a BSON document is damaged")
    return FormatError(
        f"it holds an element of BSON's type {kind:#04x}, which Julia does not write"
    )


def _fixed(
    size: int, read: Callable[[Buffer, int], Any]
) -> Callable[[Buffer, int, int], tuple[Any, int]]:
    def scalar(data: Buffer, at: int, end: int) -> tuple[Any, int]:
        if at + size > end:
            raise ValueError("a number in a BSON document is cut off")
        return read(data, at), at + size

    return scalar


def text_of(data: Buffer, spend: Callable[[int], None]) -> str:
    """
    Return a text from its bytes.

    Args:
        data: The bytes, in UTF-8.
        spend: Called with the memory that the text is about to take.
    """
    if len(data) < _SHORT:  # of which a copy costs less than an error
        short = bytes(data)
        spend(len(short) if short.isascii() else 4 * len(short))
        return short.decode("utf-8", "surrogateescape")
    spend(len(data))
    try:
        return str(data, "ascii")
    except UnicodeDecodeError:
        # One character can make all of them take four bytes.
        spend(3 * len(data))
    return str(data, "utf-8", "surrogateescape")


def _text_in(data: Buffer, at: int, end: int) -> tuple[int, int]:
    """Return where a text starts, and where its NUL ends."""
    start = at + 4
    last = start + _INT32(data, at)[0] if start <= end else 0
    if not start < last <= end or data[last - 1]:
        raise ValueError("a text in a BSON document has no end")
    return start, last


def _sized(data: Buffer, at: int, end: int, prefix: int) -> tuple[int, int]:
    """Return where something with a length in front of it starts and ends."""
    start = at + prefix
    length = _INT32(data, at)[0] if start <= end else -1
    if length < 0 or length > end - start:
        raise ValueError("a BSON value is longer than its document")
    return start, start + length


def _bool(data: Buffer, at: int) -> bool:
    if data[at] > 1:
        raise ValueError("a boolean in a BSON document is neither true nor false")
    return bool(data[at])


_SCALARS: dict[bytes, Callable[[Buffer, int, int], tuple[Any, int]]] = {
    b"\x01": _fixed(8, lambda data, at: _DOUBLE(data, at)[0]),
    b"\x08": _fixed(1, _bool),
    b"\x0a": _fixed(0, lambda _data, _at: None),
    b"\x10": _fixed(4, lambda data, at: Int32(_INT32(data, at)[0])),
    b"\x12": _fixed(8, lambda data, at: _INT64(data, at)[0]),
}
