"""
The records of a ZIP file, as this library writes them (PKWARE APPNOTE 6.3.10).

The same members always give the same bytes. So a reader can build the records it
expects and compare, instead of interpreting what it finds.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

__all__ = [
    "END_BYTES",
    "Member",
    "directory",
    "dos_stamp",
    "find_directory",
    "local_header",
    "parse",
    "start_of",
]

_ALIGNMENT = 64
_ALIGNMENT_FIELD = 0xD935
_LIMIT_32 = 0xFFFFFFFF
_LIMIT_16 = 0xFFFF

# The ZIP version that a method needs, if it is not 2.0 (section 4.4.3.2).
_VERSION_OF_METHOD = {93: 63}

_LOCAL = struct.Struct("<4s3H4I2H")
_CENTRAL = struct.Struct("<4s4H4I5H2I")
_END = struct.Struct("<4s4H2IH")
_END_64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR_64 = struct.Struct("<4sIQI")
END_BYTES = _END.size
_PADDINGS = [
    struct.pack("<2H", _ALIGNMENT_FIELD, length) + bytes(length)
    for length in range(_ALIGNMENT)
]


class Member(NamedTuple):
    """The position of a member in the file, and the properties of its bytes."""

    name: bytes
    offset: int
    start: int
    method: int
    crc: int
    stored_size: int
    size: int
    stamp: int

    @property
    def end(self) -> int:
        """The offset in the file at which the member's data ends."""
        return self.start + self.stored_size


def start_of(offset: int, name: bytes, stored_size: int, size: int) -> int:
    """Return where the data of a member starts, given the offset of its header."""
    large = size >= _LIMIT_32 or stored_size >= _LIMIT_32
    # The padding field takes at least four bytes.
    end = offset + _LOCAL.size + len(name) + (24 if large else 4)
    return end + -end % _ALIGNMENT


def local_header(member: Member) -> bytes:
    """Return the exact bytes before a member's data."""
    name, offset, start, method, crc, stored_size, size, stamp = member
    needed = _VERSION_OF_METHOD.get(method, 20)
    large = b""
    if size >= _LIMIT_32 or stored_size >= _LIMIT_32:
        large = struct.pack("<2H2Q", 1, 16, size, stored_size)
        size = stored_size = _LIMIT_32
        needed = max(needed, 45)
    padding = start - offset - _LOCAL.size - len(name) - len(large)
    return b"".join(
        (
            _LOCAL.pack(
                b"PK\3\4",
                needed,
                0,
                method,
                stamp,
                crc,
                stored_size,
                size,
                len(name),
                len(large) + padding,
            ),
            name,
            large,
            _PADDINGS[padding - 4],
        )
    )


def _central_header(member: Member) -> bytes:
    name, offset, _, method, crc, stored_size, size, stamp = member
    needed = _VERSION_OF_METHOD.get(method, 20)
    large = b""
    if max(size, stored_size, offset) >= _LIMIT_32:
        large = struct.pack("<2H3Q", 1, 24, size, stored_size, offset)
        size = stored_size = offset = _LIMIT_32
        needed = max(needed, 45)
    fixed = _CENTRAL.pack(
        b"PK\1\2",
        needed,
        needed,
        0,
        method,
        stamp,
        crc,
        stored_size,
        size,
        len(name),
        len(large),
        0,
        0,
        0,
        0,
        offset,
    )
    return fixed + name + large


def directory(members: Sequence[Member], start: int) -> bytes:
    """Return everything after the last member: the directory and the end records."""
    records = b"".join([_central_header(member) for member in members])
    count, size = len(members), len(records)
    ending = b""
    if count >= _LIMIT_16 or size >= _LIMIT_32 or start >= _LIMIT_32:
        record = (b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, start)
        ending = _END_64.pack(*record)
        ending += _LOCATOR_64.pack(b"PK\6\7", 0, start + size, 1)
        count, size, start = _LIMIT_16, _LIMIT_32, _LIMIT_32
    return records + ending + _END.pack(b"PK\5\6", 0, 0, count, count, size, start, 0)


@lru_cache(maxsize=16)
def dos_stamp(seconds: int) -> int:
    """Return a time in UTC in the 32 bits that a ZIP has for it: time, then date."""
    year, month, day, hour, minute, second = time.gmtime(seconds)[:6]
    date = (min(max(year - 1980, 0), 127) << 9) | (month << 5) | day
    return (date << 16) | (hour << 11) | (minute << 5) | (second // 2)


def find_directory(tail: bytearray, size: int) -> tuple[int, int]:
    """Return where the directory starts, and its number of records."""
    _, _, _, _, count, _, start, _ = _END.unpack_from(tail, len(tail) - _END.size)
    if start == _LIMIT_32:
        at = len(tail) - _END.size - _LOCATOR_64.size - _END_64.size
        count, _, start = _END_64.unpack_from(tail, at)[7:]
    if not 0 <= start <= size - _END.size or count * _CENTRAL.size > size - start:
        raise ValueError(start, count)
    return start, count


def parse(records: bytearray, count: int) -> list[Member]:
    """Return the members that the records of a directory describe."""
    members = []
    at = 0
    for _ in range(count):
        fields = _CENTRAL.unpack_from(records, at)
        method, stamp, crc, stored_size, size, length, extra = fields[4:11]
        offset = fields[15]
        at += _CENTRAL.size
        name = bytes(records[at : at + length])
        if extra:
            size, stored_size, offset = struct.unpack_from(
                "<3Q", records, at + length + 4
            )
        at += length + extra
        start = start_of(offset, name, stored_size, size)
        members.append(
            Member(name, offset, start, method, crc, stored_size, size, stamp)
        )
    return members
