"""A bar on stderr, for what takes longer than somebody likes to wait unsure."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress

__all__ = ["progress"]

_SECONDS = 2.0


@contextmanager
def progress(text: str, total: int) -> Iterator[Callable[[int], None]]:
    """Yield what is called with the steps done; after two seconds they are shown."""
    console = Console(stderr=True)
    # Nothing starts before it is due, not even a thread.
    bar = Progress(console=console, transient=True)
    task = bar.add_task(text, total=total)
    due = time.monotonic() + _SECONDS
    shown = False

    def advance(steps: int = 1) -> None:
        nonlocal shown
        bar.advance(task, steps)
        if not shown and console.is_terminal and time.monotonic() > due:
            shown = True
            bar.start()

    try:
        yield advance
    finally:
        if shown:
            bar.stop()
