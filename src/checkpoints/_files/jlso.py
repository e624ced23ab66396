"""
Files of JLSO, in which Julia saves objects by name: `.jlso`.

A file is a document that says what wrote it, and objects, each compressed by itself. In
version 4 the objects follow the document, so that each can be read alone.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from checkpoints._files.checksum import SLICE, allocate, crc32_of, shown_to
from checkpoints._files.jlso_document import JlsoDocument, Stored
from checkpoints._files.jlso_header import foreign_header, own_header
from checkpoints._files.julia import deserialize
from checkpoints._files.julia_bson import BsonValues
from checkpoints._process.budget import Budget, within
from checkpoints.errors import (
    CheckpointError,
    CorruptFileError,
    FormatError,
    MissingDependencyError,
    TooLargeError,
)
from checkpoints.storage._store import Buffer, Source

__all__ = ["JlsoFile"]

_GZIP = zlib.MAX_WBITS + 16
# As a document of BSON says its length in 32 bits.
_LONGEST = (1 << 31) - 1
_LENGTH_BYTES, _TRAILER_BYTES = 4, 8


class JlsoFile:
    """
    A file of JLSO.

    Args:
        source: The file.
        budget: The memory that reading it may take.

    Raises:
        CorruptFileError: If it is truncated, changed, or not a file of JLSO.
        FormatError: If it has a later version, or an unknown format or compression.
        TooLargeError: If its document takes more memory than allowed.
    """

    header: dict[str, Any]

    def __init__(self, source: Source, budget: Budget) -> None:
        self._source = source
        self._budget = budget
        self._document: JlsoDocument = self._guarded(self._read_document)
        self._own = own_header(self._document)

    def header_bytes(self) -> bytes:
        """Return the header: this library's own, or what Julia's file says."""
        if self._own is not None:
            return self._own
        found: bytes = self._guarded(
            lambda: foreign_header(self._document, self._source, self._manifest())
        )
        return found

    def values(
        self,
        names: Sequence[str],
        *,
        trusted: bool,  # noqa: ARG002 - of the contract; nothing in it can run
        placeholders: bool,  # noqa: ARG002 - as above
        mmap: bool,  # noqa: ARG002 - of the contract; objects cannot be mapped
    ) -> dict[str, Any]:
        """Return values by name; of version 4, only these are read."""
        with within(self._budget, "a value"):
            return {name: self._guarded(self._value, name) for name in names}

    def checksums(self) -> dict[str, tuple[int, int]]:
        """Return size and CRC-32 of each object, uncompressed."""
        names = self._document.objects
        return {name: self._guarded(self._checksum, name) for name in names}

    def check(self, seen: Callable[[Buffer], object] | None = None) -> None:
        """Check each object against the checksum that the file has, if any."""
        self._guarded(self._check_size)
        for name in self._document.objects:
            self._guarded(self._check, name, seen)

    def _check_size(self) -> None:
        if self._document.unused:
            raise ValueError(
                f"{self._document.unused:,} bytes of it belong to no object"
            )

    def _guarded(self, read: Callable[..., Any], *args: Any) -> Any:
        """Read something; what a damaged file raises becomes one of our errors."""
        path, what = self._source.path, f"value {args[0]!r}: " if args else ""
        try:
            return read(*args)
        except (TooLargeError, CorruptFileError):
            raise
        except FormatError as error:
            raise FormatError(f"{path}: {what}{error}") from error
        except MissingDependencyError as error:
            raise MissingDependencyError(f"{path}: {what}{error}") from error
        except CheckpointError:
            raise
        except RecursionError:
            reason = None
        except MemoryError as error:
            raise TooLargeError.beyond(path, what or "its document") from error
        except Exception as error:
            if getattr(error, "errno", None) is not None:
                raise  # a system error, not damage
            # Only these are written for people.
            is_told = type(error) is ValueError
            reason = str(error) if is_told else "it cannot be decoded"
        # Raised out here, so that it has no context, which would hold the file's bytes.
        if reason is None:
            raise FormatError(f"{path}: {what}it is nested too deep to be read")
        raise CorruptFileError.at(path, f"{what}{reason}")

    def _read_document(self) -> JlsoDocument:
        size = int.from_bytes(self._read(0, _LENGTH_BYTES), "little")
        if size > self._source.size:
            raise ValueError("it is truncated")
        self._budget.take(size, "its document")
        return JlsoDocument(self._read(0, size), self._source.size, self._spend)

    def _manifest(self) -> str:
        data = self._document.meta.get("manifest")
        if not isinstance(data, bytes):
            return str(data or "")
        return str(self._decompressed(memoryview(data), _LONGEST), "utf-8", "replace")

    def _value(self, name: str) -> Any:
        data = self._checked(name)
        if self._document.format != "bson":
            return deserialize(self._decompressed(data, sys.maxsize), self._spend)
        document = BsonValues(self._decompressed(data, _LONGEST), self._spend)
        # A dict with one value, under a name that says nothing.
        whole = document.value(document.root)
        if not isinstance(whole, dict) or not whole:
            raise ValueError("it holds no object")
        return next(iter(whole.values()))

    def _checked(self, name: str) -> memoryview:
        """Return the stored bytes of an object, which have no other user."""
        found = self._document.objects.get(name)
        if found is None:
            raise ValueError("the file has no such object")
        self._budget.take(found.size, "an object")
        if found.data is not None:
            data = memoryview(bytearray(found.data))
        else:
            data = self._read(found.start, found.size)
        self._check_crc(name, lambda: crc32_of([data]))
        return data

    def _check_crc(self, name: str, crc: Callable[[], int]) -> None:
        """Check what is stored without compression; gzip has its own checksums."""
        if self._own is None or self._document.compression != "none":
            return
        node = self.header["values"][name]
        known = node.get("crc32") if isinstance(node, Mapping) else None
        if known is not None and known != crc():
            raise ValueError("its bytes have changed")

    def _decompressed(self, data: memoryview, most: int) -> memoryview:
        if self._document.compression == "none":
            return data
        whole = bytearray()
        # In slices, as what is left over of each is copied.
        slices = (data[at : at + SLICE] for at in range(0, len(data), SLICE))
        for part in _inflated(slices):
            if len(whole) + len(part) > most:
                raise ValueError("it decompresses to more than BSON can hold")
            self._spend(len(part))
            whole += part
        return memoryview(whole)

    def _checksum(self, name: str) -> tuple[int, int]:
        found = self._document.objects[name]
        if self._document.compression == "none":
            return found.size, crc32_of(self._slices(found))
        # The last bytes of gzip are checksum and length of the uncompressed data.
        trailer = b"".join(self._slices(found, max(0, found.size - _TRAILER_BYTES)))
        crc, length = (
            int.from_bytes(it, "little") for it in (trailer[:4], trailer[4:])
        )
        return length, crc

    def _check(self, name: str, seen: Callable[[Buffer], object] | None) -> None:
        parts: Iterable[Buffer] = self._slices(self._document.objects[name])
        if self._document.compression != "none":
            parts = _inflated(parts)
        crc = crc32_of(parts if seen is None else shown_to(seen, parts))
        self._check_crc(name, lambda: crc)

    def _slices(self, found: Stored, start: int = 0) -> Iterator[memoryview]:
        """Yield the stored bytes of an object in parts."""
        for at in range(start, found.size, SLICE):
            size = min(SLICE, found.size - at)
            if found.data is not None:
                yield found.data[at : at + size]
            else:
                yield self._read(found.start + at, size)

    def _read(self, start: int, size: int) -> memoryview:
        data = allocate(size)
        if self._source.read_into(start, data) != size:
            raise ValueError("it is truncated")
        return data

    def _spend(self, size: int) -> None:
        self._budget.take(size, "a value decoded from its bytes")


def _inflated(parts: Iterable[Buffer]) -> Iterator[bytes]:
    """Yield what gzip data contains, in parts of bounded size."""
    inflater, after = zlib.decompressobj(_GZIP), 0
    for packed in parts:
        rest: Buffer = packed
        after += len(packed) if inflater.eof else 0
        while not inflater.eof and (part := inflater.decompress(rest, SLICE)):
            yield part
            rest = inflater.unconsumed_tail
    if not inflater.eof:
        raise ValueError("its compressed data is cut off")
    if after := after + len(inflater.unused_data):
        raise ValueError(f"{after:,} bytes follow its compressed data")
