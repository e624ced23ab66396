"""Claims: the saves of a run that a limit for all of its processes leaves."""

from __future__ import annotations

from collections.abc import Iterable

from checkpoints._files.run_record import claim_names, claimed_number
from checkpoints._handlers.file import FileHandler
from checkpoints._handlers.handler import Handler
from checkpoints._handlers.root import run_root
from checkpoints._process.origin import current_run
from checkpoints._process.work import at_work
from checkpoints._text import shown
from checkpoints.errors import ConfigError
from checkpoints.storage._stores import open_store

__all__ = ["Claims"]


class Claims:
    """
    Counts the saves of each name in a run, in all of its processes.

    A process claims a save by an empty file that no other one can make a second time,
    beside the record of the run. Two rules for one name and root count together.

    Args:
        limit: How many saves of each name there may be.
        handlers: The handlers of a rule, one of which saves to files.

    Raises:
        ConfigError: If none of them does.
    """

    def __init__(self, limit: int, handlers: Iterable[Handler]) -> None:
        self._limit = limit
        found = [it for it in handlers if isinstance(it, FileHandler)]
        if not found:
            raise ConfigError(
                f"cannot combine run_limit={limit} with {shown(list(handlers))}: only "
                "files can be counted by all processes; use limit, or save to a folder"
            )
        self._handler = found[0]
        # The number that is tried next, by run and name.
        self._next: dict[tuple[str, str], int] = {}

    def take(self, name: str) -> bool:
        """
        Claim a save of a name; False if there is none left.

        Raises:
            OSError: If the file cannot be written.
        """
        run, handler = current_run(), self._handler
        first = self._next.get((run, name), 1)
        if first > self._limit:
            return False
        numbers = range(first, self._limit + 1)
        with at_work:
            store = open_store(run_root(handler.root)[0], handler.store_options)
            try:
                names = claim_names(run, name, numbers)
                got = claimed_number(store.put(names, [], 0, mode=handler.mode))
            except FileExistsError:
                self._next[run, name] = self._limit + 1
                return False
        self._next[run, name] = got + 1
        return True
