"""The file that an option names for a command to write."""

from __future__ import annotations

import os
from pathlib import Path

import click

from checkpoints._text import printable
from checkpoints.cli._screen import warn
from checkpoints.storage import open_store

__all__ = ["checked_target", "write_target"]


def checked_target(
    context: click.Context, parameter: click.Parameter, path: str | None
) -> str | None:
    """
    Return the path of a file to write, as the callback of an option.

    Raises:
        click.BadParameter: If it is clear before the work that it cannot be written.
    """
    if path is not None and (problem := _problem(path)):
        raise click.BadParameter(printable(problem), context, parameter)
    return path


def _problem(path: str) -> str:
    folder = os.path.dirname(os.path.abspath(path))
    if not path:
        return "the path is empty; give that of a file"
    if os.path.isdir(path):
        return f"{path!r} is a folder; give the path of a file"
    if not os.path.isdir(folder):
        return f"there is no folder {folder!r}; create it, or write elsewhere"
    if not os.access(folder, os.W_OK):
        return f"the folder {folder!r} cannot be written; write elsewhere"
    if os.path.exists(path) and not os.access(path, os.W_OK):
        return f"{path!r} cannot be written; change its permissions, or write elsewhere"
    return ""


def write_target(path: str, text: str) -> None:
    """Write a file, completely or not at all, and say so."""
    real = os.path.realpath(path)
    if os.path.exists(real) and not os.path.isfile(real):
        # A terminal or a pipe would be replaced.
        Path(path).write_text(text, encoding="utf-8")
    else:
        folder, file = os.path.split(real)
        data = text.encode()
        open_store(folder).put([file], [(0, data)], len(data), replace=True)
    warn(f"wrote {path}")
