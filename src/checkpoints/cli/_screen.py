"""What is printed: lines, in colour where they are read by people."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property

import click
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.progress import Progress

from checkpoints._text import printable

__all__ = ["Screen", "cut", "padded", "progress", "tell", "width_of"]

_SOLID = "▁▂▃▄▅▆▇█│├└─…"

_SECONDS = 2.0


class Screen:
    """Where the output goes: a terminal of some width, or whatever reads on."""

    def __init__(self) -> None:
        self._console = Console()

    @property
    def is_terminal(self) -> bool:
        """Whether people read it."""
        return self._console.is_terminal

    @cached_property
    def width(self) -> int | None:
        """How many columns there are; None where nobody counts them."""
        return self._console.width if self.is_terminal else None

    @cached_property
    def has_glyphs(self) -> bool:
        """Whether blocks and lines can be printed."""
        try:
            _SOLID.encode(getattr(sys.stdout, "encoding", None) or "ascii")
        except (UnicodeEncodeError, LookupError):
            return False
        return True

    @cached_property
    def has_colour(self) -> bool:
        """Whether lines may be in colour."""
        console = self._console
        return (
            self.is_terminal and not console.no_color and not console.is_dumb_terminal
        )

    def styled(self, text: str, style: str) -> str:
        """Return a text in a style, which is a colour, `"bold"` or `"dim"`."""
        if not (style and text and self.has_colour):
            return text
        if style in ("bold", "dim"):
            return click.style(text, **{style: True})
        return click.style(text, fg=style)

    def line(self, text: str = "") -> None:
        """Print a line."""
        click.echo(text, color=self.has_colour)


def tell(text: str) -> None:
    """Print a line on stderr, harmless whatever it holds."""
    click.echo(printable(text), err=True)


def width_of(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    return len(text) if text.isascii() else cell_len(text)


def padded(text: str, width: int, *, right: bool = False) -> str:
    """Return a text with blanks up to a width."""
    blanks = " " * (width - width_of(text))
    return blanks + text if right else text + blanks


def cut(text: str, width: int) -> str:
    """Return a text that takes at most so many columns."""
    if width_of(text) <= width:
        return text
    return set_cell_size(text, max(width - 1, 0)) + "…"


@contextmanager
def progress(text: str, total: int | None = None) -> Iterator[Callable[..., None]]:
    """
    Show a progress bar on stderr, if it is a terminal and takes over two seconds.

    Args:
        text: What it stands for.
        total: The number of steps; None if it is only known later.

    Yields:
        A function that is called with the number of steps just done, and with `total`
        as soon as it is known.
    """
    console = Console(stderr=True)
    # Nothing starts before it is due, not even a thread.
    bar = Progress(console=console, transient=True)
    task = bar.add_task(text, total=total)
    due = time.monotonic() + _SECONDS
    shown = False

    def advance(steps: int = 1, *, total: int | None = None) -> None:
        nonlocal shown
        bar.update(task, advance=steps, total=total)
        if not shown and console.is_terminal and time.monotonic() > due:
            shown = True
            bar.start()

    try:
        yield advance
    finally:
        if shown:
            bar.stop()
