"""
The ZIP container: named members of bytes and a header, in an ordinary ZIP file.

Members follow each other without gaps from offset 0, the data of each starts at a
multiple of 64 bytes, the last one is the header, and nothing follows the directory.
A file with any other layout has been changed.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from checkpoints._files.checksum import SLICE, Checksum, allocate, crc32_of, shown_to
from checkpoints._files.compression import (
    METHODS,
    STORED,
    compress,
    decompress,
    decompressed,
)
from checkpoints._files.zip import (
    END_BYTES,
    Member,
    directory,
    dos_stamp,
    find_directory,
    local_header,
    parse,
    start_of,
)
from checkpoints._process.budget import Budget
from checkpoints.errors import CorruptFileError
from checkpoints.storage._store import Buffer, Piece, Source

__all__ = ["HEADER_MEMBER", "Archive", "lay_out"]

HEADER_MEMBER = "checkpoint.json"

# Below this size, joining buffers for one write is faster than many writes.
_SMALL = 1 << 18
# Read first; it contains the directory and the header of most files.
_TAIL = 1 << 13
# What a directory record takes in memory, roughly.
_RECORD = 600


def lay_out(
    members: Sequence[tuple[str, Sequence[Buffer]]],
    header: bytes,
    *,
    seconds: float,
    compression: str | None = None,
) -> tuple[int, Iterator[Piece]]:
    """
    Lay out an archive.

    Args:
        members: Unique ASCII names, with the buffers of their bytes.
        header: The bytes of the header, which becomes the last member.
        seconds: The time recorded for every member, in seconds since the epoch.
        compression: None, `"zstd"` or `"gzip"`. The header is never compressed.

    Returns:
        The size of the file in bytes, and its pieces as offsets and buffers, which
        cover each byte once, in any order. The archive is complete only once all of
        them have been taken.
    """
    stamp = dos_stamp(int(seconds))
    placed: list[tuple[Member, Sequence[Buffer]]] = []
    offset = 0
    for name, chunks in members:
        flat = [_flat(chunk) for chunk in chunks]
        member, stored = _placed(name, flat, offset, stamp, compression)
        placed.append((member, stored))
        offset = member.end
    placed.append(_placed(HEADER_MEMBER, [header], offset, stamp, None))
    end = placed[-1][0].end
    ending = directory([member for member, _ in placed], end)
    size = end + len(ending)
    if size <= _SMALL:
        return size, iter([(0, _whole(placed, ending))])
    return size, _pieces(placed)


def _placed(
    name: str,
    chunks: Sequence[Buffer],
    offset: int,
    stamp: int,
    compression: str | None,
) -> tuple[Member, Sequence[Buffer]]:
    size = stored_size = sum([len(chunk) for chunk in chunks])
    method, stored, crc = STORED, chunks, 0
    if compression is not None:
        smaller = compress(chunks, size, compression)
        if smaller is not None:
            method, stored = smaller
            stored_size = sum([len(chunk) for chunk in stored])
    if method != STORED:
        crc = crc32_of(chunks)
    elif size < _SMALL:
        # Joined first, as another thread may change the value before it is written.
        stored = [b"".join(chunks)]
        crc = crc32_of(stored)
    label = name.encode("ascii")
    start = start_of(offset, label, stored_size, size)
    member = Member(label, offset, start, method, crc, stored_size, size, stamp)
    return member, stored


def _whole(placed: Sequence[tuple[Member, Sequence[Buffer]]], ending: bytes) -> bytes:
    parts: list[Buffer] = []
    for member, chunks in placed:
        parts.append(local_header(member))
        parts.extend(chunks)
    parts.append(ending)
    return b"".join(parts)


def _pieces(placed: Sequence[tuple[Member, Sequence[Buffer]]]) -> Iterator[Piece]:
    sealed = []
    for member, chunks in placed:
        if member.method == STORED and member.size >= _SMALL:
            checksum = Checksum(member.size)
            # Twice, in case an interrupt cuts the first clean-up short.
            with checksum, checksum:
                for chunk in chunks:
                    checksum.feed(chunk)
                yield from _at(member.start, chunks)
                sealed.append(member._replace(crc=checksum.result()))
        else:
            yield from _at(member.start, chunks)
            sealed.append(member)
        yield member.offset, local_header(sealed[-1])
    end = sealed[-1].end
    yield end, directory(sealed, end)


def _at(offset: int, chunks: Sequence[Buffer]) -> Iterator[Piece]:
    for chunk in chunks:
        yield offset, chunk
        offset += len(chunk)


def _flat(chunk: Buffer) -> Buffer:
    return memoryview(chunk).cast("B") if isinstance(chunk, memoryview) else chunk


class Archive:
    """
    An existing archive, whose members are read one by one.

    Args:
        source: The file.
        budget: The memory that reading it may take.

    Raises:
        CorruptFileError: If it is truncated, changed, or not a checkpoint file.
        TooLargeError: If its directory takes more memory than allowed.
    """

    def __init__(self, source: Source, budget: Budget | None = None) -> None:
        self._source = source
        self._budget = budget or Budget(source.path)
        try:
            self._members = {
                member.name.decode("ascii"): member for member in self._read_directory()
            }
        except (ValueError, struct.error) as error:
            if isinstance(error, CorruptFileError):
                raise
            raise self._corrupt("its directory cannot be read") from error

    def size_of(self, name: str) -> int:
        """
        Return the size of a member in bytes, as recorded in the directory.

        Raises:
            CorruptFileError: If there is no such member.
        """
        return self._member(name).size

    def checksums(self) -> dict[str, tuple[int, int]]:
        """Return the recorded size and CRC-32 of each member but the header."""
        return {
            name: (member.size, member.crc)
            for name, member in self._members.items()
            if name != HEADER_MEMBER
        }

    def read(self, name: str) -> memoryview:
        """
        Return the bytes of a member in new memory, checked against its checksum.

        Raises:
            CorruptFileError: If there is no such member, or it has changed.
            TooLargeError: If it takes more memory than allowed.
        """
        member = self._member(name)
        self._budget.take(member.size, f"member {_text(member)}")
        self._check_local_header(member)
        if member.method != STORED:
            data = self._decompressed(member)
            crc = crc32_of([data])
        elif member.size < _SMALL:
            data = memoryview(bytearray(member.size))
            self._fill(member.start, data)
            crc = crc32_of([data])
        else:
            data = allocate(member.size)
            checksum = Checksum(member.size)
            # Twice, in case an interrupt cuts the first clean-up short.
            with checksum, checksum:
                self._fill(member.start, data, checksum)
                crc = checksum.result()
        self._check_crc(member, crc)
        return data

    def check(self, seen: Callable[[Buffer], object] | None = None) -> None:
        """
        Check every member against its checksum, in little memory.

        Args:
            seen: Called with the bytes of each member but the header, part after part.

        Raises:
            CorruptFileError: If one has changed.
        """
        buffer = memoryview(bytearray(SLICE))
        for name, member in self._members.items():
            self._check_local_header(member)
            parts = self._parts(member, buffer)
            if seen is not None and name != HEADER_MEMBER:
                parts = shown_to(seen, parts)
            self._check_crc(member, crc32_of(parts))

    def map(self, name: str) -> memoryview | None:
        """Return the mapped bytes of a member, unchecked; None if it is compressed."""
        member = self._member(name)
        whole = self._source.map() if member.method == STORED else None
        return None if whole is None else memoryview(whole)[member.start : member.end]

    def _member(self, name: str) -> Member:
        member = self._members.get(name)
        if member is None:
            raise self._corrupt(f"member {name!r} is missing")
        return member

    def _check_local_header(self, member: Member) -> None:
        expected = local_header(member)
        found = bytearray(len(expected))
        self._fill(member.offset, memoryview(found))
        if found != expected:
            raise self._corrupt(f"the header of member {_text(member)} has changed")

    def _check_crc(self, member: Member, crc: int) -> None:
        if crc != member.crc:
            raise self._corrupt(f"the bytes of member {_text(member)} have changed")

    def _decompressed(self, member: Member) -> memoryview:
        packed = _StoredBytes(self._source, member)
        data = decompress(packed, member.size, member.method)
        if data is None:
            raise self._corrupt(f"member {_text(member)} does not decompress")
        return data

    def _parts(self, member: Member, buffer: memoryview) -> Iterator[Buffer]:
        """Yield the bytes of a member in parts."""
        if member.method == STORED:
            for start in range(0, member.size, len(buffer)):
                part = buffer[: min(len(buffer), member.size - start)]
                self._fill(member.start + start, part)
                yield part
            return
        packed = _StoredBytes(self._source, member)
        for unpacked in decompressed(packed, member.size, member.method, len(buffer)):
            if unpacked is None:
                raise self._corrupt(f"member {_text(member)} does not decompress")
            yield unpacked

    def _fill(
        self,
        offset: int,
        buffer: memoryview,
        checksum: Checksum | None = None,
    ) -> None:
        for start in range(0, len(buffer), SLICE):
            part = buffer[start : start + SLICE]
            if self._source.read_into(offset + start, part) != len(part):
                raise self._corrupt("it is truncated")
            if checksum is not None:
                checksum.feed(part)

    def _read_directory(self) -> list[Member]:
        size = self._source.size
        tail = bytearray(min(size, _TAIL))
        self._fill(size - len(tail), memoryview(tail))
        if tail[-END_BYTES : -END_BYTES + 4] != b"PK\5\6":
            if 0 <= tail.rfind(b"PK\5\6") < len(tail) - END_BYTES:
                raise self._corrupt("there are extra bytes after its end")
            raise self._corrupt("it is truncated or not a ZIP file")
        start, count = find_directory(tail, size)
        # Checked before anything is allocated, whatever sizes the file claims.
        self._budget.take(size - start + _RECORD * count, "its directory")
        if start < size - len(tail):
            tail = bytearray(size - start)
            self._fill(start, memoryview(tail))
        records = tail[len(tail) - (size - start) :]
        members = parse(records, count)
        if not members or members[-1].name != HEADER_MEMBER.encode():
            raise self._corrupt("it is a ZIP file without a checkpoint header")
        self._check_layout(members, start, bytes(records))
        return members

    def _check_layout(self, members: list[Member], start: int, records: bytes) -> None:
        offset = 0
        for member in members:
            stored = member.method == STORED
            if (
                member.offset != offset
                or member.method not in METHODS
                or (stored and member.size != member.stored_size)
            ):
                raise self._corrupt(f"member {_text(member)} is not where it belongs")
            offset = member.end
        names = {member.name for member in members}
        if (
            offset != start
            or len(names) != len(members)
            or records != directory(members, start)
        ):
            raise self._corrupt("its directory has changed")

    def _corrupt(self, what: str) -> CorruptFileError:
        return CorruptFileError.at(self._source.path, what)


class _StoredBytes(io.RawIOBase):
    """The stored bytes of a member as a stream, read once from the start."""

    def __init__(self, source: Source, member: Member) -> None:
        self._source = source
        self._position = member.start
        self._end = member.end

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")[: self._end - self._position]
        count = self._source.read_into(self._position, view)
        self._position += count
        return count


def _text(member: Member) -> str:
    return repr(member.name.decode("ascii", "replace"))
