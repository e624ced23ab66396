"""The handler that saves to memory."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from checkpoints._handlers.handler import Handler
from checkpoints._handlers.job import freeze_for
from checkpoints._keys.key import Key, name_in_path, parse_folder
from checkpoints._kinds.same import same
from checkpoints._text import hint, shown
from checkpoints.errors import AlreadyStoredError, FormatError

__all__ = ["DictHandler"]

logger = logging.getLogger("checkpoints")


class DictHandler(Handler, Mapping[str, Mapping[str, Any]]):
    """
    Saves to a dict in memory, for tests and for exploring.

    A mapping of paths, such as `"fold=1/mypkg/fit"`, to values by name. If only one
    entry has a name, the dotted name finds it too: `handler["mypkg.fit"]`, with `in`
    and `get` alike.

    Args:
        objects: The dict to save to; a new one unless given.
        force: Let a save replace an existing entry.
        copy: Copy the values, so that later changes to them have no effect.

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
        self._warned: set[str] = set()

    def __repr__(self) -> str:
        # A copy made in one step: other threads may save meanwhile.
        return f"<DictHandler {shown(list(self.objects))}>"

    def __reduce__(self) -> NoReturn:
        message = (
            f"cannot pickle {shown(self)}: the saves of a copy in another process "
            "would be lost. Save to files instead: give a path, and read index(path)"
        )
        raise FormatError(message)

    def __getitem__(self, path: str) -> Mapping[str, Any]:
        """
        Return the values stored under a path or a dotted name.

        Raises:
            KeyError: If nothing is stored there.
            LookupError: If several entries have the name.
        """
        if path in self.objects:
            return self.objects[path]
        paths = self._paths_of(path)
        if len(paths) > 1:
            message = (
                f"{len(paths)} entries have the name {shown(path)}: use the path of "
                f"one of them, {shown(paths)}"
            )
            raise LookupError(message)
        if paths:
            return self.objects[paths[0]]
        advice = hint(str(path).replace(".", "/"), self.objects)
        raise KeyError(f"nothing is stored under {shown(path)}; {advice}")

    def __contains__(self, path: object) -> bool:
        return path in self.objects or bool(self._paths_of(path))

    def _paths_of(self, name: object) -> list[str]:
        """Return the paths of the entries that have a dotted name."""
        if not isinstance(name, str):
            return []
        name = name_in_path(name)
        parsed = (
            (path, parse_folder(path.split("/"))[1]) for path in list(self.objects)
        )
        return [path for path, parts in parsed if ".".join(parts) == name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.objects)

    def __len__(self) -> int:
        return len(self.objects)

    def commit(self, key: Key, staged: Mapping[str, Any]) -> None:
        """
        Store values under the path of their key.

        Raises:
            AlreadyStoredError: If other values are stored there, without `force`.
        """
        path = key.path
        values = freeze_for(key)(staged) if self.copy else dict(staged)
        existing = self.objects.get(path)
        if existing is not None and not same(existing, values):
            self._check_replacing(key, path)
        self.objects[path] = values

    def _check_replacing(self, key: Key, path: str) -> None:
        if not self.force:
            message = (
                f"checkpoint {key} is already stored under {path!r}, with other data: "
                "add a tag that distinguishes the two, or use DictHandler(force=True)"
            )
            raise AlreadyStoredError(message)
        if key.name not in self._warned:
            self._warned.add(key.name)
            logger.warning(
                "checkpoint %s is already stored, and only the last save is kept: add "
                "a tag that distinguishes them",
                key,
            )
