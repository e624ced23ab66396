"""
What the columns of a Parquet file may take in memory, before they are read.

Text that occurs often is stored once, in a page of its own at the start of a column, so
that a small file can hold any number of rows of long text.
"""

from __future__ import annotations

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
# After the footer come its length, in four bytes, and four more.
_ENDING = 8

# The types of Thrift's compact protocol that occur in a footer.
_TRUTHS, _INTEGERS, _BINARY, _LIST, _STRUCT = (1, 2), (4, 5, 6), 8, 9, 12
# The bytes of a truth, which is in the type; of a byte, a float and a UUID.
_SIZES = {1: 0, 2: 0, 3: 1, 7: 8, 13: 16}
# What is left of a byte without its type, or without the mark that more follow.
_TYPE, _LAST, _MOST_BITS = 0xF, 0x7F, 64
# The first two fields of the header of a page: how each begins, and how long both are.
_NEXT_INTEGER, _LONGEST = b"\x15", 22


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
    footer, _ = _struct(bytes(data[-_ENDING - length : -_ENDING]), 0, _FOOTER)
    for group in footer[4]:
        for chunk in group[1]:
            yield group[3], chunk[3]


def _is_kept(schema: Any, path: list[bytes]) -> bool:
    """Tell whether the text of a column is stored once in memory as well."""
    position = schema.get_field_index(b".".join(path))
    return position >= 0 and is_fixed(schema.field(position).type)


def _page_size(data: memoryview, at: int) -> int:
    """Return the unpacked size of the page of texts at a position."""
    header, at = bytes(data[at : at + _LONGEST]) if at >= 0 else b"", 0
    numbers = []
    for _ in range(2):
        if header[at : at + 1] != _NEXT_INTEGER:
            raise ValueError("the header of a page is not a valid one")
        number, at = _integer(header, at + 1)
        numbers.append(number)
    if numbers[0] != _DICTIONARY_PAGE:
        raise ValueError("the first page of a column is of another type")
    return numbers[1]


def _struct(data: bytes, at: int, wanted: _Wanted) -> tuple[dict[int, Any], int]:
    """
    Return the fields that are wanted of a struct, by number, and the position after it.

    Source: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
    """
    found: dict[int, Any] = {}
    number = 0
    while start := data[at]:
        at += 1
        step, kind = start >> 4, start & _TYPE
        if step:
            number += step
        else:
            number, at = _integer(data, at)
        if number in wanted:
            found[number], at = _value(data, at, kind, wanted[number])
        else:
            at = _after(data, at, kind)
    return found, at + 1


def _value(data: bytes, at: int, kind: int, wanted: _Wanted) -> tuple[Any, int]:
    if kind in _INTEGERS:
        return _integer(data, at)
    if kind == _STRUCT:
        return _struct(data, at, wanted)
    if kind == _BINARY:
        size, at = _varint(data, at)
        return data[at : at + size], at + size
    if kind != _LIST:
        raise ValueError(f"a field of its footer is of the type {kind}")
    count, kind, at = _items(data, at)
    values = []
    for _ in range(count):
        value, at = _value(data, at, kind, wanted)
        values.append(value)
    return values, at


def _after(data: bytes, at: int, kind: int) -> int:
    """Return the position after a value."""
    if kind in _INTEGERS:
        while data[at] > _LAST:
            at += 1
        return at + 1
    if kind == _BINARY:
        size, at = _varint(data, at)
        return at + size
    if kind == _STRUCT:
        return _struct(data, at, {})[1]
    if kind == _LIST:
        count, kind, at = _items(data, at)
        for _ in range(count):
            at = _after(data, at, kind)
        return at
    if kind in _SIZES:
        return at + _SIZES[kind]
    raise ValueError(f"a field of its footer is of the type {kind}")


def _items(data: bytes, at: int) -> tuple[int, int, int]:
    """Return the length of a list, the type of its items, and where they begin."""
    count, kind = data[at] >> 4, data[at] & _TYPE
    if kind in _TRUTHS:
        raise ValueError("its footer has a list of truths")
    if count == _TYPE:
        count, at = _varint(data, at + 1)
        return count, kind, at
    return count, kind, at + 1


def _integer(data: bytes, at: int) -> tuple[int, int]:
    number, at = _varint(data, at)
    return (-(number + 1 >> 1) if number & 1 else number >> 1), at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return the number at a position, and the position after it."""
    number = data[at]
    if number <= _LAST:
        return number, at + 1
    number &= _LAST
    for shift in range(7, _MOST_BITS, 7):
        at += 1
        byte = data[at]
        number |= (byte & _LAST) << shift
        if byte <= _LAST:
            return number, at + 1
    raise ValueError("its footer has a number that is too long")
