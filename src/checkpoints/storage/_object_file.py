"""An object that is open for reading, a part at a time."""

from __future__ import annotations

from typing import Self

from checkpoints.storage._bucket import Blob, Bucket
from checkpoints.storage._store import Status

__all__ = ["ObjectFile", "status_of"]

# Contains the directory and the header of most files, and small files as a whole.
_END = 1 << 14
# How far to read ahead: little at first, then more and more for who reads on.
_LEAST_AHEAD, _MOST_AHEAD = 1 << 14, 8 << 20


class ObjectFile:
    """
    An object that is open for reading.

    Its end is read with the first request, as headers are there.

    Args:
        bucket: Where it is.
        key: Its key, which is its name in its store.
        path: Its URL.
    """

    def __init__(self, bucket: Bucket, key: str, path: str) -> None:
        self._bucket = bucket
        self.path, self.name = path, key
        self._blob, end = bucket.end_of(key, _END)
        self.size = self._blob.size
        self._end = (self.size - len(end), end)
        # The part that was read last, and where it starts.
        self._part = (0, b"")
        self._ahead = _LEAST_AHEAD

    @property
    def status(self) -> Status:
        """Its size, time and tag when it was opened."""
        return status_of(self._blob)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._part = (0, b"")

    def map(self) -> None:
        """Return None: there is no file that could be mapped."""

    def read_into(self, offset: int, buffer: memoryview) -> int:
        """Fill the buffer from an offset; return how many bytes were available."""
        wanted = max(0, min(len(buffer), self.size - offset))
        done = 0
        while done < wanted:
            found = self._from(offset + done, wanted - done)
            if not found:
                break
            buffer[done : done + len(found)] = found
            done += len(found)
        return done

    def _from(self, offset: int, size: int) -> memoryview:
        """Return at least one byte from an offset on, at most as many as given."""
        for start, data in (self._end, self._part):
            if start <= offset < start + len(data):
                return memoryview(data)[offset - start :][:size]
        start, data = self._part
        reads_on = bool(data) and offset == start + len(data)
        self._ahead = min(2 * self._ahead, _MOST_AHEAD) if reads_on else _LEAST_AHEAD
        # Who reads on is about to read more than it asks for now.
        wanted = size + self._ahead if reads_on else max(size, self._ahead)
        ahead = min(wanted, _MOST_AHEAD, self._end[0] - offset)
        self._part = offset, self._bucket.read(self._blob, offset, ahead)
        return memoryview(self._part[1])[:size]


def status_of(blob: Blob) -> Status:
    """Return the status of an object."""
    return Status(blob.size, blob.time, tag=blob.tag)
