"""Roots: paths or URLs with placeholders for the run, the time and the process."""

from __future__ import annotations

import os
import re
import string
from collections.abc import Mapping
from typing import Any

from checkpoints._process.origin import current_run, host_name, run_id, run_started
from checkpoints._text import is_remote, shown
from checkpoints.errors import ConfigError
from checkpoints.storage._stores import absolute_root

__all__ = ["checked_root", "escaped", "filled_root", "run_root", "split_root"]

# Backslashes too: a root may be copied to Windows.
_SEPARATORS = {"/", "\\", "\0"}
_PLACEHOLDERS = ("run", "time", "host", "pid")


def checked_root(root: object, options: Mapping[str, Any] | None = None) -> str:
    """
    Return a root as an absolute path, so that a change of folder has no effect on it.

    Args:
        root: A path or a URL.
        options: The options of the store for a URL.

    Raises:
        MissingDependencyError: If the library for its scheme is not installed.
        ConfigError: If it is not a path, has an unknown placeholder, or has `{run}`
            where the run's id cannot be the name of a folder; or if there are options
            for a folder.
    """
    text: object = os.fspath(root) if isinstance(root, str | os.PathLike) else None
    if not isinstance(text, str) or not text or "\0" in text:
        message = f"invalid root {shown(root)}: expected a path or URL, not empty"
        raise ConfigError(message)
    if "://" in text:
        # An encoded brace is literal, and will be decoded.
        text = text.replace("%7B", "{{").replace("%7D", "}}")
    try:
        parsed = list(string.Formatter().parse(text))
    except ValueError as error:
        message = f"invalid root {text!r}: {error}. Write a literal brace twice"
        raise ConfigError(message) from error
    for _, field, detail, conversion in parsed:
        if field is not None and (
            field not in _PLACEHOLDERS or detail or conversion is not None
        ):
            message = (
                f"invalid root {text!r}: unknown placeholder {{{field}}}; there are "
                "{run}, {time}, {host} and {pid}. Write a literal brace twice"
            )
            raise ConfigError(message)
    if any(field == "run" for _, field, _, _ in parsed):
        _check_run(text)
    return absolute_root(text, escaped, options)


def escaped(folder: str) -> str:
    """Return a folder as a template, with its braces doubled."""
    return folder.replace("{", "{{").replace("}", "}}")


def _check_run(root: str) -> None:
    """Raise `ConfigError` if the id of the run is not a plain name of a folder."""
    run = run_id()
    if run in (os.curdir, os.pardir) or set(run) & _SEPARATORS:
        message = (
            f"invalid root {root!r}: the run is {shown(run)}, from CHECKPOINTS_RUN, "
            "which cannot replace {run}: use a name without slashes"
        )
        raise ConfigError(message)


def filled_root(root: str) -> str:
    """Return a root with its placeholders filled in for this process."""
    return root.format_map(_fields())


def _fields() -> dict[str, str]:
    known = (current_run(), run_started(), host_name(), str(os.getpid()))
    return dict(zip(_PLACEHOLDERS, known, strict=True))


def split_root(root: str) -> tuple[str, str]:
    """
    Split a root before the first of its folders that has a placeholder.

    >>> split_root("s3://bucket/saved/run={run}/a")
    ('s3://bucket/saved', 'run={run}/a')
    """
    parts = root.split("/")
    fields = (any(it[1] for it in string.Formatter().parse(part)) for part in parts)
    end = next((at for at, has_field in enumerate(fields) if has_field), len(parts))
    return "/".join(parts[:end]), "/".join(parts[end:])


def run_root(root: str) -> tuple[str, bool]:
    """
    Return the folder for the record of this run, and whether that is the run's own.

    Args:
        root: A root with its placeholders.

    Returns:
        The part of the root up to the folder with `{run}`; if no folder has it, the
        part that all runs share.
    """
    parsed = [(literal, field) for literal, field, *_ in string.Formatter().parse(root)]
    fields = [field for _, field in parsed]
    if not any(fields):
        return filled_root(root), False
    values = _fields()
    texts = [literal + values.get(field or "", "") for literal, field in parsed]
    separators = "/" if root.startswith("/") or is_remote(root) else r"/\\"
    if "run" in fields:
        end = fields.index("run") + 1
        rest = re.split(f"[{separators}]", "".join(texts[end:]))[0]
        return "".join(texts[:end]) + rest, True
    end = next(at for at, field in enumerate(fields) if field)
    start = "".join(texts[:end]) + parsed[end][0]
    return re.sub(f"[^{separators}]*$", "", start), False
