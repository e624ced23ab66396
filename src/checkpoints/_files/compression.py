"""The compression of members: by name when saving, by ZIP method when loading."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, TypeAlias

from checkpoints._process.libraries import imported, needed
from checkpoints.errors import CheckpointError, ConfigError, MissingDependencyError
from checkpoints.storage._store import Buffer

__all__ = [
    "DEFLATE",
    "METHODS",
    "STORED",
    "ZSTD",
    "checked_compression",
    "compress",
    "decompress",
    "decompressed",
]

Packed: TypeAlias = io.BytesIO | io.RawIOBase

STORED = 0
DEFLATE = 8
ZSTD = 93
METHODS = (STORED, DEFLATE, ZSTD)
_NAMES = ("none", "zstd", "gzip")

# Smaller members are stored as they are.
_WORTH_COMPRESSING = 256
_STEP = 1 << 22
_SLICE = 1 << 18


def checked_compression(name: object) -> str | None:
    """
    Return the name of a compression, or None.

    Raises:
        ConfigError: If it is unknown.
        MissingDependencyError: If the library for it is not installed.
    """
    if name is None:
        return None
    if name not in _NAMES:
        message = (
            f"invalid compression={name!r}: expected None, 'none', 'zstd' or 'gzip'"
        )
        raise ConfigError(message)
    if name == "zstd":
        _zstd()
    return str(name)


def compress(
    chunks: Sequence[Buffer], size: int, name: str
) -> tuple[int, list[Buffer]] | None:
    """Return the method and the compressed bytes, or None if they are not smaller."""
    if size < _WORTH_COMPRESSING:
        return None
    if name == "zstd":
        method, compressor = ZSTD, _zstd().compressor()
    else:
        method, compressor = DEFLATE, zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed: list[Buffer] = [compressor.compress(chunk) for chunk in chunks]
    packed.append(compressor.flush())
    return (method, packed) if sum(map(len, packed)) < size else None


def decompress(packed: Packed, size: int, method: int) -> memoryview | None:
    """
    Return the decompressed bytes, or None if they are not exactly `size` bytes.

    Memory grows with the data that is actually there, up to `size` bytes: a small
    file that claims to be huge costs little.
    """
    whole = bytearray()
    for part in decompressed(packed, size, method):
        if part is None:
            return None
        whole += part
    return memoryview(whole)


def decompressed(
    packed: Packed, size: int, method: int, step: int = _STEP
) -> Iterator[bytes | None]:
    """Yield the decompressed bytes in steps; None at the end if they are not `size`."""
    left = size
    try:
        stream = _stream(packed, method)
        while part := stream.read(min(step, left + 1)):
            left -= len(part)
            if left < 0:
                break
            yield part
    except CheckpointError:
        raise
    except Exception as error:
        # Each decompressor has its own error classes; system errors have a number.
        if getattr(error, "errno", None) is not None:
            raise
        left = -1
    if left:
        yield None


def _stream(packed: Packed, method: int) -> Any:
    if method == ZSTD:
        return _zstd().reader(packed)
    if method == DEFLATE:
        return _Inflated(packed)
    return io.BytesIO()


class _Inflated:
    """Raw DEFLATE data, decompressed in bounded steps."""

    def __init__(self, packed: Packed) -> None:
        self._inflater = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
        self._source = packed

    def read(self, count: int) -> bytes:
        while not self._inflater.eof:
            rest = self._inflater.unconsumed_tail or self._source.read(_SLICE)
            part = self._inflater.decompress(rest, count)
            # There may be buffered output after the input has ended.
            if part or not rest:
                return part
        return b""


class _Zstandard:
    """The `zstandard` package."""

    def __init__(self, library: Any) -> None:
        self._library = library

    def compressor(self) -> Any:
        return self._library.ZstdCompressor().compressobj()

    def reader(self, packed: Packed) -> Any:
        return self._library.ZstdDecompressor().stream_reader(packed)


class _StandardZstd:
    """The standard library's `compression.zstd`, from Python 3.14."""

    def __init__(self, library: Any) -> None:
        self._library = library

    def compressor(self) -> Any:
        return self._library.ZstdCompressor()

    def reader(self, packed: Packed) -> Any:
        return self._library.ZstdFile(packed)


def _zstd() -> Any:
    with suppress(ImportError):
        return _StandardZstd(imported("compression.zstd"))
    try:
        return _Zstandard(needed("zstandard", "zstd compression before Python 3.14"))
    except MissingDependencyError as error:
        message = f"{error}, or use compression='gzip'"
        raise MissingDependencyError(message) from error
