"""What an object store needs of a client: objects by their keys, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias

from checkpoints.storage._store import Buffer

__all__ = ["Blob", "Bucket", "Options", "UncertainError", "UnreachableError"]

# What a client is opened with: credentials, an endpoint, time-outs.
Options: TypeAlias = "Mapping[str, Any]"


class Blob(NamedTuple):
    """
    An object, as it is listed.

    Args:
        key: Its key below the root.
        size: Its size in bytes.
        time: When it was written, in nanoseconds since the epoch.
        tag: What differs for another content; empty if the server tells nothing.
    """

    key: str
    size: int
    time: int
    tag: str


class UncertainError(OSError):
    """A request failed without an answer: what it asked for may have happened."""


class UnreachableError(UncertainError, ConnectionError):
    """A request that was sent before could not be sent again."""


class Bucket(Protocol):
    """
    A client for the objects below a root.

    All methods raise an `OSError` that can be shown to people, and are thread-safe.

    Args:
        may_ignore_conditions: Whether it has to be found out if a create replaces.
    """

    may_ignore_conditions: bool

    def write(
        self, key: str, data: Sequence[Buffer], mark: str, *, creates: bool
    ) -> None:
        """
        Write an object in one step.

        Args:
            key: Its key.
            data: Its bytes, in one or several buffers.
            mark: Kept with it, where the server keeps such.
            creates: Whether an existing object is left as it is.

        Raises:
            FileExistsError: If there is one that is to be left.
            UncertainError: If the object may have been written.
        """
        ...

    def mark_of(self, key: str) -> str | None:
        """Return the mark of an object; None if there is no such object."""
        ...

    def find(self, key: str) -> Blob | None:
        """Return an object; None if there is none."""
        ...

    def end_of(self, key: str, size: int) -> tuple[Blob, bytes]:
        """Return an object and its last bytes, all of them if it has no more."""
        ...

    def read(self, blob: Blob, start: int, size: int) -> bytes:
        """Return bytes of an object, unless it was replaced since it was found."""
        ...

    def list(self, prefix: str, *, only_first: bool = False) -> Iterable[Blob]:
        """Yield the objects below a prefix, in any order; at most a page of them."""
        ...

    def level(self, prefix: str) -> tuple[Sequence[str], Sequence[Blob]]:
        """Return the folders directly below a prefix, and the objects there."""
        ...

    def delete(self, key: str) -> None:
        """Delete an object; no error if there is none."""
        ...
