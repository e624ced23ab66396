"""CRC-32 over buffers, taken beside the reading or writing of them."""

from __future__ import annotations

import functools
import threading
import zlib
from collections.abc import Callable, Iterable
from queue import SimpleQueue
from types import TracebackType
from typing import Self

__all__ = ["SLICE", "Buffer", "Checksum", "allocate", "crc32_of"]

Buffer = bytes | bytearray | memoryview

# Fits the second-level cache of most machines, and is still few enough calls.
SLICE = 1 << 20
# Starting a thread costs about as much as a checksum over this many bytes.
_WORTH_A_THREAD = 1 << 20


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
        crc = zlib.crc32(buffer, crc)
    return crc


class Checksum:
    """
    The CRC-32 of what it is fed, taken in a thread of its own when there is much.

    Both `zlib.crc32` and the system calls beside it let go of the interpreter lock,
    so that two cores do the work of one.

    Args:
        size: How many bytes will come, about.
    """

    def __init__(self, size: int) -> None:
        self._crc = 0
        self._queue: SimpleQueue[Buffer | None] | None = None
        if size >= _WORTH_A_THREAD:
            self._start()

    def _start(self) -> None:
        queue: SimpleQueue[Buffer | None] = SimpleQueue()
        self._thread = threading.Thread(
            target=self._consume, args=(queue,), name="checkpoints-crc", daemon=True
        )
        try:
            self._thread.start()
        except RuntimeError:  # the interpreter is shutting down, or out of threads
            return
        self._queue = queue

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.result()

    def feed(self, buffer: Buffer) -> None:
        """Take a buffer in, which has to stay as it is until the result is there."""
        if self._queue is None:
            self._crc = zlib.crc32(buffer, self._crc)
        else:
            self._queue.put(buffer)

    def result(self) -> int:
        """Return the CRC-32 of all that came."""
        if self._queue is not None:
            self._queue.put(None)
            self._thread.join()
            self._queue = None
        return self._crc

    def _consume(self, queue: SimpleQueue[Buffer | None]) -> None:
        crc32 = _crc32()
        while (buffer := queue.get()) is not None:
            view = memoryview(buffer)
            for start in range(0, len(view), SLICE):
                self._crc = crc32(view[start : start + SLICE], self._crc)


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
