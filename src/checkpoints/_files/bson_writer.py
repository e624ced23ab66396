"""BSON, written from front to back; large buffers are passed on, not copied."""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import TypeAlias

from checkpoints._kinds.kind import Buffer
from checkpoints.errors import FormatError

__all__ = ["BsonWriter"]

Opened: TypeAlias = "tuple[bytearray, int, int]"

_INT32 = struct.Struct("<i")
_LARGEST = (1 << 31) - 1
# From this size on, a copy costs more than a piece of its own.
_WORTH_A_PIECE = 1 << 16
_ALIGN = 8


class BsonWriter:
    r"""
    A document that is being written.

    Attributes:
        pieces: What was written so far.

    >>> writer = BsonWriter()
    >>> start = writer.open()
    >>> writer.text("name", "Ada")
    >>> writer.close(start)
    >>> b"".join(writer.pieces)
    b'\x13\x00\x00\x00\x02name\x00\x04\x00\x00\x00Ada\x00\x00'
    """

    def __init__(self) -> None:
        self._out = bytearray()
        self.pieces: list[Buffer] = [self._out]
        self._before = 0

    @property
    def size(self) -> int:
        """How many bytes were written so far."""
        return self._before + len(self._out)

    def open(self, key: str | None = None, *, is_array: bool = False) -> Opened:
        """Begin a document or an array; return what `close` needs."""
        if key is not None:
            self._element(b"\x04" if is_array else b"\x03", key)
        opened = self._out, len(self._out), self.size
        self._out += bytes(_INT32.size)
        return opened

    def close(self, opened: Opened) -> None:
        """
        End a document or an array.

        Raises:
            FormatError: If it has become larger than BSON allows.
        """
        out, at, start = opened
        self._out += b"\0"
        _INT32.pack_into(out, at, _checked(self.size - start))

    def null(self, key: str) -> None:
        """Add a null."""
        self._element(b"\x0a", key)

    def boolean(self, key: str, value: bool) -> None:  # noqa: FBT001 - the value itself
        """Add a boolean."""
        self._element(b"\x08", key)
        self._out.append(value)

    def double(self, key: str, value: float) -> None:
        """Add a number of 64 bits."""
        self._element(b"\x01", key)
        self._out += struct.pack("<d", value)

    def int64(self, key: str, value: int) -> None:
        """Add an integer of 64 bits."""
        self._element(b"\x12", key)
        self._out += value.to_bytes(8, "little", signed=True)

    def text(self, key: str, value: str) -> None:
        """Add a text; raise `UnicodeEncodeError` if it is none."""
        data = value.encode("utf-8", "surrogateescape")
        self._element(b"\x02", key)
        self._out += _INT32.pack(_checked(len(data) + 1)) + data + b"\0"

    def binary(self, key: str, data: Buffer) -> None:
        """Add bytes."""
        view = memoryview(data)
        self._element(b"\x05", key)
        self._out += _INT32.pack(_checked(view.nbytes)) + b"\0"
        if view.nbytes < _WORTH_A_PIECE:
            self._out += view
            return
        self._before += len(self._out) + view.nbytes
        self._out = bytearray()
        self.pieces += [view, self._out]

    def whole(self, key: str, document: bytes) -> None:
        """Add a document that was written before."""
        self._element(b"\x03", key)
        self._out += document

    def align(self, key: str) -> None:
        """Add a text of such a length that the data of a following key is aligned."""
        fixed = 2 * (1 + len(key) + 1) + 4 + 1 + 5
        self.text("_" * len(key), " " * (-(self.size + fixed) % _ALIGN))

    def _element(self, kind: bytes, key: str) -> None:
        self._out += kind + _encoded(key)


@lru_cache(maxsize=1024)
def _encoded(key: str) -> bytes:
    return key.encode() + b"\0"


def _checked(size: int) -> int:
    if size > _LARGEST:
        raise FormatError(
            "it takes more than 2 GiB, and a value of BSON cannot: save its parts "
            "under names of their own, or use format='zip'"
        )
    return size
