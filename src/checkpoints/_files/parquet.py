"""
The container for a single table: a Parquet file with the header in its metadata.

Parquet's own checksums do not cover much of a file. So the footer contains two CRC-32
values, one over the footer, with zeros in place of the two, and one over everything
before it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from checkpoints._files.checksum import SLICE, allocate, crc32_of, shown_to
from checkpoints._files.parquet_table import import_parquet, read_table, write_table
from checkpoints._kinds.tables import from_table
from checkpoints._process.budget import Budget, within
from checkpoints.errors import (
    CheckpointError,
    CorruptFileError,
    TooLargeError,
)
from checkpoints.storage._store import Buffer, Source

__all__ = ["ParquetFile", "to_parquet"]

_HEADER_KEY = b"checkpoints"
# Between key and text are the text's type and length, in Thrift's compact protocol.
_SEAL = re.compile(
    rb"checkpoints\.crc32.{1,4}(crc32:([0-9a-f]{8}):([0-9a-f]{8}))", re.DOTALL
)
# Each try costs a checksum of the footer, and a forged footer may have a million.
_TRIES = 8
_BLANK = b"crc32:00000000:00000000"
_MAGIC = b"PAR1"
_NO_HEADER = "it is a Parquet file without a checkpoint header"
_TRUNCATED = "it is truncated"
# The memory that pyarrow takes for each byte of a footer, roughly.
_FOOTER_FACTOR = 8


def to_parquet(table: Any, header: bytes, compression: str | None) -> bytes:
    """
    Return an Arrow table as the bytes of a Parquet file.

    Args:
        table: A `pyarrow.Table`.
        header: Stored under the key `checkpoints` in the file's metadata.
        compression: None, `"zstd"` or `"gzip"`.

    Raises:
        FormatError: If Parquet cannot store the table exactly.
        MissingDependencyError: If pyarrow is not installed.
    """
    # Random, so that nothing else in the file can be mistaken for it.
    mark = b"crc32:%b:%b" % (os.urandom(4).hex().encode(), os.urandom(4).hex().encode())
    metadata = {_HEADER_KEY: header, b"checkpoints.crc32": mark}
    return _sealed(bytearray(write_table(table, metadata, compression)), mark)


def _sealed(data: bytearray, mark: bytes) -> bytes:
    start = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    at = data.rindex(mark)
    view = memoryview(data)
    view[at : at + len(mark)] = _BLANK
    seal = f"crc32:{crc32_of([view[:start]]):08x}:{crc32_of([view[start:]]):08x}"
    view[at : at + len(mark)] = seal.encode()
    return bytes(data)


class ParquetFile:
    """
    A file that contains a single table.

    Args:
        source: The file.
        budget: The memory that reading it may take.

    Raises:
        CorruptFileError: If it is truncated, changed, or not a checkpoint file.
        MissingDependencyError: If pyarrow is not installed.
        TooLargeError: If its footer takes more memory than allowed.
    """

    header: dict[str, Any]

    def __init__(self, source: Source, budget: Budget | None = None) -> None:
        self._source = source
        self._budget = budget or Budget(source.path)
        footer, self._data_crc = self._checked_footer()
        self._data_size = source.size - len(footer)
        pyarrow = import_parquet()
        try:
            # Metadata is read from the footer alone, once the magic is before it.
            found = pyarrow.parquet.read_metadata(pyarrow.BufferReader(_MAGIC + footer))
            self._header: bytes = (found.metadata or {})[_HEADER_KEY]
        except (pyarrow.ArrowException, OSError, LookupError, ValueError) as error:
            raise self._corrupt(_NO_HEADER) from error
        self._schema = found.schema

    def header_bytes(self) -> bytes:
        """Return the header as it is stored."""
        return self._header

    def values(
        self,
        names: Sequence[str],
        *,
        trusted: bool,  # noqa: ARG002 - of the contract; a table contains no pickles
        placeholders: bool,  # noqa: ARG002 - as above
        mmap: bool,  # noqa: ARG002 - of the contract; columns cannot be mapped
    ) -> dict[str, Any]:
        """Return values by name, after reading the whole table."""
        nodes = {name: self.header["values"][name] for name in names}
        try:
            table = self.read()
            with within(self._budget, "a value made of its table"):
                return {name: from_table(table, node) for name, node in nodes.items()}
        except CheckpointError:
            raise
        except MemoryError as error:
            raise TooLargeError.beyond(self._source.path, "its table") from error
        except Exception as error:
            if getattr(error, "errno", None) is not None:
                raise  # a system error, not damage
            what = f"its table cannot be read ({type(error).__name__}: {error})"
            raise self._corrupt(what) from error

    def checksums(self) -> dict[str, tuple[int, int]]:
        """Return size and CRC-32 of the rows, and of what the schema adds to them."""
        try:
            # Metadata of fields are in no row, and what is in the header counts there.
            schema = self._schema.to_arrow_schema().remove_metadata()
            data = bytes(schema.serialize())
        except (import_parquet().ArrowException, OSError, ValueError) as error:
            raise self._corrupt(_NO_HEADER) from error
        return {
            "": (self._data_size, self._data_crc),
            "schema": (len(data), crc32_of([data])),
        }

    def read(self) -> Any:
        """
        Return the table, after checking every byte of the file.

        Raises:
            CorruptFileError: If a byte has changed.
            TooLargeError: If it takes more memory than allowed.
        """
        self._budget.take(self._source.size, "the file itself")
        data = allocate(self._source.size)
        if self._source.read_into(0, data) != len(data):
            raise self._corrupt(_TRUNCATED)
        self._check_crc(crc32_of([data[: self._data_size]]))
        return read_table(data, self._budget)

    def check(self, seen: Callable[[Buffer], object] | None = None) -> None:
        """
        Check every byte of the file, in little memory.

        Args:
            seen: Called with the bytes of the rows, part after part.

        Raises:
            CorruptFileError: If one has changed.
        """
        buffer = memoryview(bytearray(SLICE))
        parts = self._parts(buffer)
        self._check_crc(crc32_of(parts if seen is None else shown_to(seen, parts)))

    def _parts(self, buffer: memoryview) -> Iterator[memoryview]:
        for start in range(0, self._data_size, len(buffer)):
            part = buffer[: min(len(buffer), self._data_size - start)]
            if self._source.read_into(start, part) != len(part):
                raise self._corrupt(_TRUNCATED)
            yield part

    def _check_crc(self, crc: int) -> None:
        if crc != self._data_crc:
            raise self._corrupt("its bytes have changed")

    def _checked_footer(self) -> tuple[bytes, int]:
        """Return the footer up to the end of the file, and the CRC of all before it."""
        ending = self._read(self._source.size - 8, 8)
        length = int.from_bytes(ending[:4], "little") + 8
        if ending[4:] != _MAGIC or length > self._source.size:
            raise self._corrupt("it is truncated or has extra bytes after its end")
        self._budget.take(_FOOTER_FACTOR * length, "its footer")
        footer = self._read(self._source.size - length, length)
        seals = list(_SEAL.finditer(footer))
        if not seals:
            raise self._corrupt(_NO_HEADER)
        # The saved data may contain text that looks like a seal; only one is valid.
        for seal in (*seals[:_TRIES], *seals[-_TRIES:]):
            data_crc, footer_crc = (int(digits, 16) for digits in seal.groups()[1:])
            blank = bytearray(footer)
            blank[slice(*seal.span(1))] = _BLANK
            if crc32_of([blank]) == footer_crc:
                return footer, data_crc
        raise self._corrupt("its footer has changed")

    def _read(self, offset: int, size: int) -> bytes:
        data = bytearray(size)
        if offset < 0 or self._source.read_into(offset, memoryview(data)) != size:
            raise self._corrupt(_TRUNCATED)
        return bytes(data)

    def _corrupt(self, what: str) -> CorruptFileError:
        return CorruptFileError.at(self._source.path, what)
