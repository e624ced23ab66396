"""The files that an index stands for: found by a walk when they are first asked for."""

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
    Files under the root of a store, which filters narrow.

    Several filters take one walk: it goes past what any of them rules out, and where a
    wider selection was walked already, there is none.

    Args:
        store: Where they are.
        all_files: Whether files that are no checkpoints are among them.
    """

    def __init__(self, store: Store, *, all_files: bool) -> None:
        self.store = store
        self.all_files = all_files
        self.unreadable: list[OSError] = []
        self.found: Listing | None = None
        # What it was narrowed from, and by what, as long as that can be of use.
        self.wider: Selection | None = None
        self.rule: EntryFilter | None = None

    def listing(self) -> Listing:
        """Return the files, as they were when they were first asked for."""
        if self.found is None:
            start, rules = self._since(lambda each: each.found is not None)
            if start.found is None:
                self.found = self._walked(rules)
            else:
                self.found = reduce(Listing.filtered, rules, start.found)
                self.unreadable = start.unreadable
            if self.found:
                self.wider = self.rule = None
        return self.found

    def where(self, rule: EntryFilter) -> Selection:
        """Return the files that a filter takes; at once, if these are known."""
        if self.found is not None:
            return self.part(self.found.filtered(rule), rule)
        narrower = Selection(self.store, all_files=self.all_files)
        narrower.wider, narrower.rule = self, rule
        return narrower

    def part(self, listing: Listing, rule: EntryFilter | None = None) -> Selection:
        """Return some of these files, those that a filter has taken if it is given."""
        other = Selection(self.store, all_files=self.all_files)
        other.found, other.unreadable = listing, self.unreadable
        if rule and not listing:
            other.wider, other.rule = self, rule
        elif not self.listing():
            other.wider, other.rule = self.wider, self.rule
        return other

    def why_empty(self) -> str:
        """Return why there are no files; an empty text if there are some."""
        if self.listing():
            return ""
        start, rules = self._since(lambda each: bool(each.found))
        there = start.found
        if not there:
            there = Listing.of(self.store, (), [], all_files=self.all_files)
        return why_none(there, rules)

    def _since(
        self, is_start: Callable[[Selection], bool]
    ) -> tuple[Selection, list[EntryFilter]]:
        """Return the nearest one to start from, or the widest; the filters since."""
        at, rules = self, list[EntryFilter]()
        while at.wider is not None and at.rule is not None and not is_start(at):
            rules.insert(0, at.rule)
            at = at.wider
        return at, rules

    def _walked(self, rules: Sequence[EntryFilter]) -> Listing:
        unreadable = self.unreadable = list[OSError]()
        found = Listing.of(self.store, rules, unreadable, all_files=self.all_files)
        if unreadable:
            logger.warning(
                "%r: %d of its folders cannot be read, and what lies in them is not in "
                "the index, whose attribute unreadable says why: %s",
                self.store.root,
                len(unreadable),
                shown(str(unreadable[0])),
            )
        return found
