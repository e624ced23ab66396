"""CRC-32 over buffers, computed while they are read or written."""

from __future__ import annotations

import functools
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Self, TypeVar

from checkpoints._process.libraries import imported
from checkpoints.storage._store import Buffer

__all__ = ["SLICE", "Buffer", "Checksum", "allocate", "crc32_of", "shown_to"]

B = TypeVar("B", bound=Buffer)

# Fits into the second-level cache of most machines, without too many calls.
SLICE = 1 << 20
# A thread takes the first slice while the second one is read; alone it gains nothing.
_WORTH_A_THREAD = 2 * SLICE
# Put into the queue to end the thread.
_END = (-1, memoryview(b""))


@functools.cache
def _crc32() -> Callable[..., int]:
    """Return zlib-ng's function if it is installed, which is six times as fast."""
    try:
        crc32: Callable[..., int] = imported("zlib_ng.zlib_ng").crc32
    except ImportError:
        return zlib.crc32
    return crc32


def crc32_of(buffers: Iterable[Buffer]) -> int:
    """Return the CRC-32 of buffers, one after the other."""
    crc = 0
    for buffer in buffers:
        crc32 = _crc32() if len(buffer) >= SLICE else zlib.crc32
        crc = crc32(buffer, crc)
    return crc


def shown_to(seen: Callable[[B], object], buffers: Iterable[B]) -> Iterator[B]:
    """Yield buffers, each after somebody has seen it."""
    for buffer in buffers:
        seen(buffer)
        yield buffer


class Checksum:
    """
    The CRC-32 of buffers, computed in a thread while they are read or written.

    The thread works on one slice after the other, and `result` helps it with the rest.
    Both `zlib.crc32` and system calls release the interpreter lock, so that two cores
    share the work.

    Enter it twice, `with checksum, checksum:`, where interrupts may come: if one cuts
    the first clean-up short, the second completes it.

    Args:
        size: The total size in bytes, roughly.
    """

    def __init__(self, size: int) -> None:
        self._slices: SimpleQueue[tuple[int, memoryview]] = SimpleQueue()
        # Length and checksum of each slice that is done, by its number.
        self._done: dict[int, tuple[int, int]] = {}
        self._count = 0
        self._ended = False
        self._needs_thread = size >= _WORTH_A_THREAD
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def feed(self, buffer: Buffer) -> None:
        """Add a buffer, which must not change until the result is returned."""
        if self._needs_thread:
            self._start()
        view = memoryview(buffer)
        for start in range(0, len(view), SLICE):
            self._slices.put((self._count, view[start : start + SLICE]))
            self._count += 1

    def result(self) -> int:
        """Return the CRC-32 of all buffers."""
        while self._compute_next():
            pass
        self._end()
        crc = 0
        for number in range(self._count):
            length, following = self._done[number]
            # The first slice needs no shift, and mostly it is the only one.
            crc = (_multiply(_shift(length), crc) if number else 0) ^ following
        return crc

    def _start(self) -> None:
        self._needs_thread = False
        try:
            # Assigned before it runs, so that an interrupt in between cannot leak it.
            self._thread = threading.Thread(
                target=self._compute_all, name="checkpoints-crc", daemon=True
            )
            self._thread.start()
        except RuntimeError:  # no more threads, or no daemons in a subinterpreter
            self._thread = None

    def _end(self) -> None:
        """End the thread; safe to call again after an interrupt."""
        self._ended = True
        self._slices.put(_END)
        thread = self._thread
        # If its start was interrupted, it cannot be joined, and ends by itself.
        if thread is not None and thread.ident is not None:
            with suppress(RuntimeError):
                thread.join()
        self._thread = None

    def _compute_all(self) -> None:
        while not self._ended and self._compute_next(wait=True):
            pass

    def _compute_next(self, *, wait: bool = False) -> bool:
        """Compute the checksum of one slice; tell whether there was one."""
        try:
            number, view = self._slices.get(wait)
        except Empty:
            return False
        if number == _END[0]:
            return False
        self._done[number] = (len(view), _crc32()(view))
        return True


# The polynomial of CRC-32, and x to the eighth, with their bits reversed as in zlib.
_POLYNOMIAL = 0xEDB88320
_X_TO_8 = 1 << 23
_ONE = 1 << 31


def _multiply(one: int, other: int) -> int:
    """Multiply two polynomials over GF(2), modulo the CRC-32 polynomial."""
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
    """Return the factor that shifts a CRC-32 past a number of following bytes."""
    power, square = _ONE, _X_TO_8
    while length:
        if length & 1:
            power = _multiply(square, power)
        square = _multiply(square, square)
        length >>= 1
    return power


def allocate(size: int) -> memoryview:
    """
    Return writable memory for a number of bytes.

    Large memory comes from NumPy, if it is installed: it asks the system for large
    pages, and does not fill it with zeros first, as `bytearray` does.
    """
    if size >= SLICE:
        with suppress(ImportError):
            numpy = imported("numpy")
            buffer: memoryview = numpy.empty(size, numpy.uint8).data
            return buffer
    return memoryview(bytearray(size))
