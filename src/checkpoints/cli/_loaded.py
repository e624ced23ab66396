"""Loading one value, what hinders it told in the words of the command line."""

from __future__ import annotations

import click

import checkpoints

__all__ = ["NotLoaded", "loaded"]


class NotLoaded(click.ClickException):
    """A value that may not be loaded as long as nobody allows it."""

    exit_code = 2


def loaded(path: str, name: str, *, trusted: bool, max_bytes: int | None) -> object:
    """
    Load a value.

    Raises:
        NotLoaded: If an option would allow it.
        CheckpointError, OSError: As for `checkpoints.load`.
    """
    try:
        return checkpoints.load(path, name, trusted=trusted, max_bytes=max_bytes)[name]
    except checkpoints.UntrustedError as error:
        message = (
            f"{path}: {name!r} is a pickle, which can run any code: not loaded without "
            "--trusted"
        )
        raise NotLoaded(checkpoints.printable(message)) from error
    except checkpoints.TooLargeError as error:
        # What the library advises are arguments of Python.
        told, _, advice = str(error).partition(". Load fewer")
        way = (
            "allow more with --max-bytes"
            if "max_bytes" in advice
            else ("load it on a larger machine")
        )
        raise NotLoaded(checkpoints.printable(f"{told}: {way}")) from error
