"""An archive as a container: the values in its members."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from checkpoints._files.archive import HEADER_MEMBER, Archive
from checkpoints._process.budget import Budget, within
from checkpoints._process.libraries import imported
from checkpoints.errors import CorruptFileError
from checkpoints.storage._store import Buffer, Source

__all__ = ["ZipContainer"]

Node = Mapping[str, Any]


class ZipContainer:
    """
    A ZIP archive: each value is in the header, or in separate members.

    Args:
        source: The file.
        budget: The memory that reading it may take.

    Raises:
        CorruptFileError: If it is truncated, changed, or not a checkpoint file.
        TooLargeError: If its directory takes more memory than allowed.
    """

    header: dict[str, Any]

    def __init__(self, source: Source, budget: Budget) -> None:
        self._archive = Archive(source, budget)
        self._budget = budget
        self._path = source.path

    def header_bytes(self) -> memoryview:
        """Return the header as it is stored."""
        return self._archive.read(HEADER_MEMBER)

    def values(
        self, names: Sequence[str], *, trusted: bool, placeholders: bool, mmap: bool
    ) -> dict[str, Any]:
        """Return values by name; only their members are read."""
        nodes = {name: self.header["values"][name] for name in names}
        members = _Members(self._archive, self._budget, self._path, mmap=mmap)
        members.check(nodes.values())
        # Only here, as a header is read without what is known about values.
        decode = imported("checkpoints._kinds.decoder").decode
        with within(self._budget, "a value decoded from its bytes"):
            found: dict[str, Any] = decode(
                nodes,
                members.read,
                trusted=trusted,
                placeholders=placeholders,
                path=self._path,
            )
            return found

    def checksums(self) -> dict[str, tuple[int, int]]:
        """Return size and CRC-32 of each member but the header, uncompressed."""
        return self._archive.checksums()

    def check(self, seen: Callable[[Buffer], object] | None = None) -> None:
        """Check that no member named in the header is missing, and every byte."""
        for node in self.header["values"].values():
            name = node.get("member")
            if isinstance(name, str):
                self._archive.size_of(name)
            elif name is not None:
                what = f"{name!r:.80} is not the name of a member"
                raise CorruptFileError.at(self._path, what)
        self._archive.check(seen)


class _Members:
    """The members of an archive, each read at most once, within the budget."""

    def __init__(
        self, archive: Archive, budget: Budget, path: str, *, mmap: bool
    ) -> None:
        self._archive = archive
        self._budget = budget
        self._path = path
        self._mmap = mmap
        self._seen: set[str] = set()

    def check(self, nodes: Iterable[Node]) -> None:
        """Check that the budget suffices for the members that these nodes name."""
        names = {name for node in nodes if isinstance(name := node.get("member"), str)}
        sizes = [
            self._archive.size_of(name) for name in names if not self._is_mapped(name)
        ]
        self._budget.check(sum(sizes), f"{len(sizes)} members")

    def read(self, node: Node) -> memoryview:
        name = node["member"]
        if name in self._seen:  # only in a forged file, to fill the memory
            raise CorruptFileError.at(self._path, f"member {name!r} is named twice")
        self._seen.add(name)
        mapped = self._archive.map(name) if self._is_mapped(name) else None
        return self._archive.read(name) if mapped is None else mapped

    def _is_mapped(self, name: str) -> bool:
        return self._mmap and name.endswith(".npy")
