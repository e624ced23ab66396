"""An entry in another format: its values, as far as they can be saved in that."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from checkpoints import Entry, Key
from checkpoints._handlers.contents import Contents, contents_of
from checkpoints._handlers.options import Format
from checkpoints._keys.spelling import readable
from checkpoints.cli._failures import reason_of

__all__ = ["Translation", "key_of", "translated"]

# What a copy says for itself, and what is only true of the file that Julia wrote.
_NOT_KEPT = {"checkpoints", "name", "tags", "values", "original"}
_NOT_KEPT |= {"format", "compression", "manifest"}


class Translation(NamedTuple):
    """
    What becomes of an entry.

    Args:
        contents: The file; None if none of its values can be saved.
        names: The names of the values in it.
        left_out: Why each of the other values is not.
    """

    contents: Contents | None
    names: frozenset[str]
    left_out: list[str]


def translated(
    entry: Entry, meta: Mapping[str, Any], format: Format, original: Mapping[str, Any]
) -> Translation:
    """
    Return an entry in another format, with what its header says of its save.

    Args:
        entry: The entry.
        meta: Its header.
        format: The format.
        original: What the new header says of the file of the entry.

    Raises:
        Exception: Whatever a library raises about the file as a whole.
    """
    key = key_of(entry, meta)
    facts = {field: it for field, it in meta.items() if field not in _NOT_KEPT}
    facts["time"] = meta["time"].isoformat(timespec="microseconds")
    facts["original"] = original

    def encoded(values: Mapping[str, Any]) -> Contents:
        return contents_of(key, values, format, None, facts)

    def told(errors: Mapping[str, Exception]) -> list[str]:
        start = f"checkpoint {key}, "
        return [_of_value(*it, start, entry.path) for it in errors.items()]

    values, errors = _loaded(entry, meta)
    if errors and not values:
        return Translation(None, frozenset(), told(errors))
    try:
        return Translation(encoded(values), frozenset(values), told(errors))
    except Exception:
        # Libraries raise errors of many kinds about a value.
        refused = _errors_of(values, lambda name: encoded({name: values[name]}))
        if not refused:
            raise
    kept = {name: value for name, value in values.items() if name not in refused}
    contents = encoded(kept) if kept else None
    return Translation(contents, frozenset(kept), told({**errors, **refused}))


def _loaded(
    entry: Entry, meta: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Exception]]:
    """Return the values, and the errors of those that cannot be loaded."""
    try:
        return entry.load(), {}
    except (OSError, MemoryError):
        raise  # one by one, they would take the memory that they may not take at once
    except Exception:  # noqa: BLE001 - as each value alone tells it
        values: dict[str, Any] = {}
        errors = _errors_of(
            meta["values"], lambda name: values.update({name: entry[name]})
        )
        return values, errors


def _errors_of(
    names: Mapping[str, Any], attempt: Callable[[str], object]
) -> dict[str, Exception]:
    """Return the errors of the names with which an attempt fails."""
    errors: dict[str, Exception] = {}
    for name in names:
        try:
            attempt(name)
        except (OSError, MemoryError):
            raise
        except Exception as error:  # noqa: BLE001 - of a library, of any kind
            errors[name] = error.with_traceback(None)
    return errors


def _of_value(name: str, error: Exception, start: str, path: str) -> str:
    text = reason_of(error).removeprefix(start)
    if repr(name) in text:
        return text
    rest = text.removeprefix(path)
    return f"value {name!r}{rest}" if rest != text else f"value {name!r}: {text}"


def key_of(entry: Entry, meta: Mapping[str, Any]) -> Key:
    """Return name and tags: as the path has them, with the types of the header."""
    in_path, own = Key(entry.name, entry.tags.items()), tuple(meta["tags"])
    above = in_path.tags[: max(0, len(in_path.tags) - len(own))]
    key = Key(str(meta["name"]), (*above, *own))
    folder, file = os.path.split(entry.path)
    # In which long texts are cut.
    on_disk = "/".join((*folder.split(os.sep), file.partition(".")[0]))
    is_same = key.path == in_path.path or readable(on_disk).endswith(f"/{key.path}")
    return key if is_same else in_path
