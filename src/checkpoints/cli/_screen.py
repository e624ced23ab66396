"""Terminal output: lines, colours, widths, progress bars."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import TextIO

import click
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.progress import Progress

from checkpoints._show.report import Line
from checkpoints._text import printable

__all__ = ["Screen", "cut", "discard", "padded", "progress", "warn", "width_of"]

_GLYPHS = "▁▂▃▄▅▆▇█│├└─…"

# Seconds before a progress bar is shown.
_PROGRESS_DELAY = 2.0


class Screen:
    """Where output goes: a terminal of a given width, a file or a pipe."""

    def __init__(self) -> None:
        self._console = Console()

    @property
    def is_terminal(self) -> bool:
        """Whether output goes to a terminal."""
        return self._console.is_terminal

    @cached_property
    def width(self) -> int | None:
        """The number of columns; None for a file or a pipe."""
        return self._console.width if self.is_terminal else None

    @cached_property
    def has_glyphs(self) -> bool:
        """Whether the encoding has blocks and lines."""
        try:
            _GLYPHS.encode(getattr(sys.stdout, "encoding", None) or "ascii")
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

    def report(self, lines: Iterable[Line]) -> None:
        """Print the lines of a report, with dim labels."""
        for line in lines:
            label = self.styled(line.label, "dim")
            self.line(label + self.styled(line.text, line.style))


def warn(text: str) -> None:
    """Print a line to stderr, with control characters escaped."""
    click.echo(printable(text), err=True)


def discard(stream: TextIO) -> None:
    """Send what a stream has buffered to the null device, so that the exit is clean."""
    with suppress(OSError, ValueError, AttributeError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)


def width_of(text: str) -> int:
    """Return the number of terminal columns that a text takes."""
    return len(text) if text.isascii() else cell_len(text)


def padded(text: str, width: int, *, right: bool = False) -> str:
    """Pad a text with spaces to a width."""
    spaces = " " * (width - width_of(text))
    return spaces + text if right else text + spaces


def cut(text: str, width: int) -> str:
    """Cut a text to a width."""
    if width_of(text) <= width:
        return text
    return set_cell_size(text, max(width - 1, 0)) + "…"


@contextmanager
def progress(text: str, total: int | None = None) -> Iterator[Callable[..., None]]:
    """
    Show a progress bar on stderr, if it is a terminal and this takes over two seconds.

    Args:
        text: The label of the bar.
        total: The number of steps; None if it is known only later.

    Yields:
        A function to call with the number of steps just done, and with `total` as soon
        as it is known.
    """
    console = Console(stderr=True)
    # Started only when it is shown, so that short commands start no thread.
    bar = Progress(console=console, transient=True)
    task = bar.add_task(text, total=total)
    due = time.monotonic() + _PROGRESS_DELAY
    is_shown = False

    def advance(steps: int = 1, *, total: int | None = None) -> None:
        nonlocal is_shown
        bar.update(task, advance=steps, total=total)
        if not is_shown and console.is_terminal and time.monotonic() > due:
            is_shown = True
            bar.start()

    try:
        yield advance
    finally:
        if is_shown:
            bar.stop()
