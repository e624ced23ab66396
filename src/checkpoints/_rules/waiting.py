"""Waiting for saves: for all of them, and for those of one rule."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from checkpoints._handlers.handler import Handler, checked_seconds
from checkpoints._process import drain
from checkpoints._text import shown, text_of

__all__ = ["flush_each", "flush_everything"]

logger = logging.getLogger("checkpoints")


def flush_everything(
    handlers: Iterable[Handler], timeout: float | None
) -> Exception | None:
    """Flush handlers and background writers; return the first error."""
    first: Exception | None = None
    left = drain.countdown(None if timeout is None else checked_seconds(timeout))
    own: dict[Callable[[float | None], None], None]
    own = dict.fromkeys(handler.flush for handler in handlers)
    for flush in (*own, drain.flush):
        try:
            flush(left())
        except Exception as error:  # noqa: BLE001 - all of them are flushed
            first = first or error
    return first


def flush_each(handlers: Iterable[Handler], *, may_raise: bool) -> None:
    """Flush handlers; log their errors, unless the first is to be raised."""
    for handler in handlers:
        try:
            handler.flush()
        except Exception as error:
            if may_raise:
                raise
            logger.warning("%s: %s", shown(handler), text_of(error))
