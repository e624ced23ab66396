"""The handler that saves to memory."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from checkpoints._handlers.handler import Handler
from checkpoints._keys.key import Key, name_in_path, parse_folder
from checkpoints._kinds.frozen import frozen_values
from checkpoints._kinds.same import same
from checkpoints._text import shown
from checkpoints.errors import AlreadyStoredError, FormatError

__all__ = ["DictHandler"]

logger = logging.getLogger("checkpoints")


class DictHandler(Handler, Mapping[str, Mapping[str, Any]]):
    """
    Saves to a dict in memory, for tests and for looking around.

    A mapping of paths, such as `"fold=1/mypkg/fit"`, to values by name. Where a single
    entry has a name, that finds it too: `handler["mypkg.fit"]`, `in` and `get` alike.

    Args:
        objects: The dict to save to; a new one unless given.
        force: Let a save replace what is there already.
        copy: Keep the values as they are now, not as they become.

    >>> handler = DictHandler()
    >>> handler.checkpoint("shop.total", 12)
    >>> handler["shop/total"]
    {'data': 12}
    >>> handler["shop.total"]
    {'data': 12}
    """

    def __init__(
        self,
        objects: dict[str, Mapping[str, Any]] | None = None,
        *,
        force: bool = False,
        copy: bool = True,
    ) -> None:
        self.objects: dict[str, Mapping[str, Any]]
        self.objects = {} if objects is None else objects
        self.force = force
        self.copy = copy
        self._told: set[str] = set()

    def __repr__(self) -> str:
        return f"<DictHandler {shown(list(self))}>"

    def __reduce__(self) -> NoReturn:
        message = (
            f"{shown(self)} cannot be pickled: its saves are in the memory of this "
            "process, and those of a copy in another process would be lost. Save to "
            "files instead: give a path, and read index(path)"
        )
        raise FormatError(message)

    def __getitem__(self, path: str) -> Mapping[str, Any]:
        """
        Return the values that are stored under a path, or under a dotted name.

        Raises:
            KeyError: If nothing is stored there.
            LookupError: If several entries have the name.
        """
        if path in self.objects:
            return self.objects[path]
        paths = self._paths_of(path)
        if len(paths) > 1:
            message = (
                f"{len(paths)} entries have the name {shown(path)}: give the path of "
                f"one of them, {shown(paths)}"
            )
            raise LookupError(message)
        if paths:
            return self.objects[paths[0]]
        near = difflib.get_close_matches(str(path).replace(".", "/"), self.objects)
        told = f"the nearest are {near}" if near else f"there are {shown([*self])}"
        raise KeyError(f"nothing is stored under {shown(path)}; {told}")

    def __contains__(self, path: object) -> bool:
        return path in self.objects or bool(self._paths_of(path))

    def _paths_of(self, name: object) -> list[str]:
        """Return the paths of the entries that have a dotted name."""
        if not isinstance(name, str):
            return []
        told = name_in_path(name)
        parsed = ((path, parse_folder(path.split("/"))[1]) for path in self.objects)
        return [path for path, parts in parsed if ".".join(parts) == told]

    def __iter__(self) -> Iterator[str]:
        return iter(self.objects)

    def __len__(self) -> int:
        return len(self.objects)

    def commit(self, key: Key, staged: Mapping[str, Any]) -> None:
        """
        Keep values under the path of their key.

        Raises:
            AlreadyStoredError: If other values are there already, without `force`.
        """
        path = key.path
        values = frozen_values(staged) if self.copy else dict(staged)
        there = self.objects.get(path)
        if there is not None and not same(there, values):
            self._note_replaced(key, path)
        self.objects[path] = values

    def _note_replaced(self, key: Key, path: str) -> None:
        if not self.force:
            message = (
                f"checkpoint {key} is stored already, under {path!r}, with other data: "
                "add a tag that tells the two apart, or use DictHandler(force=True)"
            )
            raise AlreadyStoredError(message)
        if key.name not in self._told:
            self._told.add(key.name)
            logger.warning(
                "checkpoint %s is stored already, and only the last one is kept: add "
                "a tag that tells them apart",
                key,
            )
