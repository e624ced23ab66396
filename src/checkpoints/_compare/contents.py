"""The values of one saved file, loaded one after the other, within a limit."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from checkpoints._files.container import open_container
from checkpoints._index.entry import Entry, source_of
from checkpoints._kinds import json_bytes
from checkpoints._process.budget import Budget
from checkpoints.errors import TooLargeError
from checkpoints.storage._store import Source

__all__ = ["Contents", "contents_of", "digest_of"]


class Contents:
    """
    The values of a file that stays open, so that its header is read once.

    Args:
        source: The file.
        trusted: Whether to load pickles.
        memory: The memory that one value may take, in bytes.
    """

    def __init__(self, source: Source, *, trusted: bool, memory: int) -> None:
        self._source = source
        self._trusted = trusted
        self._budget = Budget(source.path, memory)
        self._container = open_container(source, self._budget)
        # Each value may take what the header has left.
        self._left = self._budget.left
        self.names = list(self._container.header["values"])

    def load(self, name: str) -> Any:
        """
        Load a value.

        An array that is larger than the limit is mapped instead, after each byte of
        the file was checked: mapped arrays take no memory of their own.

        Raises:
            CheckpointError, OSError: As for `checkpoints.load`.
        """
        try:
            return self._value(name, mmap=False)
        except TooLargeError:
            open_container(self._source).check()
            return self._value(name, mmap=True)

    def _value(self, name: str, *, mmap: bool) -> Any:
        self._budget.left = self._left
        trusted = self._trusted
        found = self._container.values(
            [name], trusted=trusted, placeholders=not trusted, mmap=mmap
        )
        return found[name]


def digest_of(entry: Entry, *, memory: int) -> bytes:
    """
    Return a hash that only files with the same values to the byte share.

    Every byte is read, and checked against its checksum; nothing is loaded.

    Args:
        entry: The entry.
        memory: The memory that reading may take, in bytes.

    Raises:
        CheckpointError, OSError: As for `checkpoints.load`.
    """
    with source_of(entry) as source:
        container = open_container(source, Budget(source.path, memory))
        described = container.header["values"], sorted(container.checksums().items())
        digest = hashlib.blake2b(json_bytes.as_utf8(json_bytes.to_text(described)))
        container.check(digest.update)
        return digest.digest()


@contextmanager
def contents_of(entry: Entry, *, trusted: bool, memory: int) -> Iterator[Contents]:
    """
    Open the file of an entry.

    Args:
        entry: The entry.
        trusted: Whether to load pickles.
        memory: The memory that one value may take, in bytes.
    """
    with source_of(entry) as source:
        yield Contents(source, trusted=trusted, memory=memory)
