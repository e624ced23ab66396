"""
What the columns of a Parquet file may take in memory, before they are read.

Text that occurs often is stored once, in a page of its own at the start of a column, so
that a small file can hold any number of rows of long text.
"""

from __future__ import annotations

import collections
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

from checkpoints._kinds.arrow_types import is_fixed

__all__ = ["Claims", "claims_of"]

# The fields that are read of a struct, by number, and which of theirs.
_Wanted: TypeAlias = "Mapping[int, _Wanted]"

# Physical types of columns as a file numbers them, and the widths of others in bytes;
# of text, what its place takes.
_TEXT = 6
_WIDTHS = {0: 1, 1: 4, 4: 4, _TEXT: 4}
_OTHER_WIDTH = 8
_DICTIONARY_PAGE = 2

# The numbers are those of the format's file `parquet.thrift`.
_COLUMN: _Wanted = {1: {}, 3: {}, 5: {}, 6: {}, 11: {}}
_FOOTER: _Wanted = {4: {1: {3: _COLUMN}, 3: {}}}
_PAGE: _Wanted = {1: {}, 2: {}}
# After the footer come its length, in four bytes, and four more.
_ENDING = 8

# The types of Thrift's compact protocol that occur in a footer.
_TRUTHS, _INTEGERS, _BINARY, _LIST, _STRUCT = (1, 2), (4, 5, 6), 8, 9, 12
# Of a byte, a float and a UUID, in bytes.
_SIZES = {3: 1, 7: 8, 13: 16}
_MOST_BITS = 64


class Claims(NamedTuple):
    """
    What a file claims about its columns.

    Args:
        size: The least memory of all columns, in bytes.
        largest_row: The most that a row may take, where text is stored once.
    """

    size: int
    largest_row: float

    def rows_within(self, size: int, most: int) -> int:
        """Return how many rows surely take no more than a size, from 1 to `most`."""
        return max(1, min(most, int(size / max(1, self.largest_row))))


def claims_of(data: Any, schema: Any) -> Claims:
    """
    Return what a Parquet file claims about its columns.

    Args:
        data: The bytes of the file.
        schema: As the file is read, a `pyarrow.Schema`.

    Raises:
        ValueError: The footer, or the header of a page, is not a valid one.
    """
    view = memoryview(data).cast("B")  # the bytes of a pyarrow.Buffer have signs
    size, largest_row = 0, 0.0
    for rows, column in _columns_of(view):
        kind, path, count, unpacked = (column[number] for number in (1, 3, 5, 6))
        if min(rows, count, unpacked) < 0:
            raise ValueError("a column claims a negative size")
        size += count * _WIDTHS.get(kind, _OTHER_WIDTH)
        if kind != _TEXT:
            continue
        page = column.get(11)
        if page is None:
            size += unpacked
        elif not _is_kept(schema, path):
            largest_row = max(
                largest_row, count / max(1, rows) * _page_size(view, page)
            )
    return Claims(size, largest_row)


def _columns_of(data: memoryview) -> Iterator[tuple[int, dict[int, Any]]]:
    """
    Yield the metadata of each column of each row group, with the rows of the group.

    pyarrow's own objects for it end the process where a file contradicts itself.
    """
    length = int.from_bytes(data[-_ENDING:-4], "little")
    footer = _Thrift(data, len(data) - _ENDING - length).struct(_FOOTER)
    for group in footer[4]:
        for chunk in group[1]:
            yield group[3], chunk[3]


def _is_kept(schema: Any, path: list[memoryview]) -> bool:
    """Tell whether the text of a column is stored once in memory as well."""
    position = schema.get_field_index(b".".join(path))
    return position >= 0 and is_fixed(schema.field(position).type)


def _page_size(data: memoryview, at: int) -> int:
    """Return the unpacked size of the page of texts at a position."""
    if at < 0:
        raise ValueError("a page begins before the file")
    page = _Thrift(data, at).struct(_PAGE)
    if page[1] != _DICTIONARY_PAGE:
        raise ValueError("the first page of a column is of another type")
    return int(page[2])


class _Thrift:
    """
    Reads structs of Thrift's compact protocol, from a position on.

    Source: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md

    Args:
        data: The bytes.
        at: Where to start.
    """

    def __init__(self, data: memoryview, at: int) -> None:
        self._data = data
        self._at = at

    def struct(self, wanted: _Wanted | None) -> dict[int, Any]:
        """Return the fields that are wanted, by number."""
        fields = wanted or {}
        found: dict[int, Any] = {}
        number = 0
        while start := self._byte():
            number = number + (start >> 4) if start >> 4 else self._integer()
            value = self._value(start & 0xF, fields.get(number))
            if number in fields:
                found[number] = value
        return found

    def _value(self, kind: int, wanted: _Wanted | None) -> Any:
        if kind in _INTEGERS:
            return self._integer()
        if kind == _BINARY:
            return self._bytes(self._varint())
        if kind == _STRUCT:
            return self.struct(wanted)
        if kind == _LIST:
            return self._list(wanted)
        if kind in _TRUTHS:
            return kind
        if kind in _SIZES:
            return self._bytes(_SIZES[kind])
        raise ValueError(f"a field of its footer is of the type {kind}")

    def _list(self, wanted: _Wanted | None) -> list[Any]:
        start = self._byte()
        count, kind = start >> 4, start & 0xF
        if count == 0xF:  # noqa: PLR2004 - the number follows
            count = self._varint()
        if kind in _TRUTHS:
            raise ValueError("its footer has a list of truths")
        values = (self._value(kind, wanted) for _ in range(count))
        if wanted is not None:
            return list(values)
        # It may be long, and must not take the memory of a list.
        collections.deque(values, maxlen=0)
        return []

    def _bytes(self, size: int) -> memoryview:
        start, self._at = self._at, self._at + size
        return self._data[start : self._at]

    def _integer(self) -> int:
        number = self._varint()
        return -(number + 1 >> 1) if number & 1 else number >> 1

    def _varint(self) -> int:
        number = shift = 0
        while shift < _MOST_BITS:
            byte = self._byte()
            number |= (byte & 0x7F) << shift
            if byte < 0x80:  # noqa: PLR2004 - the last byte of a number
                return number
            shift += 7
        raise ValueError("its footer has a number that is too long")

    def _byte(self) -> int:
        byte = self._data[self._at]
        self._at += 1
        return byte
