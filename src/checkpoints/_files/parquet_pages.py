"""
What the columns of a Parquet file may take in memory, before they are read.

Text that occurs often is stored once, in a page of its own at the start of a column, so
that a small file can hold any number of rows of long text.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from checkpoints._kinds.arrow_types import is_fixed

__all__ = ["Claims", "claims_of"]

# The widths of physical types, in bytes; of text, what its place takes.
_WIDTHS = {"BOOLEAN": 1, "INT32": 4, "FLOAT": 4, "INT96": 8}
_OTHER_WIDTH = 8
_DICTIONARY_PAGE = 2
# A field of a 32-bit integer, the next one, in Thrift's compact protocol.
_NEXT_INTEGER = 0x15


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


def claims_of(data: Any, metadata: Any, schema: Any) -> Claims:
    """
    Return what a Parquet file claims about its columns.

    Args:
        data: The bytes of the file.
        metadata: Of the file, a `pyarrow.parquet.FileMetaData`.
        schema: As the file is read, a `pyarrow.Schema`. pyarrow decodes it anew each
            time that a file is asked for it.
    """
    size, largest_row = 0, 0.0
    for group, chunk in _chunks_of(metadata):
        is_text = chunk.physical_type == "BYTE_ARRAY"
        width = _WIDTHS.get(chunk.physical_type, _OTHER_WIDTH // (1 + is_text))
        size += chunk.num_values * width
        if not is_text:
            continue
        if not chunk.has_dictionary_page:
            size += chunk.total_uncompressed_size
        elif not _is_kept(schema, chunk):
            values = chunk.num_values / max(1, group.num_rows)
            page = _page_size(memoryview(data), chunk.dictionary_page_offset)
            largest_row = max(largest_row, values * page)
    return Claims(size, largest_row)


def _chunks_of(metadata: Any) -> Iterator[tuple[Any, Any]]:
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        for position in range(group.num_columns):
            yield group, group.column(position)


def _is_kept(schema: Any, chunk: Any) -> bool:
    """Tell whether the text of a column is stored once in memory as well."""
    position = schema.get_field_index(chunk.path_in_schema)
    return position >= 0 and is_fixed(schema.field(position).type)


def _page_size(data: memoryview, at: int) -> int:
    """Return the unpacked size of the page of texts at a position."""
    numbers = []
    for _ in range(2):
        if at < 0 or data[at] != _NEXT_INTEGER:
            raise ValueError("the header of a page is not a valid one")
        number, at = _varint(data, at + 1)
        numbers.append(number >> 1)
    if numbers[0] != _DICTIONARY_PAGE:
        raise ValueError("the first page of a column is of another type")
    return numbers[1]


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    """Return the number at a position, and the position behind it."""
    number = shift = 0
    while True:
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:  # noqa: PLR2004 - the last byte of a number
            return number, at
