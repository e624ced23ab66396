"""CRC-32 over buffers, taken beside the reading or writing of them."""

from __future__ import annotations

import functools
import threading
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Self

from checkpoints._kinds.kind import Buffer

__all__ = ["SLICE", "Buffer", "Checksum", "allocate", "crc32_of"]

# Fits the second-level cache of most machines, and is still few enough calls.
SLICE = 1 << 20
# Starting a thread costs about as much as a checksum over this many bytes.
_WORTH_A_THREAD = 1 << 20
_NOTHING = (-1, memoryview(b""))


@functools.cache
def _crc32() -> Callable[..., int]:
    """Return zlib-ng's function where it is installed: six times as fast."""
    try:
        from zlib_ng import zlib_ng
    except ImportError:
        return zlib.crc32
    crc32: Callable[..., int] = zlib_ng.crc32
    return crc32


def crc32_of(buffers: Iterable[Buffer]) -> int:
    """Return the CRC-32 of the buffers, one behind the other."""
    crc = 0
    for buffer in buffers:
        crc32 = _crc32() if len(buffer) >= SLICE else zlib.crc32
        crc = crc32(buffer, crc)
    return crc


class Checksum:
    """
    The CRC-32 of what it is fed, taken beside the reading or writing of it.

    A thread of its own takes slice after slice; who asks for the result takes the rest
    together with it. Both `zlib.crc32` and system calls let go of the interpreter lock,
    so that two cores share the work.

    Enter it twice, `with checksum, checksum:`, wherever interrupts may come: one may
    hit the first clean-up, and the second does it again.

    Args:
        size: How many bytes will come, about.
    """

    def __init__(self, size: int) -> None:
        self._waiting: SimpleQueue[tuple[int, memoryview]] = SimpleQueue()
        self._taken: dict[int, tuple[int, int]] = {}
        self._count = 0
        self._ended = False
        self._wanted = size >= _WORTH_A_THREAD
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def feed(self, buffer: Buffer) -> None:
        """Take a buffer in, which has to stay as it is until the result is there."""
        if self._wanted:
            self._start()
        view = memoryview(buffer)
        for start in range(0, len(view), SLICE):
            self._waiting.put((self._count, view[start : start + SLICE]))
            self._count += 1

    def result(self) -> int:
        """Return the CRC-32 of all that came."""
        while self._take():
            pass
        self._end()
        crc = 0
        for number in range(self._count):
            length, following = self._taken[number]
            # Nothing to move along for the first one, and most have no other.
            crc = (_multiply(_shift(length), crc) if number else 0) ^ following
        return crc

    def _start(self) -> None:
        self._wanted = False
        try:
            # Known before it runs, so that an interrupt in between leaves none behind.
            self._thread = threading.Thread(
                target=self._follow, name="checkpoints-crc", daemon=True
            )
            self._thread.start()
        except RuntimeError:  # no more threads, or none of this kind in here
            self._thread = None

    def _end(self) -> None:
        """End the thread; may be interrupted, and called again."""
        self._ended = True
        self._waiting.put(_NOTHING)
        thread = self._thread
        # Where its start was interrupted it cannot be joined, and ends by itself.
        if thread is not None and thread.ident is not None:
            with suppress(RuntimeError):
                thread.join()
        self._thread = None

    def _follow(self) -> None:
        while not self._ended and self._take(wait=True):
            pass

    def _take(self, *, wait: bool = False) -> bool:
        """Take the checksum of one slice; tell whether there was one."""
        try:
            number, view = self._waiting.get(wait)
        except Empty:
            return False
        if number == _NOTHING[0]:
            return False
        self._taken[number] = (len(view), _crc32()(view))
        return True


# The polynomial of CRC-32, and x to the eighth, as zlib has them: the bits reversed.
_POLYNOMIAL = 0xEDB88320
_X_TO_8 = 1 << 23
_ONE = 1 << 31


def _multiply(one: int, other: int) -> int:
    """Multiply two polynomials over GF(2), modulo that of CRC-32."""
    product = 0
    bit = _ONE
    while bit:
        if one & bit:
            product ^= other
        other = (other >> 1) ^ (_POLYNOMIAL if other & 1 else 0)
        bit >>= 1
    return product


@functools.lru_cache(maxsize=256)
def _shift(length: int) -> int:
    """Return what a CRC-32 is multiplied by when so many bytes follow."""
    power, square = _ONE, _X_TO_8
    while length:
        if length & 1:
            power = _multiply(square, power)
        square = _multiply(square, square)
        length >>= 1
    return power


def allocate(size: int) -> memoryview:
    """
    Return writable memory for so many bytes.

    NumPy's, where there is much to hold: `bytearray` would fill it with zeros first,
    and NumPy asks the system for large pages.
    """
    if size >= _WORTH_A_THREAD:
        try:
            import numpy
        except ImportError:
            pass
        else:
            return numpy.empty(size, numpy.uint8).data
    return memoryview(bytearray(size))
