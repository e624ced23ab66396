"""Entries copied into another format: what they hold is loaded and saved again."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from checkpoints import (
    CheckpointError,
    Entry,
    FileHandler,
    FormatError,
    Key,
    UntrustedError,
)
from checkpoints._keys.spelling import readable
from checkpoints._process.origin import Origin, current_run
from checkpoints.cli._screen import warn

__all__ = ["Converter"]


class Converter:
    """
    Saves entries in another format, and counts them.

    Args:
        target: The root to save under.
        format: The format.
        force: Whether to replace existing files.
    """

    def __init__(self, target: str, format: str, *, force: bool) -> None:
        root = target.replace("{", "{{").replace("}", "}}")
        if_exists = "replace" if force else "skip"
        options: dict[str, Any] = {"format": format, "if_exists": if_exists}
        self._handler = FileHandler(root, **options)
        self.format = format
        self.count = self.same = 0
        self.failed = False

    def copy(self, entry: Entry) -> None:
        """Save an entry, with the name, the tags and the origin that it has."""
        try:
            meta = entry.meta
            values = self._values(entry, meta)
            found = _key_of(entry, meta)
            key = Key(found.name, found.tags, _origin_of(meta))
            is_saved = self._handler.commit(key, values) is None
        except FileNotFoundError:
            return  # deleted since the folder was listed
        except (CheckpointError, OSError) as error:
            self._fail(entry, error)
        else:
            self.count, self.same = self.count + is_saved, self.same + (not is_saved)

    def _values(self, entry: Entry, meta: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values; tell of those that no attempt could read."""
        try:
            return entry.load()
        except (FormatError, UntrustedError):
            found, failures = {}, []
            for name in meta["values"]:
                try:
                    found[name] = entry[name]
                except (FormatError, UntrustedError) as error:
                    failures.append(error)
            if not found:
                raise
        for failure in failures:
            self._fail(entry, failure)
        return found

    def _fail(self, entry: Entry, error: Exception) -> None:
        self.failed = True
        reason = str(error)
        # The errors of reading a file begin with its path, those of saving do not.
        place = "" if reason.startswith(entry.path) else f"{entry.path}: "
        warn(f"not copied: {place}{reason}")


def _key_of(entry: Entry, meta: Mapping[str, Any]) -> Key:
    """Return name and tags: as the path has them, with the types of the header."""
    in_path, own = Key(entry.name, entry.tags.items()), tuple(meta["tags"])
    above = in_path.tags[: max(0, len(in_path.tags) - len(own))]
    key = Key(str(meta["name"]), (*above, *own))
    folder, file = os.path.split(entry.path)
    # In which long texts are cut.
    on_disk = "/".join((*folder.split(os.sep), file.partition(".")[0]))
    is_same = key.path == in_path.path or readable(on_disk).endswith(f"/{key.path}")
    return key if is_same else in_path


def _origin_of(meta: Mapping[str, Any]) -> Origin:
    """Return where a save came from, as its header has it; if it has none, this run."""
    site = meta.get("site")
    site = site if isinstance(site, Mapping) else {}
    sampling = meta.get("sampling")
    host = str(meta.get("host", ""))
    return Origin(
        str(meta.get("run") or current_run()),
        _whole(meta.get("sequence")),
        meta["time"].timestamp(),
        host,
        _whole(meta.get("pid")),
        str(meta.get("thread", "")),
        str(site.get("file", "")),
        _whole(site.get("line")),
        str(site.get("function", "")),
        str(meta.get("dumped", "")),
        _whole(meta.get("call")),
        tuple(sampling.items()) if isinstance(sampling, Mapping) else (),
        _parent_of(meta.get("parent"), host),
        str(meta.get("part", "")),
        _defaults_of(meta.get("defaults")),
        _within_of(meta.get("within")),
        _attempt_of(meta.get("attempt")),
        str(meta.get("called", "")),
    )


def _parent_of(found: object, host: str) -> tuple[int, int, str] | tuple[()]:
    if not isinstance(found, Mapping):
        return ()
    own = str(found.get("host", host))
    return _whole(found.get("pid")), _whole(found.get("sequence")), own


def _defaults_of(found: object) -> tuple[str, ...]:
    return tuple(map(str, found)) if isinstance(found, list) else ()


def _within_of(found: object) -> tuple[str, int] | tuple[()]:
    if not isinstance(found, Mapping):
        return ()
    return str(found.get("name", "")), _whole(found.get("call"))


def _attempt_of(found: object) -> tuple[str, int] | tuple[()]:
    if not isinstance(found, Mapping):
        return ()
    return str(found.get("task", "")), _whole(found.get("number"))


def _whole(found: object) -> int:
    return found if type(found) is int else 0
