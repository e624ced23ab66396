"""
The structure of an Arrow IPC file, checked before a library reads the file.

Files written here are uncompressed, and each of their buffers lies behind the previous
one and is used once. Any other file could need memory without limit.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["cells_in"]

_MAGIC = b"ARROW1"
_CONTINUATION = 0xFFFFFFFF
_DICTIONARIES, _BATCHES = 2, 3
_HEADER_TYPE, _HEADER = 1, 2
_DICTIONARY_TYPE, _BATCH_TYPE = 2, 3
_LENGTH, _NODES, _BUFFERS, _COMPRESSION = 0, 1, 2, 3
_BLOCK = struct.Struct("<qi4xq")
_PAIR = struct.Struct("<2q")


class _FlatTable(NamedTuple):
    """A table of a FlatBuffers message: the bytes, and the position of the table."""

    data: memoryview
    at: int

    def field(self, number: int) -> int:
        """Return the position of a field, or 0 if it is absent."""
        directory = self.at - self._number("<i", self.at)
        if 4 + 2 * number >= self._number("<H", directory):
            return 0
        offset = self._number("<H", directory + 4 + 2 * number)
        return self.at + offset if offset else 0

    def number(self, number: int, form: str) -> int:
        at = self.field(number)
        return self._number(form, at) if at else 0

    def table(self, number: int) -> _FlatTable:
        at = self.field(number)
        if not at:
            raise ValueError("an Arrow message is incomplete")
        return _FlatTable(self.data, at + self._number("<I", at))

    def pairs(self, number: int, form: struct.Struct) -> Iterator[tuple[int, ...]]:
        """Yield the structs of a vector."""
        at = self.field(number)
        if not at:
            return
        at += self._number("<I", at)
        for position in range(self._number("<I", at)):
            yield form.unpack_from(self.data, at + 4 + position * form.size)

    def _number(self, form: str, at: int) -> int:
        # Python would count a negative position from the end.
        if at < 0:
            raise ValueError("an Arrow message points outside itself")
        number: int = struct.unpack_from(form, self.data, at)[0]
        return number


def cells_in(data: memoryview) -> int:
    """
    Return how many cells the file claims to contain, including nested columns.

    Args:
        data: The bytes of the file.

    Raises:
        ValueError: If it is not such a file, or has a form that is never written.
    """
    try:
        return sum(map(_cells, _messages(data)))
    except struct.error as error:
        raise ValueError("not an Arrow file, or truncated") from error


def _messages(data: memoryview) -> Iterator[_FlatTable]:
    """Yield the record batches in order, and check that they do not overlap."""
    if bytes(data[:6]) != _MAGIC or bytes(data[-6:]) != _MAGIC:
        raise ValueError("not an Arrow file")
    start = len(data) - 10 - struct.unpack_from("<i", data, len(data) - 10)[0]
    if not 0 < start < len(data):
        raise ValueError("not an Arrow file, or truncated")
    footer = _root(data[start : len(data) - 10])
    blocks = [
        block
        for number in (_DICTIONARIES, _BATCHES)
        for block in footer.pairs(number, _BLOCK)
    ]
    end = 0
    for offset, head, body in sorted(blocks):
        if offset < end or head <= 0 or body < 0 or offset + head + body > start:
            raise ValueError("invalid position of a record batch in the Arrow file")
        end = offset + head + body
        yield _batch(data[offset : offset + head], body)


def _root(data: memoryview) -> _FlatTable:
    return _FlatTable(data, struct.unpack_from("<I", data)[0])


def _batch(head: memoryview, body: int) -> _FlatTable:
    is_marked = struct.unpack_from("<I", head)[0] == _CONTINUATION
    message = _root(head[8 if is_marked else 4 :])
    batch = message.table(_HEADER)
    kind = message.number(_HEADER_TYPE, "<B")
    if kind == _DICTIONARY_TYPE:
        batch = batch.table(1)
    elif kind != _BATCH_TYPE:
        raise ValueError("an Arrow message is not a record batch")
    if batch.field(_COMPRESSION):
        raise ValueError(
            "buffers of the Arrow file are compressed, which is not supported"
        )
    end = 0
    for offset, length in batch.pairs(_BUFFERS, _PAIR):
        if length and (offset < end or length < 0 or offset + length > body):
            raise ValueError("invalid position of a buffer in the Arrow file")
        end = max(end, offset + length)
    return batch


def _cells(batch: _FlatTable) -> int:
    lengths = [length for length, _ in batch.pairs(_NODES, _PAIR)]
    lengths.append(batch.number(_LENGTH, "<q"))
    if min(lengths) < 0:
        raise ValueError("a column of the Arrow file has a negative length")
    return sum(lengths)
