"""How a command fails: what it prints, and its exit code."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO, Any

import click

from checkpoints._text import printable
from checkpoints.cli._screen import warn

__all__ = ["CommandError", "NothingFoundError"]


class CommandError(click.ClickException):
    """
    The command cannot do what was asked for.

    Args:
        message: What is wrong, and the way out.
        lines: Further lines to print below it.
    """

    exit_code = 2

    def __init__(self, message: str, lines: Iterable[str] = ()) -> None:
        super().__init__("\n".join(map(printable, [message, *lines])))


class NothingFoundError(CommandError):
    """No entry matches; the message is printed without "Error"."""

    exit_code = 1

    def show(self, file: IO[Any] | None = None) -> None:  # noqa: ARG002 - click's signature
        warn(self.message)
