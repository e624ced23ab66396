"""How a command fails: what it prints, and its exit code."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO, Any

import click

from checkpoints import CheckpointError
from checkpoints._text import printable
from checkpoints.cli._screen import warn

__all__ = [
    "COULD_NOT_RUN",
    "CommandError",
    "NothingFoundError",
    "failure_of",
    "reason_of",
]

COULD_NOT_RUN = 2


class CommandError(click.ClickException):
    """
    The command cannot do what was asked for.

    Args:
        message: What is wrong, and the way out.
        lines: Further lines to print below it.
    """

    exit_code = COULD_NOT_RUN

    def __init__(self, message: str, lines: Iterable[str] = ()) -> None:
        super().__init__("\n".join(map(printable, [message, *lines])))


class NothingFoundError(CommandError):
    """No entry matches; the message is printed without "Error"."""

    exit_code = 1

    def show(self, file: IO[Any] | None = None) -> None:  # noqa: ARG002 - click's signature
        warn(self.message)


def failure_of(error: Exception) -> CommandError:
    """Return what a command prints of an error of the library, in one line."""
    return CommandError(". ".join([str(error), *getattr(error, "__notes__", ())]))


def reason_of(error: Exception) -> str:
    """Return what an error says; of one that is not made for people, its type too."""
    if isinstance(error, CheckpointError):
        return str(error)
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return f"{type(error).__name__}: {error}"
