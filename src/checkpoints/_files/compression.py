"""The compressions that a member may have: names to the methods of a ZIP, and back."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from checkpoints._files.checksum import Buffer
from checkpoints.errors import CheckpointError, ConfigError, MissingDependencyError

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
_NAMES = ("zstd", "gzip")

_WORTH_IT = 256
_STEP = 1 << 22
_SLICE = 1 << 18


def checked_compression(name: object) -> str | None:
    """Return the name of a compression, or None, if it can be used here."""
    if name is None:
        return None
    if name not in _NAMES:
        message = f"invalid compression={name!r}: expected None, 'zstd' or 'gzip'"
        raise ConfigError(message)
    if name == "zstd":
        _zstd()
    return str(name)


def compress(
    chunks: Sequence[Buffer], size: int, name: str
) -> tuple[int, list[Buffer]] | None:
    """Return the method and the smaller bytes, or None where they are not smaller."""
    if size < _WORTH_IT:
        return None
    if name == "zstd":
        method, packer = ZSTD, _zstd().compressor()
    else:
        method, packer = DEFLATE, zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed: list[Buffer] = [packer.compress(chunk) for chunk in chunks]
    packed.append(packer.flush())
    return (method, packed) if sum(map(len, packed)) < size else None


def decompress(packed: Packed, size: int, method: int) -> memoryview | None:
    """
    Return the bytes again, or None where they are not `size` bytes.

    No more than `size` bytes are ever kept, and none before there is data for them:
    a small file that claims to be huge costs little.
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
    """Yield the bytes again, step by step; at last None where they are not `size`."""
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
        # Each decompressor has errors of its own; those of the system have numbers.
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
    """Raw DEFLATE data, read a bounded step at a time."""

    def __init__(self, packed: Packed) -> None:
        self._inflater = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
        self._source = packed

    def read(self, count: int) -> bytes:
        while not self._inflater.eof:
            rest = self._inflater.unconsumed_tail or self._source.read(_SLICE)
            part = self._inflater.decompress(rest, count)
            # Output may be waiting when the input is at its end.
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
    """The standard library's own, from Python 3.14 on."""

    def __init__(self, library: Any) -> None:
        self._library = library

    def compressor(self) -> Any:
        return self._library.ZstdCompressor()

    def reader(self, packed: Packed) -> Any:
        return self._library.ZstdFile(packed)


def _zstd() -> Any:
    try:
        from compression import zstd
    except ImportError:
        pass
    else:
        return _StandardZstd(zstd)
    try:
        import zstandard
    except ImportError as error:
        message = (
            "zstd compression needs the zstandard package below Python 3.14: "
            "pip install zstandard, or use compression='gzip'"
        )
        raise MissingDependencyError(message) from error
    return _Zstandard(zstandard)
