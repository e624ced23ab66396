"""The outcomes of the saves of a process, in numbers."""

from __future__ import annotations

from typing import Any, NamedTuple

from checkpoints._handlers.outcomes import outcomes, sums_of
from checkpoints._process import drain
from checkpoints._process.pickling import public

__all__ = ["Stats", "stats"]


class Stats(NamedTuple):
    """
    The outcomes of the saves of this process so far, in numbers.

    Args:
        saved: Saves that are done.
        skipped: Saves that were not necessary: the file existed, under
            `if_exists="skip"`, or `values` or `transform` left nothing.
        dropped: Saves that did not fit into the background queue or a budget of their
            rule, or were not begun in time.
        failed: Saves that failed, and left nothing behind.
        unknown: Saves that failed so late that the file may exist.
        pending: Saves that are waiting in the background.
        pending_bytes: The memory that these take, in bytes, approximately.
        by_name: The counts of each name, by the words above except for `pending`.
        by_reason: How many were skipped or dropped because of each option, such as
            `max_bytes`, or by their `handler`.
    """

    saved: int
    skipped: int
    dropped: int
    failed: int
    unknown: int
    pending: int
    pending_bytes: int
    by_name: dict[str, dict[str, int]]
    by_reason: dict[str, int]

    def __reduce__(self) -> tuple[Any, ...]:
        return public(type(self)), tuple(self)


def stats() -> Stats:
    """
    Return the outcomes of the saves of this process so far, in numbers.

    A save counts once per handler. A forked child starts at zero.

    >>> from checkpoints import capture, checkpoint
    >>> with capture("shop"):
    ...     checkpoint("shop.total", 12)
    >>> stats().by_name["shop.total"]["saved"] > 0
    True
    """
    pending, pending_bytes = drain.pending()
    by_name, by_reason = outcomes.counts()
    return Stats(
        **sums_of(by_name),
        pending=pending,
        pending_bytes=pending_bytes,
        by_name=by_name,
        by_reason=by_reason,
    )
