"""Moves what was kept in a folder, while a store was away, to that store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

from checkpoints._files.run_record import RUNS, files_of, is_start
from checkpoints._keys.key import SUFFIXES
from checkpoints._keys.spelling import spelling_in
from checkpoints.storage._copier import Copier
from checkpoints.storage._store import Store

__all__ = ["Delivery"]


class Delivery:
    """
    The files of a folder, moved to a store, each once.

    Args:
        kept: The folder.

    Raises:
        OSError: If it cannot be listed.
    """

    def __init__(self, kept: Store) -> None:
        self._kept = kept
        self.saves, self._records = list[str](), list[str]()
        self._unread = list[OSError]()
        for folder, files in kept.walk(on_error=self._unread.append):
            found = ["/".join((*folder, file)) for file in files]
            if folder and folder[-1] == RUNS:
                self._records += found
            else:
                suffixes = tuple(SUFFIXES.values())
                self.saves += [name for name in found if name.endswith(suffixes)]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to move, as far as it could be read."""
        return not (self.saves or self._begun or self._unread)

    @property
    def _begun(self) -> list[str]:
        return list(filter(is_start, self._records))

    @property
    def size(self) -> int:
        """The size of the saves in bytes."""
        return sum(it.size for it in self._kept.statuses(self.saves) if it)

    def to(
        self,
        target: Store,
        *,
        tell: Callable[[str], object],
        advance: Callable[[int], object] = int,
        replaces: bool = False,
    ) -> Copier:
        """
        Move the saves, and the records of their runs where there are none.

        Folders that are empty then are removed.

        Args:
            target: The store.
            tell: Called with why a save was not moved.
            advance: Called with the number of bytes just done.
            replaces: Whether an object that differs is replaced.

        Returns:
            What has moved the saves, with its counts.

        Raises:
            OSError: If the store cannot be written.
        """
        spell = partial(spelling_in, target)
        mover = partial(Copier, self._kept, target, spell=spell, moves=True)
        courier = mover(advance=advance, tell=tell, replaces=replaces)
        for error in self._unread:
            courier.fail(f"{error.filename}: {error.strerror}")
        courier.copy_all(self.saves)
        clerk = mover(advance=int, tell=bool)
        for start in self._begun:
            self._move_record(start, target, clerk.copy_all)
        courier.remove_empty([*self.saves, *self._records])
        return courier

    def _move_record(
        self, start: str, target: Store, move: Callable[[Sequence[str]], object]
    ) -> None:
        ends = [it for it in files_of(start, self._records) if it != start]
        if not target.has(start):
            # The beginning last: where it is, the rest is.
            move(ends)
            move([start])
            return
        # The run has reached the store later, and told there how it ended.
        for name in (*ends, start):
            with suppress(FileNotFoundError):
                self._kept.delete(name)
