"""
The container for a single table: a Parquet file, the header in its metadata.

Parquet's own checksums leave much of a file uncovered. So two CRC-32 values, over the
footer and over all before it, stand in the footer, taken with zeros in their place.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from checkpoints import _json
from checkpoints._checksum import allocate, crc32_of
from checkpoints._source import Source
from checkpoints.errors import CorruptFileError, FormatError, MissingDependencyError

__all__ = ["ParquetFile", "to_parquet"]

_HEADER_KEY = b"checkpoints"
# Behind its key stand the type and the length of the text, in Thrift's compact form.
_SEAL = re.compile(
    rb"checkpoints\.crc32.{1,4}(crc32:([0-9a-f]{8}):([0-9a-f]{8}))", re.DOTALL
)
# Each try costs a checksum of the footer, and a made-up footer may hold a million.
_TRIES = 8
_BLANK = b"crc32:00000000:00000000"
_MAGIC = b"PAR1"
_OTHER = "use format='zip', which takes anything"
# The names that Parquet would rather have are not those that were given.
_EXACT = {"use_compliant_nested_type": False}


def to_parquet(table: Any, header: Mapping[str, Any], compression: str | None) -> bytes:
    """
    Return an Arrow table as the bytes of a Parquet file.

    Args:
        table: A `pyarrow.Table`.
        header: Kept as JSON under the key `checkpoints` of the file's metadata.
        compression: None, `"zstd"` or `"gzip"`.

    Raises:
        FormatError: If Parquet would give the table back as another one.
        MissingDependencyError: If pyarrow is not installed.
    """
    pyarrow = _pyarrow()
    _check_exact(table, pyarrow)
    sink = pyarrow.BufferOutputStream()
    # Found again by chance of one in 2 to the 64th only, whatever else is written.
    mark = b"crc32:%b:%b" % (os.urandom(4).hex().encode(), os.urandom(4).hex().encode())
    with pyarrow.parquet.ParquetWriter(
        sink, table.schema, compression=compression or "none", **_EXACT
    ) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata(
            {_HEADER_KEY: _json.to_bytes(header), b"checkpoints.crc32": mark}
        )
    return _sealed(bytearray(sink.getvalue()), mark)


def _check_exact(table: Any, pyarrow: Any) -> None:
    """Try it on a table without rows: what changes are the types."""
    sink = pyarrow.BufferOutputStream()
    try:
        empty = table.slice(0, 0)
        pyarrow.parquet.write_table(empty, sink, **_EXACT)
        found = pyarrow.parquet.read_table(pyarrow.BufferReader(sink.getvalue())).schema
    except (pyarrow.ArrowException, OSError, TypeError) as error:
        raise FormatError(
            f"Parquet cannot hold the table ({error}): {_OTHER}"
        ) from error
    for known, changed in zip(table.schema, found, strict=True):
        if not known.equals(changed):
            raise FormatError(
                f"Parquet would turn column {known.name!r} from {known.type} into "
                f"{changed.type}: {_OTHER}"
            )


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
    A file that holds a single table.

    Args:
        source: What it is read from.

    Raises:
        CorruptFileError: If it is cut short, changed, or not ours.
        MissingDependencyError: If pyarrow is not installed.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        footer, self._data_crc = self._checked_footer()
        self._data_size = source.size - len(footer)
        pyarrow = _pyarrow()
        try:
            # With a footer behind the magic there is all that metadata is read from.
            metadata = pyarrow.parquet.read_metadata(
                pyarrow.BufferReader(_MAGIC + footer)
            ).metadata
            self.header: Any = _json.from_bytes((metadata or {})[_HEADER_KEY])
        except (pyarrow.ArrowException, OSError, LookupError, ValueError) as error:
            raise self._corrupt("it is Parquet, but no checkpoint") from error

    def read(self) -> Any:
        """
        Return the table, every byte of the file checked.

        Raises:
            CorruptFileError: If a byte has changed.
        """
        data = allocate(self._source.size)
        count = self._source.read_into(0, data)
        if count != len(data) or crc32_of([data[: self._data_size]]) != self._data_crc:
            raise self._corrupt("its bytes have changed")
        pyarrow = _pyarrow()
        return pyarrow.parquet.read_table(pyarrow.BufferReader(pyarrow.py_buffer(data)))

    def _checked_footer(self) -> tuple[bytes, int]:
        """Return the footer up to the file's end, and the checksum of all before it."""
        ending = self._read(self._source.size - 8, 8)
        length = int.from_bytes(ending[:4], "little") + 8
        if ending[4:] != _MAGIC or length > self._source.size:
            raise self._corrupt("it is cut short, or no checkpoint file")
        footer = self._read(self._source.size - length, length)
        seals = list(_SEAL.finditer(footer))
        if not seals:
            raise self._corrupt("it is Parquet, but no checkpoint")
        # What was saved may hold text that looks like a seal; only one is true.
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
            raise self._corrupt("it is cut short, or no checkpoint file")
        return bytes(data)

    def _corrupt(self, what: str) -> CorruptFileError:
        return CorruptFileError.at(self._source.path, what)


def _pyarrow() -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        message = "Parquet files need pyarrow: pip install pyarrow"
        raise MissingDependencyError(message) from error
    return pyarrow
