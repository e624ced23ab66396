"""A root as it is given: a path or a URL, with places for the run and the process."""

from __future__ import annotations

import os
import string

from checkpoints._process.origin import current_run, host_name, run_id, run_started
from checkpoints._text import shown
from checkpoints.errors import ConfigError
from checkpoints.storage._stores import absolute_root

__all__ = ["checked_root", "filled_root"]

# A root may be moved to a system where the second is one too.
_SEPARATORS = {"/", "\\", "\0"}
_PLACEHOLDERS = ("run", "time", "host", "pid")


def checked_root(root: object) -> str:
    """
    Return a root as text, absolute, so that a change of folder moves nothing.

    Raises:
        ConfigError: If it is no path, has braces that mean nothing, or a place for the
            run where that has an id which is no name of a folder.
    """
    text: object = os.fspath(root) if isinstance(root, str | os.PathLike) else None
    if not isinstance(text, str) or not text or "\0" in text:
        message = f"root {shown(root)} has to be a path: text, not empty"
        raise ConfigError(message)
    if "://" in text:
        # An encoded brace is the folder's own, and decoded before long.
        text = text.replace("%7B", "{{").replace("%7D", "}}")
    try:
        parsed = list(string.Formatter().parse(text))
    except ValueError as error:
        message = f"root {text!r}: {error}. A brace of a folder's own is written twice"
        raise ConfigError(message) from error
    for _, field, detail, conversion in parsed:
        if field is not None and (
            field not in _PLACEHOLDERS or detail or conversion is not None
        ):
            message = (
                f"root {text!r}: {{{field}}} is not known so. There are {{run}}, "
                "{time}, {host} and {pid}; a folder's own brace is written twice"
            )
            raise ConfigError(message)
    if any(field == "run" for _, field, _, _ in parsed):
        _check_run(text)
    return absolute_root(text, _escaped)


def _escaped(folder: str) -> str:
    """Return a folder as a template has it, its braces written twice."""
    return folder.replace("{", "{{").replace("}", "}}")


def _check_run(root: str) -> None:
    """Raise `ConfigError` if the id of the run leads out of the folder it stands in."""
    run = run_id()
    if run in (os.curdir, os.pardir) or set(run) & _SEPARATORS:
        message = (
            f"root {root!r}: the run is {shown(run)}, by CHECKPOINTS_RUN, and cannot "
            "stand for {run}: give it a name without a slash"
        )
        raise ConfigError(message)


def filled_root(root: str) -> str:
    """Return a root as it is in this process, its places filled in."""
    return root.format(
        run=current_run(), time=run_started(), host=host_name(), pid=os.getpid()
    )
