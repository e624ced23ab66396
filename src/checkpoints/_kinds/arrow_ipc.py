"""
What an Arrow IPC file claims, read from its own notes before any library sees them.

Files of ours are written in order and uncompressed: each buffer lies behind the one
before it, and is used once. Whatever else is there could grow without a limit.
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


class _Table(NamedTuple):
    """A table of a flatbuffer: its bytes, where it begins, and where its fields do."""

    data: memoryview
    at: int

    def field(self, number: int) -> int:
        """Return where a field lies, or 0 where it is left out."""
        directory = self.at - self._number("<i", self.at)
        if 4 + 2 * number >= self._number("<H", directory):
            return 0
        offset = self._number("<H", directory + 4 + 2 * number)
        return self.at + offset if offset else 0

    def number(self, number: int, form: str) -> int:
        at = self.field(number)
        return self._number(form, at) if at else 0

    def table(self, number: int) -> _Table:
        at = self.field(number)
        if not at:
            raise ValueError("a part of an Arrow message is missing")
        return _Table(self.data, at + self._number("<I", at))

    def pairs(self, number: int, form: struct.Struct) -> Iterator[tuple[int, ...]]:
        """Yield the structs of a vector."""
        at = self.field(number)
        if not at:
            return
        at += self._number("<I", at)
        for position in range(self._number("<I", at)):
            yield form.unpack_from(self.data, at + 4 + position * form.size)

    def _number(self, form: str, at: int) -> int:
        # From the end on is where Python would look for what lies before the start.
        if at < 0:
            raise ValueError("an Arrow message points outside itself")
        number: int = struct.unpack_from(form, self.data, at)[0]
        return number


def cells_in(data: memoryview) -> int:
    """
    Return how many cells the file claims to hold, those of nested columns too.

    Args:
        data: The bytes of the file.

    Raises:
        ValueError: If it is no such file, or one that was never written here.
    """
    try:
        return sum(map(_cells, _messages(data)))
    except struct.error as error:
        raise ValueError("it is no Arrow file, or cut short") from error


def _messages(data: memoryview) -> Iterator[_Table]:
    """Yield the batches, each as the table of its buffers, once all fits together."""
    if bytes(data[:6]) != _MAGIC or bytes(data[-6:]) != _MAGIC:
        raise ValueError("it is no Arrow file")
    start = len(data) - 10 - struct.unpack_from("<i", data, len(data) - 10)[0]
    if not 0 < start < len(data):
        raise ValueError("it is no Arrow file, or cut short")
    footer = _root(data[start : len(data) - 10])
    blocks = [
        block
        for number in (_DICTIONARIES, _BATCHES)
        for block in footer.pairs(number, _BLOCK)
    ]
    end = 0
    for offset, notes, body in sorted(blocks):
        if offset < end or notes <= 0 or body < 0 or offset + notes + body > start:
            raise ValueError("its batches do not lie one behind the other")
        end = offset + notes + body
        yield _batch(data[offset : offset + notes], body)


def _root(data: memoryview) -> _Table:
    return _Table(data, struct.unpack_from("<I", data)[0])


def _batch(notes: memoryview, body: int) -> _Table:
    marked = struct.unpack_from("<I", notes)[0] == _CONTINUATION
    message = _root(notes[8 if marked else 4 :])
    batch = message.table(_HEADER)
    kind = message.number(_HEADER_TYPE, "<B")
    if kind == _DICTIONARY_TYPE:
        batch = batch.table(1)
    elif kind != _BATCH_TYPE:
        raise ValueError("a batch of it is none")
    if batch.field(_COMPRESSION):
        raise ValueError("its buffers are compressed, which is never written")
    end = 0
    for offset, length in batch.pairs(_BUFFERS, _PAIR):
        if length and (offset < end or length < 0 or offset + length > body):
            raise ValueError("its buffers do not lie one behind the other")
        end = max(end, offset + length)
    return batch


def _cells(batch: _Table) -> int:
    lengths = [length for length, _ in batch.pairs(_NODES, _PAIR)]
    lengths.append(batch.number(_LENGTH, "<q"))
    if min(lengths) < 0:
        raise ValueError("a column of it has fewer rows than none")
    return sum(lengths)
