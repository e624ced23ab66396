"""The files in an index: found by a walk when they are first needed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import reduce

from checkpoints._index.filter import EntryFilter
from checkpoints._index.listing import Listing, why_none
from checkpoints._text import shown
from checkpoints.storage._store import Store

__all__ = ["Selection"]

logger = logging.getLogger("checkpoints")


class Selection:
    """
    Files under the root of a store, narrowed by filters.

    Several filters need a single walk, which skips the folders that any of them rules
    out. If a wider selection was walked already, its files are filtered instead.

    Args:
        store: The store that contains the files.
        all_files: Whether to include files that are not checkpoint files.
    """

    def __init__(self, store: Store, *, all_files: bool) -> None:
        self.store = store
        self.all_files = all_files
        self.unreadable: list[OSError] = []
        self.found: Listing | None = None
        # Whether a filter may have left out others.
        self.is_part = False
        # The selection that this one was narrowed from, and how, while still needed.
        self.origin: tuple[Selection, EntryFilter] | None = None

    def listing(self) -> Listing:
        """Return the files as they were when first needed."""
        if self.found is None:
            start, filters = self._since(lambda selection: selection.found is not None)
            if start.found is None:
                self.found = self._walked(filters)
            else:
                self.found = reduce(Listing.filtered, filters, start.found)
                self.unreadable = start.unreadable
            if self.found:
                self.origin = None
        return self.found

    def where(self, entry_filter: EntryFilter) -> Selection:
        """Return the files that match a filter; at once if these are known."""
        if self.found is not None:
            return self.part(self.found.filtered(entry_filter), entry_filter)
        narrower = Selection(self.store, all_files=self.all_files)
        narrower.origin, narrower.is_part = (self, entry_filter), True
        return narrower

    def part(
        self, listing: Listing, entry_filter: EntryFilter | None = None
    ) -> Selection:
        """Return some of these files, selected by a filter if one is given."""
        other = Selection(self.store, all_files=self.all_files)
        other.found, other.unreadable = listing, self.unreadable
        other.is_part = self.is_part or entry_filter is not None
        if entry_filter and not listing:
            other.origin = self, entry_filter
        elif not self.listing():
            other.origin = self.origin
        return other

    def why_empty(self) -> str:
        """Return why there are no files; an empty text if there are some."""
        if self.listing():
            return ""
        start, filters = self._since(lambda selection: bool(selection.found))
        unfiltered = start.found
        if not unfiltered:
            unfiltered = Listing.of(self.store, (), [], all_files=self.all_files)
        return why_none(unfiltered, filters)

    def _since(
        self, is_start: Callable[[Selection], bool]
    ) -> tuple[Selection, list[EntryFilter]]:
        """Return the nearest start, or the widest selection, and the filters since."""
        start, filters = self, list[EntryFilter]()
        # Read once: another thread may let go of it meanwhile.
        while (origin := start.origin) and not is_start(start):
            start, narrowed_by = origin
            filters.insert(0, narrowed_by)
        return start, filters

    def _walked(self, filters: Sequence[EntryFilter]) -> Listing:
        unreadable = self.unreadable = list[OSError]()
        found = Listing.of(self.store, filters, unreadable, all_files=self.all_files)
        if unreadable:
            logger.warning(
                "%r: %d of its folders cannot be read and are not in the index (its "
                "attribute unreadable has the errors): %s",
                self.store.root,
                len(unreadable),
                shown(str(unreadable[0])),
            )
        return found
